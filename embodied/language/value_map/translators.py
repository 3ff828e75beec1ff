"""Who writes value-map programs about a scene."""

from __future__ import annotations

from dataclasses import dataclass

from embodied.protocols import LanguageModel, Translator
from embodied.types import WorldSpec


@dataclass(frozen=True, slots=True)
class ValueMapTranslators:
    """Translators of sentences about one scene.

    Attributes:
        spec: The scene.
    """

    spec: WorldSpec

    def rules(self) -> Translator:
        """The grammar."""
        from embodied.language.value_map.rules import RulesValueMapTranslator

        return RulesValueMapTranslator()

    def offline(self) -> Translator:
        """The grammar, and for what it refuses the offline model."""
        from embodied.language.offline.offline import offline_translator
        from embodied.language.offline.scene_view import SceneView

        return offline_translator(self.rules(), "value-map", scene=SceneView.of(self.spec))

    def asking(self, model: LanguageModel) -> Translator:
        """A language model."""
        from embodied.language.value_map.translator import ValueMapTranslator

        return ValueMapTranslator(model)
