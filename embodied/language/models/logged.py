"""A language model whose prompts, answers and costs go to the log."""

from __future__ import annotations

from dataclasses import replace

from embodied.errors import ModelError
from embodied.language.models._requests import redacted, redacted_calls
from embodied.language.models._secrets import redact
from embodied.language.models._wrapping import Wrapper
from embodied.protocols import Emit, Event, LanguageModel, Request, Response, Usage


class LoggedModel(Wrapper):
    """Wraps a model: emits its calls as events, secrets replaced, and adds up the usage.

    Attributes:
        emit: Where events go; may be changed between calls.
        usage: What all calls so far have cost.
    """

    def __init__(self, model: LanguageModel, emit: Emit = lambda event: None) -> None:
        super().__init__(model)
        self.emit = emit
        self.usage = Usage()

    def pass_on(self, event: Event) -> None:
        """Emit an event of whoever asks the model."""
        self.emit(event)

    def complete(self, request: Request) -> Response:
        """Answer one request; raises ModelError as the model inside does."""
        messages = tuple(replace(redacted(m), pictures=()) for m in request.messages)
        shown = replace(request, messages=messages, tools=())
        about = {"tools": [t.name for t in request.tools]} if request.tools else {}
        data: dict[str, object] = {"model": self.name, "request": shown, **about}
        self.emit(Event(kind="request", data=data))
        try:
            response = self._model.complete(request)
        except ModelError as error:
            data = {"model": self.name, "type": type(error).__name__, "text": str(error)}
            self.emit(Event(kind="error", data=data))
            raise
        for note in response.notes:
            self.emit(Event(kind="diagnostic", data={"label": "endpoint", "text": redact(note)}))
        self.usage = self.usage + response.usage
        calls = redacted_calls(response.calls)
        shown = replace(response, text=redact(response.text), calls=calls, native=None)
        self.emit(Event(kind="response", data={"response": shown}))
        return response
