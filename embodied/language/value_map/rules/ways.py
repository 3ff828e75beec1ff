"""Going: in a direction, to a place, from a side, as far as it says."""

from __future__ import annotations

from dataclasses import replace

from embodied.language.value_map.building import (
    EVERYWHERE,
    NEXT_TO_M,
    PACES_M_S,
    PUSHED_NEXT_TO_M,
    STEP_M,
    along,
    near,
    point,
    target,
    touching,
    velocity,
)
from embodied.language.value_map.rules.clauses import Stage
from embodied.language.value_map.rules.handling import HandlingReader
from embodied.language.value_map.rules.words import (
    A_BIT,
    BETWEEN,
    BY,
    DIRECTED,
    GO,
    LIFT,
    LOWER,
    NEXT_TO,
    PACED,
    PUSH,
    SIDE_WORDS,
    STOPS,
    TABLES,
    WAIT,
)
from embodied.language.value_map.vocabulary import DIRECTIONS, SIDES
from embodied.language.words.amounts import number_at
from embodied.language.words.scene_words import plain
from embodied.types import MapOperation, Region

_THERE = (
    "you are", "it is", "you are at", "it is at", "you reach", "you get to", "the gripper is",
    "the gripper is at", "reaching", "the hand is", "it reaches", "at", "you come to",
    "the gripper reaches",
)  # fmt: skip
_TOUCHES = ("you touch", "it touches", "touching", "the gripper touches", "you feel", "you hit",
            "you make contact with", "the hand touches")  # fmt: skip
_PLACES = (
    *(phrase for phrases in SIDE_WORDS.values() for phrase in phrases), *NEXT_TO, *BETWEEN, "to",
    "over to", "back to", "onto", "towards", "and back to",
)  # fmt: skip
_UP_THERE = ("up", "high", "above the table", "over the table", "above it", "up in the air",
             "off the table", "in the air", "above the tabletop")  # fmt: skip
UP_M = 0.015
"""How exact a height over a part of the table is."""
CLOSE_M = 0.04
"""From a surface: as close as it gets without touching."""

_BEFORE_PLACES = ("to", "towards", "toward", "onto", "above", "over", "next", "near", "beside")


