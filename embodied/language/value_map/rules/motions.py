"""Verbs: each motion that the grammar knows, as stages."""

from __future__ import annotations

import math
from collections.abc import Callable

from embodied.language.value_map.building import (
    APART_M,
    EVERYWHERE,
    PUSH_M,
    SIDE_DISTANCE_M,
    STEP_M,
    along,
    apart,
    gripper,
    point,
    target,
    touching,
)
from embodied.language.value_map.rules.clauses import Stage
from embodied.language.value_map.rules.ways import WayReader
from embodied.language.value_map.rules.words import (
    A_BIT,
    AWAY,
    CLOSE_WORDS,
    FULLY,
    GO,
    LET_GO,
    OPEN_WORDS,
    POINT_AT,
    PUSH,
    TABLES,
    TOUCH,
)
from embodied.language.value_map.vocabulary import DIRECTIONS, GRIPPER_DIRECTIONS, SIDES
from embodied.language.words.scene_words import plain
from embodied.types import MapOperation

TOUCH_FROM_M = 0.04
"""How far beside a thing the hand is before it touches its side."""


class MotionReader(WayReader):
    """Reads motions.

    Attributes:
        hand_moved: The fingers were opened or closed: "it" may be the gripper.
    """

    hand_moved = False

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
        both = self.eat("open and close", "close and open", "open and then close")
        verb = self.eat("open", "close", "shut", "spread", "clench")
        opening = {"open": 1.0, "spread": 1.0, "close": 0.0, "shut": 0.0, "clench": 0.0}.get(verb)
        if opening is None and not both:
            return None
        own = self.hand() or (self.hand_moved and bool(self.eat("it", "them")))
        if not own:
            return None
        self.hand_moved = True
        if self.noun_here() or self.at("around"):
            return None
        if both:
            times = {"twice": 2, "two times": 2, "three times": 3}.get(
                self.eat("twice", "two times", "three times", "once"), 1
            )
            values = (1.0, 0.0) if both.startswith("open") else (0.0, 1.0)
            return [
                Stage("gripper", [gripper(EVERYWHERE, v)]) for _ in range(times) for v in values
            ]
        return [Stage("gripper", [gripper(EVERYWHERE, self._opening(opening or 0.0))])]

    def _opening(self, full: float) -> float:
        """How far the hand is to be open, where the words say so."""
        if self.eat("half way", "halfway", "half", "to half", "by half"):
            return 0.5
        if self.eat(*A_BIT):
            return 0.3 if full else 0.7
        self.eat("by", "to", "up to")
        share, width = self.quantity("1"), self.length()
        largest = self.spec.gripper.max_width_m if self.spec.gripper is not None else 0.08
        if width is not None:
            share = round(min(width / largest, 1.0), 3)
        self.eat("wide", "apart")
        self.eat(*FULLY)
        return full if share is None else share if full else 1.0 - share

    def _point_or_touch(self) -> list[Stage] | None:
        pointing = self.eat(*POINT_AT)
        if not pointing and not self.eat(*TOUCH):
            return None
        side = "" if pointing else self._part()
        name = self.noun()
        if name is None:
            return None
        begin = self.pos
        if not self.eat("with", "using") or not self.hand():
            self.pos = begin
        if not pointing:
            return self._touched(name, side)
        down = MapOperation(map="rotation", region=EVERYWHERE, value=GRIPPER_DIRECTIONS["down"])
        return [Stage("gripper", [target(point(name, SIDES["above"], SIDE_DISTANCE_M)), down])]

    def _part(self) -> str:
        """``the top of``, ``the left side of``: the side of a thing that is touched."""
        start = self.pos
        self.eat("the")
        if self.eat("top of", "top side of", "upper side of"):
            return "above"
        if self.eat("side of", "a side of", "one side of"):
            self.notes.append("the side: the left one, since none is said")
            return "left-of"
        side = self._plain_side()
        if not side:
            self.pos = start
        return side

    def _touched(self, name: str, side: str) -> list[Stage]:
        """The fingertips at a thing, once or several times."""
        size = self.spec.objects[name].size_m
        there = target(point(name, SIDES["above"], 0.0))
        if side and side != "above":
            half = size[0] / 2 if side in ("front-of", "behind") else size[1] / 2
            there = target(point(name, SIDES[side], round(half + TOUCH_FROM_M, 3)))
        last = Stage("gripper", [there], until=touching(name))
        size_m = max(size[:2]) / 2 + SIDE_DISTANCE_M / 2
        stages = self.approached(name, last, round(size_m, 3))
        times = {"twice": 2, "two times": 2, "three times": 3}.get(
            self.eat("twice", "two times", "three times", "once") or "", 1
        )
        again = Stage("gripper", [target(along("gripper", DIRECTIONS["up"], STEP_M))])
        more = [again, Stage("gripper", [there], until=touching(name))]
        return [*stages, *(more * (times - 1))]

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
        if self.spec.objects[other].category in TABLES and verb in ("take", "get", "bring"):
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

    def _push(self) -> list[Stage] | None:
        verb = self.eat(*PUSH)
        if not verb:
            return None
        before = self.keyword({"close": CLOSE_WORDS, "open": OPEN_WORDS})
        if self.holding and self.eat("it", "the object", self.holding.replace("-", " ")):
            return self._way("gripper", STEP_M) if self._directed_here() else None
        names = self.nouns()
        if names is None or (verb in GO and self._holder_next()):
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
            back = self.pushed.get(name)
            if back is not None and self.eat("back again", "back there", "back where it was",
                                             "back to where it was", "back"):  # fmt: skip
                stages.append(Stage(name, [target(along(name, back, -1.0))]))
                continue
            way = self._nearer(name) or self._way(name, PUSH_M)
            if way is None:
                return None
            stages += way
            for stage in way:
                stage.conditions += via
        return stages

    def _holder_next(self) -> bool:
        """Whether a tray or a bin follows: what goes there is carried over the rim."""
        start = self.pos
        self.eat("over to", "to", "into", "onto", "in", "on", "over onto", "over into")
        other = self.noun() if self.pos > start else None
        self.pos = start
        if other is None or self.spec.objects[other].category in TABLES:
            return False
        return self.spec.objects[other].kind in ("surface", "container")

    def _nearer(self, name: str) -> list[Stage] | None:
        """``5 cm towards the bowl``: so far on the straight line between the two."""
        start = self.pos
        self.eat("by")
        distance = self.length()
        other = None
        if distance is not None and self.eat("towards", "toward", "closer to", "nearer to",
                                             "in the direction of", "nearer"):  # fmt: skip
            other = self.noun()
        places = self.places() if other is not None else {}
        if other is None or distance is None or name not in places or other not in places:
            self.pos = start
            return None
        dx, dy = (
            float(b) - float(a) for a, b in zip(places[name][:2], places[other][:2], strict=True)
        )
        size = math.hypot(dx, dy)
        if size < distance:
            raise self.abstain(f"the {plain(other)} is nearer than that", final=True)
        return [Stage(name, [target(along(name, (dx / size, dy / size, 0.0), distance))])]

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
