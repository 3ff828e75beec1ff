"""Up to two recorded runs, replayed beside the scene."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from embodied.app.record.states import STATES, States, read_states
from embodied.app.show.film import model_of
from embodied.app.web.scene import ModelView

if TYPE_CHECKING:
    from viser import SceneApi

BESIDE_M = (1.6, -1.6)
"""Where the first and the second one stand, along y, m."""
_PAUSE_S = 1.0


class Replays:
    """Replays runs at the speed of their own clock, over and over.

    Args:
        scene: Where they are shown.
    """

    def __init__(self, scene: SceneApi) -> None:
        self._scene = scene
        self._shown: list[tuple[States, ModelView]] = []
        self._at = 0.0

    def show(self, folders: list[Path]) -> None:
        """Show at most two run folders, none to take them away; raises ConfigurationError."""
        read = [read_states(folder / STATES) for folder in folders[: len(BESIDE_M)]]
        models = [model_of(states.header) for states in read]
        before, self._shown = self._shown, []
        for _, view in before:
            view.remove()
        self._at = 0.0
        self._shown = [
            (states, ModelView(self._scene, f"/replay{n}", model, offset=(0.0, BESIDE_M[n], 0.0)))
            for n, (states, model) in enumerate(zip(read, models, strict=True))
            if len(states.time)
        ]

    def step(self, seconds: float) -> None:
        """Show the next instant."""
        shown = self._shown
        for states, view in shown:
            row = int(states.time.searchsorted(states.time[0] + self._at, side="right")) - 1
            view.show(states.qpos[max(row, 0)])
        self._at += seconds
        if shown and self._at > max(float(s.time[-1] - s.time[0]) for s, _ in shown) + _PAUSE_S:
            self._at = 0.0
