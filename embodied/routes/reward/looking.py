# pyright: reportAttributeAccessIssue=false
"""What rewards are planned from while cameras look a few times a second.

A look takes longer than a control period, so it is taken every ``LOOK_S``. In between, what the
fingers hold moves with the hand: a thing rigidly, a drawer by what the hand moves along its axis.
What a look corrects is taken over little by little, so that it is no speed of the thing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

import mujoco
import numpy as np

from embodied.perception import Percept
from embodied.perception.tracking import GRASP_FORCE_N
from embodied.route import Perceive
from embodied.types import Array, Observation, Pose

LOOK_S = 0.1
TAKEN_OVER_S = 0.05
"""Time in which 63% of a correction by a look are taken over."""
JUMP_M = 0.03
"""A larger correction is taken over at once: the thing was believed elsewhere."""
HANDLE_M = 0.04
"""Farthest that the point between the fingers is from a handle that they hold."""


@dataclass(slots=True, kw_only=True, eq=False)
class Looks:
    """Observations as perceived through cameras, for every control period.

    Attributes:
        perceive: Looks at an instant.
        see: The same look with what the fingers hold.
        handles: Where the handle of a shut drawer is and the axis along which it is pulled, both
            (3,) in the world frame, by the drawer's name.
    """

    perceive: Perceive
    see: Callable[[Observation], Percept]
    handles: Mapping[str, tuple[Array, Array]]
    _look: Observation | None = field(init=False, default=None)
    _last: Observation | None = field(init=False, default=None)
    _held: frozenset[str] = field(init=False, default=frozenset())

    def __call__(self, observation: Observation) -> Observation:
        """What is believed at the instant of an observation."""
        last, look, now = self._last, self._look, observation.time
        if last is not None and now == last.time:
            return last
        if last is not None and now < last.time:
            last = look = None
        if look is None or now >= look.time + LOOK_S - 1e-9:
            look = self._look = self.perceive(observation) or observation
            things = self.see(observation).objects
            self._held = frozenset(n for n, thing in things.items() if thing.held)
        found = self._carried(look, observation)
        if last is not None:
            found = self._eased(self._carried(last, observation), found, now - last.time)
        self._last = found
        return found

    def _carried(self, before: Observation, now: Observation) -> Observation:
        """A belief brought to the present: what the fingers hold has moved with the hand."""
        hand, poses = before.pose_ee_in_world, dict(before.poses)
        openings = dict(before.openings_m)
        grip = now.gripper
        shift = now.pose_ee_in_world @ hand.inverse()
        for name in self._held & poses.keys():
            poses[name] = shift @ poses[name]
        if grip is not None and grip.force_n > GRASP_FORCE_N and not self._held:
            moved = now.pose_ee_in_world.position - hand.position
            for name, (shut, axis) in self.handles.items():
                at = shut + openings.get(name, 0.0) * axis
                if name in openings and np.linalg.norm(hand.position - at) < HANDLE_M:
                    along = float(moved @ axis)
                    openings[name] += along
                    pose = poses[name]
                    poses[name] = replace(pose, position=pose.position + along * axis)
        return replace(now, poses=poses, openings_m=openings, gone=before.gone)

    def _eased(self, before: Observation, found: Observation, passed_s: float) -> Observation:
        """What was found, less a part of what it corrects."""
        share = 1.0 - float(np.exp(-passed_s / TAKEN_OVER_S))
        poses = dict(found.poses)
        for name, pose in found.poses.items():
            old = before.poses.get(name)
            if old is not None and np.linalg.norm(pose.position - old.position) < JUMP_M:
                poses[name] = _between(old, pose, share)
        openings = {
            n: before.openings_m.get(n, w) + share * (w - before.openings_m.get(n, w))
            for n, w in found.openings_m.items()
        }
        return replace(found, poses=poses, openings_m=openings)


def _between(a: Pose, b: Pose, share: float) -> Pose:
    """A pose on the way from one to another, near it."""
    to = b.quat_wxyz if float(a.quat_wxyz @ b.quat_wxyz) >= 0.0 else -b.quat_wxyz
    return Pose(
        position=(1 - share) * a.position + share * b.position,
        quat_wxyz=(1 - share) * a.quat_wxyz + share * to,
    )


def handles_of(model: mujoco.MjModel, drawers: Iterable[str]) -> Mapping[str, tuple[Array, Array]]:
    """Handles of shut drawers and their axes, as ``Looks`` takes them."""
    data = mujoco.MjData(model)
    mujoco.mj_kinematics(model, data)
    return {
        n: (np.array(data.site(f"{n}-handle").xpos), np.array(data.joint(n).xaxis)) for n in drawers
    }
