from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from embodied.bench.benchmark import measure
from embodied.bench.l2r import suite as l2r
from embodied.bench.l2r.quadruped import Phase
from embodied.bench.l2r.suite import TASKS, episodes, held, table
from embodied.bench.runner import Task
from embodied.errors import ConfigurationError
from embodied.language.reward import check
from embodied.language.reward.serialise import program_from_json


def test_there_are_nine_and_eight_tasks_with_legal_oracles() -> None:
    assert sum(t.robot == "quadruped" for t in TASKS.values()) == 9
    assert sum(t.robot == "fr3-hand" for t in TASKS.values()) == 8
    for task in TASKS.values():
        assert check(task.oracle) == ()
        assert all(p.text and p.hold_s > 0 for p in task.phases)


def phase(values: list[int], hold_s: float) -> Phase:
    return Phase("x", hold_s, lambda v: np.array(values, dtype=bool))


def test_phases_must_be_held_one_after_the_other() -> None:
    view: Any = SimpleNamespace(time=np.arange(10) * 0.1)
    first = phase([1, 1, 0, 1, 1, 1, 0, 0, 0, 0], 0.2)
    assert held([first], view)[0] == (True,)
    assert held([phase([1, 1, 0, 1, 1, 0, 1, 1, 0, 1], 0.2)], view)[0] == (False,)
    early = phase([1, 1, 1, 1, 0, 0, 0, 0, 0, 0], 0.2)
    late = phase([0, 0, 0, 0, 0, 0, 1, 1, 1, 1], 0.2)
    assert held([first, early], view)[0] == (True, False)
    assert held([first, late], view)[0] == (True, True)
    assert held([phase([0] * 10, 0.2), late], view)[0] == (False, False)


def run(out: Path, tasks: list[Task], episode: Any = l2r.run_case) -> list[dict[str, Any]]:
    suite = replace(l2r.BENCHMARK, cases=lambda _: tasks, run=episode)
    return measure(suite, l2r.Settings(), out, executor="serial", progress=False)


def test_a_killed_run_goes_on_without_repeating(tmp_path: Path) -> None:
    calls: list[int] = []

    def fake(payload: Any) -> dict[str, Any]:
        calls.append(payload["seed"])
        about = {k: payload[k] for k in ("task", "method", "seed")}
        solved = payload["seed"] != 1
        return {**about, "solved": solved, "simulated_s": 2.0, "cpu_s": 1.0, "error": ""}

    run(tmp_path, episodes(["touch"], 2, l2r.oracle, "oracle"), fake)
    path = tmp_path / "results.jsonl"
    path.write_text(path.read_text() + '{"task": "tou')  # killed while writing
    rows = run(tmp_path, episodes(["touch"], 4, l2r.oracle, "oracle"), fake)
    assert calls == [0, 1, 2, 3]
    assert len(rows) == 4
    text = table(l2r.summarise(rows, l2r.Settings()))
    cells = [c.strip() for c in text.splitlines()[2].split("|")[1:-1]]
    assert cells == ["touch", "oracle", "3/4", "30% to 95%", "0/4", "0.50"]
    assert len([json.loads(line) for line in path.read_text().splitlines()]) == 4


def test_a_program_reads_back_as_it_was_written() -> None:
    for name, task in TASKS.items():
        (episode,) = episodes([name], 1, l2r.oracle, "oracle")
        ((_, text),) = episode.payload["script"]
        program = program_from_json(text, task.robot, source="oracle", filled=False)
        assert program == task.oracle


def test_rules_give_the_oracle_programs_sentence_by_sentence() -> None:
    method = l2r.method_named("rules", l2r.Settings())
    for name in ("sit-low", "open-drawer"):
        ((at, program),) = method(TASKS[name])
        assert at == 0.0
        assert program.stages == TASKS[name].oracle.stages
    higher = method(TASKS["lift-paw-higher"])
    assert [at for at, _ in higher] == [0.0, l2r.SENTENCE_EVERY_S]
    assert higher[1][1].stages[-1] == TASKS["lift-paw-higher"].oracle.stages[-1]


def test_methods_are_named_and_models_demanded(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="oracle, rules"):
        measure(l2r.BENCHMARK, l2r.Settings(method=("magic",)), tmp_path)
    with pytest.raises(ConfigurationError, match="--model"):
        l2r.method_named("two-step", l2r.Settings())


def test_a_translator_that_abstains_is_a_result(tmp_path: Path) -> None:
    def abstains(task: Any) -> Any:
        raise ConfigurationError("no words for it")

    (row,) = run(tmp_path, episodes(["touch"], 1, abstains, "mute"))
    assert not row["solved"] and row["error"] == "no words for it"


def test_unknown_task_names_the_legal_ones(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="face-sunrise"):
        measure(l2r.BENCHMARK, l2r.Settings(task=("fly",)), tmp_path)


def test_a_drawer_is_opened_and_judged(tmp_path: Path) -> None:
    (row,) = run(tmp_path, episodes(["open-drawer"], 1, l2r.oracle, "oracle"))
    assert row["solved"] and not row["unmet"]
    assert row["speed_ratio"] < 1.5
