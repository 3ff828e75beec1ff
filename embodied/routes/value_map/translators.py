"""Translators of the route value-map."""

from __future__ import annotations

from collections.abc import Callable

from embodied.language.opening import open_translator as opened
from embodied.language.value_map.translators import Places, ValueMapTranslators
from embodied.opening import Opening
from embodied.protocols import Translator


def open_translator(opening: Opening, places: Callable[[], Places] = dict) -> Translator:
    """The translator of the settings; raises as ``embodied.language.opening.open_translator``.

    Args:
        opening: What the route is opened with.
        places: Says where things are seen now.
    """
    own = ValueMapTranslators(opening.environment.body.spec, places)
    return opened("value-map", opening, own)