class WayReader(HandlingReader):
    """Reads where the hand, or a thing that is pushed, goes."""

    def resting(self, *, after: bool) -> float | None:
        """How long to wait, 0 for no time of its own; None if nothing of the kind comes next.

        Args:
            after: A motion was read before, so that "stop" and "for 3 s" may follow.
        """
        start = self.pos
        self.eat_all("and", "then", ",", "and then", "but", "now", "please")
        if self.eat("count to"):
            value, used = number_at(self.words, self.pos) if not self.ended else (None, 0)
            self.pos += used
            if value is not None and self.at_pause():
                return value
            self.pos = start
        waits = self.eat(*WAIT)
        if waits or after:
            self.eat("there", "in place", "in the air", "like that", "still", "up")
            seconds = self.duration()
            if seconds is not None and (waits or self.words[self.pos - 1] != "of"):
                self.eat("there", "in place", "long")
                return seconds
        self.pos = start
        self.eat_all("and", "then", ",", "and then", "please")
        if after and self.eat(*STOPS) and (self.at_pause() or self.at("and", "then")):
            return 0.0
        self.pos = start
        return None

    def _go(self) -> list[Stage] | None:
        begin = self.pos
        stages = self._raised()
        if stages is not None:
            return stages
        self.pos = begin
        default = self.keyword(DIRECTED)
        pace = "" if default else self.keyword(PACED)
        self.eat("go and") if self.at("go and hover", "go and wait", "go and stay") else ""
        hover = self.eat("hover", "stay", "float", "wait", "keep") if not (default or pace) else ""
        verb = default or pace or hover or self._subject() or self.eat(*GO)
        hand = False
        if not verb and self.eat(*PUSH):
            hand = self.hand()
            verb = "move" if hand else ""
        if not verb:
            return None
        hand = hand or self.hand()
        if not hand and verb in ("put", "take", "bring"):
            return None
        if verb == "visit":
            names = self.listed()
            self.eat("one after another", "one after the other", "in turn", "in this order",
                     "in that order", "one by one")  # fmt: skip
            return [
                Stage("gripper", [target(point(n, SIDES["above"], 0.0))]) for n in names or ()
            ] or None
        limit = PACES_M_S[pace] if pace else None
        said = self.speed() if not self.at("straight") else None
        if said is not None and self.at("down"):  # "slow down"
            return None
        limit = limit if said is None else said
        way = self.via()
        first = self._from_thing()
        found = self._way("gripper", STEP_M, default)
        if found is None:
            return None
        stages = [*first, *found]
        for stage in stages:
            stage.conditions += way
            if limit is not None:
                stage.conditions.append(velocity(EVERYWHERE, limit))
        return stages

    def _subject(self) -> str:
        """``the arm goes``: a verb with the hand in front of it."""
        start = self.pos
        if self.hand() and self.eat("goes", "moves", "travels", "should go", "should move", "heads",
                                    "needs to go", "has to go", "is to go", "must go"):  # fmt: skip
            return "go"
        self.pos = start
        return ""

    def _raised(self) -> list[Stage] | None:
        """``raise your arm by 10 cm``, ``lower the gripper onto the sponge``."""
        raised = self.eat(*LIFT, *LOWER)
        if not raised or not (self.hand() or (raised in LOWER and self.holding and self.eat("it"))):
            return None
        way = "down" if raised in LOWER else "up"
        start = self.pos
        self.eat(*BY)
        length = self.length()
        if length is None or self.at("above", "over", "off", "from"):
            self.pos = start
            place = self._way("gripper", STEP_M, way)
            if place is not None:
                return place
            self.pos = start
            self.eat(*BY)
            length = self.length()
        self.eat(*A_BIT)
        return [Stage("gripper", [target(along("gripper", DIRECTIONS[way], length or STEP_M))])]

    def _from_thing(self) -> list[Stage]:
        """``from the apple`` before ``to the lime``: there first."""
        start = self.pos
        name = self.noun() if self.eat("from") else None
        if name is None:
            self.pos = start
            return []
        return [Stage("gripper", [target(point(name, SIDES["above"], 0.0))])]

    def _onward(self) -> list[Stage] | None:
        """A direction or a place without a verb: "and then 5 cm left", "then above the cup"."""
        begin = self.pos
        onward = self.peek() in ("down", "up", "over", "across", "back") and self.peek(1) == "to"
        if self.moved and (onward or self.at(*_PLACES)):
            self.eat("back", "down", "up", "over", "across")
            return self._way("gripper", STEP_M)
        if self.moved and self.peek() == "back" and self.peek(1) in ("up", "down", "left", "right"):
            found = self._way("gripper", STEP_M)
            self.eat("again")
            return found
        said = self.length() is not None or bool(self.eat(*A_BIT))
        way = self.direction()
        said = said or (bool(way) and (self.length() is not None or bool(self.eat(*A_BIT))))
        said = said or (bool(way) and self.moved and (self.at_pause() or self.at("and", "then")))
        self.pos = begin
        return self._way("gripper", STEP_M) if said else None

    def _directed_here(self) -> bool:
        """Whether a direction comes next, with a length or not."""
        start = self.pos
        self.eat("straight", "further")
        self.length()
        found = bool(self.direction()) and not self.at("of", "side")
        self.pos = start
        return found

    def _way(self, moving: str, default_m: float, default: str = "") -> list[Stage] | None:
        """A direction or a place, for the gripper or a thing that is pushed.

        Args:
            moving: What moves.
            default_m: How far in a direction where nothing is said.
            default: Direction that the verb means.
        """
        start = self.pos
        self.eat("to", "towards")
        area = self.area()
        if area:
            return [Stage(moving, [target(self._up_in(self.area_region(area)))])]
        self.pos = start
        found = self._straight(moving, default_m, default)
        if found is not None:
            return found
        self.pos = start
        if default and self.at_pause() or default and self.at("and", "then", "until"):
            return self._until(moving) or [
                Stage(moving, [target(along(moving, DIRECTIONS[default], default_m))])
            ]
        self.eat("all the way", "along", "all the way along")
        if self.peek(1) in _BEFORE_PLACES:
            self.eat("over", "up", "down", "across", "out", "back", "straight", "directly", "right")
        return self._to_place(moving, start)

    def _to_place(self, moving: str, start: int) -> list[Stage] | None:
        close_m = NEXT_TO_M if moving == "gripper" else PUSHED_NEXT_TO_M
        self.eat("exactly", "precisely", "just", "directly")
        self.kept_off = []
        place = self.place(close_m=close_m)
        if place is None:
            self.pos = start
            place = self.place(close_m=close_m)
        if place is None:
            return None
        if place.frame == moving:
            raise self.abstain(f"the {plain(moving)} cannot be beside itself", final=True)
        place = self._at_height(place)
        stage = Stage(moving, [target(place)], [*self.kept_off])
        return self._sided(stage, place) if moving == "gripper" else [stage]

    def _up_in(self, area: Region) -> Region:
        """A part of the table, ``30 cm up``: at that height over it."""
        start = self.pos
        self.eat(",", "and", "at", "about")
        height = self.length()
        if height is None or not self.eat(*_UP_THERE):
            self.pos = start
            return area
        bounds = {"z_lower": round(height - UP_M, 4), "z_upper": round(height + UP_M, 4)}
        return replace(area, parameters={**area.parameters, **bounds})

    def _at_height(self, place: Region) -> Region:
        """``between the cups, 8 cm above the table``: a place with its height said behind it."""
        start = self.pos
        self.eat(",", "and", "at")
        height = self.length()
        above = height is not None and self.eat(
            *(f"{above} {the}{table}" for above in ("above", "over", "off") for the in ("the ", "")
              for table in (*TABLES, "ground", "surface"))
        )  # fmt: skip
        seen = self.places().get(place.frame) if above else None
        if not above or seen is None or place.shape != "point" or height is None:
            self.pos = start
            return place
        z = round(height - float(seen[2]), 4)
        return replace(place, parameters={**place.parameters, "z": z})

    def short(self) -> float | None:
        """How near a thing to stop: "stop 5 cm short", "as close as you can get"."""
        start = self.pos
        self.eat_all("and", ",", "but", "then")
        if self.eat("stop", "stopping", "halt", "stay", "staying"):
            distance = self.length()
            if distance is None and self.eat("when you are", "once you are", "when it is",
                                             "as soon as you are", "at"):  # fmt: skip
                distance = self.length()
            if distance is not None and self.eat("short", "short of it", "away", "away from it",
                                                 "before it", "off", "from it", "in front of it",
                                                 "before you reach it", "from there"):  # fmt: skip
                return distance
            self.pos = start
            self.eat_all("and", ",", "but", "then")
        if self.eat(
            "as close as you can get", "as close as possible", "as near as possible",
            "as close as you can", "as near as you can", "as closely as possible",
        ):  # fmt: skip
            return CLOSE_M
        self.pos = start
        return None

    def _sided(self, stage: Stage, place: Region) -> list[Stage]:
        """``from the left``: beside the thing first, then near it."""
        bare = place.shape == "point" and not any(place.parameters.values())
        if not bare or place.frame not in self.scene.specs:
            return [stage]
        found = self.approached(place.frame, stage)
        if len(found) > 1:
            found[-1] = Stage("gripper", [target(near(place.frame, NEXT_TO_M))])
        return found

    def _straight(self, moving: str, default_m: float, default: str) -> list[Stage] | None:
        line = self.eat("along the line", "along a line", "in a straight line", "along",
                        "in a line", "straight")  # fmt: skip
        self.eat("by", "for", "back") if default else ""
        distance = self.length()
        if self.eat(*A_BIT):
            distance = distance or default_m
        self.eat("further", "farther", "more") if distance else ""
        if line:
            self.eat("the", "a")
        self.eat("straight")
        if self.at("back up", "back down", "back left", "back right", "back to the left",
                   "back to the right"):  # fmt: skip
            self.eat("back")
        way = self.direction()
        if way and (self.eat("side") or self.at("of", "onto", "on", "over", "to", "above")):
            return None
        if not way and distance is not None and default:
            if not (
                self.at_pause()
                or self.at(
                    "and",
                    "then",
                    "at",
                    "until",
                    "with",
                    "while",
                    "from where",
                    "from here",
                    "from its",
                )
            ):
                return None
            way = default
        if not way:
            return None
        self.eat("direction", "line", "in a straight line", "along a straight line",
                 "along a line", "in a line")  # fmt: skip
        if distance is None:
            self.eat("by", "for", "a distance of", "by a distance of")
            distance = self.length()
        if self.eat(*A_BIT):
            distance = distance or default_m
        self.eat("in a straight line", "along a straight line", "along a line")
        if distance is None:
            until = self._until(moving)
            if until is not None:
                return until
            back = -sum(a * b for a, b in zip(self.last_way, DIRECTIONS[way], strict=True))
            if moving == "gripper" and self.moved and back > 0:  # "and back down again"
                default_m = round(back, 6)
            elif moving == "gripper" and self.moved and way == "back" and not line:
                raise self.abstain(
                    "'back' can mean towards the robot, or where the gripper was before",
                    "say how far backwards, or name a place",
                    final=True,
                )
        length = default_m if distance is None else distance
        return [Stage(moving, [target(along(moving, DIRECTIONS[way], length))])]

    def _until(self, moving: str) -> list[Stage] | None:
        """``until you are 5 cm above the lime``: that is where it goes."""
        start = self.pos
        if not self.eat("until", "till"):
            return None
        if self.eat(*_TOUCHES):
            name = self.noun()
            if name is not None and moving == "gripper":
                there: list[MapOperation] = [target(point(name, SIDES["above"], 0.0))]
                return [Stage(moving, there, until=touching(name))]
        self.eat(*_THERE)
        place = self.place()
        if place is None:
            self.pos = start
            return None
        return [Stage(moving, [target(place)])]
