"""Where CPU time goes, and how far from the floor: every figure as a ratio in one run.

    python benchmarks/peers.py [--repeats 5] [--episodes 4] [--mimir PYTHON] [--json FILE]

The floor is what nothing can undercut: bare MuJoCo calls, an interpreter that imports the compiled
libraries, or the peer itself. ``--mimir`` names a Python with ``pymimir`` for the planner's row.
Each figure is the median of the repeats in CPU s, processes that it starts included, with the
smallest and the largest; a floor and what stands on it are measured in turns. The scripts named in
``docs/performance.md`` compare the routes with judo, VoxPoser and Fast Downward.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from planning_tasks import made_tasks

from embodied.app.record.states import read_states
from embodied.app.show.film import Encoder, model_of
from embodied.app.show.video_options import VideoOptions
from embodied.bench.report import table_of
from embodied.types import Command, PddlProgram
from embodied.world import mujoco as world_of_mujoco
from embodied.world.mujoco import build_world, planning_model
from embodied.world.rendering import Painter
from embodied.world.scene import load_scene

mujoco = world_of_mujoco.mujoco  # imported by a package that has chosen OpenGL before

SENTENCE = "put the red block on the green block and the yellow block in the bin"
_START = "import numpy, mujoco, ompl, daqp, typer, rich.console"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One row: CPU times of what is measured and of its floor, pair by pair.

    Attributes:
        what: What it is.
        unit: "s", "ms" or "us".
        target: What it should be: a ratio, or a time in the unit.
        by_ratio: Whether the target is a ratio.
        ours: CPU times, in the unit.
        floor: The floor's, in the unit; empty where there is none.
    """

    what: str
    unit: str
    target: float
    by_ratio: bool = False
    ours: list[float]
    floor: list[float]

    def row(self) -> dict[str, object]:
        """For the table."""
        ratio = [a / b for a, b in zip(self.ours, self.floor, strict=False)]
        median = statistics.median(ratio if self.by_ratio else self.ours)
        return {
            "what": self.what,
            "floor": f"{statistics.median(self.floor):.3g} {self.unit}" if self.floor else "-",
            "ours": f"{statistics.median(self.ours):.3g} {self.unit}",
            "interval": f"{min(self.ours):.3g} to {max(self.ours):.3g}",
            "ratio": f"{statistics.median(ratio):.2f}" if ratio else "-",
            "target": f"<= {self.target:g}{'' if self.by_ratio else ' ' + self.unit}",
            "met": "yes" if median <= self.target else "no",
        }


def _timed(work: Callable[[], object], calls: int = 1) -> float:
    began = time.process_time()
    for _ in range(calls):
        work()
    return (time.process_time() - began) / calls


def _process_s(*command: str) -> float:
    """CPU time of a command and all that it starts, s."""

    def spent() -> float:
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return used.ru_utime + used.ru_stime

    before = spent()
    subprocess.run(command, check=True, capture_output=True)
    return spent() - before


@contextmanager
def _inside() -> Iterator[list[float]]:
    """CPU time that world steps spend in ``mj_step``."""
    spent, bare = [0.0], mujoco.mj_step

    def step(*args: object) -> None:
        began = time.process_time()
        bare(*args)
        spent[0] += time.process_time() - began

    mujoco.mj_step = step
    try:
        yield spent
    finally:
        mujoco.mj_step = bare


def world_step(repeats: int) -> Figure:
    """A control period of 10 ms of an arm that moves, over the five ``mj_step`` in it."""
    world = build_world(load_scene("blocks"))
    home = world.reset(seed=0).q
    amplitude = np.array([0.3, 0.15, 0.1, 0.12, 0.18, 0.06, 0.3])
    ours, floor = [], []
    for block in range(2 * repeats):
        times = 0.01 * np.arange(200 * block, 200 * (block + 1))
        commands = [
            Command(
                q=home + amplitude * np.sin(1.5 * t),
                dq=1.5 * amplitude * np.cos(1.5 * t),
                gripper_width_m=0.08 if t % 1.0 < 0.5 else 0.0,
            )
            for t in times
        ]
        with _inside() as spent:
            began = time.process_time()
            for command in commands:
                world.step(command)
            ours.append((time.process_time() - began) / 200 * 1e6)
            floor.append(spent[0] / 200 * 1e6)
    return Figure(
        what="world step of 10 ms / its five mj_step", unit="us", target=2.0, by_ratio=True,
        ours=ours, floor=floor,
    )  # fmt: skip


