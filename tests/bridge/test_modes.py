"""What reaches an arm in each mode, told by the arm itself."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from embodied.bridge.client import PlannerClient
from embodied.bridge.limits import shipped_limits
from embodied.bridge.messages import OperationMode
from embodied.bridge.process import BridgeConfig, SupervisorProcess
from embodied.bridge.testing.faults import gentle_way

pytestmark = pytest.mark.realtime

WAIT_S = 30.0
TURNED_RAD = 0.2
"""Of the recorder's base joint, beside the pose that simulated arms start at."""


class Rig:
    """A supervisor in a mode over an arm that writes down what is done to it."""

    def __init__(self, folder: Path, mode: OperationMode) -> None:
        self.calls_file = folder / "calls.txt"
        self.journal = folder / "journal.jsonl"
        os.environ["RECORDER_ARM_CALLS"] = str(self.calls_file)
        self.process = SupervisorProcess(
            BridgeConfig(
                driver="lerobot",
                options={"factory": "recorder_arm:RecorderArm", "unit": "radians"},
                limits=shipped_limits("fr3-simulated"),
                mode=mode,
                journal=self.journal,
            )
        )
        self.client = PlannerClient(self.process.planner_path)

    @property
    def calls(self) -> set[str]:
        return (
            set(self.calls_file.read_text("utf-8").split()) if self.calls_file.exists() else set()
        )

    def events(self, name: str) -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in self.journal.read_text("utf-8").splitlines()]
        return [line["details"] for line in lines if line["event"] == name]

    def swing(self) -> list[dict[str, Any]]:
        """Say a plan, carry it out; returns the reports."""
        q = np.array(self.client.enable()["state"]["q"])
        time_s = 0.01 * np.arange(81)
        way = np.stack([gentle_way(q, t) for t in time_s])
        self.client.plan("swing", time_s.tolist(), way.tolist(), None)
        return [self.client.propose(row) for row in way]


@contextmanager
def rig_in(folder: Path, mode: OperationMode) -> Iterator[Rig]:
    rig = Rig(folder, mode)
    try:
        yield rig
    finally:
        rig.client.close()
        rig.process.close()


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))
    monkeypatch.setenv("RECORDER_ARM_CALLS", "")


def measured(reports: list[dict[str, Any]]) -> np.ndarray:
    return np.array([report["state"]["q"] for report in reports])


def test_auto_tells_the_arm(tmp_path: Path) -> None:
    """The recorder does record: else the other tests would show nothing."""
    with rig_in(tmp_path, OperationMode.AUTO) as rig:
        q = measured([rig.client.enable()])[0]
        assert abs(q[0] - TURNED_RAD) < 1e-6
        deadline = time.monotonic() + WAIT_S
        while "send_action" not in rig.calls and time.monotonic() < deadline:
            time.sleep(0.02)
        assert {"made", "connect", "get_observation", "send_action"} <= rig.calls


def test_a_dry_run_moves_a_simulated_arm_and_does_not_even_connect(tmp_path: Path) -> None:
    with rig_in(tmp_path, OperationMode.DRY_RUN) as rig:
        reports = rig.swing()
        way = measured(reports)
        assert all(r["decision"]["verdict"] == "pass" for r in reports)
        assert np.ptp(way[:, 0]) > 0.05
        assert abs(way[0, 0]) < 0.01  # where the simulated arm starts, not the recorder
        plan = rig.events("plan")[0]
        assert plan["label"] == "swing" and len(plan["q"]) > 10
        assert np.abs(np.array(plan["q"])[0] - way[0]).max() < 0.01
    assert rig.calls == set()


def test_a_shadowed_arm_is_read_and_told_nothing(tmp_path: Path) -> None:
    with rig_in(tmp_path, OperationMode.SHADOW) as rig:
        reports = rig.swing()
        way = measured(reports)
        assert np.ptp(way[:, 0]) > 0.05
        apart = rig.client.observe()["status"]["largest_shadow_rad"]
        # The recorder stands still, TURNED_RAD away; the simulated arm swings beside it.
        recorder = way[0] + TURNED_RAD * np.eye(7)[0]
        assert apart == pytest.approx(np.abs(way - recorder).max(), abs=0.005)
        assert apart > TURNED_RAD
    assert rig.calls == {"made", "connect", "get_observation", "disconnect"}
    assert rig.events("ended")[-1]["largest_shadow_rad"] == pytest.approx(apart, abs=0.01)


def test_a_shadow_that_is_lost_is_said_and_the_rehearsal_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECORDER_ARM_READS", "5")
    with rig_in(tmp_path, OperationMode.SHADOW) as rig:
        reports = rig.swing()
        assert all(r["decision"]["verdict"] == "pass" for r in reports)
        assert len(rig.events("shadow-lost")) == 1
    assert "send_action" not in rig.calls
