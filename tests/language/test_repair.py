"""The repair loop: what is fed back, what passes through, where it ends."""

from __future__ import annotations

import pytest

from embodied.errors import (
    BudgetExceededError,
    Diagnostic,
    ModelError,
    NotUnderstoodError,
    ProgramError,
)
from embodied.language.models import Budget, Budgeted, FunctionModel
from embodied.language.models.logged import LoggedModel
from embodied.language.repair import MOST_DIAGNOSTICS, ask_until_valid
from embodied.protocols import Event, Message, Request, Response, Usage

ASK = Request(messages=(Message(role="user", text="a number"),), max_tokens=50, purpose="test")


def _number(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ProgramError(
            text, [Diagnostic(where="answer", problem=f"{text!r} is no number", hint="digits")]
        ) from None


def test_a_good_answer_needs_no_repair() -> None:
    answer = ask_until_valid(FunctionModel(lambda _: "7"), ASK, _number)
    assert (answer.value, answer.repairs, answer.usage.calls) == (7, 0, 1)


def test_diagnostics_are_fed_back() -> None:
    seen: list[Request] = []

    def answer(request: Request) -> str:
        seen.append(request)
        return ("seven", "sept", "7")[len(seen) - 1]

    events: list[Event] = []
    model = LoggedModel(FunctionModel(answer), events.append)
    result = ask_until_valid(model, ASK, _number, repairs=2)
    assert (result.value, result.repairs, result.usage.calls) == (7, 2, 3)
    roles = [[m.role for m in r.messages] for r in seen]
    assert roles == [["user"], ["user", "assistant", "user"], ["user", "assistant", "user"]]
    assert seen[2].messages[1].text == "sept"
    assert "answer: 'sept' is no number (digits)" in seen[2].messages[2].text
    kinds = [e.kind for e in events]
    assert kinds == ["request", "response", "diagnostic"] * 2 + ["request", "response"]


def test_the_number_of_repairs_is_bounded() -> None:
    words = iter(["one", "two", "three", "four"])
    with pytest.raises(ProgramError, match="no usable answer, asked 3 times") as caught:
        ask_until_valid(FunctionModel(lambda _: next(words)), ASK, _number, repairs=2)
    assert caught.value.raw == "three"
    assert next(words) == "four"


def test_a_model_that_repeats_itself_is_not_asked_again() -> None:
    budget = Budget()
    model = Budgeted(FunctionModel(lambda _: "seven"), budget)
    with pytest.raises(ProgramError):
        ask_until_valid(model, ASK, _number, repairs=9)
    assert budget.started == 2


def test_nothing_is_a_fault() -> None:
    result = ask_until_valid(FunctionModel.scripted(["  \n", "7"]), ASK, _number)
    assert (result.value, result.repairs) == (7, 1)


def test_a_cut_off_answer_gets_more_room() -> None:
    room: list[int] = []

    def answer(request: Request) -> Response:
        room.append(request.max_tokens)
        text = "7" if request.max_tokens > 50 else "sev"
        usage = Usage(calls=1, output_tokens=50)
        return Response(text=text, usage=usage, model="m", cut_off=text != "7")

    events: list[Event] = []
    model = LoggedModel(FunctionModel(answer), events.append)
    result = ask_until_valid(model, ASK, _number)
    assert result.value == 7 and room == [50, 100]
    problems = [e.data["problem"] for e in events if e.kind == "diagnostic"]
    assert problems[0] == "it was cut off after 50 tokens"


def test_a_refusal_passes_through() -> None:
    def refuse(text: str) -> int:
        raise NotUnderstoodError(text, [Diagnostic(where="sentence", problem="no such thing")])

    budget = Budget()
    with pytest.raises(NotUnderstoodError):
        ask_until_valid(Budgeted(FunctionModel(lambda _: "no"), budget), ASK, refuse)
    assert budget.started == 1


def test_model_errors_pass_through() -> None:
    with pytest.raises(ModelError, match="down"):
        ask_until_valid(FunctionModel.scripted(["seven", ModelError("down")]), ASK, _number)
    spent = Budgeted(FunctionModel(lambda _: "seven"), Budget(max_calls=1))
    with pytest.raises(BudgetExceededError):
        ask_until_valid(spent, ASK, _number)


def test_many_diagnostics_are_cut_and_counted() -> None:
    seen: list[Request] = []

    def answer(request: Request) -> str:
        seen.append(request)
        return f"answer {len(seen)}"

    def read(text: str) -> int:
        raise ProgramError(text, [Diagnostic(where=f"w{i}", problem="p") for i in range(40)])

    with pytest.raises(ProgramError):
        ask_until_valid(FunctionModel(answer), ASK, read, repairs=1)
    feedback = seen[1].messages[-1].text
    assert feedback.count("\n- w") == MOST_DIAGNOSTICS and "and 28 more" in feedback


def test_events_hold_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_API_KEY", "abc-123-def")
    events: list[Event] = []
    ask = Request(messages=(Message(role="user", text="abc-123-def"),))
    ask_until_valid(LoggedModel(FunctionModel(lambda _: "abc-123-def"), events.append), ask, str)
    assert "abc-123-def" not in repr(events)
