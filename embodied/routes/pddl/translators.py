"""Translators of the route pddl."""

from __future__ import annotations

from embodied.language.opening import open_translator as opened
from embodied.language.pddl.translators import PddlTranslators
from embodied.opening import Opening
from embodied.protocols import Translator


def open_translator(opening: Opening) -> Translator:
    """The translator of the settings; raises as ``embodied.language.opening.open_translator``."""
    from embodied_planners.skills import all_skills

    grounder = opening.environment.grounder
    sayings = [saying for skill in all_skills() for saying in skill.sayings]
    places = opening.environment.places
    own = PddlTranslators(grounder.domain_text, grounder.objects, sayings, places)
    return opened("pddl", opening, own, goals=True)
