"""Keys at the operator's terminal, through a pseudo-terminal, with an arm behind a supervisor."""

from __future__ import annotations

import io
import json
import os
import sys
import termios
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from embodied.app.bridge.console import OperatorConsole
from embodied.bridge.client import PlannerClient
from embodied.bridge.limits import shipped_limits
from embodied.bridge.process import BridgeConfig, SupervisorProcess
from embodied.bridge.testing.faults import gentle_way

pytestmark = pytest.mark.realtime

WAIT_S = 30.0


class Terminal:
    """A supervisor with a simulated arm, a person's terminal, and a planner that moves the arm."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.journal = folder / "journal.jsonl"
        self.process = SupervisorProcess(
            BridgeConfig(limits=shipped_limits("fr3-simulated"), journal=self.journal)
        )
        self.client = PlannerClient(self.process.planner_path)
        self.person, self.descriptor = os.openpty()
        self.before = termios.tcgetattr(self.descriptor)
        monkeypatch.setattr(sys, "stdin", os.fdopen(self.descriptor, closefd=False))
        self.screen = io.StringIO()
        self.console = OperatorConsole(
            self.process.operator, Console(file=self.screen, width=200), name="Ada"
        )
        self.console.start()
        self._over = threading.Event()
        self.reports: list[dict[str, Any]] = []
        self._planner = threading.Thread(target=self._swing)

    def move(self) -> None:
        """Begin to swing; returns when the arm moves."""
        self._planner.start()
        self.until(lambda: bool(self.reports) and self.speed(self.reports[-1]) > 0.1)

    def _swing(self) -> None:
        q = np.array(self.client.enable()["state"]["q"])
        k = 0
        while not self._over.is_set():
            k += 1
            report = self.client.propose(gentle_way(q, 0.01 * k))
            self.reports.append(report)
            if report["status"]["latched"]:
                return

    @staticmethod
    def speed(report: dict[str, Any]) -> float:
        return float(np.abs(report["state"]["dq"]).max())

    def press(self, key: str) -> None:
        os.write(self.person, key.encode())

    def until(self, true: Any) -> None:
        deadline = time.monotonic() + WAIT_S
        while not true():
            assert time.monotonic() < deadline, self.screen.getvalue()
            time.sleep(0.01)

    def events(self, name: str) -> list[dict[str, Any]]:
        whole, _, _ = self.journal.read_text("utf-8").rpartition("\n")
        lines = [json.loads(line) for line in whole.splitlines()]
        return [line["details"] for line in lines if line["event"] == name]

    def end_planner(self) -> None:
        self._over.set()
        if self._planner.is_alive():
            self._planner.join(WAIT_S)

    def close(self) -> None:
        self.end_planner()
        self.console.close()
        self.client.close()
        self.process.close()
        for descriptor in (self.person, self.descriptor):
            os.close(descriptor)


@pytest.fixture
def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminal]:
    terminal = Terminal(tmp_path, monkeypatch)
    yield terminal
    terminal.close()


def test_one_key_stops_a_moving_arm_and_another_lets_it_be_taken_over(terminal: Terminal) -> None:
    terminal.move()
    terminal.press("x")  # no key of ours
    moved = len(terminal.reports)
    terminal.until(lambda: len(terminal.reports) > moved + 5)
    assert not terminal.events("stop")
    terminal.press(" ")  # without a line end: no more is typed
    terminal.until(lambda: terminal.events("stop"))
    stop = terminal.events("stop")[0]
    assert (stop["code"], stop["category"]) == ("emergency_stop", 1)
    terminal.until(lambda: terminal.events("at-rest"))
    assert terminal.events("at-rest")[0]["from_rad_s"] > 0.05
    terminal.end_planner()
    report = terminal.client.observe()
    assert report["status"]["latched"] == "emergency_stop"
    assert terminal.speed(report) < 0.03
    assert not terminal.client.enable()["status"]["enabled"]
    terminal.until(lambda: "supervisor: stop emergency_stop" in terminal.screen.getvalue())
    terminal.press("r")
    terminal.until(lambda: terminal.events("recovered"))
    assert terminal.events("recovered")[0]["operator"] == "Ada"
    assert terminal.client.enable()["status"]["enabled"]
    terminal.press("e")
    terminal.until(lambda: len(terminal.events("stop")) == 2)
    terminal.console.close()
    assert termios.tcgetattr(terminal.descriptor) == terminal.before


def test_a_plan_that_is_being_asked_about_is_refused_by_an_emergency_stop(
    terminal: Terminal,
) -> None:
    answers: list[bool] = []
    asking = threading.Thread(target=lambda: answers.append(terminal.console._ask()))
    asking.start()
    terminal.until(terminal.console._asking.is_set)
    terminal.press(" ")
    asking.join(WAIT_S)
    assert answers == [False]
    asking = threading.Thread(target=lambda: answers.append(terminal.console._ask()))
    terminal.press("r")
    terminal.until(lambda: terminal.events("recovered"))
    asking.start()
    terminal.until(terminal.console._asking.is_set)
    terminal.press("y")
    asking.join(WAIT_S)
    assert answers == [False, True]


def test_an_answer_counts_for_its_plan_alone(terminal: Terminal) -> None:
    """Stop and recover at once, after another plan was approved: the next one is not approved."""
    for keys, expected in (("y", True), (" r", False)):
        answers: list[bool] = []
        asking = threading.Thread(
            target=lambda answers=answers: answers.append(terminal.console._ask())
        )
        asking.start()
        terminal.until(terminal.console._asking.is_set)
        terminal.press(keys)
        asking.join(WAIT_S)
        assert answers == [expected]
