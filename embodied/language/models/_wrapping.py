"""What models around other models have in common."""

from __future__ import annotations

from embodied.protocols import LanguageModel


def close_model(model: LanguageModel) -> None:
    """Call the model's ``close``, if it has one; closing may be done twice."""
    close = getattr(model, "close", None)
    if callable(close):
        close()


class Wrapper:
    """A model around another one, under its name; a subclass writes ``complete``."""

    def __init__(self, model: LanguageModel) -> None:
        self._model = model

    @property
    def name(self) -> str:
        """Name of the model inside."""
        return self._model.name

    def close(self) -> None:
        """Release the model inside."""
        close_model(self._model)
