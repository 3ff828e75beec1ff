"""Language models of benchmarks that ask one: their options, and how they are opened."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from embodied.bench.benchmark import option
from embodied.bench.runner import Payload, Row
from embodied.errors import ConfigurationError
from embodied.protocols import LanguageModel

_OPTIONS = ("base_url", "max_calls", "max_tokens")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSettings:
    """Options of a benchmark whose methods may ask a language model."""

    model: str | None = option(None, "as for run, for the methods that ask one", key=True)
    base_url: str | None = option(None, "of that model")
    max_calls: int | None = option(None, "budget of each case")
    max_tokens: int | None = option(None, "budget of each case")

    def asking(self, needing: Collection[str] = ()) -> Row:
        """The model as part of a payload.

        Raises:
            ConfigurationError: Some methods need a model and there is none.
        """
        if needing and not self.model:
            raise ConfigurationError(
                f"{', '.join(needing)} needs a model, e.g. --model openai:NAME or "
                "--model replay:FILE"
            )
        return {name: getattr(self, name) for name in ("model", *_OPTIONS)}


def asked_model(payload: Payload) -> LanguageModel:
    """Open the model of a payload; the errors are those of ``open_model``."""
    from embodied.language.models import open_model

    given = {name: v for name in _OPTIONS if (v := payload.get(name)) is not None}
    return open_model(str(payload["model"]), **given)
