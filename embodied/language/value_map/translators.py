"""Who writes value-map programs about a scene."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from embodied.language.scene_text import Positions
from embodied.protocols import LanguageModel, Translator
from embodied.types import WorldSpec

Places = Mapping[str, Sequence[float]]
"""Where things are seen: x, y, z by name, world frame, m."""


@dataclass(frozen=True, slots=True)
class ValueMapTranslators:
    """Translators of sentences about one scene.

    Attributes:
        spec: The scene.
        places: Says where things are seen now, for "the leftmost block".
        positions: Where things are now, (3,) each, world frame, m; nowhere by default.
    """

    spec: WorldSpec
    places: Callable[[], Places] = dict
    positions: Positions | None = None

    def rules(self) -> Translator:
        """The grammar."""
        from embodied.language.value_map.clearing import Clearing
        from embodied.language.value_map.rules import RulesValueMapTranslator

        return Clearing(RulesValueMapTranslator(self.places), self.places)

    def offline(self) -> Translator:
        """The grammar, and for what it refuses the offline model."""
        from embodied.language.offline.offline import offline_translator
        from embodied.language.offline.scene_view import SceneView

        return offline_translator(self.rules(), "value-map", scene=SceneView.of(self.spec))

    def asking(self, model: LanguageModel) -> Translator:
        """A language model."""
        from embodied.language.value_map.translator import ValueMapTranslator

        return ValueMapTranslator(model, positions=self.positions)
