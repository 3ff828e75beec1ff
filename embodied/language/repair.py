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
from embodied.language.models.logged import LoggedModel
from embodied.language.prompting import NOTE, conversation, data
from embodied.language.records import Schema
from embodied.protocols import Event, LanguageModel, Message, Request, Response, Usage

T = TypeVar("T")

MOST_DIAGNOSTICS = 12
"""Diagnostics fed back at once; the first ones usually cause the others."""


class DoubtError(ProgramError):
    """An answer that can be read and looks unusual: it may well be right, so the model is asked."""


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
    heard: Callable[[Response], None] = lambda response: None,
) -> Answer[T]:
    """Ask, read, and ask again with diagnostics until the answer can be read.

    A repair request holds the original conversation, the latest answer and what is wrong with it:
    its length does not grow with the number of repairs. An answer that ended at ``max_tokens`` is
    reported as cut off and gets twice the room. A model that repeats a faulty answer word for word
    is not asked again.

    Args:
        model: Who is asked; a ``LoggedModel`` gets the diagnostics to log.
        request: The first request.
        read: From the text to a value; raises ProgramError with diagnostics, DoubtError with
            questions. NotUnderstoodError is an answer ("this cannot be done"), not a fault, and
            passes through.
        repairs: How often to ask again at most.
        heard: Gets every answer, usable or not.

    Raises:
        ProgramError: Still unusable after the last repair.
        NotUnderstoodError: The model says that it cannot be done.
        ModelError: The model could not be reached or is out of budget.
    """
    usage = Usage()
    asked = request
    previous: str | None = None
    for attempt in range(repairs + 1):
        response = model.complete(asked)
        heard(response)
        usage = usage + response.usage
        cut_off = (_cut_off(response),) if response.cut_off else ()
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
            if isinstance(model, LoggedModel):
                for diagnostic in found:
                    model.pass_on(_event(diagnostic, attempt))
            if attempt == repairs or response.text == previous:
                tried = "once" if attempt == 0 else f"{attempt + 1} times"
                last = Diagnostic(
                    where="answer",
                    problem=f"{model.name} gave no usable answer, asked {tried}",
                    hint=LONGER if cut_off else "",
                )
                raise ProgramError(response.text, [last, *found]) from None
            previous = response.text
            told = _DOUBTED if isinstance(error, DoubtError) else _FAULTY
            asked = _repair_request(request, asked, response.text, found, told, bool(cut_off))
    raise AssertionError("unreachable: the loop returns or raises")


_EMPTY = Diagnostic(where="answer", problem="it is empty", hint="answer in the form asked for")


LONGER = "allow longer answers with --max-output-tokens"
"""What helps a person against answers that are cut off."""


def cut_off_after(response: Response) -> str:
    """How an answer was cut off, in words."""
    usage = response.usage
    thought = f", {usage.reasoning_tokens} of them reasoning" if usage.reasoning_tokens else ""
    return f"was cut off after {usage.output_tokens} tokens{thought}"


def _cut_off(response: Response) -> Diagnostic:
    hint = "be shorter, without explanations"
    return Diagnostic(where="answer", problem=f"it {cut_off_after(response)}", hint=hint)


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


_FAULTY = ("That answer cannot be used:",)
_DOUBTED = (
    "Is this meant? It can be read, but looks unusual and may still be right:",
    "Compare it with the description. Where the description says so, or leaves it open, keep it as"
    " it is; change only what the description contradicts.",
)
"""What is said before and after diagnostics."""

_AGAIN = "Answer again, completely and in the form asked for, and with nothing else."


def _repair_request(
    first: Request,
    asked: Request,
    text: str,
    diagnostics: Sequence[Diagnostic],
    told: tuple[str, ...],
    cut_off: bool,
) -> Request:
    """The original conversation, the faulty answer, and what is wrong with it."""
    system, *said = first.messages
    if NOTE not in system.text:
        system = replace(system, text=f"{system.text}\n\n{NOTE}")
    lines = [f"- {d}" for d in diagnostics[:MOST_DIAGNOSTICS]]
    if len(diagnostics) > MOST_DIAGNOSTICS:
        lines.append(f"- and {len(diagnostics) - MOST_DIAGNOSTICS} more")
    head, *tail = told
    feedback = "\n".join((head, data("\n".join(lines)), *tail, _AGAIN))
    return replace(
        first,
        messages=(
            system,
            *said,
            Message(role="assistant", text=text),
            Message(role="user", text=feedback),
        ),
        max_tokens=asked.max_tokens * 2 if cut_off else asked.max_tokens,
    )


class Writer:
    """Whoever writes programs by asking a language model.

    Args:
        model: Who writes.
        repairs: How often the model is asked again after a faulty answer.
        max_tokens: Longest answer.

    Attributes:
        usage: What all calls so far have cost, those included whose answers were of no use.
    """

    def __init__(self, model: LanguageModel, *, repairs: int = 2, max_tokens: int = 2048) -> None:
        self.model, self.repairs, self.max_tokens = model, repairs, max_tokens
        self.usage = Usage()

    @property
    def name(self) -> str:
        """The model's name."""
        return self.model.name

    def request(
        self, system: str, user: str, purpose: str, *, schema: Schema | None = None
    ) -> Request:
        """A first request."""
        return Request(
            messages=conversation(system, user),
            schema=schema,
            max_tokens=self.max_tokens,
            purpose=purpose,
        )

    def ask(self, request: Request, read: Callable[[str], T]) -> Answer[T]:
        """Ask until the answer can be read; raises as ``ask_until_valid``."""
        return ask_until_valid(self.model, request, read, repairs=self.repairs, heard=self._count)

    def _count(self, response: Response) -> None:
        self.usage = self.usage + response.usage


def said(instruction: str) -> str:
    """The sentence without blanks around it.

    Raises:
        ProgramError: Nothing is left.
    """
    if not instruction.strip():
        empty = Diagnostic(where="sentence", problem="it is empty", hint="say what to do")
        raise ProgramError(instruction, [empty])
    return instruction.strip()
