"""The bounded repair loop: diagnostics of a model's text go back to the model.

request -> answer -> read -> value
^        |
+- diagnostics (at most ``repairs`` times)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from embodied.errors import Diagnostic, NotUnderstoodError, ProgramError
from embodied.language.models import redact
from embodied.protocols import Emit, Event, LanguageModel, Message, Request, Response, Usage

T = TypeVar("T")

MOST_DIAGNOSTICS = 12
"""Diagnostics fed back at once; the first ones usually cause the others."""


def ignore(_: Event) -> None:
    """Send events nowhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer(Generic[T]):
    """A usable answer.

    Attributes:
        value: What the text was read as.
        response: The last response, whose text it is.
        usage: Cost of all calls together.
        repairs: How often the model was asked again.
    """

    value: T
    response: Response
    usage: Usage
    repairs: int


def ask_until_valid(
    model: LanguageModel,
    request: Request,
    read: Callable[[str], T],
    *,
    repairs: int = 2,
    emit: Emit = ignore,
    log_calls: bool = True,
) -> Answer[T]:
    """Ask, read, and ask again with diagnostics until the answer can be read.

    A repair request holds the original conversation, the latest answer and what is wrong with it:
    its length does not grow with the number of repairs. An answer that filled ``max_tokens`` is
    reported as cut off and gets twice the room. A model that repeats a faulty answer word for word
    is not asked again.

    Args:
        model: Who is asked.
        request: The first request.
        read: From the text to a value; raises ProgramError with diagnostics. NotUnderstoodError is
            an answer ("this cannot be done"), not a fault, and passes through.
        repairs: How often to ask again at most.
        emit: Receives ``request``, ``response`` and ``diagnostic`` events.
        log_calls: False leaves ``request`` and ``response`` events to a model that emits its own.

    Raises:
        ProgramError: Still unusable after the last repair.
        NotUnderstoodError: The model says that it cannot be done.
        ModelError: The model could not be reached or is out of budget.
    """
    usage = Usage()
    asked = request
    previous: str | None = None
    for attempt in range(repairs + 1):
        response = _call(model, asked, attempt, emit if log_calls else ignore)
        usage = usage + response.usage
        cut_off = _cut_off(response, asked)
        try:
            if not response.text.strip():
                raise ProgramError("", [_EMPTY])
            return Answer(
                value=read(response.text), response=response, usage=usage, repairs=attempt
            )
        except NotUnderstoodError:
            raise
        except ProgramError as error:
            found = [*cut_off, *error.diagnostics]
            for diagnostic in found:
                emit(_event(diagnostic, attempt))
            if attempt == repairs or response.text == previous:
                tried = "once" if attempt == 0 else f"{attempt + 1} times"
                last = Diagnostic(
                    where="answer", problem=f"{model.name} gave no usable answer, asked {tried}"
                )
                raise ProgramError(response.text, [last, *found]) from None
            previous = response.text
            asked = _repair_request(request, asked, response.text, found, bool(cut_off))
    raise AssertionError("unreachable: the loop returns or raises")


_EMPTY = Diagnostic(where="answer", problem="it is empty", hint="answer in the form asked for")


def _call(model: LanguageModel, request: Request, attempt: int, emit: Emit) -> Response:
    emit(
        Event(
            kind="request",
            data={
                "model": model.name,
                "purpose": request.purpose,
                "attempt": attempt,
                "messages": [{"role": m.role, "text": redact(m.text)} for m in request.messages],
                "max_tokens": request.max_tokens,
                "temperature": request.temperature,
                "schema": request.schema is not None,
                "grammar": request.grammar is not None,
            },
        )
    )
    response = model.complete(request)
    emit(
        Event(
            kind="response",
            data={
                "model": response.model,
                "purpose": request.purpose,
                "attempt": attempt,
                "text": redact(response.text),
                "calls": response.usage.calls,
                "input_tokens": response.usage.input_tokens,
                "output_tokens": response.usage.output_tokens,
                "cost_usd": response.usage.cost_usd,
                "latency_s": response.latency_s,
                "confidence": response.confidence,
            },
        )
    )
    return response


def _cut_off(response: Response, request: Request) -> tuple[Diagnostic, ...]:
    if response.usage.output_tokens < request.max_tokens:
        return ()
    problem = f"it was cut off after {response.usage.output_tokens} tokens"
    return (Diagnostic(where="answer", problem=problem, hint="be shorter, without explanations"),)


def _event(diagnostic: Diagnostic, attempt: int) -> Event:
    return Event(
        kind="diagnostic",
        data={
            "attempt": attempt,
            "text": str(diagnostic),
            "where": diagnostic.where,
            "problem": diagnostic.problem,
            "hint": diagnostic.hint,
        },
    )


def _repair_request(
    first: Request,
    asked: Request,
    text: str,
    diagnostics: Sequence[Diagnostic],
    cut_off: bool,
) -> Request:
    """The original conversation, the faulty answer, and what is wrong with it."""
    lines = [f"- {d}" for d in diagnostics[:MOST_DIAGNOSTICS]]
    if len(diagnostics) > MOST_DIAGNOSTICS:
        lines.append(f"- and {len(diagnostics) - MOST_DIAGNOSTICS} more")
    feedback = (
        "That answer cannot be used:\n"
        + "\n".join(lines)
        + "\nAnswer again, completely and in the form asked for, and with nothing else."
    )
    return replace(
        first,
        messages=(
            *first.messages,
            Message(role="assistant", text=text),
            Message(role="user", text=feedback),
        ),
        max_tokens=asked.max_tokens * 2 if cut_off else asked.max_tokens,
    )
