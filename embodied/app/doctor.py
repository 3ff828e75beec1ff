"""The command ``doctor``: what works on this machine, and what to do about the rest."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from importlib import metadata, util
from pathlib import Path

from rich.markup import escape
from rich.table import Table

from embodied.app.record.run_folder import free_bytes
from embodied.app.run import versions
from embodied.app.show.console import Console
from embodied.app.show.terminal import print_json
from embodied.errors import EmbodiedError

KEYS = ("OPENAI_API_KEY", "ANTHROPIC_API_KEY")
_KINDS = "openai:, openai-responses: and anthropic:"
_RUN_BYTES = 20 << 20
_REINSTALL = f"{sys.executable} -m pip install --force-reinstall embodied-stack"


class Level(Enum):
    """How a check ended: fine, missing but not needed, or in the way of a run."""

    OK = "ok"
    OPTIONAL = "optional"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One line of the examination.

    Attributes:
        name: What was looked at.
        level: How it is.
        found: What was found.
        advice: What to do; empty when nothing is needed.
    """

    name: str
    level: Level
    found: str
    advice: str = ""


Found = tuple[Level, str, str]
"""How it is, what was found, what to do."""


def examine(out: Path) -> tuple[Check, ...]:
    """Run all checks; none raises.

    Args:
        out: Folder of run folders, to see whether it can be written.
    """
    checks: dict[str, Callable[[], Found]] = {
        "python": _python,
        "packages": _packages,
        "simulator": _simulator,
        "pictures": _pictures,
        "video": _video,
        "planner": _planner,
        "point clouds": lambda: _extra("open3d", "open3d", "perceive --points FILE"),
        "optimal planner": lambda: _extra("up_symk", "optimal", "--optimal"),
        "rules": _rules,
        "local models": lambda: _extra("xllamacpp", "local", "local:PATH"),
        "model endpoints": lambda: _extra("pydantic_ai", "llm", _KINDS),
        "keys": _keys,
        "run folders": lambda: _disk(out),
        "screen": _screen,
    }
    done: list[Check] = []
    for name, check in checks.items():
        try:
            level, found, advice = check()
        except Exception as error:  # an examination must not die of what it looks for
            level, found, advice = Level.BROKEN, f"{type(error).__name__}: {error}", _REINSTALL
        done.append(Check(name=name, level=level, found=found, advice=advice))
    return tuple(done)


def report(checks: tuple[Check, ...], json: bool) -> int:
    """Print the checks; return 0 when a run is possible, else 3."""
    broken = [c for c in checks if c.level is Level.BROKEN]
    if json:
        print_json({"ok": not broken, "checks": checks, "versions": versions()})
        return 3 if broken else 0
    console = Console(highlight=False)
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column()
    table.add_column()
    table.add_column(overflow="fold")
    marks = {Level.OK: "[green]✓[/]", Level.OPTIONAL: "[yellow]–[/]", Level.BROKEN: "[red]✗[/]"}
    for check in checks:
        text = escape(check.found)
        if check.advice:
            text += f"\n[dim]{escape(check.advice)}[/]"
        table.add_row(marks[check.level], check.name, text)
    console.print(table)
    if broken:
        console.print(f"[red]{len(broken)} must be fixed before a run[/]")
        return 3
    console.print('[green]ready:[/] embodied run "put the red block on the green block"')
    return 0


def _python() -> Found:
    version = sys.version.split()[0]
    cores = len(os.sched_getaffinity(0))
    found = f"Python {version}, {cores} core{'' if cores == 1 else 's'}"
    return Level.OK, found, ""


def _packages() -> Found:
    needed = metadata.requires("embodied-stack") or []
    base = [r for r in needed if "extra ==" not in r]
    names = [r.split(";")[0].split("[")[0].strip(" ") for r in base]
    names = [n.split("<")[0].split(">")[0].split("=")[0].split("!")[0].split("~")[0] for n in names]
    missing: list[str] = []
    for name in names:
        try:
            metadata.version(name)
        except metadata.PackageNotFoundError:
            missing.append(name)
    if missing:
        found = f"missing: {', '.join(missing)}"
        return Level.BROKEN, found, _REINSTALL
    found = f"all {len(names)} base packages, embodied-stack {metadata.version('embodied-stack')}"
    return Level.OK, found, ""


def _simulator() -> Found:
    from embodied.world.mujoco import build_world
    from embodied.world.scene import load_scene

    started = time.perf_counter()
    world = build_world(load_scene("blocks"))
    world.reset(seed=0)
    world.close()
    took = time.perf_counter() - started
    found = f"MuJoCo {metadata.version('mujoco')}, scene blocks built and settled in {took:.1f} s"
    return Level.OK, found, ""


