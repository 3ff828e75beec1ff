"""Translators of the route mixed."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import replace

from embodied.language.interpreter.interpret import Interpreter
from embodied.language.mixed import MixedTranslator
from embodied.language.opening import OFFLINE, RULES
from embodied.language.reward.rules import RewardRules
from embodied.language.reward.rules_tabletop import tabletop_speech
from embodied.opening import Opening
from embodied.types import PddlProgram, Program, RewardProgram, ValueMapProgram

KINDS: Mapping[type[Program], str] = {
    PddlProgram: "pddl",
    ValueMapProgram: "value-map",
    RewardProgram: "reward",
}
"""Routes whose programs a sentence may mix; the first reads what it can."""


def open_translator(opening: Opening) -> Interpreter:
    """Goals first, by whoever the settings name; what they do not say by rules for motions.

    A language model of the settings writes goals alone.

    Raises:
        ConfigurationError: The translator does not serve goals.
    """
    name = opening.settings.model
    if name not in (RULES, OFFLINE):
        return _open("pddl", opening)
    ruled = replace(opening, settings=replace(opening.settings, model=RULES), model=None)
    rules = {n: _open(n, ruled).translator for n in ("pddl", "value-map")}
    spec = opening.environment.body.spec
    rules["reward"] = RewardRules(tabletop_speech(spec.robot, spec.objects))
    whole = _open("pddl", opening).translator
    return Interpreter(translator=MixedTranslator(whole, rules), grammar=rules["pddl"])


def _open(route: str, opening: Opening) -> Interpreter:
    module = importlib.import_module(f"embodied.routes.{route.replace('-', '_')}.translators")
    interpreter: Interpreter = module.open_translator(opening)
    return interpreter
