"""A language model whose prompts, answers and costs go to the log."""

from __future__ import annotations

from embodied.errors import ModelError
from embodied.protocols import Emit, Event, LanguageModel, Request, Response, Usage


class LoggedModel:
    """Wraps a model: emits ``request`` and ``response`` events and adds up the usage.

    Attributes:
        emit: Where events go; may be changed between calls.
        usage: What all calls so far have cost.
    """

    def __init__(self, model: LanguageModel, emit: Emit = lambda event: None) -> None:
        self._model = model
        self.emit = emit
        self.usage = Usage()

    @property
    def name(self) -> str:
        """Name of the model inside."""
        return self._model.name

    def pass_on(self, event: Event) -> None:
        """Emit an event of whoever asks the model."""
        self.emit(event)

    def complete(self, request: Request) -> Response:
        """Answer one request; raises ModelError as the model inside does."""
        self.emit(Event(kind="request", data={"model": self.name, "request": request}))
        try:
            response = self._model.complete(request)
        except ModelError as error:
            data = {"model": self.name, "type": type(error).__name__, "text": str(error)}
            self.emit(Event(kind="error", data=data))
            raise
        self.usage = self.usage + response.usage
        self.emit(Event(kind="response", data={"response": response}))
        return response

    def close(self) -> None:
        """Release the model inside."""
        close = getattr(self._model, "close", None)
        if callable(close):
            close()
