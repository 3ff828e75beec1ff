"""Robots that are moved by rewards, by name: one file each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from embodied.registry import Registry

if TYPE_CHECKING:
    from embodied.routes.reward.robot import RewardRobot

REWARD_ROBOTS: Registry[RewardRobot] = Registry(
    "robot",
    group="embodied.reward_robots",
    package="embodied.routes.reward.robots",
    attribute="ROBOT",
)
"""Every one of them; another package's entry point names a ``RewardRobot``."""

_FORMER = {"arm": "fr3-hand"}


def recorded_name(name: str) -> str:
    """Today's name of a robot that a run folder names."""
    return _FORMER.get(name, name)
