"""Translators of the route value-map."""

from __future__ import annotations

from embodied.language.models.logged import LoggedModel
from embodied.language.opening import open_translator as opened
from embodied.opening import Opening
from embodied.protocols import Translator


def open_translator(opening: Opening) -> Translator:
    """The translator of the settings; raises as ``embodied.language.opening.open_translator``."""

    def rules() -> Translator:
        from embodied.language.value_map.rules import RulesValueMapTranslator

        return RulesValueMapTranslator()

    def offline(first: Translator) -> Translator:
        from embodied.language.offline.offline import offline_translator
        from embodied.language.offline.scene_view import SceneView

        scene = SceneView.of(opening.environment.body.spec)
        return offline_translator(first, "value-map", scene=scene)

    def asking(model: LoggedModel) -> Translator:
        from embodied.language.value_map.translator import ValueMapTranslator

        return ValueMapTranslator(model)

    return opened("value-map", opening, rules=rules, offline=offline, asking=asking)
