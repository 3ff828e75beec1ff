# pyright: reportAttributeAccessIssue=false
"""Disturbances of a tabletop in MuJoCo: a hand that nobody simulates moves, takes and puts things.

Objects are moved by writing their poses, drawers by writing their joints: the person who does it
is not simulated. What follows (things settle, fall, lie elsewhere, block each other) is physics.
A drop is physics altogether: the gripper is told to open while it carries.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import mujoco
import numpy as np

from embodied.bench.world_wrapper import Wrapped
from embodied.protocols import Event
from embodied.types import Array, Command, Observation, StepResult
from embodied.world.layout import footprint_radius, yaw_pose
from embodied.world.mujoco import MujocoWorld
from embodied.world.scene import TABLE

KINDS = ("none", "moved", "undone", "dropped", "drawer", "new", "taken", "stolen")
"""What happens: nothing; an item is moved; a finished item is put elsewhere; the carried item is
dropped; the drawer is closed again; a new object lands on one that is needed; a person takes an
item and gives it back when asked; an item is gone for good."""

WORDS = {
    "none": "nothing (control)",
    "moved": "object moved",
    "undone": "finished work undone",
    "dropped": "dropped during transport",
    "drawer": "drawer closed again",
    "new": "new object in the way",
    "taken": "person takes it, gives it back when asked",
    "stolen": "object stolen for good",
}

AWAY_M = (1.6, -2.0)
"""Place on the floor, out of everybody's reach, where things are taken to."""

HAND_CLEAR_M = 0.14
"""Nobody reaches to where the robot's hand is: least distance of the hand to what is moved."""

DROP_FROM_M = 0.12
"""Least distance from where it is carried to at which an item is dropped."""

_GAP_M = 0.045
_DROP_STEPS = 45
_TAKING = ("pick", "unstack", "take-out")
_PUTTING = ("place", "stack", "put-in")


@dataclass(frozen=True, slots=True, kw_only=True)
class Disturbance:
    """What is to happen, and when.

    Attributes:
        kind: One of ``KINDS``.
        target: Item or drawer that it happens to.
        actions: Numbers of the actions, from 0, during which it may happen.
        delay_steps: Control periods into the first of them (``dropped``: into the transport).
        spare: Item that comes as a new object.
        towards: Where a dropped item was being carried to; it is dropped well before.
    """

    kind: str
    target: str
    actions: tuple[int, ...]
    delay_steps: int
    spare: str = ""
    towards: str = ""

    @property
    def concerned(self) -> frozenset[str]:
        """Names of which one must occur in what is noticed."""
        return frozenset(n for n in (self.target, self.spare) if n)


