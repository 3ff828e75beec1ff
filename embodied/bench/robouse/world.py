"""The world of an episode that another program simulates, behind its socket."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import cast

import numpy as np

from embodied.bench.robouse.pixels import Eyes, decoded, eyes_of
from embodied.bench.robouse.scene import TURN, Table, read_table
from embodied.errors import WorldError
from embodied.types import (
    Array,
    Command,
    GripperState,
    Observation,
    Pose,
    StepResult,
)
from embodied.world.limits import limit_command
from embodied.world.robots import Robot, spec_of

Ask = Callable[..., Mapping[str, object]]

STEP_S = 0.02
"""Time of a step of the episode."""

STEP_M = 0.01
"""How far an action of 1 moves the hand's set-point."""

LEAD_M = 0.03
"""How far the set-point gets ahead of a hand that is held back."""

IN_HAND_M = 0.06
"""A thing whose middle is nearer than this to touched fingers is between them."""

HOLDING_N = 20.0
"""Force that is reported when fingers touch an object: the episode says what they touch only."""

_ADVICE = {
    "new": "call reset first",
    "begun": "an episode starts once: open another one",
    "closed": "the world is closed",
}

DOWN = np.array([0.0, 0.5**0.5, 0.5**0.5, 0.0])
"""Orientation of the hand: approach straight down, fingers closing along x; wxyz."""


class EpisodeWorld:
    """A floating gripper over a table; implements ``World``.

    An episode starts once: ``reset`` takes it as it is, whatever the seed, as long as nothing
    has moved.

    Args:
        ask: Sends a request to the episode.
        robot: The gripper.
        said: What is asked for, whose words name what pictures show.

    Attributes:
        spec: What does not change while the world runs.
        table: The scene that the episode tells of.
    """

    def __init__(self, ask: Ask, robot: Robot, *, said: str = "") -> None:
        self._ask = ask
        self._state: str = "new"
        self._eyes: Eyes | None = None
        self._looked, self._held, self._grasp = -1, "", np.zeros(3)
        self._latest = ask("observe")
        if "objects" not in cast("Mapping[str, object]", self._latest["state"]):
            self._eyes = eyes_of(ask("info")["cameras"])
            self._look()
            self._eyes.call(said)
        told = self._told()
        self.table: Table = read_table(told, robot.q_lower, robot.q_upper)
        assert robot.gripper is not None
        scene = self.table.scene
        self.spec = spec_of(scene, robot, STEP_S)
        self._width = robot.gripper.spec.max_width_m
        self._begin()

    def reset(self, *, seed: int) -> Observation:
        """Start: the episode as it is.

        Raises:
            WorldError: The world is closed, or the episode has begun already.
        """
        del seed
        self._refuse_when("closed", "begun")
        self._latest, self._state = self._ask("observe"), "running"
        self._begin()
        return self._observation(np.zeros(3))

    def observe(self) -> Observation:
        """Measure without advancing time."""
        self._refuse_when("new", "closed")
        self._look()
        return self._observation(self._dq)

    def step(self, command: Command) -> StepResult:
        """Move the set-point of the hand, and the fingers, for one step of the episode.

        Raises:
            WorldError: There was no reset, the world is closed, or the steps are used up.
            ValueError: The command has the wrong shape or is not finite.
        """
        self._refuse_when("new", "closed")
        applied, reasons = limit_command(self.spec, command, self._q_set)
        if applied.gripper_width_m is not None:
            self._width = applied.gripper_width_m
        assert self.spec.gripper is not None
        before = self._hand()
        move = np.clip((applied.q - self._ahead) / STEP_M, -1.0, 1.0)
        grip = 1.0 - 2.0 * self._width / self.spec.gripper.max_width_m
        self._state = "begun"
        told = np.clip(TURN.inverse().apply(move), -1.0, 1.0)
        self._latest = self._ask("act", action=[*(float(v) for v in told), float(grip)])
        ahead = self._ahead + STEP_M * move
        self._ahead = before + np.clip(ahead - before, -LEAD_M, LEAD_M)
        self._q_set = applied.q
        self._dq = (self._hand() - before) / STEP_S
        if "episode" in self._latest:
            self._state = "closed"
            raise WorldError(f"the episode is over: {self._latest['episode']}")
        return StepResult(observation=self._observation(self._dq), applied=applied, reasons=reasons)

    def close(self) -> None:
        """Nothing is asked any more; may be called twice."""
        self._state = "closed"

    @property
    def qpos(self) -> Array:
        """Position of the hand, (3,), m."""
        return self._hand()

    def _begin(self) -> None:
        self._first = int(cast("int", self._latest["steps_used"]))
        self._q_set = self._ahead = self._hand()
        self._dq = np.zeros(3)

    def _told(self) -> Mapping[str, object]:
        told = cast("Mapping[str, object]", self._latest["state"])
        if self._eyes is None:
            return told
        self._follow(np.array(told["hand_pos"], dtype=np.float64), bool(told["holding"]))
        return {**told, "objects": self._eyes.objects, "fixtures": self._eyes.fixtures}

    def _look(self) -> None:
        """Take pictures, where the episode tells of no objects; once at each instant."""
        steps = int(cast("int", self._latest["steps_used"]))
        if self._eyes is None or self._looked == steps:
            return
        names = [self._eyes.above.name, self._eyes.front.name]
        seen = self._ask("observe", inline={"cameras": names, "format": "png"})
        hand = TURN.inverse().apply(self._hand())
        self._eyes.look(decoded(seen["images"]), hand, self._held)
        self._looked = steps

    def _follow(self, hand: Array, touched: bool) -> None:
        """What is between the fingers moves with them; pictures do not show it well."""
        assert self._eyes is not None
        things = self._eyes.objects
        if not touched:
            self._held = ""
        elif not self._held:
            away = {n: np.array(e["pos"]) - hand for n, e in things.items()}
            name = min(away, key=lambda n: float(np.linalg.norm(away[n])), default="")
            if name and float(np.linalg.norm(away[name])) < IN_HAND_M:
                self._held, self._grasp = name, away[name]
        if self._held:
            things[self._held]["pos"] = [float(v) for v in hand + self._grasp]

    def _hand(self) -> Array:
        told = cast("Mapping[str, object]", self._latest["state"])
        return TURN.apply(np.array(told["hand_pos"], dtype=np.float64))

    def _observation(self, dq: Array) -> Observation:
        told, hand = self._told(), self._hand()
        assert self.spec.gripper is not None
        opened = float(cast("float", told["gripper_open"]))
        touched = cast("list[str]", told["holding"])
        return Observation(
            time=(int(cast("int", self._latest["steps_used"])) - self._first) * STEP_S,
            q=hand,
            dq=dq,
            tau=np.zeros(3),
            pose_ee_in_world=Pose(position=hand, quat_wxyz=DOWN),
            gripper=GripperState(
                width_m=opened * self.spec.gripper.max_width_m,
                force_n=HOLDING_N if touched else 0.0,
            ),
            poses=self.table.poses(told),
            openings_m=self.table.openings_m(told),
        )

    def _refuse_when(self, *states: str) -> None:
        if self._state in states:
            raise WorldError(_ADVICE[self._state])
