"""Frames of a run: what was measured and what was commanded, for data sets.

``frames.bin`` has the form of ``states.bin`` with wider rows; the header names the columns. A row
is written ``RATE_HZ`` times per second of simulated time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from embodied.app.record.states import StateLog, read_states
from embodied.body import Body
from embodied.errors import ConfigurationError
from embodied.records import Record
from embodied.types import Array, Pose

FRAMES = "frames.bin"
RATE_HZ = 20.0
_UNSEEN = np.full(7, np.nan)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Frames:
    """Recorded frames.

    Attributes:
        time: Simulated time of each, (k,), s.
        columns: What was recorded, (k, width) each: ``q``, ``dq``, ``ee`` (position, quaternion
            wxyz), ``gripper`` (gap, force), ``objects`` (pose after pose; NaN where unknown),
            ``set_q``, ``set_width`` and ``qpos``.
        header: Names of joints and objects, scene, robot.
    """

    time: Array
    columns: Mapping[str, Array]
    header: Record


class FrameLog:
    """Writes ``frames.bin``.

    Args:
        path: The file to make.
        body: The robot.
        read_qpos: Generalised positions of the model that draws it.
        header: What a painter needs.
        on_loss: Told once, with the reason, when the file cannot be written any more.
    """

    def __init__(
        self,
        path: Path,
        body: Body,
        read_qpos: Callable[[], Array],
        header: Mapping[str, object],
        on_loss: Callable[[str], None],
    ) -> None:
        self._body, self._read_qpos = body, read_qpos
        self._width_m = np.nan
        widths = {name: len(values) for name, values in self._parts().items()}
        spec = body.spec
        about = {
            "columns": widths,
            "joints": spec.joint_names,
            "objects": tuple(spec.objects),
            "gripper": spec.gripper is not None,
        }
        total = sum(widths.values())
        self._log = StateLog(
            path, nq=total, rate_hz=RATE_HZ, header={**header, **about}, on_loss=on_loss
        )

    def sample(self, time_s: float, *, force: bool = False) -> None:
        """Write a row when one is due, or in any case when ``force`` is set."""
        told = self._body.applied
        if told is not None and told.gripper_width_m is not None:
            self._width_m = told.gripper_width_m
        self._log.sample(time_s, self._row, force=force)

    def close(self) -> None:
        """Close the file; may be called twice."""
        self._log.close()

    def _row(self) -> Array:
        return np.concatenate(list(self._parts().values()))

    def _parts(self) -> dict[str, Array]:
        body, seen = self._body, self._body.observation
        poses = [_numbers(seen.poses[n]) if n in seen.poses else _UNSEEN for n in body.spec.objects]
        parts = {"q": seen.q, "dq": seen.dq, "ee": _numbers(seen.pose_ee_in_world)}
        if seen.gripper is not None:
            parts["gripper"] = np.array([seen.gripper.width_m, seen.gripper.force_n])
            width = seen.gripper.width_m if np.isnan(self._width_m) else self._width_m
            parts["set_width"] = np.array([width])
        return {
            **parts,
            "objects": np.concatenate([np.zeros(0), *poses]),
            "set_q": body.q_set,
            "qpos": self._read_qpos(),
        }


def read_frames(path: Path) -> Frames:
    """Read ``frames.bin`` as far as it is complete.

    Raises:
        ConfigurationError: There is no such file, or its header is damaged.
    """
    states = read_states(path)
    widths = states.header.record("columns")
    columns: dict[str, Array] = {}
    at = 0
    for name in widths.values:
        width = widths.integer(name)
        columns[name] = states.qpos[:, at : at + width]
        at += width
    if at != states.qpos.shape[1] or any(c.shape[1] < 0 for c in columns.values()):
        raise ConfigurationError(f"the header of {path} is damaged: its columns do not fit")
    return Frames(time=states.time, columns=columns, header=states.header)


def _numbers(pose: Pose) -> Array:
    return np.concatenate([pose.position, pose.quat_wxyz])
