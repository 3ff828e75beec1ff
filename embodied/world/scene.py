"""Scenes as data: objects, their places, and what people call them.

A scene is a TOML file; ``docs/scenes.md`` explains every key. This module reads and checks it, and
needs no simulator.
"""

from __future__ import annotations

import tomllib
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from embodied.errors import ConfigurationError
from embodied.world._scene_reader import SceneReader
from embodied.world._scene_types import COLORS as COLORS
from embodied.world._scene_types import TABLE as TABLE
from embodied.world._scene_types import BodyData as BodyData
from embodied.world._scene_types import LayoutData as LayoutData
from embodied.world._scene_types import Placement as Placement
from embodied.world._scene_types import Scene as Scene


def scene_names() -> tuple[str, ...]:
    """Names of the scenes that are part of ``embodied_assets``."""
    return tuple(
        sorted(
            p.name.removesuffix(".toml") for p in _folder().iterdir() if p.name.endswith(".toml")
        )
    )


def load_scene(name_or_path: str | Path) -> Scene:
    """Load a scene by name, or from a user's own TOML file.

    Raises:
        ConfigurationError: There is no such scene or the file has problems; all are listed.
    """
    text = str(name_or_path)
    if text in scene_names():
        return parse_scene(_folder().joinpath(f"{text}.toml").read_text("utf-8"), source=text)
    path = Path(name_or_path).expanduser()
    if not path.is_file():
        raise ConfigurationError(
            f"no scene {text!r}: give one of {', '.join(scene_names())} or the path of a TOML file"
        )
    return parse_scene(path.read_text("utf-8"), source=str(path))


def parse_scene(text: str, *, source: str = "scene") -> Scene:
    """Read a scene from TOML text.

    Args:
        text: Content of a scene file.
        source: Name of the text for messages.

    Raises:
        ConfigurationError: The text is not valid TOML or not a usable scene.
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{source}: not valid TOML: {error}") from error
    return SceneReader(source).read(data)


def _folder() -> Traversable:
    return resources.files("embodied_assets").joinpath("scenes")
