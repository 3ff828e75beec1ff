"""Translators of the route mixed."""

from __future__ import annotations

import importlib
from dataclasses import replace

from embodied.language.mixed import MixedTranslator
from embodied.language.opening import OFFLINE, RULES
from embodied.opening import Opening
from embodied.protocols import Translator

PARTS = {"pddl": "embodied.routes.pddl", "value-map": "embodied.routes.value_map"}
"""Packages of the routes whose programs a sentence may mix; the first reads what it can."""


def open_translator(opening: Opening) -> Translator:
    """Goals first, by whoever the settings name; what they do not say by rules for value maps.

    A language model of the settings writes goals alone.

    Raises:
        ConfigurationError: The translator does not serve goals.
    """
    first = _open("pddl", opening)
    name = opening.settings.model
    if name not in (RULES, OFFLINE):
        return first
    ruled = replace(opening, settings=replace(opening.settings, model=RULES), model=None)
    return MixedTranslator(first, {n: _open(n, ruled) for n in PARTS})


def _open(route: str, opening: Opening) -> Translator:
    module = importlib.import_module(f"{PARTS[route]}.translators")
    translator: Translator = module.open_translator(opening)
    return translator
