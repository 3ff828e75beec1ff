"""What the worlds of a scene share: layouts from seeds, and when they can be used."""

from __future__ import annotations

import numpy as np

from embodied.errors import WorldError
from embodied.types import Observation, WorldSpec
from embodied.world.layout import Layout, LayoutError, sample_layout
from embodied.world.scene import Scene

SETTLE_DRIFT_M = 0.01
"""A layout in which an item moves farther than this while settling is drawn again, m."""

LAYOUT_TRIES = 20
"""Attempts to draw a layout that stays in place."""

_ADVICE = {
    "new": "call reset first",
    "broken": "the simulation diverged: call reset",
    "closed": "the world is closed",
}


class SceneWorld:
    """A world of a scene; who derives it starts episodes (``_start``) and measures (``_observe``).

    Attributes:
        spec: What does not change while the world runs.
        scene: The scene, None for a model without one.
        stacks: Chance that an item starts on another one; None leaves it to the scene.
    """

    spec: WorldSpec
    scene: Scene | None
    stacks: float | None = None
    _state = "new"  # then "running" or "broken", at last "closed"

    def reset(self, *, seed: int) -> Observation:
        """Start an episode: the arm at home, the items where the seed puts them, all at rest.

        Raises:
            LayoutError: The scene's items do not fit where they should.
            WorldError: No layout of this seed stays where it was put, or the world is closed.
        """
        self._refuse_when("closed")
        if self.scene is None:
            return self._start(None)
        rng = np.random.default_rng(seed)
        for _ in range(LAYOUT_TRIES):
            layout = sample_layout(self.scene, rng, stack_probability=self.stacks)
            seen = self._start(layout)
            moved = (seen.poses[n].position - p.position for n, p in layout.poses.items())
            if max((float(np.linalg.norm(m)) for m in moved), default=0.0) <= SETTLE_DRIFT_M:
                return seen
        raise WorldError(
            f"scene {self.scene.name!r}, seed {seed}: no layout in {LAYOUT_TRIES} stays where it"
            " is put; check the scene's stackable items and its clearance"
        )

    def set_layout(self, layout: Layout) -> Observation:
        """Start an episode from a given layout; the items are let go there and come to rest.

        Raises:
            LayoutError: The layout misses or invents an item.
        """
        self._refuse_when("closed")
        items = {n for n, o in self.spec.objects.items() if o.kind == "item"}
        if set(layout.poses) != items:
            wrong = sorted(set(layout.poses) ^ items)
            raise LayoutError(
                f"the layout must place exactly {', '.join(sorted(items))}; differs in {wrong}"
            )
        return self._start(layout)

    def observe(self) -> Observation:
        """Measure without advancing time."""
        self._refuse_when("new", "closed")
        return self._observe()

    def _start(self, layout: Layout | None) -> Observation:
        raise NotImplementedError

    def _observe(self) -> Observation:
        raise NotImplementedError

    def _refuse_when(self, *states: str) -> None:
        if self._state in states:
            raise WorldError(_ADVICE[self._state])
