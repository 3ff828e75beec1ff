from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from embodied.bench.l2r import suite as l2r
from embodied.bench.l2r.quadruped import Phase
from embodied.bench.l2r.suite import TASKS, Episode, held, read_results, run_benchmark, table
from embodied.errors import ConfigurationError
from embodied.language.reward import check


def test_there_are_nine_and_eight_tasks_with_legal_oracles() -> None:
    assert sum(t.robot == "quadruped" for t in TASKS.values()) == 9
    assert sum(t.robot == "fr3-hand" for t in TASKS.values()) == 8
    for task in TASKS.values():
        assert check(task.oracle) == ()
        assert all(p.text and p.hold_s > 0 for p in task.phases)


def phase(values: list[int], hold_s: float) -> Phase:
    return Phase(text="x", holds=lambda v: np.array(values, dtype=bool), hold_s=hold_s)


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


def fake(calls: list[int]) -> Any:
    def episode(task: Any, script: Any, method: str, seed: int) -> Episode:
        calls.append(seed)
        return Episode(
            task=task.name,
            method=method,
            seed=seed,
            program=l2r.digest(task, script),
            solved=seed != 1,
            phases=(seed != 1,),
            simulated_s=2.0,
            cpu_s=1.0,
        )

    return episode


def test_a_killed_run_goes_on_without_repeating(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []
    monkeypatch.setattr(l2r, "run_episode", fake(calls))
    run_benchmark(tmp_path, names=["touch"], seeds=2)
    path = tmp_path / "results.jsonl"
    path.write_text(path.read_text() + '{"task": "tou')  # killed while writing
    episodes = run_benchmark(tmp_path, names=["touch"], seeds=4)
    assert calls == [0, 1, 2, 3]
    assert len(episodes) == 4
    assert len(read_results(tmp_path)) == 4
    text = table(episodes)
    assert "| touch | oracle | 3/4 | 30% to 95% | 0.50 |" in text
    for line in path.read_text().splitlines():
        if not line.endswith("}"):
            continue
        json.loads(line)


def test_rules_give_the_oracle_programs_sentence_by_sentence() -> None:
    method = l2r.method_named("rules")
    for name in ("sit-low", "open-drawer"):
        ((at, program),) = method(TASKS[name])
        assert at == 0.0
        assert program.stages == TASKS[name].oracle.stages
    higher = method(TASKS["lift-paw-higher"])
    assert [at for at, _ in higher] == [0.0, l2r.SENTENCE_EVERY_S]
    assert higher[1][1].stages[-1] == TASKS["lift-paw-higher"].oracle.stages[-1]


def test_methods_are_named_and_models_demanded() -> None:
    with pytest.raises(ConfigurationError, match="oracle, rules"):
        l2r.method_named("magic")
    with pytest.raises(ConfigurationError, match="--model"):
        l2r.method_named("two-step")


def test_a_translator_that_abstains_is_a_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def abstains(task: Any) -> Any:
        raise ConfigurationError("no words for it")

    (episode,) = run_benchmark(
        tmp_path, names=["touch"], seeds=1, method=abstains, method_name="mute"
    )
    assert not episode.solved and episode.error == "no words for it"


def test_unknown_task_names_the_legal_ones(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="face-sunrise"):
        run_benchmark(tmp_path, names=["fly"])


def test_a_drawer_is_opened_and_judged(tmp_path: Path) -> None:
    (episode,) = run_benchmark(tmp_path, names=["open-drawer"], seeds=1)
    assert episode.solved
    assert episode.speed_ratio < 1.5
