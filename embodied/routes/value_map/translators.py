"""Translators of the route value-map."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from embodied.language.opening import open_translator as opened
from embodied.language.value_map.translators import Places, ValueMapTranslators
from embodied.opening import Environment, Opening
from embodied.protocols import Translator
from embodied.types import Array


def open_translator(opening: Opening, places: Callable[[], Places] = dict) -> Translator:
    """The translator of the settings; raises as ``embodied.language.opening.open_translator``.

    Args:
        opening: What the route is opened with.
        places: Says where things are seen now.
    """
    place = opening.environment
    own = ValueMapTranslators(place.body.spec, places, lambda: positions(place))
    return opened("value-map", opening, own)


def positions(place: Environment) -> Mapping[str, Array]:
    """Where things, as they are perceived now, and ``"gripper"`` are, (3,) each, world frame, m."""
    observation = place.body.observe()
    seen = place.perceive(observation)
    found = {} if seen is None else {n: p.position for n, p in seen.poses.items()}
    return {**found, "gripper": observation.pose_ee_in_world.position}
