"""Demonstrations: one sentence carried out in many layouts by the planners, each run judged.

Every episode is a run folder like any other, with its receipt; those that did not reach the goal
are kept and marked. A call that was interrupted goes on where it stopped.
"""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from embodied.app.record.run_folder import read_summary
from embodied.app.run import Output, perform
from embodied.app.show.protocol import Display
from embodied.app.wiring import open_session
from embodied.datasets.episode import Episode, Pictures, episode_of
from embodied.datasets.lerobot import LeRobotDataset
from embodied.errors import ConfigurationError, Diagnostic, NotUnderstoodError, WorldError
from embodied.outcome import NOT_REACHED, REACHED
from embodied.receipts import notary
from embodied.records import Record, jsonable
from embodied.settings import Settings

RUNS, ASKED = "runs", "demos.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What became of a call.

    Attributes:
        episodes: Episodes that there are now.
        reached: Those that reached the goal.
        new: Those that this call made.
        unusable: Runs that are no episodes, with the reason.
    """

    episodes: int
    reached: int
    new: int
    unusable: Mapping[str, str]


class _Silent(Display):
    """Shows nothing."""


def make_demos(
    root: Path,
    sentence: str,
    settings: Settings,
    *,
    episodes: int,
    jobs: int,
    pictures: Pictures | None,
    told: Callable[[int, int], None],
) -> Made:
    """Make, or complete, a data set of a sentence.

    Args:
        root: The data set's folder; run folders lie in ``runs`` inside.
        sentence: What is asked for in each episode.
        settings: Scene, robot, route, model; the seeds count up from its own.
        episodes: How many episodes there shall be.
        jobs: Processes at a time.
        pictures: Cameras of the data set; None: those that it has.
        told: Hears of progress: episodes there are, and how many of them reached the goal.

    Raises:
        ConfigurationError: The folder holds demonstrations of something else.
        NotUnderstoodError: The sentence is none that can be carried out.
        WorldError: A process died; another call goes on.
    """
    (root / RUNS).mkdir(parents=True, exist_ok=True)
    _same_as_before(root, sentence, settings)
    dataset = LeRobotDataset(root, pictures)
    there = _finished(root)
    missing = [s for s in range(settings.seed, settings.seed + episodes) if s not in there]
    for seed, reached in _carried_out(root, sentence, settings, missing, jobs):
        there[seed] = reached
        told(len(there), sum(there.values()))
    unusable = add_runs(dataset, sorted((root / RUNS).iterdir()))
    return Made(
        episodes=len(there), reached=sum(there.values()), new=len(missing), unusable=unusable
    )


def add_runs(dataset: LeRobotDataset, folders: Iterable[Path]) -> dict[str, str]:
    """Add the runs that a data set lacks; returns those that are no episodes, with the reason."""
    unusable: dict[str, str] = {}

    def usable() -> Iterator[Episode]:
        for folder in folders:
            if folder.resolve().name in dataset.runs:
                continue
            try:
                yield episode_of(folder)
            except ConfigurationError as error:
                unusable[folder.name] = str(error)

    dataset.add(usable())
    return unusable


def _same_as_before(root: Path, sentence: str, settings: Settings) -> None:
    """Keep what was asked for beside the runs; raises where it was something else."""
    asked = {"sentence": sentence, "settings": jsonable(settings)}
    path = root / ASKED
    if not path.exists():
        path.write_text(json.dumps(asked, indent=1), "utf-8")
        return
    before = Record.load(path)
    if (said := before.text("sentence")) != sentence:
        raise ConfigurationError(f"{root} holds demonstrations of {said!r}: take another folder")
    old, new = before.record("settings").values, Record.of(asked["settings"]).values
    if other := sorted(k for k in new if old.get(k) != new[k]):
        raise ConfigurationError(
            f"{root} was begun with another {', '.join(other)}: take another folder"
        )


def _finished(root: Path) -> dict[int, bool]:
    """Whether each seed that was carried out has reached its goal."""
    found: dict[int, bool] = {}
    for folder in sorted((root / RUNS).iterdir()):
        with suppress(ConfigurationError):
            summary = read_summary(folder)
            if summary.integer("exit_code") in (REACHED, NOT_REACHED):
                found[summary.integer("seed")] = summary.record("verdict").flag("reached")
    return found


def _carried_out(
    root: Path, sentence: str, settings: Settings, seeds: Sequence[int], jobs: int
) -> Iterator[tuple[int, bool]]:
    """Carry out a sentence once for each seed; yields seeds with whether the goal was reached."""
    if not seeds:
        return
    first, *rest = seeds
    yield first, _episode(root, sentence, replace(settings, seed=first), first=True)
    tasks = iter(rest)
    if jobs == 1:
        yield from ((s, _episode(root, sentence, replace(settings, seed=s))) for s in tasks)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=context) as pool:
        running: dict[Future[bool], int] = {}
        try:
            while True:
                for seed in islice(tasks, 2 * jobs - len(running)):
                    alone = replace(settings, seed=seed)
                    running[pool.submit(_episode, root, sentence, alone)] = seed
                if not running:
                    return
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    yield running.pop(future), future.result()
        except BrokenProcessPool as error:
            raise WorldError("a process of the episodes died: the same call goes on") from error
        finally:
            for future in running:
                future.cancel()


def _episode(root: Path, sentence: str, settings: Settings, *, first: bool = False) -> bool:
    """Carry out one episode; returns whether it reached the goal.

    Raises:
        NotUnderstoodError: It is the first one, and the sentence is none that can be carried out.
    """
    session = open_session(settings)
    try:
        done = perform(
            session,
            sentence,
            lambda emit, write: session.run(sentence, emit=emit, write=write),
            Output(
                out=root / RUNS,
                display=lambda heading: _Silent(),
                video=None,
                sign=notary.have_signed,
            ),
            command="demos",
            prefix=f"{settings.seed:06d}",
        )
    finally:
        session.close()
    outcome = done.outcome
    if first and outcome.exit_code not in (REACHED, NOT_REACHED):
        problem = Diagnostic(where="sentence", problem=outcome.message)
        raise NotUnderstoodError(sentence, [problem])
    return outcome.reached
