"""Translators of the route reward."""

from __future__ import annotations

from embodied.language.opening import open_translator as opened
from embodied.language.reward.speech import Speech
from embodied.language.reward.translators import RewardTranslators
from embodied.opening import Opening
from embodied.protocols import Translator


def open_translator(opening: Opening, speech: Speech) -> Translator:
    """The translator of the settings; raises as ``embodied.language.opening.open_translator``."""
    return opened("reward", opening, RewardTranslators(speech))