def _pictures() -> Found:
    """Draw one picture in a child process: a bad driver may abort it."""
    program = (
        "from embodied.world.builder import build_model\n"
        "from embodied.world.rendering import Painter\n"
        "from embodied.world.scene import load_scene\n"
        "model = build_model(load_scene('blocks'), 'fr3')\n"
        "painter = Painter(model, width=64, height=48)\n"
        "assert painter.draw(model.qpos0).std() > 0\n"
        "print(painter.note)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60
    )
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or [f"status {done.returncode}"])[-1]
        advice = "runs work without pictures; MUJOCO_GL=disable draws without OpenGL"
        return Level.OPTIONAL, f"none can be drawn: {last[-200:]}", advice
    note, _, advice = done.stdout.strip().partition("; ")
    found = note or "drawn by OpenGL"
    return Level.OK, found, advice


def _video() -> Found:
    import av.codec

    codec = "libx264" if "libx264" in av.codec.codecs_available else "mpeg4"
    found = f"PyAV {metadata.version('av')}, {codec}"
    return Level.OK, found, ""


def _planner() -> Found:
    from embodied_planners.pddl import Planner

    from embodied.types import PddlProgram, PlanStatus

    domain = (
        "(define (domain lamp) (:requirements :strips) (:predicates (on) (off))"
        " (:action switch :parameters () :precondition (off) :effect (and (on) (not (off)))))"
    )
    problem = "(define (problem p) (:domain lamp) (:init (off)) (:goal (on)))"
    program = PddlProgram(domain=domain, problem=problem, stages=("(on)",), source="doctor")
    result = Planner(engines="fast-downward").solve(program, deadline_s=20.0)
    found = f"{result.engine or 'Fast Downward'}: {result.status.name}, {result.wall_s:.2f} s"
    if result.status is PlanStatus.SOLVED:
        return Level.OK, found, ""
    advice = f"{result.message}; pip install --force-reinstall up-fast-downward"
    return Level.BROKEN, found, advice


def _rules() -> Found:
    from embodied.language.pddl.rules import RulesTranslator
    from embodied.memory import SceneMemory
    from embodied.world.grounding import TabletopGrounder
    from embodied.world.mujoco import build_world
    from embodied.world.scene import load_scene

    scene = load_scene("blocks")
    world = build_world(scene)
    grounder = TabletopGrounder(world.spec)
    translator = RulesTranslator(grounder.domain_text, grounder.objects)
    memory = SceneMemory(grounder=grounder, transition=lambda action, facts: facts)
    memory = memory.observed(world.reset(seed=0))
    try:
        translator.translate(scene.sentences[0], memory, world.spec)
    except EmbodiedError as error:
        return Level.BROKEN, str(error), _REINSTALL
    finally:
        world.close()
    found = "translates without any model (a deterministic grammar, not a language model)"
    return Level.OK, found, ""


def _extra(module: str, extra: str, what: str) -> Found:
    if util.find_spec(module) is not None:
        return Level.OK, f"installed, for {what}", ""
    advice = f"for {what}: pip install 'embodied-stack[{extra}]'"
    return Level.OPTIONAL, "not installed", advice


def _keys() -> Found:
    present = [k for k in KEYS if os.environ.get(k)]
    if present:
        return Level.OK, f"set: {', '.join(present)} (never shown)", ""
    advice = f"needed only for {_KINDS} models; set {' or '.join(KEYS)}"
    return Level.OPTIONAL, "none set", advice


def _disk(out: Path) -> Found:
    place = out.resolve()
    while not place.exists():
        place = place.parent
    free = free_bytes(place)
    size = f"{free / 2**30:.1f} GiB" if free >= 2**30 else f"{free / 2**20:.0f} MiB"
    found = f"{out}: {size} free"
    if not place.is_dir() or not os.access(place, os.W_OK | os.X_OK):
        advice = "choose another folder with --out"
        found = f"{place} cannot be written"
        return Level.BROKEN, found, advice
    if free < _RUN_BYTES:
        advice = "make room, or choose another place with --out"
        return Level.BROKEN, found, advice
    return Level.OK, found, ""


def _screen() -> Found:
    if os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        return Level.OK, "available, for --view", ""
    advice = "needed only for --view; the video shows the motion as well"
    return Level.OPTIONAL, "none", advice
