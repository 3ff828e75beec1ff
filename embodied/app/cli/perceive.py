"""The command ``perceive``: what perception makes of a scene's images, beside the truth."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from embodied.app.cli.exit_codes import guarded

if TYPE_CHECKING:
    from embodied.perception import Detector, Percept
    from embodied.perception.accuracy import ObjectError
    from embodied.records import Record
    from embodied.types import Array, Observation, WorldSpec
    from embodied.world.mujoco import MujocoWorld
    from embodied.world.pybullet import PybulletWorld

DETECTORS = "colour-shape, ground-truth or open-vocabulary:FOLDER"


def perceive(
    scene: Annotated[str, typer.Option("--scene", help="Scene name or scene file.")] = "blocks",
    world: Annotated[
        str, typer.Option("--world", help="Simulator: mujoco, or pybullet with the arm panda.")
    ] = "mujoco",
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of the initial layout.")] = 0,
    detector: Annotated[
        str, typer.Option("--detector", help=f"What names the objects: {DETECTORS}.")
    ] = "colour-shape",
    looks: Annotated[int, typer.Option("--looks", min=1, help="Images per camera.")] = 1,
    noise_mm: Annotated[
        float, typer.Option("--noise-mm", min=0.0, help="Depth noise at 1 m, growing as z².")
    ] = 0.0,
    dropout: Annotated[
        float,
        typer.Option(
            "--dropout", min=0.0, max=1.0, help="Fraction of depth pixels without a value."
        ),
    ] = 0.0,
    patches: Annotated[int, typer.Option("--patches", min=0, help="Blind patches per image.")] = 0,
    lose: Annotated[
        list[str] | None, typer.Option("--lose", help="Camera without an image; repeatable.")
    ] = None,
    picture: Annotated[
        Path | None, typer.Option("--picture", help="Draw the views with boxes to this file.")
    ] = None,
    points: Annotated[
        Path | None,
        typer.Option("--points", help="Write the perceived points to this file: .ply, .pcd ..."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON line on standard output.")] = False,
) -> None:
    """Perceive a scene from its cameras and compare with the true poses.

    Exit code 1 when an object was missed.
    """
    import time

    import numpy as np

    from embodied.app.show.terminal import print_json
    from embodied.perception import Perception, SensorFaults, look
    from embodied.perception.accuracy import compare
    from embodied.perception.point_files import write_points
    from embodied.perception.robot_filter import ModelRobotFilter
    from embodied.records import Record
    from embodied.registry import unknown

    faults = SensorFaults(
        noise_std_m=noise_mm / 1e3, dropout=dropout, patches=patches, lost=tuple(lose or ())
    )
    with guarded(json):
        opened = _world(scene, world)
        try:
            spec = opened.spec
            for name in faults.lost:
                if name not in spec.cameras:
                    raise unknown("camera", name, tuple(spec.cameras))
            truth: Observation = opened.reset(seed=seed)
            perception = Perception(
                spec,
                detector=_detector(detector, spec),
                robot_filter=ModelRobotFilter.of(opened.model, spec),
            )
            rng = np.random.default_rng(seed)

            def once() -> tuple[Observation, Percept, float, float]:
                started = time.process_time()
                labels = detector == "ground-truth"
                seen = look(opened, truth, segmentation=labels, faults=faults, rng=rng)
                between = time.process_time()
                percept = perception.update(seen)
                return seen, percept, between - started, time.process_time() - between

            for _ in range(looks - 1):
                once()
            seen, percept, drawn, took = once()
            objects = {n: o for n, o in spec.objects.items() if n != "table"}
            errors, missed = compare(percept, truth.poses, objects)
            if picture is not None:
                draw(picture, seen, percept, truth, spec)
            if points is not None:
                write_points(points, percept)
        finally:
            opened.close()
        report: dict[str, object] = {
            "scene": spec.name,
            "world": world,
            "seed": seed,
            "names_from": perception.detector.source,
            "objects": [_row(e, percept) for e in errors],
            "openings_m": {
                n: {"perceived": v, "true": truth.openings_m[n]}
                for n, v in percept.openings_m.items()
            },
            "missed": list(missed),
            "reasons": list(percept.reasons),
            "images_cpu_s": round(drawn, 4),
            "update_cpu_s": round(took, 4),
            "picture": None if picture is None else str(picture),
            "points": None if points is None else str(points),
        }
        if json:
            print_json(report)
        else:
            _print(Record(report))
        raise typer.Exit(1 if missed else 0)


def _world(scene: str, world: str) -> MujocoWorld | PybulletWorld:
    from embodied.errors import OptionError
    from embodied.world.scene import load_scene

    if world == "mujoco":
        from embodied.world.mujoco import build_world

        return build_world(load_scene(scene))
    if world == "pybullet":
        from embodied.world import pybullet

        return pybullet.build_world(load_scene(scene))
    raise OptionError(f"no world {world!r}: give mujoco or pybullet")


def _detector(name: str, spec: WorldSpec) -> Detector:
    from embodied.errors import OptionError
    from embodied.perception import (
        ColourShapeDetector,
        OpenVocabularyDetector,
        SegmentationDetector,
    )

    if name == "colour-shape":
        return ColourShapeDetector(spec.objects)
    if name == "ground-truth":
        return SegmentationDetector(spec.objects)
    kind, _, folder = name.partition(":")
    if kind == "open-vocabulary" and folder:
        return OpenVocabularyDetector(folder)
    raise OptionError(f"unknown detector {name!r}. Choose from: {DETECTORS}.")


def _row(error: ObjectError, percept: Percept) -> dict[str, object]:
    import math

    one = percept.objects[error.name]
    return {
        "name": error.name,
        "color": one.color,
        "shape": one.shape,
        "position_m": [round(float(v), 5) for v in one.pose.position],
        "quat_wxyz": [round(float(v), 5) for v in one.pose.quat_wxyz],
        "size_m": [round(float(v), 4) for v in one.size_m],
        "points": len(one.points_in_world),
        "position_error_m": round(error.position_m, 5),
        "rotation_error_deg": round(math.degrees(error.rotation_rad), 2),
        "size_error_m": round(error.size_m, 5),
        "stated_std_m": round(error.std_m, 5),
        "source": one.source,
    }


def _print(report: Record) -> None:
    from rich.markup import escape
    from rich.table import Table

    from embodied.app.show.console import Console

    console = Console(highlight=False)
    title = f"{report.text('scene')}, layout {report.integer('seed')}: perceived against true"
    table = Table(title=title, box=None, pad_edge=False)
    for column in ("object", "colour", "at, m", "off mm", "± mm", "turn °", "size mm"):
        table.add_column(
            column, justify="left" if column in ("object", "colour") else "right", no_wrap=True
        )
    for row in report.records("objects"):
        table.add_row(
            row.text("name"),
            row.text("color"),
            " ".join(f"{v:.3f}" for v in row.items("position_m")),
            f"{1e3 * row.number('position_error_m'):.1f}",
            f"{1e3 * row.number('stated_std_m'):.1f}",
            f"{row.number('rotation_error_deg'):.1f}",
            f"{1e3 * row.number('size_error_m'):.1f}",
        )
    console.print(table)
    openings = report.record("openings_m")
    for name in openings.values:
        seen, true = (1e3 * openings.record(name).number(k) for k in ("perceived", "true"))
        console.print(f"{name}: open {seen:.1f} mm, truly {true:.1f} mm")
    if report.text("names_from") != "pixels":
        console.print("[yellow]names come from the simulator's segmentation: ground truth[/]")
    for name in report.texts("missed"):
        console.print(f"[red]missed:[/] {escape(name)}")
    for reason in report.texts("reasons"):
        console.print(reason, style="dim", markup=False)
    images, update = (1e3 * report.number(k) for k in ("images_cpu_s", "update_cpu_s"))
    console.print(f"[dim]images {images:.0f} ms, perception {update:.0f} ms of CPU[/]")
    for what in ("picture", "points"):
        if what in report:
            console.print(f"{what}: {report.text(what)}", markup=False)


def draw(
    path: Path, seen: Observation, percept: Percept, truth: Observation, spec: WorldSpec
) -> None:
    """Draw the views with perceived (lines) and true (dots) boxes.

    Raises:
        EnvironmentMissingError: matplotlib is not installed.
    """
    try:
        import matplotlib

        matplotlib.use("Agg")
        from matplotlib import pyplot as plt
    except ImportError as error:
        from embodied.errors import EnvironmentMissingError

        raise EnvironmentMissingError(
            "the picture needs matplotlib: pip install 'embodied-stack[perception]'"
        ) from error
    from embodied.perception.cloud import usable_views

    views, _ = usable_views(seen.images, spec.cameras, tuple(seen.images))
    columns = 2 if len(views) > 1 else 1
    rows = max(1, -(-len(views) // columns))
    figure, axes = plt.subplots(
        rows, columns, figsize=(6.4 * columns, 4.8 * rows), squeeze=False, layout="tight"
    )
    for axis in axes.flat:
        axis.axis("off")
    for axis, (name, view) in zip(axes.flat, views.items(), strict=False):
        height, width = view.depth.shape
        axis.imshow(view.rgb)
        axis.set(xlim=(-0.5, width - 0.5), ylim=(height - 0.5, -0.5))
        axis.set_title(name, fontsize=9)
        for one in percept.objects.values():
            for pose, style in ((truth.poses[one.name], "w:"), (one.pose, "m-")):
                corners = pose.apply(_corners(spec.objects[one.name].size_m))
                pixels, _ = view.project(corners)
                for a, b in _EDGES:
                    axis.plot(*zip(pixels[a], pixels[b], strict=True), style, linewidth=1.0)
            center, _ = view.project(one.pose.position[None])
            axis.annotate(one.name, center[0], fontsize=6, color="black", clip_on=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
    plt.close(figure)


_EDGES = [(a, b) for a in range(8) for b in range(a + 1, 8) if (a ^ b) in (1, 2, 4)]


def _corners(size_m: tuple[float, float, float]) -> Array:
    import numpy as np

    signs = np.array([[(k >> axis) & 1 for axis in range(3)] for k in range(8)]) - 0.5
    return signs * np.array(size_m)
