"""Budgets, retries, cascades, recording and replay, over function models."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from pathlib import Path

import pytest

from embodied.errors import (
    BudgetExceededError,
    ConfigurationError,
    ModelError,
    ModelTimeoutError,
    ReplayMissError,
)
from embodied.language.models import (
    Budget,
    Budgeted,
    FallbackModel,
    FunctionModel,
    Recording,
    ReplayModel,
    Retrying,
    TransientModelError,
    open_model,
    redact,
    request_key,
)
from embodied.protocols import Message, Request, Response, Usage

ASK = Request(messages=(Message(role="user", text="hello"),), max_tokens=100)


def _say(text: str) -> Request:
    return replace(ASK, messages=(Message(role="user", text=text),))


# --- budgets


def test_calls_run_out() -> None:
    budget = Budget(max_calls=2)
    model = Budgeted(FunctionModel(lambda _: "yes indeed"), budget)
    model.complete(ASK)
    model.complete(ASK)
    with pytest.raises(BudgetExceededError, match="2 model calls"):
        model.complete(ASK)
    assert budget.spent == Usage(calls=2, input_tokens=2, output_tokens=4)


def test_failed_calls_count_as_started_but_cost_nothing() -> None:
    budget = Budget(max_calls=1)
    model = Budgeted(FunctionModel.scripted([ModelError("down")]), budget)
    with pytest.raises(ModelError, match="down"):
        model.complete(ASK)
    with pytest.raises(BudgetExceededError):
        model.complete(ASK)
    assert budget.started == 1 and budget.spent.calls == 0


def test_tokens_run_out_and_the_last_answer_is_cut_to_fit() -> None:
    lengths: list[int] = []

    def answer(request: Request) -> str:
        lengths.append(request.max_tokens)
        return " ".join(["word"] * request.max_tokens)

    model = Budgeted(FunctionModel(answer), Budget(max_tokens=150))
    model.complete(ASK)
    model.complete(ASK)
    with pytest.raises(BudgetExceededError, match="150 tokens"):
        model.complete(ASK)
    assert lengths == [100, 49]


def test_one_budget_for_several_models() -> None:
    budget = Budget(max_calls=1)
    Budgeted(FunctionModel(lambda _: "a"), budget).complete(ASK)
    with pytest.raises(BudgetExceededError):
        Budgeted(FunctionModel(lambda _: "b"), budget).complete(ASK)


def test_a_negative_budget_is_refused() -> None:
    with pytest.raises(ValueError, match="max_calls"):
        Budget(max_calls=-1)


# --- retries


def test_gives_up_after_the_bound_and_counts() -> None:
    pauses: list[float] = []
    errors = [TransientModelError(f"failure {i}") for i in range(9)]
    model = Retrying(FunctionModel.scripted(errors), attempts=3, sleep=pauses.append)
    with pytest.raises(ModelError, match=r"failure 2 \(asked 3 times\)"):
        model.complete(ASK)
    assert len(pauses) == 2


def test_a_slow_answer_is_not_asked_for_again() -> None:
    errors = [ModelTimeoutError("slow"), ModelTimeoutError("slow again")]
    model = Retrying(FunctionModel.scripted(errors), attempts=2, sleep=lambda _: None)
    with pytest.raises(ModelTimeoutError, match="slow$"):
        model.complete(ASK)


def test_final_errors_are_not_retried() -> None:
    model = Retrying(FunctionModel.scripted([ModelError("no key"), "late"]), sleep=lambda _: None)
    with pytest.raises(ModelError, match="no key"):
        model.complete(ASK)


def test_a_spent_budget_is_not_retried() -> None:
    calls: list[Request] = []

    def down(request: Request) -> str:
        calls.append(request)
        raise TransientModelError("down")

    inner = Budgeted(FunctionModel(down), Budget(max_calls=2))
    with pytest.raises(BudgetExceededError):
        Retrying(inner, attempts=9, sleep=lambda _: None).complete(ASK)
    assert len(calls) == 2


def test_pauses_grow_are_jittered_and_bounded() -> None:
    pauses: list[float] = []
    errors = [TransientModelError("down")] * 8
    model = Retrying(
        FunctionModel.scripted(errors),
        attempts=8,
        first_pause_s=1.0,
        longest_pause_s=10.0,
        sleep=pauses.append,
        rng=random.Random(0),
    )
    with pytest.raises(ModelError):
        model.complete(ASK)
    for k, pause in enumerate(pauses):
        scale = min(10.0, 2.0**k)
        assert 0.5 * scale <= pause <= scale
    assert len({round(p, 6) for p in pauses}) == len(pauses)


def test_an_endpoint_that_wants_a_long_rest_is_not_waited_for() -> None:
    error = TransientModelError("rate limited", retry_after_s=3600.0)
    pauses: list[float] = []
    model = Retrying(FunctionModel.scripted([error, "late"]), sleep=pauses.append)
    with pytest.raises(ModelError, match="3600 s"):
        model.complete(ASK)
    assert pauses == []


# --- cascades


def test_the_next_model_answers_when_one_is_down() -> None:
    models = [
        FunctionModel.scripted([ModelError("down")], name="first"),
        FunctionModel(lambda _: "hi", name="second"),
    ]
    cascade = FallbackModel(models)
    assert cascade.name == "first > second"
    response = cascade.complete(ASK)
    assert response.text == "hi" and response.model == "second"


def test_all_reasons_are_given_when_nobody_answers() -> None:
    cascade = FallbackModel(
        [
            FunctionModel.scripted([ModelError("no key")], name="first"),
            FunctionModel.scripted([ModelError("down")], name="second"),
        ]
    )
    with pytest.raises(ModelError, match="first: no key; second: down"):
        cascade.complete(ASK)


def test_a_spent_budget_ends_the_cascade() -> None:
    spent = Budgeted(FunctionModel(lambda _: "a"), Budget(max_calls=0))
    with pytest.raises(BudgetExceededError):
        FallbackModel([spent, FunctionModel(lambda _: "b")]).complete(ASK)


# --- recording and replay


def test_what_was_recorded_is_replayed(tmp_path: Path) -> None:
    path = tmp_path / "runs" / "recorded.jsonl"
    usage = Usage(calls=1, input_tokens=5, output_tokens=7, cost_usd=0.25)

    def answer(request: Request) -> Response:
        return Response(text=request.messages[0].text.upper(), usage=usage, model="m", confidence=1)

    recording = Recording(FunctionModel(answer), path)
    for text in ("a", "b", "grün"):
        recording.complete(_say(text))
    recording.close()
    replay = open_model(f"replay:{path}")
    for text in ("grün", "a", "b", "a"):
        response = replay.complete(_say(text))
        assert response.text == text.upper()
        assert response.usage == usage and response.model == "m" and response.confidence == 1


def test_several_answers_to_one_request_come_in_order(tmp_path: Path) -> None:
    path = tmp_path / "recorded.jsonl"
    recording = Recording(FunctionModel.scripted(["one", "two"]), path)
    recording.complete(ASK)
    recording.complete(ASK)
    recording.close()
    replay = ReplayModel(path)
    assert [replay.complete(ASK).text for _ in range(3)] == ["one", "two", "two"]


def test_a_miss_is_an_error_that_shows_the_difference(tmp_path: Path) -> None:
    path = tmp_path / "recorded.jsonl"
    recording = Recording(FunctionModel(lambda _: "ok"), path)
    recording.complete(_say("put the red block in the bin"))
    recording.close()
    with pytest.raises(ReplayMissError, match="red block.*asked .*blue block"):
        ReplayModel(path).complete(_say("put the blue block in the bin"))


def test_a_killed_recording_is_readable_and_can_be_continued(tmp_path: Path) -> None:
    path = tmp_path / "recorded.jsonl"
    first = Recording(FunctionModel(lambda _: "ok"), path)
    first.complete(_say("a"))
    first.complete(_say("b"))
    first.close()
    path.write_bytes(path.read_bytes()[:-30])  # killed in the middle of the second line
    assert ReplayModel(path).complete(_say("a")).text == "ok"
    second = Recording(FunctionModel(lambda _: "ok"), path)
    second.complete(_say("c"))
    second.close()
    replay = ReplayModel(path)
    assert replay.unfinished_lines == 1
    assert replay.complete(_say("c")).text == "ok"
    with pytest.raises(ReplayMissError):
        replay.complete(_say("b"))


@pytest.mark.parametrize("text", ["Dear diary,\n", '{"key": "x"}\n'])
def test_a_file_that_is_no_recording_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "wrong.jsonl"
    path.write_text(text)
    with pytest.raises(ConfigurationError, match="wrong.jsonl"):
        ReplayModel(path)


def test_errors_are_not_recorded(tmp_path: Path) -> None:
    path = tmp_path / "recorded.jsonl"
    recording = Recording(FunctionModel.scripted([ModelError("down")]), path)
    with pytest.raises(ModelError):
        recording.complete(ASK)
    recording.close()
    assert path.read_text() == ""


def test_lines_are_whole_records(tmp_path: Path) -> None:
    path = tmp_path / "recorded.jsonl"
    recording = Recording(FunctionModel(lambda _: "line one\nline two"), path)
    recording.complete(ASK)
    lines = path.read_text().splitlines()  # readable while the run goes on
    recording.close()
    assert len(lines) == 1
    assert set(json.loads(lines[0])) == {"key", "request", "response"}


def test_the_key_ignores_the_purpose_and_nothing_else() -> None:
    assert request_key(ASK) == request_key(replace(ASK, purpose="other"))
    others = [
        _say("other"),
        replace(ASK, schema={"type": "object"}),
        replace(ASK, grammar='root ::= "a"'),
        replace(ASK, max_tokens=99),
        replace(ASK, temperature=0.5),
    ]
    assert len({request_key(r) for r in (ASK, *others)}) == len(others) + 1


def test_secrets_are_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_API_KEY", "abc-123-def")
    text = redact("abc-123-def at https://me:pw@host/v1 and http://host/a@b")
    assert text == "<SOME_API_KEY> at https://<login>@host/v1 and http://host/a@b"


# --- the door


@pytest.mark.parametrize("spec", ["", "gpt-5", "openai:", "ollama:qwen"])
def test_an_unknown_model_names_the_kinds(spec: str) -> None:
    with pytest.raises(ConfigurationError, match="openai:NAME.*replay:FILE"):
        open_model(spec)


def test_a_missing_recording_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="missing.jsonl"):
        open_model(f"replay:{tmp_path / 'missing.jsonl'}")
