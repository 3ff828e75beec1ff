"""The command ``embodied bridge``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from embodied.app.cli.main import app
from embodied.app.verify import verify_run
from embodied.bridge.driver import DriverEntry
from embodied.bridge.drivers import DRIVERS
from embodied.bridge.limits import shipped_limits
from embodied.receipts.checking import Trust

SENTENCE = "put the red block on the blue block"


def _bridge(*arguments: str, keys: str = "") -> tuple[int, str]:
    done = CliRunner().invoke(app, ["bridge", *arguments], input=keys)
    return done.exit_code, done.output


def test_the_list_names_every_driver_and_what_it_was_tested_against() -> None:
    code, output = _bridge("list", "--json")
    assert code == 0
    drivers = json.loads(output)["drivers"]
    assert tuple(d["name"] for d in drivers) == DRIVERS.names
    assert all(d["tested_against"] for d in drivers)


def test_the_list_shows_the_extra_that_is_to_be_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(DriverEntry, "installed", property(lambda entry: not entry.extra))
    done = CliRunner().invoke(app, ["bridge", "list"], env={"COLUMNS": "400"})
    assert "'embodied-stack[bridge-franka]'" in done.output


@pytest.mark.parametrize(
    ("arguments", "legal"),
    [
        (("run", SENTENCE, "--mode", "yolo"), "dry-run"),
        (("run", SENTENCE, "--simulator", "gazebo"), "pybullet"),
        (("check", "--driver", "simulatd"), "simulated"),
        (("check", "--option", "lockstep"), "NAME=VALUE"),
        (("run", SENTENCE), "give one of dry-run, shadow, auto"),
        (("run", SENTENCE, "--mode", "auto", "--base-url", "http://x"), "--model"),
        (("check", "-o", "foo=1"), "unknown option 'foo'; the driver simulated takes"),
        (("replay", "nothing.mcap"), "nothing.mcap"),
    ],
)
def test_wrong_words_name_the_legal_ones(arguments: tuple[str, ...], legal: str) -> None:
    code, output = _bridge(*arguments)
    assert code in (2, 3)
    assert legal in " ".join(output.replace("│", "").split())


def test_an_unsigned_limits_file_ends_everything(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(shipped_limits("fr3-simulated").read_text("utf-8"), "utf-8")
    code, output = _bridge("check", "--limits", str(path))
    assert code == 3
    assert "not signed off" in output.replace("\n", " ")
    assert _bridge("sign", str(path), "--name", "Ada")[0] == 0
    assert path.with_name("mine.toml.signoff").is_file()


def test_a_recording_of_a_resting_arm(tmp_path: Path) -> None:
    path = tmp_path / "rest.mcap"
    code, output = _bridge(
        "record", str(path), "-o", "lockstep=false", "--seconds", "0.3", "--json"
    )
    assert code == 0
    assert json.loads(output)["reports"] > 1
    code, output = _bridge("replay", str(path), "--json")
    assert code == 0
    assert json.loads(output)["about"] == {"driver": "simulated", "mode": "record"}


def test_an_arm_that_can_be_taken_over_passes_the_check() -> None:
    code, output = _bridge("check", "--seconds", "0.3", "--json")
    report = json.loads(output)
    assert (code, report["problems"]) == (0, [])
    assert report["latency_ms"]["median"] >= 0.0
    assert report["signed_by"]


def test_a_sentence_moves_the_simulated_arm_and_its_recording_decides_the_same(
    tmp_path: Path, signed_runs: Path
) -> None:
    recording = tmp_path / "run.mcap"
    code, output = _bridge(
        *("run", SENTENCE, "--mode", "auto", "--no-video", "--json"),
        *("--out", str(tmp_path), "--record", str(recording)),
    )
    assert code == 0, output
    summary = json.loads(output)
    assert (summary["driver"], summary["mode"]) == ("simulated", "auto")
    assert (Path(summary["folder"]) / "bridge.jsonl").is_file()
    code, output = _bridge("replay", str(recording), "--json")
    replayed = json.loads(output)
    assert code == 0
    assert replayed["decided_the_same"] == replayed["periods"] > 500
    verified = verify_run(Path(summary["folder"]), Trust.of((), signed_runs))
    assert verified.reached, verified
    says = verified.checked.says
    assert says["limits"]["limits_sha256"] == summary["limits_sha256"]  # type: ignore[index]
    supervisor = says["safety"]["supervisor"]  # type: ignore[index]
    assert supervisor["planner-connected"] == supervisor["ended"] == 1
