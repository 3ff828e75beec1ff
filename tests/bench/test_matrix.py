from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from embodied.bench.benchmark import measure
from embodied.bench.matrix import BENCHMARK
from embodied.bench.matrix.suite import Options, build_report, cases, exit_code, render_report
from embodied.errors import ConfigurationError


def test_a_working_cell_is_measured_and_a_refused_one_says_why(tmp_path: Path) -> None:
    options = Options(seeds=1, cells=("pddl/mujoco/truth/fr3", "pddl/*/fr3-hand"))
    tasks = cases(options)
    assert len(tasks) == len({t.id for t in tasks}) == 15
    rows = measure(BENCHMARK, options, tmp_path, executor="serial", progress=False)
    report = {r["cell"]: r for r in build_report(rows, options)}
    direct = report["pddl/mujoco/truth/fr3"]
    assert (direct["episodes"], direct["verdicts_denied"]) == (5, 0)
    assert direct["successes"] == 5, direct["misses"]
    hand = report["pddl/mujoco/truth/fr3-hand"]
    assert (hand["episodes"], hand["successes"]) == (0, 0)
    assert "two parallel jaws: the fr3-hand has none" in hand["refused"]
    assert hand["refused"] in render_report(list(report.values()))


def test_cells_that_do_not_exist_are_named() -> None:
    with pytest.raises(ConfigurationError, match="pddl/mujoco/truth/fr3"):
        cases(Options(cells=("pddl/moon/*",)))


def row(number: int, **more: Any) -> dict[str, Any]:
    cell = "pddl/mujoco/truth/fr3"
    done = {"cell": cell, "status": "done", "id": f"{cell}/0/{number:03d}", "text": "put it there"}
    return {**done, "sim_s": 1.0, "cpu_s": 1.0, "message": "", "verdict": True, **more}


def test_a_verdict_that_the_truth_denies_is_counted_and_fails() -> None:
    good = [row(n, true=True, success=True) for n in range(40)]
    assert exit_code(build_report(good, Options())) == 0
    denied = build_report([*good, row(40, true=False, success=False)], Options())
    assert (denied[0]["verdicts_denied"], denied[0]["successes"]) == (1, 40)
    assert exit_code(denied) == 1
    assert "verdict reached, truth does not" in render_report(denied)
