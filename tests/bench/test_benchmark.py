"""The frame: options, continued runs, reports, comparisons, benchmarks of other packages."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import pytest
from typer.testing import CliRunner

from embodied import registry
from embodied.app.cli.main import app
from embodied.bench import BENCHMARKS
from embodied.bench.benchmark import (
    Benchmark,
    legal,
    main,
    option,
    reopened,
)
from embodied.bench.comparing import compare
from embodied.bench.outside import HOME, Suite
from embodied.bench.report import rate_bars, table_of
from embodied.bench.runner import Payload, Row, Task
from embodied.errors import ConfigurationError, EnvironmentMissingError
from embodied.registry import Registry


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    dice: tuple[str, ...] = option(("fair",), choices=("fair", "loaded"))
    throws: int = option(20)
    offset: float = option(0.0, key=True)
    folder: Path | None = option(None)
    loud: bool = option(False)


def throw(payload: Payload) -> Row:
    value = (7 * int(payload["number"]) + 3) % 6 + 1 + float(payload["offset"])
    if value > 90:
        raise ValueError("the die fell off the table")
    return {"dice": payload["dice"], "value": value, "six": value >= 6}


DICE = Benchmark(
    name="dice",
    summary="Throws of dice.",
    settings=Settings,
    cases=lambda s: [
        Task(id=f"{d}/{n}", payload={"dice": d, "number": n, "offset": s.offset})
        for d in s.dice
        for n in range(s.throws)
    ],
    run=throw,
    report=lambda rows, s: {"sixes": sum(r.get("six", 0) for r in rows), "loud": s.loud},
    table=lambda report: table_of([report], {"sixes": "sixes", "loud": "loud"}),
    figures={"dice.png": lambda report: rate_bars({("fair", "six"): (report["sixes"], 40)})},
    code=lambda report: int(report["sixes"] == 0),
)


def run(out: Path, *arguments: str) -> int:
    return main(DICE, ["--out", str(out), "--executor", "serial", *arguments])


def test_every_benchmark_is_found_and_has_a_command_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert {"llmp", "l2r", "voxposer", "statler", "translate", "human-model"} <= set(
        BENCHMARKS.names
    )
    assert {"disturb", "critic", "strategies", "contact"} <= set(BENCHMARKS.names)
    for name in BENCHMARKS.names:
        benchmark = BENCHMARKS.get(name)
        assert benchmark.name == name and benchmark.summary
        with pytest.raises(SystemExit):
            main(benchmark, ["--help"])
        assert "--out" in capsys.readouterr().out


def test_options_reach_the_cases_and_the_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path, "--dice", "fair", "--dice", "loaded", "--loud", "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"sixes": 6, "loud": True}
    rows = [json.loads(x) for x in (tmp_path / "results.jsonl").read_text().splitlines()]
    assert len(rows) == 40 and {r["dice"] for r in rows} == {"fair", "loaded"}
    assert "True" in (tmp_path / "report.md").read_text()
    assert (tmp_path / "dice.png").stat().st_size > 1000
    with pytest.raises(ConfigurationError, match="offset"):
        run(tmp_path, "--offset", "1")
    with pytest.raises(ConfigurationError, match="Choose from: fair, loaded"):
        run(tmp_path, "--dice", "marked")
    assert run(tmp_path / "b", "--offset", "-9") == 1, "the benchmark's own code"
    assert run(tmp_path / "c", "--offset", "100") == 3, "errors"


def test_settings_survive_their_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(tmp_path, "--throws", "3", "--folder", "x", "--loud", "--dice", "loaded")
    monkeypatch.setattr(Registry, "get", lambda self, name: DICE)
    benchmark, settings, rows = reopened(tmp_path)
    wanted = Settings(throws=3, folder=Path("x"), loud=True, dice=("loaded",))
    assert (benchmark, settings, len(rows)) == (DICE, wanted, 3)
    with pytest.raises(ConfigurationError, match="no folder of a benchmark"):
        reopened(tmp_path / "nowhere")


def test_a_difference_has_an_interval(tmp_path: Path) -> None:
    run(tmp_path / "a")
    run(tmp_path / "b", "--offset", "1")
    rows = {r["measure"]: r for r in compare(tmp_path / "a", tmp_path / "b")}
    value = rows["value"]
    assert (value["cases"], value["difference"]) == (20, 1.0)
    assert (value["low"], value["high"]) == (1.0, 1.0), "in pairs there is no spread"
    assert rows["six"]["low"] <= rows["six"]["difference"] <= rows["six"]["high"]
    run(tmp_path / "c", "--dice", "loaded", "--offset", "1")
    apart = {r["measure"]: r for r in compare(tmp_path / "a", tmp_path / "c")}["value"]
    assert apart["low"] < 1.0 < apart["high"] and apart["difference"] == pytest.approx(1.0)


def test_tokens_and_cost_are_compared(tmp_path: Path) -> None:
    for name, cost in (("a", 0.5), ("b", 0.75)):
        used = {"input_tokens": 10, "output_tokens": 5, "cost_usd": cost}
        (tmp_path / name).mkdir()
        line = json.dumps({"id": "x", "value": 1, "usage": used})
        (tmp_path / name / "results.jsonl").write_text(line + "\n", "utf-8")
    rows = {r["measure"]: r for r in compare(tmp_path / "a", tmp_path / "b")}
    assert rows["tokens"]["first"] == 15 and rows["cost_usd"]["difference"] == 0.25


def test_an_environment_of_its_own_is_wanted_until_it_is_set_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(HOME, str(tmp_path))
    suite = Suite(name="other", requirements=("thing==1",), size_mb=1)
    assert "embodied bench setup other" in suite.missing()
    with pytest.raises(EnvironmentMissingError, match="bench setup other"):
        suite.required()
    suite.folder.mkdir()
    (suite.folder / "embodied-setup.txt").write_text("thing==0\n", "utf-8")
    assert "set up with thing==0" in suite.missing()
    (suite.folder / "embodied-setup.txt").write_text("thing==1\n", "utf-8")
    assert suite.missing() == "" and suite.required() == suite.folder / "bin" / "python"


def test_the_command_line_runs_reports_and_compares(tmp_path: Path) -> None:
    def said(*arguments: str) -> str:
        done = CliRunner().invoke(app, ["bench", *arguments])
        assert done.exit_code == 0, done.output
        return done.stdout

    listed = said("list")
    assert "human-model" in listed and "voxposer" in listed
    known = {b["name"]: b for b in json.loads(said("list", "--json"))["benchmarks"]}
    assert known["human-model"]["runs_here"] and not known["alfred"]["runs_here"]
    assert "Unity" in known["alfred"]["why_not"] and known["robouse"]["pins"]
    a, b = str(tmp_path / "a"), str(tmp_path / "b")
    short = said("human-model", "--people", "20", "--executor", "serial", "--out", a)
    assert said("run", "human-model", "--people", "20", "--executor", "serial", "--out", b) == short
    assert said("report", a) == short
    assert "gained" in said("compare", a, b) and said("retry", a) == short
    assert json.loads(said("compare", a, b, "--json"))["compared"][1]["folder"] == b
    refused = CliRunner().invoke(app, ["bench", "run", "juggling"])
    assert refused.exit_code == 2 and "human-model" in refused.output


def test_other_packages_bring_benchmarks(monkeypatch: pytest.MonkeyPatch) -> None:
    point = metadata.EntryPoint("dice", "tests.nowhere:DICE", "embodied.benchmarks")
    monkeypatch.setattr(metadata.EntryPoint, "load", lambda self: DICE)
    monkeypatch.setattr(registry, "_entry_points", lambda: metadata.EntryPoints([point]))
    found = Registry[object]("benchmark", group="embodied.benchmarks")
    assert found.names == ("dice",) and found.get("dice") is DICE


def test_legal_values_are_checked_in_settings_made_by_hand() -> None:
    legal(Settings())
    with pytest.raises(ConfigurationError, match="unknown dice 'marked'"):
        legal(Settings(dice=("marked",)))


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ("l2r --seeds 0", "--seeds is 0: give at least 1"),
        ("l2r --jobs 0", "--jobs is 0: give at least 1"),
        ("disturb --trials 1 --out afile", "afile is a file, not a folder"),
        ("report nosuch", "nosuch is no folder of a benchmark"),
        ("run alfred", "alfred cannot run here: needs the AI2-THOR player"),
        ("setup llmp", "llmp needs no environment of its own"),
        ("setup robouse --data nowhere", "--data nowhere is no folder"),
    ],
)
def test_what_cannot_be_run_or_read_says_why(
    words: str, problem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("afile").write_text("", "utf-8")
    done = CliRunner().invoke(app, ["bench", *words.split()])
    assert done.exit_code == 3
    assert problem in done.output
