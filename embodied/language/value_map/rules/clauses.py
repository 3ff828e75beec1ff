"""Motions and conditions: what one clause adds to a program."""

from __future__ import annotations

from dataclasses import dataclass, field

from embodied.language.value_map.building import (
    CLEARANCE_M,
    EVERYWHERE,
    SLOW_RADIUS_M,
    kept_to,
    near,
    obstacle,
    velocity,
)
from embodied.language.value_map.rules.places import PlaceReader
from embodied.language.value_map.vocabulary import GRIPPER_DIRECTIONS, SPEEDS_M_S
from embodied.types import MapOperation, Region, ValueMapCondition, ValueMapStage

_KEEP = ("keep", "keeping", "stay", "staying", "remain", "remaining", "be", "being", "always")
_AVOID = (
    *(f"{keep} {away}"
      for keep in ("stay", "staying", "keep", "keeping", "steer", "steering", "remain")
      for away in ("away from", "clear of", "well away from", "well clear of", "far away from",
                   "far from", "off")),
    "avoid", "avoiding", "watch out for", "watching out for", "watch", "mind", "minding",
    "be careful of", "be careful with", "beware of",
    "go around", "going around", "move around", "moving around", "steer around", "get around",
    "pass around", "passing around", "detour around", "making a detour around", "go round",
    "going round", "dodge", "dodging", "keep your distance from", "keeping your distance from",
    "be wary of", "being wary of", "look out for", "looking out for", "take care with",
    "careful of", "careful with", "careful around", "be careful around", "be mindful of",
    "leave alone", "skirt", "skirting", "circumvent", "circumventing", "nowhere near",
    "not anywhere near",
    "not near", "not too close to", "not close to", "bypass", "bypassing",
)  # fmt: skip
_NEGATED = (
    "do not", "not", "never", "without", "must not", "should not", "can not", "may not",
    "you must not", "you should not", "make sure not to", "making sure not to", "be careful not to",
    "being careful not to", "take care not to", "taking care not to", "try not to",
    "trying not to", "make sure you do not", "make sure that you do not", "be sure not to",
    "so as not to", "and not", "in order not to",
)  # fmt: skip
_TOUCHING = tuple(
    word
    for verb, gerund in (
        ("touch", "touching"), ("hit", "hitting"), ("bump into", "bumping into"),
        ("bump", "bumping"), ("knock over", "knocking over"), ("knock", "knocking"),
        ("knock down", "knocking down"), ("run into", "running into"),
        ("crash into", "crashing into"), ("collide with", "colliding with"),
        ("disturb", "disturbing"), ("brush against", "brushing against"), ("graze", "grazing"),
        ("push", "pushing"), ("hurt", "hurting"), ("damage", "damaging"), ("spill", "spilling"),
        *(
            (f"{go}{anywhere} {near}", f"{going}{anywhere} {near}")
            for go, going in (("go", "going"), ("get", "getting"), ("come", "coming"),
                              ("be", "being"), ("move", "moving"), ("pass", "passing"))
            for anywhere in ("", " anywhere", " too", " any", " even")
            for near in ("near", "close to", "near to")
        ),
    )
    for word in (verb, gerund)
)  # fmt: skip
_VIA = ("past", "around", "round", "by way around", "beyond", "via", "by way of", "along")
_COMING = ("get", "come", "go", "move", "be", "pass", "travel", "stray", "fly", "stay", "drift")
_NEARER = ("closer than", "nearer than", "within", "closer to than", "any closer than",
           "any nearer than")  # fmt: skip
_CLOSER = (
    *(f"{no} {come} {nearer}"
      for no in ("do not", "never", "must not", "not", "not ever", "should not", "may not",
                 "be careful not to", "make sure not to", "so as not to", "try not to", "not to")
      for come in _COMING for nearer in _NEARER),
    *(f"without {coming} {nearer}"
      for coming in ("getting", "coming", "going", "being", "moving", "passing", "straying")
      for nearer in _NEARER),
    "not closer than", "no closer than", "never closer than", "not within", "no nearer than",
)  # fmt: skip
_SLOW = (
    "slow down", "slowing down", "go slow", "go slowly", "going slowly", "be slow", "move slowly",
    "moving slowly", "reduce your speed", "reduce the speed", "reducing your speed", "slow",
    "more slowly", "slower", "go slower", "move slower", "move more slowly", "take it slow",
    "take it easy", "go easy", "be gentle", "be careful", "be extra careful", "careful",
    "decelerate", "decelerating", "drive slowly", "lower your speed", "lower the speed",
)  # fmt: skip
_FAST = (
    "speed up", "speeding up", "go fast", "move fast", "moving fast", "hurry", "move quickly",
    "faster", "go faster", "move faster", "hurry up", "be quick", "accelerate",
)  # fmt: skip
_GOING = ("move", "moving", "go", "going", "travel", "travelling", "traveling", "drive", "driving")
_NEAR = (
    *(f"{when} {be}{within}"
      for when in ("when", "once", "while", "if", "whenever", "as soon as", "where")
      for be in ("", "you are ", "you get ", "you come ", "it is ", "it gets ", "getting ",
                 "coming ")
      for within in ("within", "closer than", "nearer than", "inside", "less than",
                     "at less than")),
    "within", "closer than", "nearer than", "inside", "in the last", "for the last",
)  # fmt: skip
_NEAR_BARE = (
    *(f"{when} {be}{near}"
      for when in ("when", "once", "while", "if", "whenever", "as", "as soon as", "where")
      for be in ("", "you are ", "you get ", "you come ", "you go ", "it is ", "it gets ",
                 "getting ", "coming ", "going ", "moving ", "you move ")
      for near in ("near", "near to", "close to", "close", "past", "around", "closer to",
                   "nearer")),
    *(f"{when} {approach}"
      for when in ("when", "while", "as", "on", "once", "if")
      for approach in ("approaching", "you approach", "it approaches", "passing", "you pass",
                       "you pass by", "passing by")),
    "near", "close to", "around", "by", "next to", "near to", "beside", "in the vicinity of",
)  # fmt: skip
_JOINTS = (
    ",", "and", "but", "while", "also", "you", "letting it", "let it", "so that it",
    "making sure to", "make sure to", "be sure to", "make sure you", "making sure you",
    "so that you", "be sure you", "always", "please", "on the way", "along the way", "on your way",
    "all the while", "at all times", "the whole time", "throughout",
)  # fmt: skip
_FROM = ("away from", "clear of", "from", "off", "of", "to", "around", "away", "before")


