"""The suites of instructions: exact goals, and reasons for every refusal."""

from __future__ import annotations

from collections import Counter
from types import ModuleType
from typing import Any

import pytest

from embodied.symbolic import read_goal


def judged(rules_suite: ModuleType, benches: dict[str, Any], index: int) -> list[tuple[str, str]]:
    return [
        (benches[r["scene"]].judge(r)[0], r["text"])
        for r in rules_suite.read(rules_suite.SUITES[index])
    ]


def test_suite_has_fifty_sentences_for_each_scene(rules_suite: ModuleType) -> None:
    records = list(rules_suite.read(rules_suite.SUITES[0]))
    scenes = Counter(r["scene"] for r in records)
    assert scenes == {"blocks": 50, "kitchen": 50, "workshop": 50}
    assert sum(bool(r.get("refuse")) for r in records) >= 23
    assert len({(r["scene"], r["text"]) for r in records}) == 150


def test_suite_goals_are_exact_and_refusals_right(
    rules_suite: ModuleType, benches: dict[str, Any]
) -> None:
    outcomes = judged(rules_suite, benches, 0)
    goals = [o for o, _ in outcomes if o in ("exact", "wrong", "refused wrongly")]
    assert goals.count("exact") / len(goals) >= 0.95
    assert not [t for o, t in outcomes if o in ("wrong", "not refused")]


def test_blind_sentences_are_never_read_wrongly(
    rules_suite: ModuleType, benches: dict[str, Any]
) -> None:
    outcomes = judged(rules_suite, benches, 1)
    assert len(outcomes) == 60
    assert not [t for o, t in outcomes if o in ("wrong", "not refused")]
    assert sum(o == "exact" for o, _ in outcomes) >= 40


@pytest.mark.parametrize("index", [0, 1])
def test_gold_goals_are_about_the_scene(
    rules_suite: ModuleType, benches: dict[str, Any], index: int
) -> None:
    for record in rules_suite.read(rules_suite.SUITES[index]):
        bench = benches[record["scene"]]
        for goal in record.get("goals", []):
            read_goal(goal, bench.domain, bench.grounder.objects)
