"""Show a finished, failed or killed run again, without any model call."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from embodied.app.record.run_folder import LoggedEvent, read_events, read_summary
from embodied.app.record.states import STATES
from embodied.app.run import Display
from embodied.app.settings import Goal, Outcome, Settings
from embodied.app.show.video import VideoJob, VideoOptions, VideoResult
from embodied.errors import ConfigurationError
from embodied.protocols import Event
from embodied.types import PddlProgram, RewardProgram, ValueMapProgram


def runs_in(folder: Path) -> tuple[Path, ...]:
    """The run folders to show: ``folder`` itself, or those of the conversation it holds.

    Raises:
        ConfigurationError: It holds no run.
    """
    if (folder / "run.json").is_file():
        return (folder,)
    if folder.is_dir():
        inside = tuple(sorted(p.parent for p in folder.glob("*/run.json")))
        if inside:
            return inside
    problem = "there is no such folder" if not folder.exists() else "it holds no run.json"
    raise ConfigurationError(f"{folder} is no run folder: {problem}")


def show(folder: Path, display: Display) -> Outcome:
    """Show the log of a run as it was shown while it happened.

    Returns:
        The recorded outcome; of a run that did not finish, what is known of it.

    Raises:
        ConfigurationError: The folder is damaged beyond its last line.
    """
    summary = read_summary(folder)
    events, torn = read_events(folder)
    about = {"scene": "?", "robot": "?", "seed": "?", "translator": "?", **summary}
    words = _plan_in_words(folder)
    display.begin(str(summary.get("instruction", "")), about, lambda a: words.get(a, a))
    for event in events:
        display.event(Event(kind=event.kind, data=event.data))
    return _recorded_outcome(summary, events, torn)


def film_again(
    folder: Path,
    target: Path,
    options: VideoOptions,
    tick: Callable[[int, int], None],
) -> VideoResult:
    """Make a video of the recorded states.

    Args:
        folder: The run folder; it stays as it is.
        target: The video file to make.
        options: How to film; ``name`` and ``pictures`` are set here.
        tick: Told the progress.

    Raises:
        ConfigurationError: The run has no recorded states.
    """
    if not (folder / STATES).is_file():
        raise ConfigurationError(f"{folder} has no recorded states ({STATES}) to film")
    job = VideoJob(folder, replace(options, name=str(target.resolve()), pictures=False))
    try:
        return job.wait(tick)
    finally:
        job.cancel()


def recorded_settings(folder: Path) -> Settings:
    """Scene, robot, route and seed of a run, to carry it out again.

    Raises:
        ConfigurationError: They are not recorded, or the run began in a changed world.
    """
    summary = read_summary(folder)
    turn = summary.get("turn", 1)
    if turn != 1:
        raise ConfigurationError(
            f"{folder} is sentence {turn} of a conversation and began in a changed world: "
            f"carry out the whole conversation again with {folder.parent}"
        )
    try:
        return Settings(
            scene=_scene_of(folder, summary),
            robot=str(summary["robot"]),
            world=str(summary.get("world", Settings().world)),
            route=str(summary["route"]),
            seed=int(summary["seed"]),
        )
    except KeyError as error:
        raise ConfigurationError(f"{folder / 'run.json'} lacks {error}") from error


def recorded_program(folder: Path) -> PddlProgram | RewardProgram | ValueMapProgram:
    """The program that a run pursued.

    Raises:
        ConfigurationError: The run ended before there was one.
        ProgramError: The recorded program is not legal any more.
    """
    events, _ = read_events(folder)
    for event in events:
        if event.kind == "program":
            break
    else:
        raise ConfigurationError(f"{folder} ended before its sentence became a program")
    source = f"replay of {event.data['source']}"
    if "reward" in event.data:
        from embodied.language.reward import program_from_json

        robot = str(read_summary(folder)["robot"])
        reward = json.dumps(event.data["reward"])
        return program_from_json(reward, robot, source=source, filled=False)
    if "value_map" in event.data:
        from embodied.language.value_map import read_json
        from embodied.world.scene import load_scene

        scene = load_scene(_scene_of(folder, read_summary(folder)))
        text = json.dumps(event.data["value_map"])
        return read_json(text, objects=tuple(scene.objects), source=source)
    try:
        return PddlProgram(
            domain=(folder / "domain.pddl").read_text("utf-8"),
            problem=(folder / "problem.pddl").read_text("utf-8"),
            stages=tuple(event.data["stages"]),
            source=source,
            notes=tuple(event.data["notes"]),
        )
    except OSError as error:
        raise ConfigurationError(f"{folder} lacks {error.filename}: {error.strerror}") from error


def _scene_of(folder: Path, summary: dict[str, Any]) -> str:
    """The scene as the states' header names it: absolute for a user's own file."""
    try:
        with (folder / STATES).open("rb") as file:
            return str(json.loads(file.readline())["scene"])
    except (OSError, ValueError, KeyError):
        return str(summary["scene"])


def _plan_in_words(folder: Path) -> dict[str, str]:
    """Sentence of every action in ``plan.txt``."""
    try:
        lines = (folder / "plan.txt").read_text("utf-8").splitlines()
    except OSError:
        return {}
    pairs = (line.split(";", 1) for line in lines if line.startswith("(") and ";" in line)
    return {action.strip(): words.strip() for action, words in pairs}


def _recorded_outcome(summary: dict[str, Any], events: list[LoggedEvent], torn: int) -> Outcome:
    notes = tuple(str(n) for n in summary.get("notes", ()))
    if torn:
        notes = (*notes, f"{torn} damaged line{'' if torn == 1 else 's'} of the log left out")
    if summary.get("status") != "finished":
        last = events[-1].kind if events else "nothing"
        status = "was interrupted" if summary.get("status") == "interrupted" else "did not finish"
        return Outcome(
            exit_code=1, message=f"this run {status}; last in its log: {last}", notes=notes
        )
    goals = tuple(
        Goal(text=g["text"], **{k: tuple(g.get(k, ())) for k in ("holds", "held", "unmet")})
        for g in summary.get("verdict", {}).get("goals", ())
    )
    return Outcome(
        exit_code=int(summary.get("exit_code", 3)),
        message=str(summary.get("message", "")),
        goals=goals,
        notes=notes,
    )
