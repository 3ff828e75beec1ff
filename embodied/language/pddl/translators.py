"""Who writes PDDL goals about a scene."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from embodied.language.manner import MannerTranslator
from embodied.protocols import LanguageModel, Translator
from embodied.types import Saying


@dataclass(frozen=True, slots=True)
class PddlTranslators:
    """Translators of sentences about one scene.

    Attributes:
        domain_text: PDDL domain of the scene.
        objects: PDDL type of every object by name, colours included.
        sayings: What skills add to the grammar.
        places: Says where things are seen now.
    """

    domain_text: str
    objects: Mapping[str, str]
    sayings: Sequence[Saying] = ()
    places: Callable[[], Mapping[str, Sequence[float]]] = dict

    def rules(self) -> Translator:
        """The grammar."""
        return MannerTranslator(self._grammar())

    def offline(self) -> Translator:
        """The grammar, and for what it refuses the offline model."""
        from embodied.language.offline.offline import offline_translator

        return MannerTranslator(
            offline_translator(
                self._grammar(), "goal", domain_text=self.domain_text, objects=self.objects
            )
        )

    def asking(self, model: LanguageModel) -> Translator:
        """A language model."""
        from embodied.language.pddl.scene_translator import SceneTranslator

        return MannerTranslator(SceneTranslator(model, self.domain_text, self.objects))

    def _grammar(self) -> Translator:
        from embodied.language.pddl.rules import RulesTranslator

        return RulesTranslator(self.domain_text, self.objects, self.sayings, self.places)
