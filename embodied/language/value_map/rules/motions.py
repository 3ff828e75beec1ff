"""Verbs: each motion that the grammar knows, as stages."""

from __future__ import annotations

import math
from collections.abc import Callable

from embodied.language.value_map.building import (
    APART_M,
    EVERYWHERE,
    NEXT_TO_M,
    PUSH_M,
    PUSHED_NEXT_TO_M,
    SIDE_DISTANCE_M,
    STEP_M,
    along,
    apart,
    gripper,
    point,
    target,
)
from embodied.language.value_map.rules.clauses import Stage
from embodied.language.value_map.rules.handling import HandlingReader
from embodied.language.value_map.rules.words import (
    A_BIT,
    AWAY,
    BY,
    CLOSE_WORDS,
    FULLY,
    GO,
    LET_GO,
    LIFT,
    LOWER,
    OPEN_WORDS,
    POINT_AT,
    PUSH,
    TABLES,
    TOUCH,
)
from embodied.language.value_map.vocabulary import DIRECTIONS, GRIPPER_DIRECTIONS, SIDES
from embodied.language.words.scene_words import plain
from embodied.types import MapOperation


class MotionReader(HandlingReader):
    """Reads motions."""

    def motion(self) -> list[Stage] | None:
        """One motion; None if none comes next."""
        start = self.pos
        readers: tuple[Callable[[], list[Stage] | None], ...] = (
            self._hand,
            self._table_setting,
            self._drawer,
            self._bottle,
            self._turn,
            self._point_or_touch,
            self._separate,
            self._push,
            self._lift,
            self._drop,
            self._grasp,
            self._go,
            self._onward,
        )
        for read in readers:
            found = read()
            if found is not None:
                return found
            self.pos = start
        return None

    def _hand(self) -> list[Stage] | None:
        begin = self.pos
        if self.eat("gripper open", *LET_GO) and (self.ended or self.at(",", "and", "then")):
            return [Stage("gripper", [gripper(EVERYWHERE, 1.0)])]
        self.pos = begin
        if self.eat("gripper closed", "hand closed"):
            return [Stage("gripper", [gripper(EVERYWHERE, 0.0)])]
        opening = {"open": 1.0, "close": 0.0, "shut": 0.0}.get(self.eat("open", "close", "shut"))
        if opening is None or not self.hand():
            return None
        if self.noun_here() or self.at("around"):
            return None
        if self.eat("half way", "halfway", "half"):
            opening = 0.5
        self.eat(*FULLY)
        return [Stage("gripper", [gripper(EVERYWHERE, opening)])]

    def _point_or_touch(self) -> list[Stage] | None:
        pointing = self.eat(*POINT_AT)
        if not pointing and not self.eat(*TOUCH):
            return None
        name = self.noun()
        if name is None:
            return None
        begin = self.pos
        if not self.eat("with", "using") or not self.hand():
            self.pos = begin
        if not pointing:
            return [Stage("gripper", [target(point(name, SIDES["above"], 0.0))])]
        down = MapOperation(map="rotation", region=EVERYWHERE, value=GRIPPER_DIRECTIONS["down"])
        return [Stage("gripper", [target(point(name, SIDES["above"], SIDE_DISTANCE_M)), down])]

    def _separate(self) -> list[Stage] | None:
        """What gets away from something: "pull the red cube apart from the green cube"."""
        verb = self.eat("separate", "back off", "back away", "retreat", *PUSH, *GO)
        if not verb:
            return None
        joined = verb in ("separate", "pull", "move", "push")
        moving = "gripper" if self.hand() else self.noun()
        second: str | None = None
        if moving is None and (verb in GO or verb.startswith(("back", "retreat"))):
            moving = "gripper"
        if moving is None:
            return None
        distance = self.length()
        if self.eat("further", "farther"):
            pass
        if joined and moving != "gripper" and self.eat("and"):
            second = self.noun()
            if second is None or not (verb == "separate" or self.eat("apart")):
                return None
        elif not self.eat(*AWAY) and not (verb == "separate" and self.eat("from")):
            if not (verb.startswith(("back", "retreat")) and self.eat("from")):
                return None
        other = second or self.noun()
        if other is None or other == moving:
            return None
        if self.spec.objects[other].category in TABLES:
            raise self.abstain("things stay on the table", "say away from what else", final=True)
        if moving != "gripper" and self.spec.objects[moving].kind != "item":
            raise self.abstain(f"the {plain(moving)} does not move", self._movable(), final=True)
        if distance is None:
            before = self.pos
            self.eat("by", "by at least", "at least")
            distance = self.length()
            self.pos = before if distance is None else self.pos
        if distance is None:
            distance = self._farther(moving, other)
            self.notes.append(
                f"away from: at least {100 * distance:.3g} cm, since no distance is said"
            )
        operations, until = apart(moving, other, distance)
        return [Stage(moving, operations, until=until)]

    def _farther(self, moving: str, other: str) -> float:
        """What "away from" means: some way, and farther than the two are now."""
        places = self.places()
        if moving not in places or other not in places:
            return APART_M
        gap = math.dist(places[moving][:2], places[other][:2])
        gap -= min(self.spec.objects[other].size_m[:2]) / 2
        return max(APART_M, round(gap + PUSH_M, 2))

    def _go(self) -> list[Stage] | None:
        begin = self.pos
        raised = self.eat(*LIFT, *LOWER)
        if raised:  # "raise your arm by 10 cm"
            if not self.hand():
                return None
            self.eat(*BY)
            length = self.length() or STEP_M
            self.eat(*A_BIT)
            way = "down" if raised in LOWER else "up"
            return [Stage("gripper", [target(along("gripper", DIRECTIONS[way], length))])]
        self.pos = begin
        hover = self.eat("hover", "stay", "float", "wait")
        verb = hover or self.eat(*GO)
        if not verb:
            return None
        hand = self.hand()
        if not hand and verb in ("put", "take", "bring"):
            return None
        way = self.via()
        stages = self._way("gripper", STEP_M)
        for stage in stages or []:
            stage.conditions += way
        return stages

    def _onward(self) -> list[Stage] | None:
        """A direction with a distance and no verb: "and then 5 cm left"."""
        begin = self.pos
        said = self.length() is not None or bool(self.eat(*A_BIT))
        way = self.direction()
        said = said or (bool(way) and (self.length() is not None or bool(self.eat(*A_BIT))))
        self.pos = begin
        return self._way("gripper", STEP_M) if said else None

    def _way(self, moving: str, default_m: float) -> list[Stage] | None:
        """A direction or a place, for the gripper or a thing that is pushed."""
        start = self.pos
        self.eat("to", "towards")
        area = self.area()
        if area:
            return [Stage(moving, [target(self.area_region(area))])]
        self.pos = start
        line = self.eat("along the line", "along a line", "in a straight line", "along",
                         "in a line", "straight")  # fmt: skip
        distance = self.length()
        if self.eat(*A_BIT):
            distance = distance or default_m
        self.eat("further", "farther") if distance else ""
        if line:
            self.eat("the", "a")
        self.eat("straight")
        way = self.direction()
        if way and not (self.eat("side") or self.at("of")):
            self.eat("direction", "line", "in a straight line", "along a straight line",
                     "along a line", "in a line")  # fmt: skip
            if distance is None:
                self.eat("by", "for", "a distance of", "by a distance of")
                distance = self.length()
            if self.eat(*A_BIT):
                distance = distance or default_m
            self.eat("in a straight line", "along a straight line", "along a line")
            length = default_m if distance is None else distance
            return [Stage(moving, [target(along(moving, DIRECTIONS[way], length))])]
        self.pos = start
        close_m = NEXT_TO_M if moving == "gripper" else PUSHED_NEXT_TO_M
        place = self.place(close_m=close_m)
        if place is None:
            return None
        if place.frame == moving:
            raise self.abstain(f"the {plain(moving)} cannot be beside itself", final=True)
        return [Stage(moving, [target(place)])]

    def _push(self) -> list[Stage] | None:
        verb = self.eat(*PUSH)
        if not verb:
            return None
        before = self.keyword({"close": CLOSE_WORDS, "open": OPEN_WORDS})
        names = self.nouns()
        if names is None:
            return None
        stages: list[Stage] = []
        after = self.pos
        for name in names:
            self.pos = after
            kind = self.spec.objects[name].kind
            if kind == "drawer":
                stages.append(self._pushed_drawer(name, verb, before))
                continue
            if kind != "item":
                raise self.abstain(f"the {plain(name)} does not move", self._movable(), final=True)
            via = self.via()
            way = self._way(name, PUSH_M)
            if way is None:
                return None
            stages += way
            for stage in way:
                stage.conditions += via
        return stages

    def _pushed_drawer(self, name: str, verb: str, way: str) -> Stage:
        """``push the drawer shut``, ``pull out the drawer``, ``push close the drawer``."""
        way = way or self.keyword({"close": CLOSE_WORDS, "open": OPEN_WORDS})
        if not way and verb in ("pull", "draw"):
            way = "open"
        if not way:
            raise self.abstain(
                "a drawer is pushed closed", "say: push the drawer closed", final=True
            )
        return self._slide(name, 1.0 if way == "open" else -1.0)

    def _drawer(self) -> list[Stage] | None:
        verb = self.eat("close", "shut", "open", "pull open", "pull out", "slide open",
                        "slide shut", "push in", "push closed")  # fmt: skip
        if not verb:
            return None
        name = self.noun()
        if name is None or self.spec.objects[name].kind != "drawer":
            return None
        self.eat("up")
        self.eat("by pushing against it", "by pushing it", "by pushing", "with a push",
                 "by pulling it", "by pulling")  # fmt: skip
        return [self._slide(name, 1.0 if "open" in verb or "out" in verb else -1.0)]

    def _slide(self, name: str, sign: float) -> Stage:
        spec = self.spec.objects[name]
        way = spec.opens_along if any(spec.opens_along) else (-1.0, 0.0, 0.0)
        length = spec.travel_m or 0.2
        if self.eat("half way", "halfway", "half"):
            length /= 2
        self.eat(*FULLY)
        start = self.pos
        self.eat("by")
        said = self.length()
        self.pos = start if said is None else self.pos
        return Stage(name, [target(along(name, way, sign * (said or length)))])
