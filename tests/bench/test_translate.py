from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from embodied.bench.benchmark import measure
from embodied.bench.translate.data import Case, generated, handwritten, published
from embodied.bench.translate.meaning import gold_of, same_rewards, same_value_maps
from embodied.bench.translate.report import (
    LEAST_THRESHOLD,
    calibrate,
    calibration_error,
    draw_calibration,
    summarise,
    table,
)
from embodied.bench.translate.suite import BENCHMARK, Bench, Settings, cases_of
from embodied.errors import ConfigurationError
from embodied.language.offline import reward_slots, value_map_slots
from embodied.language.offline.answer import Answer
from embodied.language.offline.scene_view import SceneView, Thing
from embodied.types import RewardProgram, ValueMapProgram

TESTS_DATA = Path(__file__).parents[1] / "data"
BLOCKS = SceneView(
    things=(
        *(
            Thing(name=f"{c}-block", kind="item", category="block", color=c)
            for c in ("red", "green")
        ),
        Thing(name="bin", kind="container", category="bin"),
        Thing(name="table", kind="surface", category="table"),
    )
)


class Fixed:
    """A model that always writes the same."""

    def __init__(self, slots: str, confidence: float = 0.9) -> None:
        self.slots, self.confidence = slots, confidence

    def answer(self, prompt: str, grammar: str, *, written: Sequence[int] = ()) -> Answer:
        return Answer(
            slots=self.slots,
            confidence=self.confidence,
            complete=True,
            latency_s=0.0,
            input_tokens=1,
            cached_tokens=0,
            output_tokens=1,
        )


def goal_case(gold: list[Any], refuse: str | None = None, sentence: str = "do it") -> Case:
    return Case(id="x", kind="goal", scene=BLOCKS, sentence=sentence, gold=gold, refuse=refuse)


def asked(slots: str, case: Case) -> bool:
    bench = Bench(model=Fixed(slots), thresholds={"goal": 0.5, "reward": 0.5, "value-map": 0.5})
    outcome = bench.run("local", case)
    return outcome["right"]


def test_quantified_and_listed_goals_are_the_same() -> None:
    every = goal_case([["(forall (?b - block) (in ?b bin))"]])
    assert asked("put all in bin", every)
    assert asked("put green-block red-block in bin", every)
    assert not asked("put red-block in bin", every)
    red = goal_case([["(forall (?b - block) (imply (has-color ?b red) (in ?b bin)))"]])
    assert asked("put all red in bin", red)
    nothing = goal_case([["(not (exists (?x - item) (in ?x bin)))"]])
    assert asked("free bin", nothing)


def test_order_counts_between_stages_and_not_within() -> None:
    two = goal_case([["(in red-block bin)", "(on green-block table)"]])
    assert asked("put red-block in bin then put green-block on table", two)
    assert not asked("put green-block on table then put red-block in bin", two)
    one = goal_case([["(and (in red-block bin) (on green-block table))"]])
    assert asked("put green-block on table ; put red-block in bin", one)


def test_refusals_are_right_only_where_they_should_be() -> None:
    assert asked("cannot object", goal_case([], "object"))
    assert not asked("cannot object", goal_case([["(in red-block bin)"]]))
    assert asked("cannot ambiguous", goal_case([["(in red-block bin)"]], "ambiguous"))
    assert not asked("put red-block in bin", goal_case([], "object"))


def reward(slots: str) -> RewardProgram:
    result = reward_slots.expand(slots, SceneView(robot="quadruped"))
    assert isinstance(result, RewardProgram)
    return result


def test_rewards_allow_intervals_and_neutral_terms() -> None:
    low = [{"terms": [{"name": "torso_height", "parameters": {"height": [0.05, 0.2]}}]}]
    assert same_rewards(reward("height low"), low)
    assert same_rewards(reward("height low ; flat"), low)
    assert not same_rewards(reward("height low ; lift front-left"), low)
    assert not same_rewards(reward("height stand"), low)
    assert not same_rewards(reward("height low then flat"), low)
    left = [{"terms": [{"name": "torso_heading", "parameters": {"angle": 1.5708}}]}]
    assert same_rewards(reward("turn left 90 deg"), left)
    assert not same_rewards(reward("turn right 90 deg"), left)


def test_value_maps_are_compared_operation_by_operation() -> None:
    def maps(slots: str) -> ValueMapProgram:
        result = value_map_slots.expand(slots, BLOCKS)
        assert isinstance(result, ValueMapProgram)
        return result

    gold = gold_of(maps("to red-block ; avoid bin 5 cm ; point down"))
    assert same_value_maps(maps("to red-block ; point down ; avoid bin 5 cm"), gold, BLOCKS)
    assert not same_value_maps(maps("to red-block ; avoid bin 6 cm ; point down"), gold, BLOCKS)
    assert not same_value_maps(maps("to red-block ; avoid bin 5 cm"), gold, BLOCKS)


def test_every_gold_is_its_own_meaning() -> None:
    for case in (*generated(120), *published(None)):
        if case.kind == "reward" and case.gold:
            assert case.gold[0][0]["terms"]
        assert case.gold or case.refuse


