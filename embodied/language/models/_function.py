"""A model that is a function: for tests, for scripted demonstrations, for adapters."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator

from embodied.errors import ModelError
from embodied.language.models._requests import check_request
from embodied.protocols import Request, Response, Usage


class FunctionModel:
    """Answers with what a function of the request returns.

    Args:
        function: From the request to the answer's text, or to a whole response. It may raise a
            ``ModelError`` to play an endpoint that is down.
        name: Name for outputs and logs.
    """

    def __init__(
        self, function: Callable[[Request], str | Response], name: str = "function"
    ) -> None:
        self._function = function
        self._name = name

    @classmethod
    def scripted(cls, answers: Iterable[str | ModelError], name: str = "scripted") -> FunctionModel:
        """A model that gives these answers in turn; errors among them are raised.

        It raises a ``ModelError`` when it has run out of answers.
        """
        rest: Iterator[str | ModelError] = iter(answers)

        def answer(_: Request) -> str:
            try:
                item = next(rest)
            except StopIteration:
                raise ModelError(f"{name} has no more answers") from None
            if isinstance(item, ModelError):
                raise item
            return item

        return cls(answer, name)

    @property
    def name(self) -> str:
        """Name for outputs and logs."""
        return self._name

    def complete(self, request: Request) -> Response:
        """Answer one request; tokens are counted as words, for there is no tokenizer."""
        check_request(request)
        start = time.perf_counter()
        answer = self._function(request)
        if isinstance(answer, Response):
            return answer
        return Response(
            text=answer,
            usage=Usage(
                calls=1,
                input_tokens=sum(len(m.text.split()) for m in request.messages),
                output_tokens=len(answer.split()),
            ),
            latency_s=time.perf_counter() - start,
            model=self._name,
        )
