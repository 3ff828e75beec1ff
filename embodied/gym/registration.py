"""Names of the environments."""

from __future__ import annotations

import gymnasium

SCENES = {"Blocks": "blocks", "Kitchen": "kitchen", "Workshop": "workshop"}
MOST_STEPS = 300
"""Of an episode: 30 s at the default period."""


def register_envs() -> None:
    """Register ``embodied/Blocks-v0``, ``embodied/Kitchen-v0`` and ``embodied/Workshop-v0``."""
    for name, scene in SCENES.items():
        known = f"embodied/{name}-v0"
        if known not in gymnasium.registry:
            gymnasium.register(
                known,
                entry_point="embodied.gym.env:TabletopEnv",
                kwargs={"scene": scene},
                max_episode_steps=MOST_STEPS,
            )