def sentences(repeats: int, out: Path) -> list[Figure]:
    """The sentence of the README; the floor is an interpreter with the compiled libraries."""
    embodied = str(Path(sys.executable).with_name("embodied"))
    cases = {
        "sentence, with video": (["run"], 4.0),
        "sentence, without video": (["run", "--no-video"], 1.8),
        "sentence, plan only": (["plan"], 0.9),
    }
    ours: dict[str, list[float]] = {name: [] for name in cases}
    floor: list[float] = []
    for k in range(repeats + 1):  # the first fills caches
        spent = {
            name: _process_s(embodied, *command, "--out", str(out), SENTENCE)
            for name, (command, _) in cases.items()
        }
        start = _process_s(sys.executable, "-c", _START)
        if k:
            floor.append(start)
            for name, cpu_s in spent.items():
                ours[name].append(cpu_s)
    return [
        Figure(what=name, unit="s", target=target, ours=ours[name], floor=floor)
        for name, (_, target) in cases.items()
    ]


def video(repeats: int, out: Path) -> Figure:
    """A frame of the video, drawn and encoded, over one bare ``mjr_render`` of the scene."""
    os.environ.setdefault("LP_NUM_THREADS", "1")
    states = read_states(next(out.glob("*/video.mp4")).with_name("states.bin"))
    options = VideoOptions()
    painter = Painter(model_of(states.header), width=options.width_px, height=options.height_px)
    encoder = Encoder(out / "frames.mp4", options)
    ours, floor, frames = [], [], iter(enumerate(np.tile(states.qpos, (8, 1))))
    renderer = painter._renderer

    def frame() -> None:
        k, qpos = next(frames)
        encoder.add(k / 24, painter.draw(qpos))

    pixels = np.empty((options.height_px, options.width_px, 3), dtype=np.uint8)

    def bare() -> None:
        mujoco.mjr_render(renderer._rect, renderer._scene, renderer._mjr)
        mujoco.mjr_readPixels(pixels, None, renderer._rect, renderer._mjr)

    for _ in range(repeats):
        ours.append(_timed(frame, 40) * 1e3)
        renderer.rgb(painter._data)  # the whole scene again
        floor.append(_timed(bare, 20) * 1e3)
    encoder.close()
    painter.close()
    return Figure(
        what="video: a frame of 640 x 480 drawn and encoded", unit="ms", target=12.0, ours=ours,
        floor=floor,
    )  # fmt: skip


def timing(repeats: int) -> Figure:
    """A path of four corners becomes a trajectory."""
    from embodied_planners.motion import JointLimits
    from embodied_planners.motion.timing import (
        resample,
        round_corners,
        time_parametrise,
    )

    spec = build_world(load_scene("blocks")).spec
    limits = JointLimits.of(spec)
    rng = np.random.default_rng(0)
    path = spec.q_home + np.cumsum(rng.normal(size=(4, 7)) * 0.2, axis=0)
    s, points = resample(path, limits.dq, 120)
    points = round_corners(points, 15)
    ours = [
        _timed(lambda: time_parametrise(s, points, limits, dt=0.01), 20) * 1e3
        for _ in range(repeats)
    ]
    return Figure(what="time parametrisation", unit="ms", target=3.0, ours=ours, floor=[])


