"""The simulated arm: a world in a process of its own behind the ``Driver`` protocol."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from embodied.bridge.driver import DriverEntry
from embodied.bridge.messages import StopCategory
from embodied.bridge.plant import Answer, PlantSession
from embodied.bridge.setpoint_driver import Grip, Report, SetpointDriver
from embodied.bridge.vendors.vendor_process import VendorProcess
from embodied.errors import HardwareFault
from embodied.types import Array

PANDA_JOINTS = tuple(f"joint{i}" for i in range(1, 8))
ArmProcess = VendorProcess[PlantSession]


class SimulatedDriver(SetpointDriver[ArmProcess]):
    """An arm in MuJoCo or PyBullet; implements ``ResettableDriver``.

    Args:
        simulator: ``"mujoco"`` or ``"pybullet"``.
        scene: Scene name or file.
        lockstep: true: time advances with set-points only; false: the arm keeps its own time and
            brakes by itself when set-points stop coming.
        robot: Robot in MuJoCo; PyBullet has the Panda.
        stacks: Chance that an item starts on another one; None leaves it to the scene.
        farewell: File that the arm's process writes when it ends: whether it came to rest.
    """

    name, label = "simulated", "the simulated arm"
    resets = True
    differs = "the simulated arm limited the set-point"

    def __init__(
        self,
        *,
        simulator: str = "mujoco",
        scene: str = "blocks",
        lockstep: bool = True,
        robot: str = "fr3",
        stacks: float | None = None,
        farewell: str | None = None,
    ) -> None:
        from embodied.world import robots

        joints = PANDA_JOINTS if simulator == "pybullet" else robots.load(robot).joints
        super().__init__(joints, has_gripper=True, lockstep=lockstep)
        self._config = {
            "simulator": simulator,
            "robot": robot,
            "scene": scene,
            "lockstep": lockstep,
            "stacks": stacks,
            "farewell": farewell,
        }
        self._seen: Report | None = None
        self._scene: Mapping[str, object] = {}

    def open_link(self) -> ArmProcess:
        """Start the arm's process."""
        self._seen = None
        return VendorProcess(PlantSession, self._config)

    def close_link(self, link: ArmProcess) -> None:
        """End it, braked."""
        link.close()

    def measure(self, link: ArmProcess) -> Report:
        """The latest report; in lockstep, nothing has changed since the last call."""
        if self.lockstep and self._seen is not None:
            return self._seen
        return self._take(link.ask(PlantSession.state))

    def scene(self) -> Mapping[str, object]:
        """Where things are, as the simulator knows it."""
        return self._scene

    def switch_on(self, link: ArmProcess) -> None:
        """Hold the measured pose."""
        self._take(link.ask(PlantSession.enable))

    def send(self, link: ArmProcess, q: Array, dq: Array, grip: Grip | None) -> Array:
        """One set-point; the arm may limit it."""
        sent = self._take(link.ask(PlantSession.stream, q, grip)).q_commanded
        return q if sent is None else sent

    def grip(self, link: ArmProcess, grip: Grip) -> None:
        """The arm holds what it was told last."""
        told = self.measure(link).q_commanded
        self._send(link, self.goal if told is None else told, np.zeros(len(self.joints)), grip)

    def moving(self, link: ArmProcess) -> bool:
        """Its end brakes, and says how that went."""
        return False

    def brake(self, link: ArmProcess) -> None:
        """See ``after_brake``: the arm brakes by itself."""

    def cut_power(self, link: ArmProcess) -> bool:
        """It has brakes, which do what ``after_brake`` does."""
        self.after_brake(link, StopCategory.IMMEDIATE)
        return True

    def after_brake(self, link: ArmProcess, category: StopCategory) -> None:
        """Brake and refuse motion."""
        self._take(link.ask(PlantSession.stop, int(category)))

    def clear(self, link: ArmProcess) -> None:
        """Clear a stop."""
        self._take(link.ask(PlantSession.recover))

    def reset(self, seed: int) -> None:
        """Start the episode of a seed: the arm at home, things where the seed puts them."""
        self._take(self.link.ask(PlantSession.reset, seed))
        self.enabled = False

    def _take(self, answer: Answer) -> Report:
        self._seen, self._scene, problem = answer
        if problem:
            raise HardwareFault(problem)
        return self._seen


DRIVER = DriverEntry(
    make=SimulatedDriver,
    arms="FR3 in MuJoCo, Panda in PyBullet",
    tested_against="tabletop episodes through the supervisor, fault injection",
)
