"""Conformance suite of LanguageModel: whoever writes another model runs these tests over it.

Subclass ``LanguageModelContract`` in a test module and write ``open``; pytest finds the tests. It
imports no test library.
"""

from __future__ import annotations

import abc
import json
from collections.abc import Iterator
from contextlib import AbstractContextManager

from embodied.errors import ModelError
from embodied.language.models._wrapping import close_model
from embodied.protocols import LanguageModel, Message, Request, Response

REQUEST = Request(
    messages=(
        Message(role="system", text="Answer in one short line."),
        Message(role="user", text="Name a colour."),
        Message(role="assistant", text=""),
        Message(role="user", text="That was empty. Name a colour."),
    ),
    max_tokens=16,
    purpose="contract",
)
"""A conversation with an empty earlier answer in it, as repair loops produce."""

SCHEMA_REQUEST = Request(
    messages=(Message(role="user", text='Answer with JSON such as {"colour": "red"}.'),),
    schema={
        "type": "object",
        "properties": {"colour": {"type": "string", "enum": ["red", "blue"]}},
        "required": ["colour"],
        "additionalProperties": False,
    },
    max_tokens=32,
    purpose="contract-schema",
)

TRICKY_TEXT = 'Grün – 绿 "quoted" \\ (on a b)\n{"not": json'
"""A text that must come through unharmed."""


class LanguageModelContract(abc.ABC):
    """What holds for every model."""

    scripted = True
    """Whether ``open`` can make the model give a wanted answer (real weights cannot)."""

    @abc.abstractmethod
    def open(self, answer: str, request: Request) -> AbstractContextManager[LanguageModel]:
        """A model that answers ``request`` with ``answer`` (with anything, unless scripted)."""

    def open_unreachable(self) -> AbstractContextManager[LanguageModel] | None:
        """A model that cannot answer; None where there is no such thing."""
        return None

    def _answers(self, answer: str, request: Request, times: int = 1) -> Iterator[Response]:
        with self.open(answer, request) as model:
            for _ in range(times):
                yield model.complete(request)
            close_model(model)

    def test_has_a_name(self) -> None:
        """The name is a non-empty line without surrounding blanks."""
        with self.open("red", REQUEST) as model:
            assert model.name and model.name.strip() == model.name and "\n" not in model.name
            close_model(model)

    def test_answers_with_text_usage_latency_and_model(self) -> None:
        """One request, one whole response."""
        (response,) = self._answers("red", REQUEST)
        assert isinstance(response.text, str)
        assert response.usage.calls == 1
        assert response.usage.input_tokens > 0
        assert response.usage.output_tokens > 0
        assert response.usage.cost_usd is None or response.usage.cost_usd >= 0.0
        assert response.latency_s >= 0.0
        assert response.model
        assert response.confidence is None or 0.0 <= response.confidence <= 1.0

    def test_the_text_comes_through_unharmed(self) -> None:
        """No trimming, no unescaping, no decoding."""
        if self.scripted:
            (response,) = self._answers(TRICKY_TEXT, REQUEST)
            assert response.text == TRICKY_TEXT

    def test_an_empty_answer_is_an_answer(self) -> None:
        """Whoever asked decides what an empty text means."""
        if self.scripted:
            (response,) = self._answers("", REQUEST)
            assert response.text == ""

    def test_a_schema_is_accepted(self) -> None:
        """The answer to a request with a schema is one JSON document that satisfies it."""
        (response,) = self._answers('{"colour": "blue"}', SCHEMA_REQUEST)
        assert json.loads(response.text)["colour"] in ("red", "blue")

    def test_greedy_answers_repeat(self) -> None:
        """At temperature 0 the same request gets the same answer."""
        first, second = self._answers("red", REQUEST, times=2)
        assert first.text == second.text

    def test_malformed_requests_are_refused(self) -> None:
        """A programming error is a ValueError, before anything is sent."""
        user = Message(role="user", text="hello")
        bad = (
            Request(messages=()),
            Request(messages=(Message(role="tool", text="hello"),)),
            Request(messages=(user, Message(role="assistant", text="hello"))),
            Request(messages=(user,), max_tokens=0),
            Request(messages=(user,), temperature=-1.0),
        )
        with self.open("red", REQUEST) as model:
            for request in bad:
                try:
                    model.complete(request)
                except ValueError:
                    continue
                raise AssertionError(f"accepted {request}")
            close_model(model)

    def test_unreachable_is_a_model_error(self) -> None:
        """A model that cannot answer says so with ModelError and a message."""
        opened = self.open_unreachable()
        if opened is None:
            return
        with opened as model:
            try:
                model.complete(REQUEST)
            except ModelError as error:
                assert str(error)
            else:
                raise AssertionError("answered although it cannot")
            close_model(model)

    def test_closing_twice_is_harmless(self) -> None:
        """``close`` is optional and idempotent."""
        with self.open("red", REQUEST) as model:
            close_model(model)
            close_model(model)
