"""Verbs: each motion that the grammar knows, as stages."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from embodied.language.value_map.building import (
    EVERYWHERE,
    LIFT_M,
    PUSH_M,
    SIDE_DISTANCE_M,
    STEP_M,
    along,
    grasp,
    gripper,
    point,
    release,
    target,
)
from embodied.language.value_map.rules.clauses import ClauseReader, Stage
from embodied.language.value_map.rules.words import DROP, GO, GRASP, HAND, PUSH
from embodied.language.value_map.vocabulary import DIRECTIONS, SIDES
from embodied.language.words.lexer import Token
from embodied.language.words.scene_words import SceneWords, plain
from embodied.types import MapOperation, WorldSpec

_IT = ("it", "the object", "what you hold", "that", "the thing", "this", "the item")
_SETTING = {"fork": "left-of", "knife": "right-of", "spoon": "right-of", "cup": "front-of"}
_TURNED_A_QUARTER = (0.0, 0.7071067811865476, -0.7071067811865475, 0.0)
"""Gripper down, turned by a quarter about the vertical (wxyz)."""


class MotionReader(ClauseReader):
    """Reads motions.

    Args:
        tokens: The sentence.
        scene: What its objects may be called.
        spec: The scene.
    """

    def __init__(self, tokens: Iterable[Token], scene: SceneWords, spec: WorldSpec) -> None:
        super().__init__(tokens, scene)
        self.spec = spec

    def motion(self) -> list[Stage] | None:
        """One motion; None if none comes next."""
        start = self.pos
        readers: tuple[Callable[[], list[Stage] | None], ...] = (
            self._hand,
            self._table_setting,
            self._drawer,
            self._bottle,
            self._push,
            self._grasp,
            self._drop,
            self._go,
        )
        for read in readers:
            found = read()
            if found is not None:
                return found
            self.pos = start
        return None

    def _hand(self) -> list[Stage] | None:
        letting_go = ("let it go", "let go", "let go of it", "gripper open", "open hand", "drop it",
                      "release it", "release the object", "release what you hold")  # fmt: skip
        begin = self.pos
        if self.eat(*letting_go) and (self.ended or self.at(",", "and", "then")):
            return [Stage("gripper", [gripper(EVERYWHERE, 1.0)])]
        self.pos = begin
        if self.eat("gripper closed", "hand closed"):
            return [Stage("gripper", [gripper(EVERYWHERE, 0.0)])]
        opening = {"open": 1.0, "close": 0.0, "shut": 0.0}.get(self.eat("open", "close", "shut"))
        if opening is None or not self.eat(*HAND):
            return None
        if self.noun_here() or self.at("around"):
            return None
        return [Stage("gripper", [gripper(EVERYWHERE, opening)])]

    def _go(self) -> list[Stage] | None:
        hover = self.eat("hover", "stay", "float")
        verb = hover or self.eat(*GO)
        if not verb:
            return None
        hand = self.eat(*HAND)
        if not hand and verb in ("put", "take", "bring"):
            return None
        return self._way("gripper", STEP_M)

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
        if line:
            self.eat("the", "a")
        self.eat("straight")
        way = self.direction()
        if way and not (self.eat("side") or self.at("of")):
            self.eat("direction", "line", "in a straight line", "along a straight line",
                     "along a line", "in a line")  # fmt: skip
            if distance is None:
                self.eat("by", "for")
                distance = self.length()
            self.eat("in a straight line", "along a straight line", "along a line")
            length = default_m if distance is None else distance
            return [Stage(moving, [target(along(moving, DIRECTIONS[way], length))])]
        self.pos = start
        place = self.place()
        if place is None:
            return None
        if place.frame == moving:
            raise self.abstain(f"the {plain(moving)} cannot be beside itself")
        return [Stage(moving, [target(place)])]

    def _push(self) -> list[Stage] | None:
        verb = self.eat(*PUSH)
        if not verb:
            return None
        names = self.nouns()
        if names is None:
            return None
        stages: list[Stage] = []
        after = self.pos
        for name in names:
            self.pos = after
            kind = self.spec.objects[name].kind
            if kind == "drawer":
                if self.eat("closed", "shut", "in", "close"):
                    stages.append(self._slide(name, -1.0))
                    continue
                raise self.abstain("a drawer is pushed closed", "say: push the drawer closed")
            if kind != "item":
                raise self.abstain(f"the {plain(name)} does not move", self._movable())
            way = self._way(name, PUSH_M)
            if way is None:
                return None
            stages += way
        return stages

    def _movable(self) -> str:
        return "movable are: " + ", ".join(plain(n) for n in self.scene.items)

    def _drawer(self) -> list[Stage] | None:
        verb = self.eat("close", "shut", "open", "pull open")
        if not verb:
            return None
        name = self.noun()
        if name is None or self.spec.objects[name].kind != "drawer":
            return None
        self.eat("by pushing against it", "by pushing it", "by pushing", "with a push",
                 "by pulling it", "by pulling")  # fmt: skip
        return [self._slide(name, 1.0 if "open" in verb else -1.0)]

    def _slide(self, name: str, sign: float) -> Stage:
        spec = self.spec.objects[name]
        way = spec.opens_along if any(spec.opens_along) else (-1.0, 0.0, 0.0)
        return Stage(name, [target(along(name, way, sign * (spec.travel_m or 0.2)))])

    def _bottle(self) -> list[Stage] | None:
        start = self.pos
        if not self.eat("open", "uncap", "unscrew", "take the cap off", "remove the cap of"):
            return None
        self.eat("the cap of", "the cap from")
        before = self.pos
        name = self.noun()
        if name is None:
            self.pos = start
            return None
        if self.spec.objects[name].category == "bottle":
            caps = [n for n, o in self.spec.objects.items() if o.category == "cap"]
        else:
            caps = [name] if self.spec.objects[name].category == "cap" else []
        if len(caps) != 1:
            self.pos = before
            raise self.abstain(
                f"the {plain(name)} has no cap that I know", "known: open the drawer or a bottle"
            )
        cap = caps[0]
        turned = MapOperation(map="rotation", region=EVERYWHERE, value=_TURNED_A_QUARTER)
        up = target(along("gripper", SIDES["above"], LIFT_M))
        return [Stage("gripper", grasp(cap)), Stage("gripper", [turned]), Stage("gripper", [up])]

    def _grasp(self) -> list[Stage] | None:
        if not self.eat(*GRASP):
            return None
        name = self.noun()
        if name is None:
            return None
        if self.spec.objects[name].kind != "item":
            raise self.abstain(f"the {plain(name)} cannot be grasped", self._movable())
        self.eat("up")
        self.eat("from the table", "off the table", "from where it is")
        stages = [Stage("gripper", grasp(name))]
        start = self.pos
        if self.eat("and", "and then"):
            self.eat("then")
            if self.eat("lift it up", "lift it", "raise it"):
                self.eat("up")
                length = self.length() or LIFT_M
                up = target(along("gripper", SIDES["above"], length))
                return [*stages, Stage("gripper", [up])]
        self.pos = start
        return stages

    def _drop(self) -> list[Stage] | None:
        verb = self.eat(*DROP, *GO)
        if not verb:
            return None
        carried: str | None = None
        if not self.eat(*_IT):
            carried = self.noun()
            if carried is None:
                return None
            if self.spec.objects[carried].kind != "item":
                return None
        place = self.place(onto=True)
        if place is None or place.frame == carried:
            return None
        start = self.pos
        if self.eat("and"):
            said = (
                "release it there",
                "let go there",
                "let it go there",
                "drop it there",
                "drop it",
                "release it",
                "let it go",
                "let go",
                "let go of it",
            )
            if not self.eat(*said):
                self.pos = start
        drop = Stage("gripper", release(place))
        return [drop] if carried is None else [Stage("gripper", grasp(carried)), drop]

    def _table_setting(self) -> list[Stage] | None:
        if not self.eat("set up the table", "set the table", "lay the table"):
            return None
        self.eat("for dinner", "for one", "for a meal", "for me", "for my pasta", "for lunch")
        plates = [n for n, o in self.spec.objects.items() if o.category == "plate"]
        if len(plates) != 1:
            raise self.abstain("a table is set around one plate", self.known())
        stages: list[Stage] = []
        taken: list[str] = []
        for name, spec in self.spec.objects.items():
            side = _SETTING.get(spec.category)
            if spec.kind != "item" or side is None:
                continue
            taken.append(side)
            apart = self.spec.objects[plates[0]].size_m[1] / 2 + 0.07 * taken.count(side)
            place = point(plates[0], SIDES[side], round(max(apart, SIDE_DISTANCE_M), 3))
            stages += [Stage("gripper", grasp(name)), Stage("gripper", release(place))]
        if not stages:
            known = ", ".join(_SETTING)
            raise self.abstain("there is nothing to set the table with", f"known: {known}")
        return stages
