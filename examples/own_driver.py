"""A driver of your own, for a made-up arm, moved behind the safety supervisor.

Name ``DRIVER`` in your package's metadata and ``embodied bridge run --driver noodle`` finds it:

    [project.entry-points."embodied.drivers"]
    noodle = "own_driver:DRIVER"

``DriverContract`` in ``embodied.bridge.testing.contract`` has the tests that it must pass.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import numpy as np

from embodied.bridge.client import PlannerClient
from embodied.bridge.driver import DriverEntry
from embodied.bridge.limits import shipped_limits
from embodied.bridge.process import BridgeConfig, SupervisorProcess
from embodied.bridge.setpoint_driver import Grip, Report, SetpointDriver
from embodied.types import Array
from embodied.world import robots

FR3 = robots.load("fr3")


class NoodleClient:
    """What the vendor would sell: joints that go 60% of the way to their targets each period."""

    def __init__(self, host: str) -> None:
        self.host, self.q, self.dq = host, np.array(FR3.q_home), np.zeros(7)

    def move(self, target: Array) -> None:
        """Take one period's target, (7,), rad."""
        self.dq = 0.6 * (target - self.q) / 0.01
        self.q = self.q + 0.01 * self.dq


class NoodleDriver(SetpointDriver[NoodleClient]):
    """One noodle arm, of the size and joints of an FR3.

    Args:
        host: Address of the arm.
        lockstep: true: its time passes with set-points only.
    """

    name, label = "noodle", "the noodle arm"

    def __init__(self, *, host: str = "127.0.0.1", lockstep: bool = True) -> None:
        super().__init__(FR3.joints, lockstep=lockstep)
        self.host = host

    def open_link(self) -> NoodleClient:
        """Connect; moves nothing."""
        return NoodleClient(self.host)

    def close_link(self, link: NoodleClient) -> None:
        """Nothing to close."""

    def measure(self, link: NoodleClient) -> Report:
        """Positions, (7,), rad, and velocities, (7,), rad/s; this arm has no clock of its own."""
        sequence, stamp_s = self.own_clock()
        return Report(sequence=sequence, stamp_s=stamp_s, q=link.q, dq=link.dq)

    def send(self, link: NoodleClient, q: Array, dq: Array, grip: Grip | None) -> Array:
        """One set-point; the client takes them as they are."""
        link.move(q)
        return q


DRIVER = DriverEntry(make=NoodleDriver, arms="noodle arms", tested_against="itself")

if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        metadata = Path(folder) / "noodle-1.0.dist-info"  # as an installer would leave it
        metadata.mkdir()
        (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: noodle\nVersion: 1.0\n")
        (metadata / "entry_points.txt").write_text("[embodied.drivers]\nnoodle = own_driver:DRIVER")
        os.environ["PYTHONPATH"] = os.pathsep.join([folder, *filter(None, sys.path)])
        supervisor = SupervisorProcess(
            BridgeConfig(driver="noodle", limits=shipped_limits("fr3-simulated"))
        )
    planner = PlannerClient(supervisor.planner_path)
    report = planner.enable()
    start = np.array(report["state"]["q"])
    for t in np.arange(0.01, 3.0, 0.01):  # wave joint 1 by 0.2 rad, smoothly, for 3 s
        s = t / 3.0
        report = planner.propose(start + np.eye(7)[0] * 0.2 * np.sin(np.pi * s) ** 4)
        assert report["decision"]["verdict"] == "pass", report["decision"]["reasons"]
    away = np.array(report["state"]["q"]) - start
    print(f"every set-point passed; back within {np.max(np.abs(away)):.4f} rad")
    assert np.max(np.abs(away)) < 0.01
    planner.close()
    assert supervisor.close() == 0
