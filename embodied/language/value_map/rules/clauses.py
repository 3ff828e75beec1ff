"""Motions and conditions: what one clause adds to a program."""

from __future__ import annotations

from dataclasses import dataclass, field

from embodied.language.value_map.building import (
    CLEARANCE_M,
    EVERYWHERE,
    SIDE_DISTANCE_M,
    SLOW_RADIUS_M,
    area_region,
    kept_to,
    near,
    obstacle,
    point,
    velocity,
)
from embodied.language.value_map.rules.cursor import SceneCursor
from embodied.language.value_map.rules.words import SIDE_WORDS
from embodied.language.value_map.vocabulary import GRIPPER_DIRECTIONS, SIDES, SPEEDS_M_S
from embodied.language.words.scene_words import plain
from embodied.types import MapOperation, Region, ValueMapStage, WorldSpec

_KEEP = ("keep", "keeping", "stay", "staying", "remain", "remaining", "be", "being", "always")
_AVOID = (
    "avoid", "avoiding", "stay away from", "staying away from", "keep away from",
    "keeping away from", "stay clear of", "staying clear of", "keep clear of", "keeping clear of",
    "steer clear of", "steering clear of", "watch out for", "go around", "going around",
    "do not touch", "without touching", "without hitting", "do not hit", "dodge", "dodging",
    "without bumping into", "do not bump into", "keep your distance from", "keep off",
)  # fmt: skip
_CLOSER = (
    "do not get closer than", "do not come closer than", "do not go closer than",
    "never get closer than", "never come closer than", "without getting closer than",
    "without coming closer than", "do not get within", "without getting within",
    "do not come within", "never come within", "never get within",
    "without coming within", "not closer than",
)  # fmt: skip
_SLOW = (
    "slow down", "slowing down", "go slow", "go slowly", "going slowly", "be slow", "move slowly",
    "moving slowly", "reduce your speed", "reduce the speed", "reducing your speed", "slow",
)  # fmt: skip
_FAST = ("speed up", "speeding up", "go fast", "move fast", "moving fast", "hurry", "move quickly")
_GOING = ("move", "moving", "go", "going", "travel", "travelling", "traveling", "drive", "driving")
_NEAR = (
    "when within", "once within", "while within", "if you are within", "when you are within",
    "when closer than", "when nearer than", "when inside", "when less than", "when at less than",
    "within", "closer than", "nearer than", "inside",
)  # fmt: skip
_NEAR_BARE = ("when you are near", "when near", "when close to", "near", "close to", "around", "by")
_JOINTS = (
    ",", "and", "but", "while", "also", "you", "letting it", "let it", "so that it",
    "making sure to", "make sure to", "be sure to",
)  # fmt: skip
_FROM = ("away from", "clear of", "from", "off", "of", "to", "around")


@dataclass(slots=True)
class Stage:
    """A stage that is being read: the motion's own operations, then the conditions'."""

    moving: str
    operations: list[MapOperation] = field(default_factory=list[MapOperation])
    conditions: list[MapOperation] = field(default_factory=list[MapOperation])

    def finished(self) -> ValueMapStage:
        """The stage as it is in a program."""
        return ValueMapStage(moving=self.moving, operations=(*self.operations, *self.conditions))


