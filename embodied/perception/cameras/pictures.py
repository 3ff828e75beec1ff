"""Pictures of what a camera sees: colour with the table's grid by its pose, and depth."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from embodied.errors import EnvironmentMissingError
from embodied.perception.cameras import lens
from embodied.perception.cameras.types import Camera, CameraModel, Frame
from embodied.types import Array, Pose

_STEP_M = 0.1


def draw_frame(path: Path, camera: Camera, frame: Frame, lower: Array, upper: Array) -> None:
    """Write a labelled PNG; of a camera fixed in the world with a grid of 10 cm on the table.

    Args:
        path: The file.
        camera: Whose image it is.
        frame: The image.
        lower: Lower corner of the workspace, (3,), m: where the grid begins.
        upper: Its upper corner.

    Raises:
        EnvironmentMissingError: matplotlib is not installed.
    """
    try:
        import matplotlib

        matplotlib.use("Agg")
        from matplotlib import pyplot as plt
    except ImportError as error:
        raise EnvironmentMissingError(
            "pictures need matplotlib: pip install 'embodied-stack[perception]'"
        ) from error
    figure, (left, right) = plt.subplots(1, 2, figsize=(13.0, 5.0), layout="constrained")
    unknown = float(np.mean(~np.isfinite(frame.depth)))
    where = "no pose" if camera.pose is None else f"mounted on: {camera.mount}"
    size = f"{camera.model.width} x {camera.model.height}"
    left.set_title(f"{camera.name}: colour, {size}, image {frame.number}, {where}", fontsize=9)
    left.imshow(frame.rgb)
    if camera.pose is not None and camera.mount == "world":
        for line, style in _grid(camera.model, camera.pose, lower, upper):
            left.plot(line[0], line[1], style, linewidth=0.7)
        left.set_xlabel("lines: 10 cm on the table by the pose; red: x, green: y from the origin")
    left.set(xlim=(-0.5, camera.model.width - 0.5), ylim=(camera.model.height - 0.5, -0.5))
    shown = right.imshow(frame.depth, cmap="viridis")
    right.set_title(f"depth, m (unknown, white: {100 * unknown:.1f}%)", fontsize=9)
    figure.colorbar(shown, ax=right, label="m")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=90)
    plt.close(figure)


def _grid(
    model: CameraModel, pose: Pose, lower: Array, upper: Array
) -> list[tuple[tuple[Array, Array], str]]:
    """Lines on the table as the camera sees them, and how each is drawn."""
    lines: list[tuple[tuple[Array, Array], str]] = []
    share = np.linspace(0.0, 1.0, 60)
    first, last = np.ceil(lower / _STEP_M) * _STEP_M, np.floor(upper / _STEP_M) * _STEP_M
    for axis in (0, 1):
        other = 1 - axis
        for at in np.arange(first[axis], last[axis] + 1e-6, _STEP_M):
            points = np.zeros((len(share), 3))
            points[:, axis] = at
            points[:, other] = first[other] + share * (last[other] - first[other])
            on_axis = "-g" if axis == 0 else "-r"
            lines.append((_seen(model, pose, points), on_axis if abs(at) < 1e-6 else "-w"))
    return lines


def _seen(model: CameraModel, pose: Pose, points: Array) -> tuple[Array, Array]:
    local = pose.inverse().apply(points)
    z = np.where(local[:, 2] > 0.01, local[:, 2], np.nan)
    return lens.project(model, local[:, 0] / z, local[:, 1] / z)
