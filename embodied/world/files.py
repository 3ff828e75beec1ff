"""Scenes and arms by name: package data, and files that other packages name."""

from __future__ import annotations

from embodied.registry import FileRegistry

SCENES = FileRegistry(
    "scene", group="embodied.scenes", package="embodied_assets", folder="scenes", pattern="*.toml"
)
"""Scene files; another package's entry point names the path of one."""

ARMS = FileRegistry(
    "robot",
    group="embodied.robots",
    package="embodied_assets",
    folder="robots",
    pattern="*/robot.toml",
)
"""Descriptions of arms; another package's entry point names the path of one."""
