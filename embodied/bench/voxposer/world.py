# pyright: reportAttributeAccessIssue=false
"""A MuJoCo world that records everything and in which something may happen once.

An object or a drawer is moved by writing its joint, the arm is pushed by a force on the hand: the
person who does it is not simulated, what follows is physics.
"""

from __future__ import annotations

from dataclasses import dataclass

import mujoco
import numpy as np

from embodied.bench.voxposer.trace import Recorder
from embodied.bench.world_wrapper import Wrapped
from embodied.types import Command, Observation, StepResult
from embodied.world.mujoco import MujocoWorld

HAND_CLEAR_M = 0.16
"""Nobody reaches to where the robot's hand is."""

PUSH_S = 0.2
LATEST_S = 6.0
"""What could not happen by then does not happen in this way: the arm is pushed instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Disturbance:
    """What happens, once.

    Attributes:
        kind: ``"object"``, ``"drawer"`` or ``"arm"``.
        name: Object or drawer that is moved.
        shift_m: By how much: (x, y) of an object, (opening, 0) of a drawer.
        force_n: Force on the hand, (3,).
        after_s: Not before this time.
    """

    kind: str
    name: str = ""
    shift_m: tuple[float, float] = (0.0, 0.0)
    force_n: tuple[float, float, float] = (0.0, 25.0, 0.0)
    after_s: float = 0.8


class SuiteWorld(Wrapped[MujocoWorld]):
    """The world inside, recorded.

    Args:
        world: The world.
        disturbance: What happens; None for nothing.
    """

    def __init__(self, world: MujocoWorld, disturbance: Disturbance | None = None) -> None:
        super().__init__(world)
        self.disturbance = disturbance
        self.recorder = Recorder(specs=world.spec.objects)
        self._hand = world.model.body("hand").id
        self._pushing = False

    def __getattr__(self, name: str) -> object:
        return getattr(self.world, name)

    def reset(self, *, seed: int) -> Observation:
        """As the world inside does; what was recorded is forgotten."""
        observation = self.world.reset(seed=seed)
        self.recorder.rows = [observation]
        self.recorder.disturbed_s = None
        self._pushing = False
        return observation

    def step(self, command: Command) -> StepResult:
        """Let happen what is due, step, record."""
        self._disturb(self.recorder.rows[-1])
        result = self.world.step(command)
        self.recorder.rows.append(result.observation)
        return result

    def _disturb(self, seen: Observation) -> None:
        what, begun = self.disturbance, self.recorder.disturbed_s
        if what is None or seen.time < what.after_s:
            return
        if begun is None:
            if what.kind == "object" and self._free(seen, what):
                self._move(what.name, what.shift_m)
            elif what.kind == "drawer" and seen.openings_m[what.name] < 0.09:
                self._move(what.name, what.shift_m[:1])
            elif what.kind != "arm" and seen.time < LATEST_S:
                return
            self.recorder.disturbed_s = seen.time
            begun = seen.time
            self._pushing = what.kind == "arm" or seen.time >= LATEST_S
        force = self.world.data.xfrc_applied
        pushing = self._pushing and seen.time < begun + PUSH_S
        force[self._hand, :3] = what.force_n if pushing else (0.0, 0.0, 0.0)

    def _free(self, seen: Observation, what: Disturbance) -> bool:
        here = seen.poses[what.name].position
        there = here + np.array([*what.shift_m, 0.0])
        hand = seen.pose_ee_in_world.position
        start = self.recorder.rows[0].poses[what.name].position
        untouched = float(np.linalg.norm(here - start)) < 0.005
        clear = min(float(np.linalg.norm(hand - p)) for p in (here, there)) > HAND_CLEAR_M
        return untouched and clear

    def _move(self, name: str, shift: tuple[float, ...]) -> None:
        joint, data = self.world.model.joint(name), self.world.data
        start = int(joint.qposadr[0])
        data.qpos[start : start + len(shift)] += np.array(shift)
        data.qvel[int(joint.dofadr[0])] = 1e-3  # wakes what sleeps
        mujoco.mj_forward(self.world.model, data)
