"""Sentences through the real translators: the rules, and models that have bad days."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from embodied import language
from embodied.app.record.run_folder import read_events, read_summary
from embodied.errors import ModelTimeoutError
from embodied.language.models import FunctionModel

SENTENCE = "put the red block on the green block"
GOOD = json.dumps({"stages": ["(on red-block green-block)"], "unsupported": ""})


@pytest.fixture
def real(app: Any) -> Any:
    app.translate_goals = False
    return app


def _answers(monkeypatch: pytest.MonkeyPatch, *texts: str) -> None:
    """Let ``--model openai:x`` answer these texts, the last one for ever."""
    left = list(texts)

    def answer(request: object) -> str:
        return left.pop(0) if len(left) > 1 else left[0]

    monkeypatch.setattr(
        language.models, "open_model", lambda spec, **options: FunctionModel(answer, name=spec)
    )


def test_rules_are_named_for_what_they_are(real: Any) -> None:
    done = real("run", SENTENCE)
    assert done.exit_code == 0, done.output
    assert "rules (a deterministic grammar, not a language model)" in done.output
    assert read_summary(real.folders()[0]).values["usage"]["calls"] == 0


@pytest.mark.parametrize(
    ("sentence", "said"),
    [
        ("put the golden block on the green block", "golden"),
        ("", ""),
        ("   \n ", ""),
        ("please " * 1429, ""),
        ("write me a poem about the sea", ""),
        ("put the red block on the green block and the sun in the bin", "sun"),
    ],
)
def test_what_rules_do_not_understand_is_exit_code_two(real: Any, sentence: str, said: str) -> None:
    done = real("run", sentence)
    assert done.exit_code == 2, done.output
    assert "not understood" in done.output
    assert said in done.output
    assert "Traceback" not in done.output
    assert len(done.output) < 6000  # a sentence of 10,000 characters is not repeated
    (folder,) = real.folders()
    events, _ = read_events(folder)
    assert events[0].data["text"] == sentence  # nothing lost
    assert not [e for e in events if e.kind == "action"]


def test_a_follow_up_refers_to_what_was_said(real: Any) -> None:
    done = real("chat", input="put the red block in the bin\nnow the blue one too\n")
    assert done.exit_code == 0, done.output
    goals = read_summary(real.folders()[1]).values["verdict"]["goals"]
    assert "(in blue-block bin)" in [part for goal in goals for part in goal["holds"]]


def test_a_contradiction_is_refused_or_unsolvable(real: Any) -> None:
    done = real(
        "run", "put the red block on the green block and put the green block on the red block"
    )
    assert done.exit_code in (1, 2)
    events, _ = read_events(real.folders()[0])
    assert not [e for e in events if e.kind == "action"]


def test_a_model_answers_and_everything_is_logged(
    real: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    _answers(monkeypatch, GOOD)
    done = real("run", SENTENCE, "--model", "openai:x")
    assert done.exit_code == 0, done.output
    assert "translator: openai:x" in done.output
    (folder,) = real.folders()
    events, _ = read_events(folder)
    requests = [e for e in events if e.kind == "request"]
    responses = [e for e in events if e.kind == "response"]
    assert len(requests) == len(responses) == 1
    assert SENTENCE in json.dumps(requests[0].data)
    assert responses[0].data["response"]["text"] == GOOD
    assert read_summary(folder).values["usage"]["calls"] == 1


@pytest.mark.parametrize(
    "bad",
    [
        "Sure! I would love to help you with your blocks.",
        '{"stages": ["(on red-block gre',
        "",
        json.dumps({"stages": ["(on red-block golden-block)"], "unsupported": ""}),
    ],
)
def test_an_unusable_answer_is_repaired_or_refused(
    real: Any, monkeypatch: pytest.MonkeyPatch, bad: str
) -> None:
    _answers(monkeypatch, bad, GOOD)
    assert real("run", SENTENCE, "--model", "openai:x").exit_code == 0
    _answers(monkeypatch, bad)
    done = real("run", SENTENCE, "--model", "openai:x")
    assert done.exit_code == 2, done.output
    assert "Traceback" not in done.output
    events, _ = read_events(real.folders()[-1])
    assert 2 <= len([e for e in events if e.kind == "request"]) <= 4  # bounded
    assert [e for e in events if e.kind == "diagnostic"]


def test_a_model_that_refuses_is_exit_code_two(real: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    _answers(monkeypatch, json.dumps({"stages": [], "unsupported": "there is no sun"}))
    done = real("run", SENTENCE, "--model", "openai:x")
    assert done.exit_code == 2
    assert "there is no sun" in done.output


def test_a_model_that_is_too_slow_is_exit_code_three(
    real: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(request: object) -> str:
        raise ModelTimeoutError("no answer within 60 s")

    monkeypatch.setattr(
        language.models, "open_model", lambda spec, **options: FunctionModel(slow, name=spec)
    )
    done = real("run", SENTENCE, "--model", "openai:x")
    assert done.exit_code == 3
    assert "no answer within 60 s" in done.output


def test_a_recording_that_does_not_hold_the_question_is_exit_code_three(
    real: Any, tmp_path: Path
) -> None:
    recording = tmp_path / "r.jsonl"
    recording.write_text("")
    done = real("run", SENTENCE, "--model", f"replay:{recording}")
    assert done.exit_code == 3
    assert "Traceback" not in done.output
    missing = real("run", SENTENCE, "--model", f"replay:{tmp_path / 'none.jsonl'}")
    assert missing.exit_code == 3


@pytest.mark.llm
def test_endpoints_on_bad_days(real: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pydantic_ai", reason="needs the [llm] extra")
    from embodied.language.models.loopback import Act, LoopbackEndpoint

    opened = language.models.open_model
    monkeypatch.setattr(
        language.models,
        "open_model",
        lambda spec, **options: opened(spec, **{**options, "attempts": 2, "timeout_s": 1.0}),
    )
    days = {
        "limited": Act(status=429, text="slow down", headers={"Retry-After": "0"}),
        "broken": Act(status=500, text="oops"),
        "gone": Act(hang_up=True),
        "slow": Act(text=GOOD, delay_s=1.5),
    }
    for act in days.values():
        with LoopbackEndpoint([act]) as endpoint:
            done = real("run", SENTENCE, "--model", "openai:x", "--base-url", endpoint.openai_url)
        assert done.exit_code == 3, done.output
        assert "the language model failed" in done.output
        assert "Traceback" not in done.output
    down = real("run", SENTENCE, "--model", "openai:x", "--base-url", "http://127.0.0.1:9/v1")
    assert down.exit_code == 3
    with LoopbackEndpoint([days["limited"], GOOD]) as endpoint:
        done = real("run", SENTENCE, "--model", "openai:x", "--base-url", endpoint.openai_url)
    assert done.exit_code == 0, done.output


@pytest.mark.llm
def test_a_missing_key_is_named_and_never_asked_for_on_the_way(real: Any) -> None:
    pytest.importorskip("pydantic_ai", reason="needs the [llm] extra")
    assert "OPENAI_API_KEY" not in os.environ
    done = real("run", SENTENCE, "--model", "openai:gpt-5")
    assert done.exit_code == 3
    assert "OPENAI_API_KEY" in done.output
    assert not real.folders()