def collision(repeats: int) -> Figure:
    """One check of a configuration, over ``mj_kinematics`` and ``mj_collision``."""
    from embodied_planners.motion import MotionPlanner

    scene = load_scene("blocks")
    world = build_world(scene)
    seen = world.reset(seed=0)
    planner = MotionPlanner(planning_model(scene), world.spec)
    checks = planner.scene
    checks.update(seen)
    clearance = checks.clearance(padding_m=0.012)
    rng = np.random.default_rng(0)
    configurations = world.spec.q_home + 0.2 * rng.normal(size=(400, 7))

    def bare() -> None:
        for q in configurations:
            checks.data.qpos[checks._arm_qpos] = q
            mujoco.mj_kinematics(checks.model, checks.data)
            mujoco.mj_collision(checks.model, checks.data)

    def whole() -> None:
        for q in configurations:
            checks.valid(q, clearance)

    ours, floor = [], []
    for _ in range(repeats):
        ours.append(_timed(whole) / 400 * 1e6)
        floor.append(_timed(bare) / 400 * 1e6)
    return Figure(what="collision check", unit="us", target=20.0, ours=ours, floor=floor)


_MIMIR = """
import sys, time
import pymimir
began = time.process_time()
problem = pymimir.Problem(pymimir.Domain(sys.argv[1]), sys.argv[2])
found = pymimir.gbfs_lazy(problem, problem.get_initial_state(), pymimir.FFHeuristic(problem))
print()
print(time.process_time() - began, len(found.solution))
"""


def small_planner(repeats: int, mimir: str, out: Path) -> Figure:
    """20 blocks: reading, grounding, search, validation; the floor is pymimir (lazy, h_FF)."""
    from embodied_planners.pddl import Planner

    task = next(t for t in made_tasks(0) if t.name == "20 blocks, few goals")
    program = PddlProgram(domain=task.domain, problem=task.problem, stages=(), source="benchmark")
    planner, ours, floor = Planner(), [], []
    files = [str(out / n) for n in ("domain.pddl", "problem.pddl")]
    for name, text in zip(files, (task.domain, task.problem), strict=True):
        Path(name).write_text(text, encoding="utf-8")
    for _ in range(repeats):
        ours.append(planner.solve(program, deadline_s=60.0).cpu_s)
        if mimir:
            done = subprocess.run([mimir, "-c", _MIMIR, *files], check=True, capture_output=True)
            floor.append(float(done.stdout.splitlines()[-1].split()[0]))
    return Figure(
        what=f"planner, {task.name}", unit="s", target=1.5, by_ratio=bool(mimir), ours=ours,
        floor=floor,
    )  # fmt: skip


def episodes(count: int, out: Path) -> Figure:
    """One episode of ``tabletop_motion.py``, worker and start included."""
    script = Path(__file__).with_name("tabletop_motion.py")
    spent = _process_s(
        sys.executable, str(script), "--episodes", str(count), "--executor", "serial",
        "--out", str(out / "tabletop"),
    )  # fmt: skip
    return Figure(
        what=f"episode of tabletop_motion ({3600 / spent * count:.0f} per CPU hour)", unit="s",
        target=3600 / 2600, ours=[spent / count], floor=[],
    )  # fmt: skip


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--episodes", type=int, default=4, help="of tabletop_motion; 0 leaves it")
    parser.add_argument("--mimir", default="", help="a Python that has pymimir")
    parser.add_argument("--json", type=Path, help="file for the figures")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        figures = [
            world_step(asked.repeats),
            *sentences(asked.repeats, out),
            video(asked.repeats, out),
            timing(asked.repeats),
            collision(asked.repeats),
            small_planner(asked.repeats, asked.mimir, out),
            *([episodes(asked.episodes, out)] if asked.episodes else []),
        ]
    rows = [figure.row() for figure in figures]
    print(table_of(rows, {name: name for name in rows[0]}))
    if asked.json:
        raw = [
            {
                "what": f.what,
                "unit": f.unit,
                "ours": f.ours,
                "floor": f.floor,
                "target": f.target,
            }
            for f in figures
        ]
        asked.json.write_text(json.dumps(raw, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
