"""Translators by name: the rules, the rules and then the offline model, a language model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from embodied.errors import ConfigurationError
from embodied.language.interpreter import Interpreter
from embodied.protocols import LanguageModel, Translator
from embodied.registry import Registry

if TYPE_CHECKING:
    from embodied.opening import Opening

RULES, OFFLINE = "rules", "offline"


class OpenTranslator(Protocol):
    """Opens another package's translator."""

    def __call__(self, route: str, opening: Opening) -> Translator:
        """A translator for the programs of a route.

        Raises:
            ConfigurationError: It writes no programs of this route.
        """
        ...


TRANSLATORS: Registry[OpenTranslator] = Registry("translator", group="embodied.translators")
"""Translators of other packages, by the name that ``--model`` takes."""


class Translators(Protocol):
    """Who writes the programs of one route."""

    def rules(self) -> Translator:
        """The rules."""
        ...

    def offline(self) -> Translator:
        """The rules, and for what they refuse the offline model."""
        ...

    def asking(self, model: LanguageModel) -> Translator:
        """A language model."""
        ...


def open_translator(
    route: str, opening: Opening, own: Translators, *, goals: bool = False
) -> Interpreter:
    """The translator that ``opening.settings.model`` names, behind the interpreter.

    Args:
        route: Name of the route.
        opening: What it is opened with; its model is the language model, if one is named.
        own: Translators of the route's programs.
        goals: Whether the programs are goals, so that the rules can read conditions.

    Raises:
        ConfigurationError: The translator does not serve this route.
    """
    grammar = own.rules() if goals else None
    return Interpreter(translator=_named(route, opening, own), grammar=grammar)


def _named(route: str, opening: Opening, own: Translators) -> Translator:
    name = opening.settings.model
    if name == RULES:
        return own.rules()
    if name == OFFLINE:
        return own.offline()
    if name in TRANSLATORS:
        return TRANSLATORS.get(name)(route, opening)
    if opening.model is None:
        raise ConfigurationError(f"no language model was opened for --model {name}")
    return own.asking(opening.model)


def needs_model(name: str) -> bool:
    """Whether a translator of this name asks a language model that has to be opened."""
    return name not in (RULES, OFFLINE) and name not in TRANSLATORS
