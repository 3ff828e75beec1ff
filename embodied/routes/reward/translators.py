"""Translators of the route reward."""

from __future__ import annotations

from embodied.language.models.logged import LoggedModel
from embodied.language.opening import open_translator as opened
from embodied.language.reward.speech import Speech
from embodied.opening import Opening
from embodied.protocols import Translator


def open_translator(opening: Opening, speech: Speech) -> Translator:
    """The translator of the settings; raises as ``embodied.language.opening.open_translator``."""

    def rules() -> Translator:
        from embodied.language.reward.rules import RewardRules

        return RewardRules(speech)

    def offline(first: Translator) -> Translator:
        from embodied.language.offline.offline import offline_translator, reward_scene

        return offline_translator(first, "reward", scene=reward_scene(speech.vocabulary))

    def asking(model: LoggedModel) -> Translator:
        from embodied.language.reward.translator import RewardTranslator

        return RewardTranslator(model, speech)

    return opened("reward", opening, rules=rules, offline=offline, asking=asking)
