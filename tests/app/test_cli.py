from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from embodied.app import doctor
from embodied.app.cli import main as cli
from embodied.app.doctor import Level

HEAVY = ("mujoco", "ompl", "pddl", "av", "torch", "pydantic_ai", "xllamacpp", "daqp", "scipy")


@pytest.mark.parametrize("command", [[], ["run"], ["bench"], ["replay"]])
def test_help_imports_nothing_heavy(command: list[str]) -> None:
    program = (
        "import sys\nfrom embodied.app.cli import main as cli\n"
        f"sys.argv = ['embodied', *{command!r}, '--help']\n"
        "try:\n    cli.main()\nexcept SystemExit as end:\n    assert not end.code\n"
        f"print('HEAVY', [m for m in {HEAVY!r} if m in sys.modules], 'numpy' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "HEAVY [] False"


def test_what_a_run_needs_first_leaves_scipy_and_tools_alone() -> None:
    program = (
        "import sys\n"
        "import embodied.app.wiring, embodied.app.run, embodied.routes.pddl.route\n"
        "import embodied.world.mujoco, embodied_planners.skills, embodied_planners.pddl\n"
        "late = ('scipy', 'matplotlib', 'embodied.tools', 'pydantic')\n"
        "print([m for m in late if m in sys.modules], 'mujoco' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[] True"


def test_scenes_lists_every_scene_with_a_sentence() -> None:
    done = CliRunner().invoke(cli.app, ["scenes", "--json"])
    assert done.exit_code == 0
    listed = json.loads(done.stdout)
    assert {"blocks", "kitchen", "workshop"} <= {s["name"] for s in listed["scenes"]}
    assert all(s["sentences"] for s in listed["scenes"])
    assert "fr3" in listed["robots"]


def test_scenes_shows_the_objects_of_one() -> None:
    done = CliRunner().invoke(cli.app, ["scenes", "kitchen"])
    assert done.exit_code == 0
    assert "apple" in done.output
    assert CliRunner().invoke(cli.app, ["scenes", "kitchn"]).exit_code == 2


def test_scenes_draws_a_picture(tmp_path: Path) -> None:
    target = tmp_path / "blocks.png"
    done = CliRunner().invoke(cli.app, ["scenes", "blocks", "--picture", str(target)])
    assert done.exit_code == 0, done.output
    assert target.read_bytes().startswith(b"\x89PNG")
    assert target.stat().st_size > 10_000
    folder = tmp_path / "folder.png"
    folder.mkdir()
    refused = CliRunner().invoke(cli.app, ["scenes", "blocks", "--picture", str(folder)])
    assert refused.exit_code == 3


def test_doctor_never_shows_a_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret-0123456789")
    done = CliRunner().invoke(cli.app, ["doctor", "--json", "--out", str(tmp_path)])
    assert "sk-very-secret" not in done.output
    report = json.loads(done.stdout)
    checks = {c["name"]: c for c in report["checks"]}
    assert "OPENAI_API_KEY" in checks["keys"]["found"]
    for name in ("python", "packages", "simulator", "video", "planner", "run folders"):
        assert checks[name]["level"] == "ok", checks[name]


def test_doctor_says_what_to_do_without_opengl(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MUJOCO_GL", "egl")
    monkeypatch.setenv("__EGL_VENDOR_LIBRARY_FILENAMES", "/nonexistent.json")
    level, found, advice = doctor._pictures()
    assert level is Level.OK and "ray-cast" in found
    assert "libegl1 libegl-mesa0 libgl1-mesa-dri" in advice


def test_doctor_finds_an_unwritable_place(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert doctor._disk(tmp_path / "file" / "runs")[0] is Level.BROKEN
    assert doctor._disk(tmp_path / "new" / "runs")[0] is Level.OK


def test_doctor_survives_a_check_that_dies(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def dies() -> doctor.Found:
        raise RuntimeError("boom")

    monkeypatch.setattr(doctor, "_simulator", dies)
    monkeypatch.setattr(doctor, "_pictures", dies)
    checks = {c.name: c for c in doctor.examine(tmp_path)}
    assert checks["simulator"].level is Level.BROKEN
    assert "boom" in checks["simulator"].found
    assert doctor.report(tuple(checks.values()), json=True) == 3


def test_a_closed_pipe_is_no_traceback(tmp_path: Path) -> None:
    command = f"{sys.executable} -m embodied.app.cli.main scenes kitchen | head -1"
    done = subprocess.run(
        command, shell=True, capture_output=True, text=True, env={**os.environ}, check=False
    )
    assert "Traceback" not in done.stderr


def test_bench_names_what_is_wrong(tmp_path: Path) -> None:
    done = CliRunner().invoke(cli.app, ["bench", "llmp", "--data", str(tmp_path)])
    assert done.exit_code == 3
    assert "domain.pddl" in done.output
    wrong = ["bench", "llmp", "--data", str(tmp_path), "--method", "magic"]
    done = CliRunner().invoke(cli.app, wrong)
    assert done.exit_code == 2
    assert "oracle" in done.output


def test_a_command_of_a_missing_package_says_which(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    done = CliRunner().invoke(cli.app, ["train-translator", "--help"])
    assert done.exit_code in (0, 3)  # 0: the help needs no torch
    assert "Traceback" not in done.output
