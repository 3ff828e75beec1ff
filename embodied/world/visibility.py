"""What is hidden is not perceived, whoever perceives: it has to be remembered.

An object in a closed drawer or under an upturned cup has a pose in the simulator, and a robot
cannot know it. The filter here takes such poses out of measurements, ground truth included, and
says which cover stands where an object was seen last.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from embodied.types import Observation, Pose
from embodied.world.grounding import TabletopGrounder


class Sight:
    """Takes what is hidden out of measurements.

    Args:
        grounder: Says which drawers are closed and what stands over what.
    """

    def __init__(self, grounder: TabletopGrounder) -> None:
        self._grounder = grounder
        self._last: dict[str, Pose] = {}
        self._covers: dict[str, str] = {}

    def __call__(self, observation: Observation) -> Observation:
        """The measurement without the poses of what is hidden, and with ``covered``."""
        grounder, poses = self._grounder, dict(observation.poses)
        closed = grounder.closed(observation)
        covered: dict[str, str] = {}
        for name in grounder.items:
            pose = poses.get(name)
            if pose is None:
                continue
            hidden = bool(closed) and grounder.inside_drawer(observation, name) in closed
            if hidden:
                self._last.pop(name, None)
            elif grounder.under_cover(observation, name, pose):
                hidden = True
            if not hidden:
                self._last[name] = pose
                self._covers.pop(name, None)
                continue
            del poses[name]
            if name in self._last and (cover := self._cover(observation, name)):
                self._covers[name] = covered[name] = cover
        if len(poses) == len(observation.poses):
            return observation
        return replace(observation, poses=poses, covered={**observation.covered, **covered})

    def _cover(self, observation: Observation, name: str) -> str:
        """The cover that is over an object, by where that was seen last.

        A cover that is over it takes it along when it is pushed.
        """
        pose, before = self._last[name], self._covers.get(name, "")
        at = observation.poses.get(before)
        if at is not None:
            below = np.array([*at.position[:2], pose.position[2]])
            moved = Pose(position=below, quat_wxyz=pose.quat_wxyz)
            if self._grounder.under_cover(observation, name, moved) == before:
                return before
        return self._grounder.under_cover(observation, name, pose)
