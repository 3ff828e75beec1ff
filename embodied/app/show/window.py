"""A window on the simulation; needs a screen."""

from __future__ import annotations

import importlib
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from embodied.app.record.states import STATES, read_states
from embodied.errors import EnvironmentMissingError
from embodied.session import Session

if TYPE_CHECKING:
    from mujoco import MjData, MjModel  # pyright: ignore  # no stubs
    from mujoco.viewer import Handle  # pyright: ignore  # no stubs

_FRAME_S = 1.0 / 30.0
_LIVE_SPEED = 2.0


def open_viewer(session: Session) -> Callable[[float], None]:
    """Open a window that follows a session at no more than twice the speed of its clock.

    Returns:
        Takes the simulated time after every step. A window that was closed is left alone.

    Raises:
        EnvironmentMissingError: There is no screen.
    """
    _check_screen()
    window = _launch(*session.model_and_data())
    pace = Pace(_LIVE_SPEED)

    def refresh(time_s: float) -> None:
        if window.is_running() and pace.due(time_s):
            window.sync()

    return refresh


def play(folder: Path, *, speed: float) -> None:
    """Play recorded states in a window until they end or it is closed.

    Raises:
        ConfigurationError: There are no recorded states.
        EnvironmentMissingError: There is no screen.
    """
    states = read_states(folder / STATES)
    _check_screen()
    mujoco: Any = importlib.import_module("mujoco")
    from embodied.app.show.film import model_of

    model = model_of(states.header)
    data = mujoco.MjData(model)
    window = _launch(model, data)
    pace = Pace(speed)
    for time_s, qpos in zip(states.time, states.qpos, strict=True):
        if not window.is_running():
            return
        data.qpos[:] = qpos
        mujoco.mj_forward(model, data)
        pace.due(float(time_s))
        window.sync()
    window.close()


class Pace:
    """Keeps simulated time from running ahead of ``speed`` times the wall clock."""

    def __init__(self, speed: float) -> None:
        self._speed = speed
        self._origin: tuple[float, float] | None = None
        self._next_s = 0.0

    def due(self, time_s: float) -> bool:
        """Wait until ``time_s`` may be shown; False when the last frame is too recent."""
        now = time.monotonic()
        if self._origin is None:
            self._origin = (now, time_s)
        if time_s < self._next_s:
            return False
        self._next_s = time_s + _FRAME_S * self._speed
        wall0, time0 = self._origin
        early = wall0 + (time_s - time0) / self._speed - now
        if early > 0:
            time.sleep(min(early, 1.0))
        else:
            self._origin = (now, time_s)  # too slow to keep up: do not hurry afterwards
        return True


def _check_screen() -> None:
    if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        raise EnvironmentMissingError(
            "no screen for a window (DISPLAY is not set): leave out --view; the run folder's "
            "video.mp4 shows the motion, and `embodied replay RUN` films it again"
        )


def _launch(model: MjModel, data: MjData) -> Handle:
    try:
        viewer: Any = importlib.import_module("mujoco.viewer")
        return viewer.launch_passive(model, data, show_left_ui=False, show_right_ui=False)
    except Exception as error:  # windows fail in as many ways as there are drivers
        raise EnvironmentMissingError(
            f"cannot open a window ({type(error).__name__}: {error}): leave out --view"
        ) from error
