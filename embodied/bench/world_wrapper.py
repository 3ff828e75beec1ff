"""A world handed on: what benchmarks that watch or disturb an episode build on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from embodied.protocols import World
from embodied.types import Observation, WorldSpec

W = TypeVar("W", bound=World)


@dataclass(slots=True)
class Wrapped(Generic[W]):
    """A world that hands everything on but ``step``, which its subclasses watch."""

    world: W

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
