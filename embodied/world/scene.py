"""Scenes as data: objects, their places, and what people call them.

A scene is a TOML file; ``docs/scenes.md`` explains every key. This module reads and checks it, and
needs no simulator.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from embodied.errors import ConfigurationError
from embodied.tables import load_toml
from embodied.world._scene_reader import read_scene
from embodied.world._scene_tables import Layout as Layout
from embodied.world._scene_types import COLORS as COLORS
from embodied.world._scene_types import FRONT_M as FRONT_M
from embodied.world._scene_types import TABLE as TABLE
from embodied.world._scene_types import BodyData as BodyData
from embodied.world._scene_types import Scene as Scene
from embodied.world.files import SCENES


def scene_names() -> tuple[str, ...]:
    """Names of all scenes, this project's own first."""
    return SCENES.names


def load_scene(name_or_path: str | Path) -> Scene:
    """Load a scene by name, or from a user's own TOML file.

    Raises:
        ConfigurationError: There is no such scene or the file has problems; all are listed.
    """
    text, path = str(name_or_path), Path(name_or_path).expanduser()
    if text in SCENES:
        return read_scene(load_toml(SCENES.get(text), text), text)
    if not path.is_file():
        raise ConfigurationError(
            f"no scene {text!r}: give one of {', '.join(scene_names())} or the path of a TOML file"
        )
    return read_scene(load_toml(path), str(path))


def parse_scene(text: str | Mapping[str, object], *, source: str = "scene") -> Scene:
    """Read a scene from TOML text.

    Args:
        text: Content of a scene file, or its tables.
        source: Name of the text for messages.

    Raises:
        ConfigurationError: The text is not valid TOML or not a usable scene.
    """
    return read_scene(load_toml(text, source) if isinstance(text, str) else text, source)
