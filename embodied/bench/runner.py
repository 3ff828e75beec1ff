"""Runs benchmark tasks in parallel and can be killed at any moment.

The work is a list of ``Task`` and one module-level function from a task's payload to a result, both
JSON-serialisable. Every finished task is one line of ``results.jsonl``, written and flushed to
disk at once; a run started again with the same folder skips the tasks that have a line. Tasks in
progress at a kill are run again.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import json
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO, TypeAlias

from embodied.errors import (
    BudgetExceededError,
    ConfigurationError,
    EnvironmentMissingError,
    ModelError,
)

Row: TypeAlias = dict[str, Any]
"""What became of one case, as JSON."""
Payload: TypeAlias = Mapping[str, Any]
"""Input of one case, as JSON."""
TaskFunction: TypeAlias = Callable[[Payload], Mapping[str, object]]

UNANSWERED = "unanswered"
"""Status of a case whose language model could not be reached or failed: no result of the case."""

UNSETTLED = frozenset({UNANSWERED, "error"})
"""What may be tried again."""

EXECUTORS = ("process", "serial", "ray")
RESULTS, SETTINGS = "results.jsonl", "settings.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One unit of work.

    Attributes:
        id: Stable and unique: the same task has the same id in every run.
        payload: JSON-serialisable input of the task function.
    """

    id: str
    payload: Payload


class ResultFile:
    """Append-only results, one JSON object per line, each with the ``id`` of its task."""

    def __init__(self, folder: Path) -> None:
        """Open the results in ``folder``, which is made if missing.

        A last line without its line end (a kill while writing) is dropped from the file.

        Raises:
            ConfigurationError: Another run writes to this folder, or a line is not JSON.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / RESULTS
        self._file: TextIO = open(self._path, "a+", encoding="utf-8")  # noqa: SIM115 - kept open
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._file.close()
            raise ConfigurationError(f"another run is writing to {folder}") from error
        try:
            self._drop_torn_line()
            self.results: list[Row] = read_results(folder)
        except BaseException:
            self._file.close()
            raise

    def _drop_torn_line(self) -> None:
        data = self._path.read_bytes()
        keep = data.rfind(b"\n") + 1
        if keep != len(data):
            os.truncate(self._path, keep)

    def append(self, result: Mapping[str, object]) -> None:
        """Write one result through to the disk."""
        self._file.write(json.dumps(result, sort_keys=True) + "\n")
        self._file.flush()
        os.fsync(self._file.fileno())
        self.results.append(dict(result))

    def close(self) -> None:
        """Close the file and release its lock."""
        self._file.close()


def read_results(folder: Path) -> list[Row]:
    """All complete results in ``folder``; of an id that occurs twice the first one counts.

    One that did not settle the task, ``UNANSWERED`` or an error, gives way to what came later.

    Raises:
        ConfigurationError: A complete line is not a JSON object with an ``id``.
    """
    path = folder / RESULTS
    found: dict[str, Row] = {}
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").split("\n")[:-1]
    for number, line in enumerate(lines, start=1):
        try:
            result = json.loads(line)
            task = str(result["id"])
            if task not in found or found[task].get("status") in UNSETTLED:
                found[task] = result
        except (ValueError, KeyError, TypeError) as error:
            raise ConfigurationError(
                f"{path}, line {number} is not a result; move the file away or choose another "
                "output folder"
            ) from error
    return list(found.values())


def check_settings(folder: Path, settings: Mapping[str, object]) -> None:
    """Remember the settings of a run, or make sure that a continued run has the same ones.

    Raises:
        ConfigurationError: The folder is a file, or holds results of other settings.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        raise ConfigurationError(f"{folder} is a file, not a folder") from error
    path = folder / SETTINGS
    new = json.loads(json.dumps(settings))
    if path.exists():
        try:
            old = json.loads(path.read_text())
        except ValueError:
            old = None  # cut off while it was written: nothing had been run yet
        if old is not None and old != new:
            changed = [k for k in {*old, *new} if old.get(k) != new.get(k)]
            raise ConfigurationError(
                f"{folder} holds results of other settings (different: "
                f"{', '.join(sorted(changed))}); choose another output folder"
            )
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(new, indent=2, sort_keys=True) + "\n")
    temporary.replace(path)


def run_tasks(
    tasks: Sequence[Task],
    function: TaskFunction,
    out: Path,
    *,
    jobs: int = 2,
    executor: str = "process",
    progress: bool = True,
    title: str = "tasks",
    retry_errors: bool = False,
) -> list[Row]:
    """Run every task that has no result in ``out`` yet.

    An exception in a task is its result (``{"status": "error", "error": ...}``), and so is the
    death of its worker process when it happens twice. A model that could not be asked is none: the
    row's status is ``UNANSWERED``, and the task is run again at the next start.

    Args:
        tasks: What to run; ids must be unique.
        function: Module-level function, so that worker processes can import it.
        out: Folder of the results.
        jobs: Worker processes.
        executor: ``"process"``, ``"serial"`` (in this process), or ``"ray"`` (extra ``[ray]``).
        progress: Show a progress bar on the standard error output.
        title: Shown beside the bar.
        retry_errors: Run tasks that ended in an error again as well.

    Returns:
        The results of ``tasks`` in their order, earlier ones included.

    Raises:
        ConfigurationError: Duplicate ids, an unknown executor, or an unusable folder.
        EnvironmentMissingError: Ray is asked for and not installed.
    """
    ids = [task.id for task in tasks]
    if len(set(ids)) != len(ids):
        twice = sorted({i for i in ids if ids.count(i) > 1})
        raise ConfigurationError(f"task ids must be unique, repeated: {', '.join(twice)}")
    if executor not in EXECUTORS:
        raise ConfigurationError(f"executor '{executor}' is not one of {', '.join(EXECUTORS)}")
    file = ResultFile(out)
    try:
        again = UNSETTLED if retry_errors else {UNANSWERED}
        done = {str(r["id"]) for r in file.results if r.get("status") not in again}
        todo = [task for task in tasks if task.id not in done]
        run = {"process": _in_processes, "serial": _in_series, "ray": _on_ray}[executor]
        with _progress(title, len(tasks), len(tasks) - len(todo), shown=progress) as advance:
            for task, result in run(todo, function, jobs):
                file.append({**result, "id": task.id})
                advance(task.id)
        by_id = {str(r["id"]): r for r in file.results}
        return [by_id[i] for i in ids]
    finally:
        file.close()


