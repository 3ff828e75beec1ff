"""Translators of the route reward."""

from __future__ import annotations

from embodied.language.opening import open_translator as opened
from embodied.language.reward.translators import RewardTranslators
from embodied.language.scene_text import object_lines
from embodied.opening import Opening
from embodied.protocols import Translator
from embodied.routes.reward.setup import Rig


def open_translator(opening: Opening, setup: Rig) -> Translator:
    """The translator of the settings; raises as ``embodied.language.opening.open_translator``."""
    body = opening.environment.body

    def now() -> tuple[str, ...]:
        places = {n: p.position for n, p in setup.seen(body.observe()).poses.items()}
        return (*object_lines(body.spec, places), *setup.state())

    return opened("reward", opening, RewardTranslators(setup.speech, now))
