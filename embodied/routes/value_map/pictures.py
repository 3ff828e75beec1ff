"""Pictures of value maps: slices with the path, and the speed along it."""

from __future__ import annotations

import io
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from embodied_planners.value_map import ObjectGeometry, VoxelGrid

from embodied.errors import EnvironmentMissingError
from embodied.routes.value_map.stage_run import Snapshot
from embodied.types import Array, ValueMapProgram

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_VIEWS = ((0, 1, 2, "from above"), (0, 2, 1, "from the right"), (1, 2, 0, "from the front"))
"""Horizontal axis, vertical axis, axis looked along, name."""

_PLANNED, _MEASURED, _TARGET = "#1f4e9c", "#e07b00", "#138a36"


class Pictures:
    """Draws the maps of a program's stages.

    Args:
        grid: The grid that they were planned on.
        program: The program.

    Raises:
        EnvironmentMissingError: matplotlib is not installed.
    """

    def __init__(self, grid: VoxelGrid, program: ValueMapProgram) -> None:
        try:
            import matplotlib
        except ImportError as error:
            raise EnvironmentMissingError(
                "pictures of value maps need matplotlib: pip install 'embodied-stack[value-map]'"
            ) from error
        matplotlib.use("Agg")
        self.grid, self.program = grid, program

    def png(self, snapshot: Snapshot) -> tuple[str, bytes]:
        """Name and content of the picture of one stage."""
        from matplotlib.figure import Figure

        figure = Figure(figsize=(13, 9), dpi=90, layout="constrained")
        axes: np.ndarray = figure.subplots(2, 2)
        for axis, view in zip(axes.flat[:3], _VIEWS, strict=True):
            self._view(axis, snapshot, view)
        self._speed(axes.flat[3], snapshot)
        figure.suptitle(self._title(snapshot), fontsize=11)
        self._legend(figure)
        data = io.BytesIO()
        figure.savefig(data, format="png")
        return f"value_maps_stage_{snapshot.stage + 1}.png", data.getvalue()

    def _title(self, snapshot: Snapshot) -> str:
        import textwrap

        from embodied.language.value_map.describe import describe_operation

        stage = self.program.stages[snapshot.stage]
        parts = "; ".join(describe_operation(o) for o in stage.operations)
        return "\n".join(textwrap.wrap(f"move {stage.moving}: {parts}", 130)[:3])

    def _view(self, axis: Axes, snapshot: Snapshot, view: tuple[int, int, int, str]) -> None:
        """A slice through the end of the way; what is avoided and the things behind it shaded."""
        across, up, along, name = view
        grid = self.grid
        place = self._place(snapshot)
        level = int(np.clip(grid.index(place)[along], 0, grid.shape[along] - 1))
        low, high = grid.origin_in_world, grid.upper_in_world
        extent = (low[across], high[across], low[up], high[up])
        cost = np.take(snapshot.cost, level, axis=along)
        avoided = np.take(snapshot.avoidance, level, axis=along)
        free = np.where(np.isfinite(cost), np.minimum(cost - 1.0, 3.0), np.nan)
        show = partial(axis.imshow, origin="lower", extent=extent, interpolation="nearest")
        show(free.T, cmap="Blues", vmin=0, vmax=6)
        blocked = np.where(np.isfinite(cost), np.nan, 1.0)
        show(blocked.T, cmap="gray", vmin=0, vmax=1.5)
        shade = np.where(avoided > 0.5, avoided, np.nan)
        show(shade.T, cmap="Reds", vmin=0, vmax=90, alpha=0.75)
        for thing, geometry in snapshot.objects.items():
            self._outline(axis, thing, geometry, across, up)
        if snapshot.plan is not None and len(snapshot.plan.path_in_world):
            way = snapshot.plan.path_in_world
            axis.plot(way[:, across], way[:, up], color=_PLANNED, lw=2.2)
        if len(snapshot.path):
            axis.plot(snapshot.path[:, across], snapshot.path[:, up], color=_MEASURED, lw=1.4)
            start = snapshot.path[0]
            axis.plot(start[across], start[up], "o", color=_MEASURED, ms=6)
        axis.plot(place[across], place[up], "*", color=_TARGET, ms=14, mec="white")
        letters = "xyz"
        where = grid.centre([level] * 3)[along]
        axis.set_title(f"{name}: slice at {letters[along]} = {where:.2f} m", fontsize=10)
        axis.set_xlabel(f"{letters[across]} (m)")
        axis.set_ylabel(f"{letters[up]} (m)")
        axis.set_xlim(extent[0], extent[1])
        axis.set_ylim(extent[2], extent[3])

    def _outline(self, axis: Axes, name: str, thing: ObjectGeometry, across: int, up: int) -> None:
        from scipy.spatial import ConvexHull

        half = np.array(thing.size_m) / 2
        corners = np.array(np.meshgrid(*[(-h, h) for h in half])).reshape(3, -1).T
        flat = thing.pose.apply(corners)[:, [across, up]]
        hull = flat[ConvexHull(flat).vertices]
        hull = np.vstack([hull, hull[:1]])
        axis.plot(hull[:, 0], hull[:, 1], color="#444444", lw=0.9)
        if up == 1:
            x, y = flat.mean(axis=0)
            axis.text(x, y, name, fontsize=7, ha="center", va="center", color="#111111")

    def _speed(self, axis: Axes, snapshot: Snapshot) -> None:
        """Measured speed over the way gone, and what the velocity map allows on the last way."""
        path, speed = snapshot.path, snapshot.speed
        if len(path) > 1:
            gone = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=1))])
            axis.plot(gone, speed, color=_MEASURED, lw=1.2, label="measured speed of the hand")
            plan = snapshot.plan
            if plan is not None and len(plan.path_in_world) > 1:
                steps = np.linalg.norm(np.diff(plan.path_in_world, axis=0), axis=1)
                along = np.concatenate([[0.0], np.cumsum(steps)])
                begin = max(0.0, gone[-1] - along[-1])
                axis.plot(
                    begin + along, plan.speeds_m_s, color=_PLANNED, lw=1.8, label="velocity map"
                )
            axis.legend(fontsize=8)
        axis.set_xlabel("way gone (m)")
        axis.set_ylabel("speed (m/s)")
        axis.set_ylim(bottom=0.0)
        axis.set_title("speed", fontsize=10)
        axis.grid(alpha=0.3)

    def _legend(self, figure: Figure) -> None:
        from matplotlib.lines import Line2D
        from matplotlib.patches import Patch

        figure.legend(
            handles=[
                Line2D([], [], color=_PLANNED, lw=2.2, label="last planned way"),
                Line2D([], [], color=_MEASURED, lw=1.4, marker="o", label="measured, from the dot"),
                Line2D([], [], color=_TARGET, marker="*", ls="", ms=12, label="target"),
                Patch(color="#aaaaaa", label="blocked for what moves"),
                Patch(color="#f0806a", label="to be avoided"),
                Patch(color="#9cc4e4", label="close to an obstacle"),
            ],
            loc="outside lower center",
            ncols=6,
            fontsize=9,
            frameon=False,
        )

    def _place(self, snapshot: Snapshot) -> Array:
        if snapshot.plan is not None and len(snapshot.plan.path_in_world):
            return snapshot.plan.path_in_world[-1]
        if len(snapshot.path):
            return snapshot.path[-1]
        return (self.grid.origin_in_world + self.grid.upper_in_world) / 2
