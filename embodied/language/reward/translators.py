"""Who writes reward programs for a robot."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from embodied.language.reward.speech import Speech
from embodied.protocols import LanguageModel, Translator


@dataclass(frozen=True, slots=True)
class RewardTranslators:
    """Translators for one robot.

    Attributes:
        speech: What may be said to it in its scene.
        now: What there is and what is measured now, one line each.
    """

    speech: Speech
    now: Callable[[], Sequence[str]] = tuple

    def rules(self) -> Translator:
        """The phrases."""
        from embodied.language.reward.rules import RewardRules

        return RewardRules(self.speech)

    def offline(self) -> Translator:
        """The phrases, and for what they do not cover the offline model.

        The phrases alone at a table with places to put things: the model was not trained for them.
        """
        if self.speech.vocabulary.names.get("places"):
            return self.rules()
        from embodied.language.offline.offline import offline_translator, reward_scene

        return offline_translator(
            self.rules(), "reward", scene=reward_scene(self.speech.vocabulary)
        )

    def asking(self, model: LanguageModel) -> Translator:
        """A language model."""
        from embodied.language.reward.translator import RewardTranslator

        return RewardTranslator(model, self.speech, now=self.now)
