"""Another package's driver (examples/own_driver.py): the contract, and the command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from embodied.bridge.driver import Driver, DriverLostError
from embodied.bridge.testing.contract import DriverContract

EXAMPLES = Path(__file__).parents[2] / "examples"
SENTENCE = "put the red block on the blue block"

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(autouse=True)
def _on_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(EXAMPLES))


@pytest.fixture
def bridge(tmp_path: Path) -> Run:
    """``embodied bridge`` where that package is installed, as far as metadata tell."""
    info = tmp_path / "noodle-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: noodle\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[embodied.drivers]\nnoodle = own_driver:DRIVER\n")
    path = os.pathsep.join([str(tmp_path), str(EXAMPLES), *filter(None, sys.path)])

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "embodied.app.cli.main", "bridge", *words],
            env={**os.environ, "PYTHONPATH": path},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


class TestNoodle(DriverContract):
    def make_driver(self) -> Driver:
        import own_driver

        return own_driver.NoodleDriver()


def test_a_lost_arm_lets_go_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    import own_driver

    driver, closed = own_driver.NoodleDriver(), []
    driver.connect()
    driver.enable()
    driver.stream(driver.read_state().q + 0.001, np.full(7, 0.1))

    def lost(*_: object) -> None:
        raise DriverLostError("cut through")

    monkeypatch.setattr(driver, "send", lost)
    monkeypatch.setattr(driver, "close_link", closed.append)
    driver.disconnect()
    driver.disconnect()
    assert len(closed) == 1


def test_another_packages_driver_is_listed_and_checked(bridge: Run) -> None:
    listed = json.loads(bridge("list", "--json").stdout)["drivers"]
    (noodle,) = [d for d in listed if d["name"] == "noodle"]
    assert noodle["options"]["host"] == "Address of the arm."
    limits = ("--limits", "fr3-simulated", "--seconds", "0.3", "--json")
    checked = bridge("check", "--driver", "noodle", "-o", "lockstep=false", *limits)
    assert checked.returncode == 0, checked.stderr
    assert json.loads(checked.stdout)["problems"] == []
    wrong = bridge("check", "--driver", "noodle", "-o", "speed=3", *limits)
    assert wrong.returncode == 3 and "takes host, lockstep" in wrong.stdout
    wrong = bridge("check", "--driver", "nudel", *limits)
    assert wrong.returncode == 2 and "universal-robots, noodle" in wrong.stdout


def test_another_packages_driver_is_shadowed_by_the_command_line(
    bridge: Run, tmp_path: Path
) -> None:
    where = ("--mode", "shadow", "--limits", "fr3-simulated", "--out", str(tmp_path / "runs"))
    done = bridge("run", SENTENCE, "--driver", "noodle", *where, "--no-video", "--json")
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert (summary["driver"], summary["mode"]) == ("noodle", "shadow")
    journal = (Path(summary["folder"]) / "bridge.jsonl").read_text().splitlines()
    ended = json.loads(journal[-1])["details"]
    assert ended["largest_shadow_rad"] > 0.1  # the real arm was told nothing
