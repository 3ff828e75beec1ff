"""Translators of the route pddl."""

from __future__ import annotations

from embodied.language.models.logged import LoggedModel
from embodied.language.opening import open_translator as opened
from embodied.opening import Opening
from embodied.protocols import Translator


def open_translator(opening: Opening) -> Translator:
    """The translator of the settings; raises as ``embodied.language.opening.open_translator``."""
    grounder = opening.environment.grounder
    domain, objects = grounder.domain_text, grounder.objects

    def rules() -> Translator:
        from embodied_planners.skills import all_skills

        from embodied.language.pddl.rules import RulesTranslator

        return RulesTranslator(domain, objects, [s for k in all_skills() for s in k.sayings])

    def offline(first: Translator) -> Translator:
        from embodied.language.offline.offline import offline_translator

        return offline_translator(first, "goal", domain_text=domain, objects=objects)

    def asking(model: LoggedModel) -> Translator:
        from embodied.language.pddl.scene_translator import SceneTranslator

        emit = model.pass_on
        return SceneTranslator(model, domain, objects, emit=emit, log_calls=False)

    return opened("pddl", opening, rules=rules, offline=offline, asking=asking)
