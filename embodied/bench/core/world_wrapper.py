"""A world handed on: what benchmarks that watch or disturb an episode build on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from embodied.types import Observation, WorldSpec


@dataclass(slots=True)
class Wrapped:
    """A world that hands everything on but ``step``, which its subclasses watch."""

    world: Any

    @property
    def spec(self) -> WorldSpec:
        """Of the watched world."""
        return self.world.spec

    def reset(self, *, seed: int) -> Observation:
        """As the watched world does."""
        return self.world.reset(seed=seed)

    def observe(self) -> Observation:
        """As the watched world does."""
        return self.world.observe()

    def close(self) -> None:
        """As the watched world does."""
        self.world.close()
