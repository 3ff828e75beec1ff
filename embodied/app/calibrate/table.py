"""Where the calibrated cameras see the table, beside what the scene file says."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from embodied.app.calibrate.sources import see_board
from embodied.calibration.board import Board
from embodied.calibration.drift import MOST_M, Disagreement, board_in_world, by_board, by_plane
from embodied.calibration.errors import CalibrationError
from embodied.calibration.plane import Plane, find_plane, fitted, points_in_world
from embodied.perception.cameras.files import CameraEntry, open_camera
from embodied.types import Array, Pose
from embodied.world.scene import Scene

_LOW_M = 0.3
"""Depth points farther from the scene's table are not of it."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Table:
    """The table.

    Attributes:
        plane: The plane in the world, by all cameras.
        cameras: The plane by each camera.
        middle_m: Height over the scene's table at the middle of the workspace, m.
        corners_m: Heights at the corners of the workspace, (4,), m.
        disagreements: Pairs of cameras, the worst first.
    """

    plane: Plane
    cameras: Mapping[str, Plane]
    middle_m: float
    corners_m: Array
    disagreements: Sequence[Disagreement]

    @property
    def drifted(self) -> bool:
        """Whether cameras disagree by more than is accepted."""
        return any(d.distance_m > MOST_M for d in self.disagreements)


def measure_table(
    entries: Sequence[CameraEntry],
    scene: Scene,
    *,
    board: Board | None,
    pose_ee: Pose | None,
) -> Table:
    """Look at the table with every calibrated camera.

    Args:
        entries: The cameras.
        scene: Its workspace is looked at; the top of its table is z = 0.
        board: Lies on the table and is looked at in place of the depth.
        pose_ee: Pose of the end effector in the world, for cameras on it; None leaves them out.

    Raises:
        CalibrationError: No camera is calibrated, or none sees the table.
        CameraError: A camera gives no image.
    """
    usable = [e for e in entries if e.pose is not None and (e.mount == "world" or pose_ee)]
    if not usable:
        raise CalibrationError(
            "no calibrated camera: embodied calibrate hand-eye NAME first; cameras on the hand"
            " also need --driver, which says where the hand is"
        )
    lower, upper = np.array(scene.workspace_lower_m), np.array(scene.workspace_upper_m)
    planes, boards, clouds = dict[str, Plane](), dict[str, Pose](), list[Array]()
    for entry in usable:
        assert entry.pose is not None
        pose = entry.pose if entry.mount == "world" or pose_ee is None else pose_ee @ entry.pose
        camera = open_camera(entry)
        try:
            if board is not None:
                sight = see_board(camera, board)
                seen = boards[entry.name] = board_in_world(sight, camera.model, pose)
                cloud = seen.apply(board.corners)
                planes[entry.name] = fitted(cloud)
            else:
                frame = camera.read(newer_than_s=time.monotonic(), timeout_s=5.0)
                cloud = points_in_world(frame, camera.model, pose)
                inside = (cloud[:, :2] > lower[:2]).all(axis=1) & (cloud[:, :2] < upper[:2]).all(1)
                cloud = cloud[inside & (np.abs(cloud[:, 2]) < _LOW_M)]
                planes[entry.name] = find_plane(cloud)
        except CalibrationError as error:
            raise CalibrationError(f"camera {entry.name!r}: {error}") from error
        finally:
            camera.close()
        clouds.append(cloud)
    together = np.concatenate(clouds)
    whole = fitted(together) if board is not None else find_plane(together)
    area = np.array([(x, y) for x in (lower[0], upper[0]) for y in (lower[1], upper[1])])
    near = np.array([p.point[:2] for p in planes.values()])
    middle = (lower[:2] + upper[:2]) / 2 if board is None else near.mean(axis=0)
    apart = by_board(boards, board) if board is not None else by_plane(planes, area)
    return Table(
        plane=whole,
        cameras=planes,
        middle_m=whole.height_m(float(middle[0]), float(middle[1])),
        corners_m=np.array([whole.height_m(float(x), float(y)) for x, y in area]),
        disagreements=apart,
    )


def table_report(table: Table, scene: str) -> dict[str, object]:
    """The result in numbers, mm and degrees."""
    return {
        "scene": scene,
        "middle_mm": round(1000 * table.middle_m, 2),
        "corners_mm": np.round(1000 * table.corners_m, 2).tolist(),
        "tilt_deg": round(float(np.rad2deg(table.plane.tilt_rad)), 3),
        "normal": table.plane.normal.round(6).tolist(),
        "residual_mm": round(1000 * table.plane.residual_m, 3),
        "cameras": {
            name: {
                "middle_mm": round(1000 * p.height_m(*p.point[:2]), 2),
                "tilt_deg": round(float(np.rad2deg(p.tilt_rad)), 3),
            }
            for name, p in table.cameras.items()
        },
        "disagreements": [str(d) for d in table.disagreements],
        "drifted": table.drifted,
    }