def test_handwritten_sentences_are_many_and_partly_to_refuse() -> None:
    cases = handwritten(TESTS_DATA)
    assert len(cases) >= 300
    assert len({c.id for c in cases}) == len(cases)
    refused = sum(c.refuse is not None for c in cases)
    assert 0.1 < refused / len(cases) < 0.2


def test_rules_answer_exactly_or_not_at_all() -> None:
    bench = Bench()
    case = goal_case([["(in red-block bin)"]], sentence="put the red block in the bin")
    outcome = bench.run("rules", case)
    assert outcome["right"] and outcome["source"] == "rules"
    maps = Case(id="y", kind="value-map", scene=BLOCKS, sentence="go to the bin", gold=[[]])
    other = bench.run("rules", maps)
    assert other["source"] == "rules" and not other["right"]


def test_a_stopped_run_continues(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    for name in ("goals", "rewards", "value_maps"):
        lines = (TESTS_DATA / f"handwritten_{name}.jsonl").read_text().splitlines()[:3]
        (data / f"handwritten_{name}.jsonl").write_text("\n".join(lines) + "\n")
    out = tmp_path / "out"
    settings = Settings(tests_data=data, suite=("handwritten",), translator=("rules",))

    def run(settings: Settings) -> str:
        rows = measure(BENCHMARK, settings, out, executor="serial", progress=False)
        return table(summarise(rows))

    first = run(settings)
    lines = (out / "results.jsonl").read_text().splitlines()
    assert len(lines) == 9  # three of each kind
    (out / "results.jsonl").write_text("\n".join(lines[:1]) + "\n")
    assert run(settings) == first
    assert len((out / "results.jsonl").read_text().splitlines()) == 9
    with pytest.raises(ConfigurationError):
        run(replace(settings, held_out=7))


def test_unknown_names_list_the_legal_ones(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="Choose from: rules, local, cascade"):
        measure(BENCHMARK, Settings(translator=("oracle",)), tmp_path)
    with pytest.raises(ConfigurationError, match="--tests-data"):
        cases_of("tabletop", Settings(tests_data=tmp_path))


def _answers(*pairs: tuple[float, bool]) -> list[dict[str, object]]:
    return [
        {"translator": "local", "kind": "goal", "confidence": confidence, "right": right}
        for confidence, right in pairs
    ]


def test_the_threshold_is_where_answers_begin_to_be_right_often_enough() -> None:
    rng = np.random.default_rng(0)
    confidence = rng.uniform(0.02, 0.98, 4000)
    honest = _answers(*((float(c), bool(rng.uniform() < c)) for c in confidence))
    kinds = calibrate(honest, least=0.75)["kinds"]
    assert kinds["goal"]["answers"] == 4000
    assert kinds["goal"]["threshold"] == pytest.approx(0.75, abs=0.05)
    assert kinds["reward"] == {**kinds["goal"], "answers": 0, "own_curve": False}
    modest = _answers(*((float(c), bool(rng.uniform() < c**0.3)) for c in confidence))
    assert calibrate(modest, least=0.75)["kinds"]["goal"]["threshold"] < 0.5


def test_a_doubt_that_asks_back_always_asks() -> None:
    always = _answers(*((c / 100, True) for c in range(1, 99)))
    assert calibrate(always)["kinds"]["goal"]["threshold"] == LEAST_THRESHOLD > 1 / 5


def test_too_few_answers_and_wrong_ones_give_no_confidence_that_suffices() -> None:
    assert calibrate(_answers((0.9, True)))["kinds"]["goal"]["threshold"] > 1.0
    wrong = _answers(*((c / 100, False) for c in range(1, 99)))
    assert calibrate(wrong)["kinds"]["goal"]["threshold"] > 1.0


def test_the_report_names_shares() -> None:
    row = {
        "suite": "handwritten",
        "translator": "local",
        "kind": "goal",
        "must_refuse": False,
        "right": True,
        "refused": False,
        "confidence": 0.97,
        "cpu_s": 0.5,
        "wall_s": 0.6,
        "peak_mb": 300,
    }
    text = table(summarise([row, {**row, "right": False, "confidence": 0.3}]))
    cells = [c.strip() for c in text.splitlines()[2].split("|")[1:-1]]
    assert cells[:5] == ["handwritten", "goal", "local", "2", "1/2 (50%)"]
    assert cells[5:] == ["2/2 (100%)", "1/2 (50%)", "-"]
    assert "0.50 s CPU" in text


def test_calibration_error_is_the_distance_of_confidence_and_right_answers() -> None:
    sure = _answers(*[(0.9, True)] * 9, (0.9, False))
    assert calibration_error(sure) == pytest.approx(0.0, abs=1e-9)
    assert calibration_error(_answers((1.0, False), (1.0, False))) == pytest.approx(1.0)
    mixed = _answers(*[(0.9, True)] * 5, *[(0.9, False)] * 5, *[(0.5, True)] * 10)
    assert calibration_error(mixed) == pytest.approx(0.5 * 0.4 + 0.5 * 0.5)


def test_calibration_is_drawn() -> None:
    pytest.importorskip("matplotlib", reason="needs the [bench] extra")
    figure = draw_calibration({"answers": _answers((0.95, True), (0.3, False), (1.0, True))})
    assert figure is not None and len(figure.axes) == 3
    assert draw_calibration({"answers": []}) is None
