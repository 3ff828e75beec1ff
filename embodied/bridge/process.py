"""The supervisor as a process of its own, and how to start one.

python -m embodied.bridge.process < configuration.json
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from embodied.bridge.channel import (
    OPERATOR,
    PLANNER,
    REPORTS,
    ChannelClosedError,
    Listener,
    SocketChannel,
    connect,
)
from embodied.bridge.messages import OperationMode
from embodied.errors import EmbodiedError, WorldError

if TYPE_CHECKING:
    from embodied.bridge.supervisor import Supervisor

START_S = 90.0


@dataclass(frozen=True, slots=True, kw_only=True)
class BridgeConfig:
    """What a supervisor is started with; the operator's choice alone.

    Attributes:
        driver: Name of the driver.
        options: Its options.
        limits: Signed-off limits file.
        scene: Scene whose fixed things are obstacles.
        mode: What reaches the arm.
        journal: File of events, None for none.
        mcap: Recording of every period, None for none.
        twin: Options of the simulated arm that moves in modes dry-run and shadow.
        faults: Faults to inject (``embodied.bridge.testing.faults``); simulated arms only.
    """

    driver: str = "simulated"
    options: Mapping[str, object] = field(default_factory=dict[str, object])
    limits: Path
    scene: str = "blocks"
    mode: OperationMode = OperationMode.AUTO
    journal: Path | None = None
    mcap: Path | None = None
    twin: Mapping[str, object] = field(default_factory=dict[str, object])
    faults: tuple[Mapping[str, object], ...] = ()


class SupervisorProcess:
    """A running supervisor; the process that starts it is its operator.

    Args:
        config: What to start it with.

    Attributes:
        planner_path: Where planners connect.
        pid: Its process id.

    Raises:
        WorldError: It did not start; the message is what it said.
    """

    def __init__(self, config: BridgeConfig) -> None:
        self.config = config
        self._folder = tempfile.TemporaryDirectory(prefix="embodied-bridge-")
        folder = Path(self._folder.name)
        self.planner_path = folder / "planner"
        operator_path = folder / "operator"
        self._errors = folder / "errors"
        token = secrets.token_hex(16)
        content = {
            **asdict(config),
            "mode": config.mode.value,
            "planner": self.planner_path,
            "operator": operator_path,
            "errors": self._errors,
            "token": token,
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", "embodied.bridge.process"],
            stdin=subprocess.PIPE,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
        self.pid = self._process.pid
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(content, default=str).encode())
            self._process.stdin.close()
        except BrokenPipeError:
            pass  # it ended at once; its words are in the file of errors
        try:
            self.operator: SocketChannel = self._connect(operator_path)
        except BaseException:
            self._folder.cleanup()
            raise
        self.operator.send({"kind": "hello", "token": token})

    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process.poll() is None

    def close(self, timeout_s: float = 15.0) -> int | None:
        """Hold the arm, let go of it and end; returns the exit code; may be called twice."""
        self.operator.close()
        try:
            code = self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        self._folder.cleanup()
        return code

    def kill(self) -> None:
        """End the process the hard way; the arm must come to rest by itself."""
        self._process.kill()
        self._process.wait()

    def _connect(self, path: Path) -> SocketChannel:
        deadline = time.monotonic() + START_S
        while True:
            try:
                return connect(path, REPORTS)
            except ChannelClosedError as error:
                if self._process.poll() is not None:
                    said = self._errors.read_text("utf-8") if self._errors.exists() else ""
                    raise WorldError(said or "the supervisor ended at once") from error
                if time.monotonic() > deadline:
                    self.kill()
                    raise WorldError("the supervisor did not start in time") from error
                time.sleep(0.02)


def main() -> int:
    """Entry point of the process: build everything, then serve."""
    os.setpgid(0, 0)  # an interrupt at the terminal is the operator's to hand on
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    config = json.load(sys.stdin)
    try:
        supervisor = _build(config)
        supervisor.run()
    except EmbodiedError as error:
        Path(config["errors"]).write_text(str(error), "utf-8")
        return 3
    return 0


def _build(config: Mapping[str, Any]) -> Supervisor:
    from embodied.bridge.driver import Driver
    from embodied.bridge.drivers import open_driver
    from embodied.bridge.filter import SafetyFilter
    from embodied.bridge.geometry import ArmGeometry
    from embodied.bridge.journal import Journal, McapFile
    from embodied.bridge.limits import load_limits
    from embodied.bridge.plan_reader import PlanReader
    from embodied.bridge.supervisor import Supervisor
    from embodied.world.scene import load_scene

    limits = load_limits(Path(config["limits"]))
    reader = PlanReader(len(limits.joints))
    geometry = ArmGeometry(limits, load_scene(config["scene"]))
    mode = OperationMode(config["mode"])
    shadowed = None
    if mode in (OperationMode.DRY_RUN, OperationMode.SHADOW):
        driver = open_driver("simulated", {"scene": config["scene"], **config["twin"]})
        if mode is OperationMode.SHADOW:
            shadowed = open_driver(config["driver"], config["options"])
    else:
        driver = open_driver(config["driver"], config["options"])
    if config["faults"]:
        from embodied.bridge.testing.faults import FaultyDriver

        driver = cast("Driver", FaultyDriver(driver, config["faults"]))
    safety = SafetyFilter(limits, geometry, lockstep=driver.capabilities.lockstep)
    mcap = None
    if config["mcap"]:
        about = {
            "driver": config["driver"],
            "mode": mode.value,
            "scene": config["scene"],
            "limits": str(config["limits"]),
            "limits_sha256": limits.sha256,
            "lockstep": str(driver.capabilities.lockstep).lower(),
        }
        mcap = McapFile(Path(config["mcap"]), about)
    journal = Journal(Path(config["journal"]) if config["journal"] else None, mcap)
    driver.connect()
    if shadowed is not None:
        shadowed.connect()
    return Supervisor(
        driver,
        safety,
        mode=mode,
        journal=journal,
        planner=Listener(Path(config["planner"]), PLANNER),
        operator=Listener(Path(config["operator"]), OPERATOR),
        token=config["token"],
        reader=reader,
        shadowed=shadowed,
    )


if __name__ == "__main__":
    raise SystemExit(main())
