"""The frame of all benchmarks: options, cases, one function from a case to a row, a table, figures.

A benchmark is a ``Benchmark``, found by its name: a folder of this package that calls it
``BENCHMARK``, or another package's entry point of the group ``embodied.benchmarks``::

    [project.entry-points."embodied.benchmarks"]
    juggling = "my_package.juggling:BENCHMARK"

Everything else is here, once: the command line, the results that a run continues from, workers,
progress, the report as Markdown and JSON, figures, the comparison of two folders.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import MISSING, asdict, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar, cast, get_args, get_origin, get_type_hints

from embodied.bench import BENCHMARKS
from embodied.bench.outside import Suite
from embodied.bench.runner import (
    EXECUTORS,
    UNANSWERED,
    Payload,
    Row,
    Task,
    check_settings,
    read_results,
    run_tasks,
)
from embodied.errors import ConfigurationError, EnvironmentMissingError
from embodied.registry import unknown

if TYPE_CHECKING:
    from matplotlib.figure import Figure

T = TypeVar("T")
S = TypeVar("S")
R = TypeVar("R")

OPTIONS = "options.json"


def option(
    default: T,
    help: str = "",  # noqa: A002
    *,
    choices: Sequence[str] = (),
    key: bool | str = False,
    at_least: float | None = None,
) -> T:
    """A field of a benchmark's settings: ``--like-this`` on the command line.

    Args:
        default: Used where it is not given; its type is that of the field. A tuple is repeatable.
        help: For ``--help``.
        choices: Legal values.
        key: Results of other values must not stand in the same folder. A text is the name under
            which ``settings.json`` keeps it.
        at_least: Smallest number.
    """
    data = {"help": help, "choices": tuple(choices), "key": key, "at_least": at_least}
    return field(default=default, metadata=data)


def every(name: str, fixed: Payload | None = None, **axes: Iterable[object]) -> list[Task]:
    """A case for each combination of some values; those of the last axis change fastest.

    Args:
        name: Id of a case, with names of the payload in braces.
        fixed: What all payloads hold besides.
        axes: Values by their name in the payload.
    """
    chosen = (dict(zip(axes, v, strict=True)) for v in itertools.product(*axes.values()))
    payloads = ({**(fixed or {}), **c} for c in chosen)
    return [Task(id=name.format(**p), payload=p) for p in payloads]


@dataclass(frozen=True, slots=True, kw_only=True)
class NoSettings:
    """For a benchmark without options of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What a person wants to know before running a benchmark.

    Attributes:
        routes: Routes that it measures; empty where it measures none.
        size: What there is of it, e.g. ``"28 tasks"``.
        pins: Versions that it needs in an environment of its own.
        licence: Of what is not this project's own.
        data: Option that names the files that a user brings; empty where it needs none.
        suite: Its own environment, if it has one.
    """

    routes: tuple[str, ...] = ()
    size: str = ""
    pins: str = ""
    licence: str = "Apache-2.0"
    data: str = ""
    suite: Suite | None = None

    def missing(self) -> str:
        """Why it cannot run here as it is; empty when it can."""
        if self.suite is not None:
            return self.suite.missing()
        return f"needs files: {self.data}" if self.data else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Benchmark(Generic[S, R]):
    """One benchmark.

    Attributes:
        name: Short name.
        summary: One line.
        settings: Frozen dataclass of its options, each an ``option``.
        cases: Everything to run, in a fixed order; a case's id is the same in every run.
        run: One case, as JSON, to its row, as JSON. A module-level function: workers import it. An
            exception becomes a row of status ``"error"``.
        report: Rows to figures, as JSON.
        table: The report as Markdown.
        figures: Pictures of a report, by file name; None where there is nothing to draw.
        code: Exit code of a report; 3 is used where a row is an error.
        jobs: Cases at the same time, unless told otherwise.
        about: What ``bench list`` says of it besides.
    """

    name: str
    summary: str
    settings: type[S]
    cases: Callable[[S], Sequence[Task]]
    run: Callable[[Payload], Mapping[str, object]]
    report: Callable[[Sequence[Row], S], R]
    table: Callable[[R], str]
    figures: Mapping[str, Callable[[R], Figure | None]] = field(
        default_factory=dict[str, "Callable[[R], Figure | None]"]
    )
    code: Callable[[R], int] = lambda report: 0
    jobs: int = 2
    about: About = About()


def measure(
    benchmark: Benchmark[S, R],
    settings: S,
    out: Path,
    *,
    jobs: int | None = None,
    executor: str = "process",
    progress: bool = True,
    retry_errors: bool = False,
) -> list[Row]:
    """Run the cases that have no row in ``out`` yet; the rows of all cases in their order.

    Raises:
        ConfigurationError: An option has no legal value, or ``out`` holds rows of other settings.
    """
    legal(settings)
    if jobs is not None and jobs < 1:
        raise ConfigurationError(f"--jobs is {jobs}: give at least 1")
    tasks = benchmark.cases(settings)
    check_settings(out, {"benchmark": benchmark.name, **_keys(settings)})
    (out / OPTIONS).write_text(json.dumps(_as_json(settings), indent=2) + "\n", "utf-8")
    return run_tasks(
        tasks,
        benchmark.run,
        out,
        jobs=benchmark.jobs if jobs is None else jobs,
        executor=executor,
        progress=progress,
        title=benchmark.name,
        retry_errors=retry_errors,
    )


def show(
    benchmark: Benchmark[S, R],
    settings: S,
    rows: Sequence[Row],
    out: Path,
    *,
    as_json: bool = False,
    plot: Path | None = None,
) -> int:
    """Write ``report.md``, ``report.json`` and figures to ``out``, print the report.

    Args:
        benchmark: The benchmark.
        settings: Of the rows.
        rows: What was measured.
        out: Folder of the results.
        as_json: Print JSON instead of Markdown.
        plot: File for the first figure besides; without matplotlib that is an error.

    Returns:
        Exit code: 3 where a case ended in an error or its model could not be asked, else the
        benchmark's own.
    """
    silent = [r for r in rows if r.get("status") == UNANSWERED]
    rows = [r for r in rows if r.get("status") != UNANSWERED]
    report = benchmark.report(rows, settings)
    text = benchmark.table(report)
    text += "" if text.endswith("\n") else "\n"
    if silent:
        last = silent[-1]
        said = (
            f"\n{len(silent)} of {len(silent) + len(rows)} cases are left out: their language "
            f"model gave no answer (last {last['id']}: {last['error']}). The same command tries "
            "them again.\n"
        )
        text += said
        sys.stderr.write(said if as_json else "")
    (out / "report.json").write_text(json.dumps(report, indent=1, default=str) + "\n", "utf-8")
    (out / "report.md").write_text(text, "utf-8")
    for name, draw in benchmark.figures.items():
        try:
            if (figure := draw(report)) is None:
                continue
            for path in (out / name, plot):
                if path is not None:
                    path.parent.mkdir(parents=True, exist_ok=True)
                    figure.savefig(path, dpi=120)
        except EnvironmentMissingError as error:
            if plot is not None:
                raise
            sys.stderr.write(f"no figure: {error}\n")
        plot = None
    sys.stdout.write(json.dumps(report, default=str) + "\n" if as_json else text)
    broken = silent or any(r.get("status") == "error" for r in rows)
    return 3 if broken else benchmark.code(report)


def main(benchmark: Benchmark[S, R], arguments: Sequence[str] | None = None) -> int:
    """The command line of one benchmark; returns the exit code."""
    parser = _parser(benchmark)
    given = parser.parse_args(arguments)
    values = {f.name: getattr(given, f.name) for f in fields(cast("type", benchmark.settings))}
    settings = _settings(benchmark, {k: v for k, v in values.items() if v is not None})
    if given.report:
        rows = read_results(given.out)
    else:
        try:
            rows = measure(
                benchmark,
                settings,
                given.out,
                jobs=given.jobs,
                executor=given.executor,
                progress=not given.json,
                retry_errors=given.retry_errors,
            )
        except KeyboardInterrupt:
            done = len(read_results(given.out))
            sys.stderr.write(
                f"stopped; {done} results are kept in {given.out}: the same command goes on\n"
            )
            raise
    return show(benchmark, settings, rows, given.out, as_json=given.json, plot=given.plot)


def reopened(folder: Path) -> tuple[Benchmark[object, object], object, list[Row]]:
    """Benchmark, settings and rows of a folder of results.

    Raises:
        ConfigurationError: It holds no results of a benchmark that is known here.
    """
    if not (folder / "settings.json").is_file():
        raise ConfigurationError(f"{folder} is no folder of a benchmark: it has no settings.json")
    try:
        name = str(json.loads((folder / "settings.json").read_text("utf-8"))["benchmark"])
        options = json.loads((folder / OPTIONS).read_text("utf-8"))
    except (OSError, ValueError, KeyError) as error:
        raise ConfigurationError(f"{folder} holds no results of a benchmark: {error}") from error
    benchmark = BENCHMARKS.get(name)
    return benchmark, _settings(benchmark, options), read_results(folder)


def legal(settings: object) -> None:
    """Raise ``ConfigurationError`` where an option has no legal value; the message lists them."""
    for one in fields(cast("type", settings)):
        choices = one.metadata.get("choices", ())
        value = getattr(settings, one.name)
        for v in value if isinstance(value, tuple) else (value,):
            if choices and v not in choices and v not in ("", None):
                raise unknown(one.name.replace("_", " "), str(v), tuple(choices))
        least = one.metadata.get("at_least")
        if least is not None and value < least:
            flag = one.name.replace("_", "-")
            raise ConfigurationError(f"--{flag} is {value}: give at least {least}")


# ------------------------------------------------------------------------- private


def _keys(settings: object) -> dict[str, object]:
    keys = {f.name: f.metadata.get("key") for f in fields(cast("type", settings))}
    values = _as_json(settings)
    return {k if key is True else str(key): values[k] for k, key in keys.items() if key}


def _as_json(settings: object) -> dict[str, object]:
    return json.loads(json.dumps(asdict(cast("NoSettings", settings)), default=str))


def _kind(hint: object) -> tuple[Callable[[str], object], bool]:
    """Type of one value of an option, and whether the option is repeatable."""
    repeated = get_origin(hint) is tuple
    options = [t for t in get_args(hint) if t not in (type(None), Ellipsis)] or [hint]
    return cast("Callable[[str], object]", options[0]), repeated


def _parser(benchmark: Benchmark[S, R]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=f"embodied bench {benchmark.name}", description=benchmark.summary
    )
    hints = get_type_hints(benchmark.settings)
    for one in fields(cast("type", benchmark.settings)):
        flag = "--" + one.name.replace("_", "-")
        choices = one.metadata.get("choices", ())
        text = str(one.metadata.get("help", ""))
        text += f"{' ' if text else ''}[{', '.join(choices)}]" if choices else ""
        text = text.replace("%", "%%")
        kind, repeated = _kind(hints[one.name])
        if kind is bool:
            parser.add_argument(flag, action="store_true", default=None, help=text)
        elif repeated:
            parser.add_argument(flag, action="append", type=kind, help=f"{text} (repeatable)")
        else:
            required = one.default is MISSING
            parser.add_argument(flag, type=kind, required=required, help=text)
    out = Path("bench") / benchmark.name
    parser.add_argument("--out", type=Path, default=out, help=f"folder of results [{out}]")
    parser.add_argument("--jobs", type=int, help=f"cases at the same time [{benchmark.jobs}]")
    parser.add_argument("--executor", default="process", help=f"[{', '.join(EXECUTORS)}]")
    parser.add_argument(
        "--retry-errors", action="store_true", help="run cases that ended in an error again"
    )
    parser.add_argument("--report", action="store_true", help="only report what is in --out")
    parser.add_argument("--plot", type=Path, help="file for the figure, besides that in --out")
    parser.add_argument("--json", action="store_true", help="report as JSON")
    return parser


def _settings(benchmark: Benchmark[S, R], values: Mapping[str, object]) -> S:
    """Settings of values as the command line or ``options.json`` has them."""
    hints = get_type_hints(benchmark.settings)
    made: dict[str, object] = {}
    for name, value in values.items():
        if name in hints and value is not None:
            kind, repeated = _kind(hints[name])
            if repeated:
                made[name] = tuple(kind(v) for v in cast("Sequence[str]", value))
            else:
                made[name] = value if isinstance(value, bool) else kind(cast("str", value))
    return cast("Callable[..., S]", benchmark.settings)(**made)
