"""A supervised arm with its operator at the terminal."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from embodied.app.bridge.console import KEYS, OperatorConsole
from embodied.app.bridge.session import BridgeOptions, Supervised, open_supervised
from embodied.app.show.console import Console
from embodied.bridge.messages import OperationMode
from embodied.settings import Settings
from embodied.types import JointTrajectory
from embodied.world.scene import load_scene


@contextmanager
def operated(
    settings: Settings, bridge: BridgeOptions, operator: str, say: Callable[[str], None]
) -> Generator[Supervised]:
    """Start the supervisor and listen to the operator's keys; ends both.

    Raises:
        ConfigurationError: Driver, limits or robot do not exist or do not fit.
        WorldError: The supervisor did not start.
    """
    asked: list[Callable[[str, JointTrajectory, float | None], bool]] = []

    def ask(label: str, motion: JointTrajectory, width: float | None) -> bool:
        return asked[0](label, motion, width)

    confirm = bridge.mode is OperationMode.CONFIRM
    scene = load_scene(settings.scene)
    supervised = open_supervised(settings, bridge, scene, approve=ask if confirm else None)
    world, console = supervised.world, None
    try:
        with tempfile.TemporaryDirectory(prefix="embodied-ghosts-") as ghosts:
            terminal = Console(highlight=False, stderr=True)
            console = OperatorConsole(world.process.operator, terminal, name=operator)
            asked.append(console.approver(world, Path(ghosts)))
            limits = supervised.limits
            say(
                f"supervisor: driver {bridge.driver}, mode {bridge.mode.value}, limits"
                f" {limits.name} signed by {limits.signed_by}; hand at most"
                f" {limits.ee_speed_m_s:g} m/s. Not a certified safety function.\n{KEYS}"
            )
            console.start()
            yield supervised
    finally:
        if console is not None:
            console.close()
        world.close()
