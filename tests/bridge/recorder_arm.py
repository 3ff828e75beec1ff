"""An arm in the shape of LeRobot's ``Robot`` class that writes down all that is done to it."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from embodied.world import robots

CALLS = "RECORDER_ARM_CALLS"
"""Environment variable: the file of calls, one a line."""
READS = "RECORDER_ARM_READS"
"""Environment variable: this arm can be read so often, then it is gone."""
TURNED_RAD = 0.2
"""The base joint of this arm, beside the pose that simulated arms start at."""


class RecorderArm:
    """Stays where it is until it is told otherwise; numbers in radians."""

    def __init__(self) -> None:
        robot = robots.load("fr3")
        q = np.array(robot.q_home)
        q[0] += TURNED_RAD
        self.q = dict(zip((f"{j}.pos" for j in robot.joints), q.tolist(), strict=True))
        self.action_features = self.observation_features = dict.fromkeys(self.q, float)
        self.is_connected = False
        self._reads_left = int(os.environ.get(READS, 1_000_000))
        self._note("made")

    def connect(self) -> None:
        self.is_connected = True
        self._note("connect")

    def disconnect(self) -> None:
        self.is_connected = False
        self._note("disconnect")

    def get_observation(self) -> dict[str, float]:
        self._note("get_observation")
        self._reads_left -= 1
        if self._reads_left < 0:
            raise ConnectionError("no status packet")
        return dict(self.q)

    def send_action(self, action: dict[str, float]) -> dict[str, float]:
        self._note("send_action")
        self.q.update(action)
        return dict(action)

    @staticmethod
    def _note(call: str) -> None:
        with Path(os.environ[CALLS]).open("a", encoding="utf-8") as file:
            file.write(call + "\n")