@dataclass(slots=True)
class Stage:
    """A stage that is being read: the motion's own operations, then the conditions'."""

    moving: str
    operations: list[MapOperation] = field(default_factory=list[MapOperation])
    conditions: list[MapOperation] = field(default_factory=list[MapOperation])
    until: ValueMapCondition | None = None
    rest_s: float = 0.0

    @property
    def about(self) -> set[str]:
        """What it moves and where to: none of it is an obstacle to it."""
        return {self.moving, *(o.region.frame for o in self.operations)}

    def finished(self) -> ValueMapStage:
        """The stage as it is in a program."""
        operations: list[MapOperation] = []
        for operation in (*self.operations, *self.conditions):
            if operation not in operations:
                operations.append(operation)
        return ValueMapStage(
            moving=self.moving,
            operations=tuple(operations),
            until=self.until,
            rest_s=self.rest_s,
        )


class ClauseReader(PlaceReader):
    """Reads conditions.

    Args:
        tokens: The sentence.
        scene: What its objects may be called.
        spec: The workspace.
        places: Says where things are seen now.

    Attributes:
        but_for_others: "Everything else" was to be avoided: not what the motion is about.
    """

    but_for_others = False

    def condition(self) -> list[MapOperation]:
        """One condition; empty if none comes next."""
        start = self.pos
        self.eat_all(*_JOINTS)
        if self.at("then"):  # a stage of its own
            self.pos = start
            return []
        for read in (
            self._distance, self._side_kept, self._avoided, self._slow, self._pointing,
            self._speed, self.via,
        ):  # fmt: skip
            begin = self.pos
            found = read()
            if found:
                return found
            self.pos = begin
        self.pos = start
        return []

    def via(self) -> list[MapOperation]:
        """What the way leads past or around, as in "past the ball"; empty if nothing."""
        start = self.pos
        self.eat("by going", "by", "going", "and go")
        way = self.eat(*_VIA)
        if way:
            self.eat("the", "on the")
            side = self._plain_side()
            name = self.noun() if side else None
            if name is not None:
                return [kept_to(side, name)]
            self.pos = start
            self.eat("by going", "by", "going", "and go")
            way = self.eat(*_VIA)
        names = self.listed() if way not in ("", "via", "along", "by way of") else None
        if names is None:
            self.pos = start
            return []
        self.notes.append(f"{self.between(start)}: kept {100 * CLEARANCE_M:g} cm away from")
        return [obstacle(near(n, CLEARANCE_M)) for n in names]

    def _others(self) -> tuple[str, ...] | None:
        """What is near or far: things by name, "it", or everything that was not named so far."""
        start = self.pos
        if self.eat("it", "them", "that") and self.last and not self.noun_here():
            return self.last
        self.pos = start
        if self.eat("anything else", "everything else", "any other object", "other objects",
                    "the other objects", "all other objects", "any of the other objects",
                    "the other things", "other things", "the others"):  # fmt: skip
            self.but_for_others = True
            return tuple(n for n in self.scene.items if n not in self.seen)
        return self.listed()

    def _shuns(self) -> bool:
        """Go past "avoid", "without touching", "do not go anywhere near"."""
        start = self.pos
        if self.eat(*_AVOID):
            return True
        if self.eat(*_NEGATED) and self.eat(*_TOUCHING):
            return True
        self.pos = start
        return False

    def _distance(self) -> list[MapOperation]:
        closer = self.eat(*_CLOSER)
        if closer:
            distance = self.length()
            self.eat(*_FROM)
        else:
            if self._shuns():
                names = self._others()
                self.eat(",")
                self.eat("by at least", "by", "with at least", "at least")
                distance = self.length()
                if names is None or distance is None:
                    return []
                return [obstacle(near(n, distance)) for n in names]
            if not self.eat("with", "leave", "leaving") and not self.eat(*_KEEP):
                return []
            self.eat_all(*_KEEP)
            self.eat("at")
            self.eat("a minimum of", "no less than", "least", "a distance of", "a clearance of",
                     "a safe distance of", "a gap of", "more than", "at all times at")  # fmt: skip
            self.eat("a distance of", "at least", "least", "no less than", "more than")
            distance = self.length()
            self.eat("clearance", "distance", "of space", "of room", "of distance", "or more",
                     "of clearance", "apart", "gap")  # fmt: skip
            if not self.eat(*_FROM):
                return []
            self.eat("from")
        names = self._others()
        if names is None or distance is None:
            return []
        return [obstacle(near(n, distance)) for n in names]

    def _side_kept(self) -> list[MapOperation]:
        if not self.eat("pass", "passing", "go past", "going past"):
            if not self.eat(*_KEEP):
                return []
            self.eat_all(*_KEEP)
            self.eat("it")
        elif self.noun_here():
            name = self.noun()
            side = self._own_side()
            return [kept_to(side, name)] if side and name else []
        self.eat("on the way")
        side = self.side()
        if not side:
            self.eat("on", "to", "at", "along")
            self.eat("the")
            side = self._plain_side()
        name = self.noun() if side else None
        return [kept_to(side, name)] if name else []

    def noun_here(self) -> bool:
        """Whether a noun comes next."""
        start, last, seen = self.pos, self.last, list(self.seen)
        name = self.noun()
        self.pos, self.last, self.seen = start, last, seen
        return name is not None

    def _own_side(self) -> str:
        """``on its left``."""
        self.eat("on", "to", "at")
        self.eat("the", "its")
        side = self.eat("left side", "right side", "left", "right")
        return {"left": "left-of", "right": "right-of"}.get(side.split(" ")[0], "")

    def _avoided(self) -> list[MapOperation]:
        start = self.pos
        if not self._shuns():
            self.pos = start
            if not self.eat("give", "giving"):
                return []
            names = self._others()
            if names is None or not self.eat("a wide berth", "some room", "some space", "room"):
                return []
        else:
            names = self._others()
            self.eat("at all", "please", "at any time", "on the way", "along the way")
        return [obstacle(near(n, CLEARANCE_M)) for n in names or ()]

    def _slow(self) -> list[MapOperation]:
        begin = self.pos
        first = self._near_regions()  # "within 10 cm of the cup go slowly"
        if not first:
            self.pos = begin
        self.eat(",")
        speed = self._pace()
        if speed is None:
            return []
        return [velocity(region, speed) for region in first or self._near_regions()]

    def _pace(self) -> float | None:
        begin = self.pos
        self.eat(*_GOING)
        said = self.speed()
        if said is not None and not self.at("down"):
            return said
        self.pos = begin
        for words, name in ((_SLOW, "slow"), (_FAST, "fast")):
            if self.eat(*words):
                begin = self.pos
                self.eat("to")
                said = self.speed()
                if said is None:
                    self.pos = begin
                return SPEEDS_M_S[name] if said is None else said
        return None

    def _near_regions(self) -> list[Region]:
        self.eat(",")
        begin = self.pos
        self.eat("when you are", "when", "while", "once", "if")
        self.eat("in", "within", "inside", "on", "over", "you are in")
        area = self.area()
        if area:
            return [self.area_region(area)]
        self.pos = begin
        if self.eat(*_NEAR):
            distance = self.length()
            self.eat(*_FROM)
            self.eat("from", "of", "reaching")
            names = self._others()
            if names is None or distance is None:
                return []
            return [near(n, distance) for n in names]
        if self.eat(*_NEAR_BARE):
            self.eat("to")
            names = self._others()
            if names is None and self.at_pause():
                names = self.last
            return [near(n, SLOW_RADIUS_M) for n in names or ()]
        return []

    def _pointing(self) -> list[MapOperation]:
        heads = ("make", "have", "point", "pointing", "face", "facing", "turn", "turning",
                 "orient", "tilt", "aim",
                 "with", "keep", "keeping")  # fmt: skip
        if not self.eat(*heads) or not self.hand():
            return []
        self.eat("point", "face", "pointing", "facing", "turned", "to face",
                 "to point", "so that it points",
                 "so that it faces")  # fmt: skip
        self.eat("straight", "towards the", "to the")
        way = self.direction()
        if not way or self.at("by") or self.length() is not None:
            return []
        return [MapOperation(map="rotation", region=EVERYWHERE, value=GRIPPER_DIRECTIONS[way])]

    def _speed(self) -> list[MapOperation]:
        self.eat(*_GOING, "stay", "staying", "keep", "keeping", "keep to", "stay at", "remain")
        speed = self.speed()
        return [] if speed is None else [velocity(EVERYWHERE, speed)]