def choose(
    kind: str, plan: Sequence[tuple[str, ...]], rng: np.random.Generator, spare: str
) -> Disturbance | None:
    """Draw what happens to which step of a plan; None where the plan has no such step.

    Args:
        kind: One of ``KINDS``.
        plan: Actions as (name, arguments...).
        rng: Source of randomness.
        spare: Item that is not on the table yet.
    """
    takes = [i for i, a in enumerate(plan) if a[0] in _TAKING]
    puts = [i for i, a in enumerate(plan) if a[0] in _PUTTING and a[2] != TABLE]
    delay = int(rng.integers(5, 70))

    def make(target: str, actions: Sequence[int]) -> Disturbance:
        return Disturbance(kind=kind, target=target, actions=tuple(actions), delay_steps=delay)

    if kind == "dropped" and puts:
        i = int(rng.choice(puts))
        drop = make(plan[i][1], (i,))
        return replace(drop, delay_steps=2 + delay // 3, towards=plan[i][2])
    if kind == "drawer":
        for i, action in enumerate(plan):
            later = [k for k in takes if k > i]
            if action[0] == "open" and later:
                return make(action[1], later[:1])
    if kind == "undone" and (choices := [i for i in puts if i + 1 < len(plan)]):
        i = int(rng.choice(choices))
        return make(plan[i][1], range(i + 1, len(plan)))
    if kind in ("moved", "new", "taken", "stolen") and takes:
        i = int(rng.choice(takes))
        first = int(rng.integers(i + 1))
        made = make(plan[i][1], range(first, i + 1))
        return replace(made, spare=spare if kind == "new" else "")
    return None


@dataclass(slots=True)
class DisturbedWorld(Wrapped[MujocoWorld]):
    """A MuJoCo world in which something happens once.

    Attributes:
        rng: Where things are put.
        disturbance: What is to happen; None for nothing.
        happened_s: When it happened, None as long as it has not.
    """

    rng: np.random.Generator
    disturbance: Disturbance | None = None
    happened_s: float | None = None
    _action: int = -1
    _steps: int = 0
    _label: str = ""
    _dropping: int = 0

    def hear(self, event: Event) -> None:
        """Follow what the agent is doing; give it every event."""
        if event.kind == "action":
            self._action += 1
            if not self._due_before(self._action - 1):
                self._steps = 0
        elif event.kind == "goal":
            self._label = str(event.data["label"])
            if self._is_drop and self._label.startswith("carry"):
                self._steps = 0

    def step(self, command: Command) -> StepResult:
        """Let happen what is due, then step."""
        self._steps += 1
        if self._due():
            self._happen()
        if self._dropping > 0:
            self._dropping -= 1
            assert self.spec.gripper is not None
            command = Command(
                q=command.q, dq=command.dq, gripper_width_m=self.spec.gripper.max_width_m
            )
        return self.world.step(command)

    # ------------------------------------------------------------------- hands

    def take_away(self, name: str) -> None:
        """Put an item on the floor, out of reach."""
        offset = 0.2 * list(self.spec.objects).index(name)
        x, y = AWAY_M
        height = self.spec.objects[name].size_m[2] / 2
        self._put(name, np.array([x + offset, y, -0.75 + height + 0.001]))

    def give_back(self, name: str) -> bool:
        """Put an item on a free spot of the table; False when there is none."""
        spot = self._free_spot(name)
        if spot is not None:
            self._put(name, spot)
        return spot is not None

    # ----------------------------------------------------------------- private

    @property
    def _is_drop(self) -> bool:
        return self.disturbance is not None and self.disturbance.kind == "dropped"

    def _due_before(self, action: int) -> bool:
        return self.disturbance is not None and action in self.disturbance.actions

    def _due(self) -> bool:
        what = self.disturbance
        if what is None or self.happened_s is not None or self._action not in what.actions:
            return False
        if self._steps < what.delay_steps:
            return False
        seen = self.world.observe()
        if what.kind == "dropped":
            goal, item = seen.poses[what.towards].position, seen.poses[what.target].position
            far = float(np.linalg.norm((goal - item)[:2])) > DROP_FROM_M
            return far and self._label.startswith("carry") and self._holding(seen, what.target)
        if what.kind == "drawer":
            handle = seen.poses[what.target].position
            return float(np.linalg.norm(seen.pose_ee_in_world.position - handle)) > 0.2
        return self._free_to_touch(seen, what.target)

    def _holding(self, seen: Observation, name: str) -> bool:
        gap = np.linalg.norm(seen.pose_ee_in_world.position - seen.poses[name].position)
        return float(gap) < 0.05 and bool(seen.gripper and seen.gripper.force_n > 1.0)

    def _free_to_touch(self, seen: Observation, name: str) -> bool:
        here = seen.poses[name].position
        hand = float(np.linalg.norm(seen.pose_ee_in_world.position - here))
        under = any(
            n != name
            and o.kind == "item"
            and seen.poses[n].position[2] > here[2] + 0.01
            and float(np.linalg.norm(seen.poses[n].position[:2] - here[:2])) < 0.04
            for n, o in self.spec.objects.items()
        )
        return hand > HAND_CLEAR_M and not under

    def _happen(self) -> None:
        what = self.disturbance
        assert what is not None
        done = True
        match what.kind:
            case "moved" | "undone":
                done = self.give_back(what.target)
            case "taken" | "stolen":
                self.take_away(what.target)
            case "new":
                below = self.world.observe().poses[what.target].position
                objects = self.spec.objects
                rise = (objects[what.target].size_m[2] + objects[what.spare].size_m[2]) / 2
                self._put(what.spare, below + np.array([0.0, 0.0, rise + 0.002]))
            case "drawer":
                model, data = self.world.model, self.world.data
                data.qpos[int(model.joint(what.target).qposadr[0])] = 0.0
                data.qvel[int(model.joint(what.target).dofadr[0])] = -1e-3
                mujoco.mj_forward(model, data)
            case _:
                self._dropping = _DROP_STEPS
        if done:
            self.happened_s = self.world.observe().time

    def _put(self, name: str, position: Array) -> None:
        model, data = self.world.model, self.world.data
        joint = model.joint(name)
        pose = yaw_pose(position, float(self.rng.uniform(-np.pi, np.pi)))
        where, speed = int(joint.qposadr[0]), int(joint.dofadr[0])
        data.qpos[where : where + 3] = pose.position
        data.qpos[where + 3 : where + 7] = pose.quat_wxyz
        data.qvel[speed : speed + 6] = 0.0
        data.qvel[speed + 2] = -1e-2  # wakes what sleeps
        mujoco.mj_forward(model, data)

    def _free_spot(self, name: str) -> Array | None:
        seen, scene = self.world.observe(), self.world.scene
        assert scene is not None
        objects = self.spec.objects
        hand = seen.pose_ee_in_world.position[:2]
        here = seen.poses[name].position[:2]
        radii = {n: 0.16 if o.kind == "drawer" else footprint_radius(o) for n, o in objects.items()}
        taken = [
            (seen.poses[n].position[:2], radii[n])
            for n, o in objects.items()
            if o.kind == "drawer" or (o.kind == "item" and n != name)
        ]
        layout = scene.layout
        for _ in range(400):
            spot = self.rng.uniform(layout.region_lower_m, layout.region_upper_m)
            if any(np.linalg.norm(spot - p) < radii[name] + r + _GAP_M for p, r in taken):
                continue
            if np.linalg.norm(spot - hand) < HAND_CLEAR_M or np.linalg.norm(spot - here) < 0.08:
                continue
            return np.array([*spot, objects[name].size_m[2] / 2 + 0.001])
        return None