def guarded(function: TaskFunction, payload: Payload) -> Row:
    """Run a task; an exception becomes its result."""
    start = time.monotonic()
    try:
        result: Row = dict(function(payload))
    except BudgetExceededError as error:  # of the case: asking again would end there again
        result = {"status": "error", "error": f"{type(error).__name__}: {error}"}
    except ModelError as error:
        result = {"status": UNANSWERED, "error": f"{type(error).__name__}: {error}"}
    except Exception as error:  # noqa: BLE001 - one broken task must not end the benchmark
        result = {"status": "error", "error": f"{type(error).__name__}: {error}"}
    result.setdefault("task_wall_s", round(time.monotonic() - start, 4))
    return result


Results: TypeAlias = Iterator[tuple[Task, Mapping[str, object]]]


def _in_series(todo: Sequence[Task], function: TaskFunction, jobs: int) -> Results:
    for task in todo:
        yield task, guarded(function, task.payload)


def _in_processes(todo: Sequence[Task], function: TaskFunction, jobs: int) -> Results:
    """A pool of fresh processes; a broken pool is rebuilt and its tasks get a second chance."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # workers share the cores
    context = multiprocessing.get_context("spawn")
    attempts: dict[str, int] = dict.fromkeys((t.id for t in todo), 0)
    waiting = list(todo)
    while waiting:
        alone = attempts[waiting[0].id] > 0  # after a crash: one by one, to find the culprit
        batch, waiting = (waiting[:1], waiting[1:]) if alone else (waiting, [])
        pool = ProcessPoolExecutor(
            max_workers=1 if alone else max(1, jobs),
            mp_context=context,
            initializer=start_worker,
            initargs=(os.getpid(),),
        )
        try:
            futures = {pool.submit(guarded, function, t.payload): t for t in batch}
            for future in _as_completed(futures):
                task = futures[future]
                try:
                    yield task, future.result()
                except BrokenProcessPool:
                    attempts[task.id] += 1
                    if alone:
                        yield task, {"status": "error", "error": "its worker process died"}
                    else:
                        waiting.append(task)
        finally:
            end_pool(pool)


def _as_completed(futures: Mapping[Future[Row], Task]) -> Iterator[Future[Row]]:
    pending = set(futures)
    while pending:
        done, pending = wait(pending, return_when=FIRST_COMPLETED)
        yield from done


def end_pool(pool: ProcessPoolExecutor) -> None:
    """Shut down at once: running workers are terminated when the caller leaves early."""
    processes = list((pool._processes or {}).values())  # pyright: ignore[reportPrivateUsage]
    pool.shutdown(wait=False, cancel_futures=True)
    if sys.exc_info()[0] is not None:
        for process in processes:
            process.terminate()
    for process in processes:
        process.join(timeout=5.0)


def start_worker(parent: int) -> None:
    """End with the parent, and leave Ctrl-C to it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)  # PR_SET_PDEATHSIG
    if os.getppid() != parent:
        os._exit(1)


def _on_ray(todo: Sequence[Task], function: TaskFunction, jobs: int) -> Results:
    """The same tasks on a Ray cluster: the one of ``RAY_ADDRESS``, or a local one."""
    try:
        import ray  # pyright: ignore[reportMissingImports] - an optional extra
    except ImportError as error:
        raise EnvironmentMissingError(
            "the ray executor needs the extra [ray]: pip install 'embodied-stack[ray]'"
        ) from error
    started = not ray.is_initialized()
    if started:
        local = {} if os.environ.get("RAY_ADDRESS") else {"num_cpus": max(1, jobs)}
        ray.init(include_dashboard=False, log_to_driver=False, **local)
    try:
        remote = ray.remote(max_retries=1)(guarded)
        tasks = {remote.remote(function, dict(t.payload)): t for t in todo}
        pending = list(tasks)
        while pending:
            ready, pending = ray.wait(pending, num_returns=1)
            for reference in ready:
                try:
                    yield tasks[reference], ray.get(reference)
                except ray.exceptions.RayError as error:
                    text = f"ray: {type(error).__name__}"
                    yield tasks[reference], {"status": "error", "error": text}
    finally:
        if started:
            ray.shutdown()


@contextlib.contextmanager
def _progress(
    title: str, total: int, completed: int, *, shown: bool
) -> Generator[Callable[[str], None], None, None]:
    if not shown:
        yield lambda _: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from embodied.app.show.console import Console

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[last]}"),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        handle = bar.add_task(title, total=total, completed=completed, last="")
        yield lambda last: bar.update(handle, advance=1, last=last)
