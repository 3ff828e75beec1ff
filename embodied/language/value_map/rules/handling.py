"""Verbs about what the fingers hold: grasp, lift, hold, put, turn, open a bottle."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property

from embodied.language.value_map.building import (
    EVERYWHERE,
    LIFT_M,
    SIDE_DISTANCE_M,
    along,
    grasp,
    gripper,
    point,
    release,
    target,
    turn,
)
from embodied.language.value_map.rules.clauses import ClauseReader, Stage
from embodied.language.value_map.rules.words import (
    ABOUT,
    BY,
    CLOCKWISE,
    DOWN_THERE,
    DROP,
    FROM_SIDE,
    GO,
    GRASP,
    IN_AIR,
    IT,
    LET_GO,
    LIFT,
    TURN,
    WHERE_IT_WAS,
)
from embodied.language.value_map.vocabulary import DIRECTIONS, SIDES
from embodied.language.words.amounts import DIGITS
from embodied.language.words.scene_words import plain
from embodied.types import Region

_SETTING = {"fork": "left-of", "knife": "right-of", "spoon": "right-of", "cup": "front-of"}


class HandlingReader(ClauseReader):
    """Reads what is done with things in the hand.

    Attributes:
        holding: What the hand holds after the motions so far, ``""`` for nothing.
        raised_m: How far that was lifted, where it was only lifted.
        over: What it was brought over, ``""`` for nothing.
        moved: Whether a motion was read before.
        last_way: How the hand was moved straight last, m.
    """

    holding, raised_m, over, moved = "", 0.0, "", False
    last_way: tuple[float, float, float] = (0.0, 0.0, 0.0)

    @cached_property
    def pushed(self) -> dict[str, tuple[float, float, float]]:
        """How things were moved straight so far, m, by name."""
        return {}

    @cached_property
    def taken_from(self) -> dict[str, dict[str, float]]:
        """Where things were seen when they were taken, world frame, m."""
        return {}

    def did(self, stages: Sequence[Stage]) -> None:
        """Note what stages lead to."""
        for stage in stages:
            self.moved = True
            targets = [o.region for o in stage.operations if o.map == "affordance"]
            closing = [o.value for o in stage.operations if o.map == "gripper"]
            frame = targets[-1].frame if targets else ""
            if targets and targets[-1].shape == "along" and frame == stage.moving != "gripper":
                x, y, z = (targets[-1].parameters.get(a, 0.0) for a in "xyz")
                self.pushed[frame] = (x, y, z)
            if closing and closing[-1] == 1.0:
                self.holding, self.over, self.raised_m = "", "", 0.0
            elif closing and frame in self.scene.specs:
                self.holding, self.over, self.raised_m = frame, "", 0.0
                place = self.places().get(frame)
                if place is not None:
                    x, y, z = (round(float(v), 4) for v in place)
                    self.taken_from[frame] = {"x": x, "y": y, "z": z}
            elif targets and targets[-1].shape == "along" and frame == "gripper":
                x, y, z = (targets[-1].parameters.get(a, 0.0) for a in "xyz")
                self.last_way = (x, y, z)
                self.raised_m = 0.0 if x or y else max(self.raised_m + z, 0.0)
            elif targets:
                self.raised_m = 0.0
                z = targets[-1].parameters.get("z", 0.0)
                self.over = frame if frame in self.scene.specs and z > 0 else ""

    def _turn(self) -> list[Stage] | None:
        """``turn counter-clockwise by 90 degrees``, ``rotate the cup a quarter turn``."""
        verb = self.eat(*TURN)
        if not verb:
            return None
        name = None
        if not self.hand() and not self.eat(*IT):
            name = self.noun()
        self.eat("around", "round")
        angle, way = None, ""
        for _ in range(3):
            self.eat(*ABOUT)
            angle = self.angle() if angle is None else angle
            way = way or self.keyword(CLOCKWISE)
        if angle is None:
            if way or name is not None:
                raise self.abstain(
                    f"'{verb}' does not say by how much", "say it in degrees", final=True
                )
            return None
        if not way:
            self.notes.append(f"{verb}: counter-clockwise, since no direction is said")
        turned = Stage("gripper", [turn(-angle if way == "clockwise" else angle)])
        if name is None:
            return [turned]
        self._graspable(name)
        return [Stage("gripper", grasp(name)), turned, Stage("gripper", [gripper(EVERYWHERE, 1.0)])]

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
        up = target(along("gripper", SIDES["above"], LIFT_M))
        unscrewed = Stage("gripper", [turn(math.pi / 2)])
        return [Stage("gripper", grasp(cap)), unscrewed, Stage("gripper", [up])]

    def approached(self, name: str, last: Stage, apart_m: float = SIDE_DISTANCE_M) -> list[Stage]:
        """A stage at a thing, after one beside it where that says from which side."""
        start = self.pos
        if not self.eat("from", "coming from", "approaching from", "approaching it from", "by"):
            return [last]
        owner = {phrase: side for side, phrases in FROM_SIDE.items() for phrase in phrases}
        said = self.eat(*owner)
        if not said or self.at("of", "hand"):
            self.pos = start
            return [last]
        side = owner[said]
        if not side:
            side = "left-of"
            self.notes.append(f"from {said}: the left, since no side is said")
        before = Stage("gripper", [target(point(name, SIDES[side], apart_m))])
        return [before, last]

    def _graspable(self, name: str) -> None:
        if self.spec.objects[name].kind != "item":
            raise self.abstain(f"the {plain(name)} cannot be grasped", self._movable(), final=True)

    def _lift(self) -> list[Stage] | None:
        """``lift the apple``, ``raise it by 20 cm``, ``pick up the can and ...``."""
        verb = self.eat(*LIFT)
        if not verb:
            return None
        held = bool(self.eat(*IT))
        name = None if held else self.noun()
        if name is None and not held:
            return None
        stages: list[Stage] = []
        if name is not None:
            self._graspable(name)
            stages = self.approached(name, Stage("gripper", grasp(name)))
        self.eat("up")
        place = self._held_at()
        if place is not None:
            return [*stages, Stage("gripper", [target(place)])]
        length = self._height()
        more = verb == "pick up" and length is None and not self.ended
        if more and name is not None:  # what follows says where it goes
            return stages
        return [
            *stages,
            Stage("gripper", [target(along("gripper", SIDES["above"], length or LIFT_M))]),
        ]

    def _height(self) -> float | None:
        """How far up, as in "by 20 cm", "30 cm above the table"."""
        start = self.pos
        self.eat_all(*IN_AIR, *BY, "a bit", "straight")
        self.eat(",")
        self.eat(*BY)
        length = self.length()
        if length is None:
            self.pos = start
            self.eat_all(*IN_AIR)
            return None
        self.eat_all(*IN_AIR)
        return length

    def _held_at(self) -> Region | None:
        """A place where a thing is held and not let go: "over the crate"."""
        start = self.pos
        if self.at(*IN_AIR):
            return None
        raised = self.length() is not None and self.at(*IN_AIR)
        self.pos = start
        place = None if raised else self.place(onto=True)
        if place is None:
            self.pos = start
        return place

    def _grasp(self) -> list[Stage] | None:
        verb = self.eat(*GRASP)
        if not verb:
            return None
        stages: list[Stage] = []
        if not (verb == "hold" and self.eat(*IT)):
            name = self.noun()
            if name is None:
                return None
            self._graspable(name)
            stages = self.approached(name, Stage("gripper", grasp(name)))
        self.eat("up")
        self.eat("from the table", "off the table", "from where it is", "from the table top",
                 "from the counter", "from the desk")  # fmt: skip
        if verb == "hold":
            place = self._held_at()
            if place is not None:
                return [*stages, Stage("gripper", [target(place)])]
            aloft = self.at(*IN_AIR, "up")
            length = self._height()
            if aloft or length is not None:
                up = target(along("gripper", SIDES["above"], length or LIFT_M))
                return [*stages, Stage("gripper", [up])]
        start = self.pos
        if stages and self.eat("and", "and then"):
            self.eat("then")
            if self.eat("lift it up", "lift it", "raise it", "pick it up"):
                length = self._height()
                up = target(along("gripper", SIDES["above"], length or LIFT_M))
                return [*stages, Stage("gripper", [up])]
        self.pos = start
        return stages or None

    def _drop(self) -> list[Stage] | None:
        verb = self.eat(*LET_GO, *DROP, *GO)
        if not verb:
            return None
        carried: str | None = None
        if verb not in LET_GO and not self.eat(*IT):
            carried = self.noun()
            if carried is None:
                return None
            if self.spec.objects[carried].kind != "item":
                return None
        self.eat("back") if verb in ("put", "place", "set", "lay") else ""
        if verb not in LET_GO and self._down():
            return self._put_down(carried)
        if verb == "let" and not self.eat("drop", "fall", "go", "down"):
            return None
        way = self.via()
        if self.at("from") and DIGITS.fullmatch(self.peek(1) or "-"):
            self.eat("from")
        place = self.place(onto=True)
        if place is None and way and carried is not None:  # what follows says where it goes
            stages = [Stage("gripper", grasp(carried))]
        elif place is None or place.frame == carried:
            return None
        else:
            drop = Stage("gripper", release(place))
            stages = [drop] if carried is None else [Stage("gripper", grasp(carried)), drop]
            start = self.pos
            if not self.eat("and") or not self.eat(
                *DOWN_THERE,
                *LET_GO,
            ):
                self.pos = start
        for stage in stages:
            stage.conditions += way
        return stages

    def _down(self) -> bool:
        """Go past "down", where no place follows."""
        start = self.pos
        self.eat("gently", "carefully", "softly", "slowly", "again")
        if self.eat("down again", "back down", "down there", "down here", "down", "back",
                    "back again", "back down again"):  # fmt: skip
            if self.eat(*WHERE_IT_WAS):
                return True
            if self.at_pause() or self.at("and", "then", "again", "gently", "softly", "carefully"):
                return True
        self.pos = start
        return False

    def _put_down(self, carried: str | None) -> list[Stage]:
        """What is held goes onto what it is over, or down as far as it was lifted."""
        if carried is not None and carried != self.holding:
            raise self.abstain("this does not say where to put it", "say on or beside what")
        where = self.words[max(self.pos - 2, 0) : self.pos]
        home = self.taken_from.get(self.holding)
        if home is not None and not self.raised_m and ("back" in where or "was" in where):
            there = Region(shape="point", frame="world", parameters=home)
            return [Stage("gripper", release(there))]
        if self.over:
            return [Stage("gripper", release(point(self.over, SIDES["above"], SIDE_DISTANCE_M)))]
        if not self.raised_m:
            raise self.abstain("this does not say where to put it", "say on or beside what")
        return [Stage("gripper", release(along("gripper", DIRECTIONS["down"], self.raised_m)))]

    def _table_setting(self) -> list[Stage] | None:
        if not self.eat("set up the table", "set the table", "lay the table"):
            return None
        self.eat("for dinner", "for one", "for a meal", "for me", "for my pasta", "for lunch")
        plates = [n for n, o in self.spec.objects.items() if o.category == "plate"]
        if len(plates) != 1:
            raise self.abstain("a table is set around one plate", self.known(), final=True)
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
            raise self.abstain(
                "there is nothing to set the table with", f"known: {known}", final=True
            )
        return stages

    def _movable(self) -> str:
        return "movable are: " + ", ".join(plain(n) for n in self.scene.items)
