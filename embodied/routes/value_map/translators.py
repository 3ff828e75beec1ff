"""Translators of the route value-map."""

from __future__ import annotations

from embodied.language.opening import open_translator as opened
from embodied.language.value_map.translators import ValueMapTranslators
from embodied.opening import Opening
from embodied.protocols import Translator


def open_translator(opening: Opening) -> Translator:
    """The translator of the settings; raises as ``embodied.language.opening.open_translator``."""
    return opened("value-map", opening, ValueMapTranslators(opening.environment.body.spec))
