"""Models may hold connections or weights; closing is optional and may be done twice."""

from __future__ import annotations

from embodied.protocols import LanguageModel


def close_model(model: LanguageModel) -> None:
    """Call the model's ``close``, if it has one."""
    close = getattr(model, "close", None)
    if callable(close):
        close()