class ClauseReader(SceneCursor):
    """Reads places and conditions.

    Args:
        tokens: The sentence.
        scene: What its objects may be called.
        spec: The workspace.
    """

    spec: WorldSpec

    def area_region(self, area: str) -> Region:
        """Box over a part of the workspace."""
        lower = (float(self.spec.workspace_lower[0]), float(self.spec.workspace_lower[1]))
        upper = (float(self.spec.workspace_upper[0]), float(self.spec.workspace_upper[1]))
        return area_region(area, lower, upper)

    def place(self, *, onto: bool = False) -> Region | None:
        """A place; None if none comes next.

        Args:
            onto: A bare object means a point above it, where a thing can be let go.
        """
        start = self.pos
        self.eat("to", "into", "onto", "in", "on", "at", "towards", "toward")
        self.eat("a point", "a spot", "a place", "a position", "somewhere", "the point", "the spot")
        self.eat("that is", "which is")
        area = self.area()
        if area:
            return self.area_region(area)
        distance = self.length()
        if distance is not None:
            self.eat("away")
        side = self.side()
        if not side:
            start_of_the = self.pos
            self.eat("to", "on")
            self.eat("the")
            side = self._plain_side()
            if not side:
                self.pos = start_of_the
        name = self.noun()
        if name is None and side:
            raise self.abstain(f"'{self.rest()}' is no object that I know", self.known())
        if name is None or (distance is not None and not side):
            self.pos = start
            return None
        if side and distance is None:
            before = self.pos
            self.eat(",")
            if self.eat("by", "at a distance of", "with a gap of", "at"):
                distance = self.length()
            else:
                distance = self.length()
                self.eat("away", "off")
            if distance is None:
                self.pos = before
        if side:
            length = SIDE_DISTANCE_M if distance is None else distance
            return point(name, SIDES[side], length)
        return point(name, SIDES["above"], SIDE_DISTANCE_M if onto else 0.0)

    def _plain_side(self) -> str:
        """``left side of``, ``right of`` after a "the" that was eaten."""
        short = {
            k: [p.removeprefix("to the ").removeprefix("on the ") for p in v if " the " in p]
            for k, v in SIDE_WORDS.items()
        }
        return self.keyword(short)

    def known(self) -> str:
        """For messages."""
        return "there are: " + ", ".join(plain(n) for n in self.scene.specs)

    def condition(self) -> MapOperation | None:
        """One condition; None if none comes next."""
        start = self.pos
        self.eat_all(*_JOINTS)
        if self.at("then"):  # a stage of its own
            self.pos = start
            return None
        for read in (self._distance, self._side_kept, self._avoided, self._slow, self._pointing):
            begin = self.pos
            found = read()
            if found is not None:
                return found
            self.pos = begin
        found = self._speed()
        if found is None:
            self.pos = start
        return found

    def _distance(self) -> MapOperation | None:
        closer = self.eat(*_CLOSER)
        if closer:
            distance = self.length()
            self.eat(*_FROM)
        else:
            if self.eat(*_AVOID):
                name = self.noun()
                self.eat(",")
                self.eat("by at least", "by", "with at least")
                distance = self.length()
                found = name is not None and distance is not None
                return obstacle(near(name, distance)) if found and name and distance else None
            with_ = (
                self.eat("with", "leave", "leaving", "keeping", "keep")
                if self.at("with", "leave", "leaving")
                else ""
            )
            if not with_ and not self.eat(*_KEEP):
                return None
            self.eat("at")
            self.eat("a minimum of", "no less than", "least", "a distance of", "a clearance of")
            self.eat("a distance of", "at least")
            distance = self.length()
            self.eat("clearance", "distance", "of space", "of room", "of distance")
            if not self.eat(*_FROM):
                return None
        name = self.noun()
        if name is None or distance is None:
            return None
        return obstacle(near(name, distance))

    def _side_kept(self) -> MapOperation | None:
        if not self.eat("pass", "passing", "go past", "going past"):
            if not self.eat(*_KEEP):
                return None
            self.eat_all(*_KEEP)
            self.eat("it")
        elif self.noun_here():
            name = self.noun()
            side = self._own_side()
            return kept_to(side, name) if side and name else None
        self.eat("on the way")
        side = self.side()
        if not side:
            self.eat("on", "to", "at", "along")
            self.eat("the")
            side = self._plain_side()
        name = self.noun() if side else None
        return kept_to(side, name) if name else None

    def noun_here(self) -> bool:
        """Whether a noun comes next."""
        start = self.pos
        name = self.noun()
        self.pos = start
        return name is not None

    def _own_side(self) -> str:
        """``on its left``."""
        self.eat("on", "to", "at")
        self.eat("the", "its")
        side = self.eat("left side", "right side", "left", "right")
        return {"left": "left-of", "right": "right-of"}.get(side.split(" ")[0], "")

    def _avoided(self) -> MapOperation | None:
        if not self.eat(*_AVOID):
            return None
        name = self.noun()
        return None if name is None else obstacle(near(name, CLEARANCE_M))

    def _slow(self) -> MapOperation | None:
        begin = self.pos
        first = self._near_region()  # "within 10 cm of the cup go slowly"
        if first is None:
            self.pos = begin
        speed = self._pace()
        if speed is None:
            return None
        region = first or self._near_region()
        return None if region is None else velocity(region, speed)

    def _pace(self) -> float | None:
        if self.eat(*_SLOW):
            begin = self.pos
            if self.eat("to"):
                said = self.speed()
                if said is not None:
                    return said
                self.pos = begin
            return SPEEDS_M_S["slow"]
        if self.eat(*_FAST):
            return SPEEDS_M_S["fast"]
        self.eat(*_GOING)
        return self.speed()

    def _near_region(self) -> Region | None:
        self.eat(",")
        begin = self.pos
        self.eat("when you are", "when", "while", "once", "if")
        self.eat("in", "within", "inside", "on", "over", "you are in")
        area = self.area()
        if area:
            return self.area_region(area)
        self.pos = begin
        bare = not self.eat(*_NEAR)
        if not bare:
            distance = self.length()
            self.eat(*_FROM)
            name = self.noun()
            if name is not None and distance is not None:
                return near(name, distance)
            return None
        if self.eat(*_NEAR_BARE):
            name = self.noun()
            return None if name is None else near(name, SLOW_RADIUS_M)
        return None

    def _pointing(self) -> MapOperation | None:
        heads = ("point", "pointing", "face", "facing", "turn", "turning", "orient", "tilt", "aim",
                 "with", "keep", "keeping")  # fmt: skip
        if not self.eat(*heads):
            return None
        if not self.eat("the gripper", "your gripper", "the hand", "your hand", "the fingers"):
            return None
        self.eat("pointing", "facing", "turned")
        self.eat("straight")
        way = self.direction()
        if not way:
            return None
        return MapOperation(map="rotation", region=EVERYWHERE, value=GRIPPER_DIRECTIONS[way])

    def _speed(self) -> MapOperation | None:
        self.eat(*_GOING)
        speed = self.speed()
        return None if speed is None else velocity(EVERYWHERE, speed)
