"""An option that does not go with the route, the robot or the model is refused, never dropped."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from embodied import __version__
from embodied.app.cli import main as cli
from embodied.app.cli.options import OPTIONS
from embodied.settings import Settings

MODEL = ("--model", "openai:gpt", "--base-url", "http://localhost:1")


def invoke(*arguments: str) -> Any:
    return CliRunner().invoke(cli.app, list(arguments), env={"COLUMNS": "250"})


GOALS = "goes with the route mixed, pddl"


@pytest.mark.parametrize(
    ("arguments", "option", "words"),
    [
        (("--robot", "quadruped", "--strategy", "tree"), "--strategy", GOALS),
        (("--robot", "quadruped", "--strategy", "plan"), "--strategy", GOALS),
        (("--robot", "quadruped", "--optimal"), "--optimal", "this is the route reward"),
        (("--robot", "quadruped", "--scene", "kitchen"), "", "Choose from: floor"),
        (("--robot", "quadruped", "--world", "pybullet"), "--robot", "Choose from: panda"),
        (("--robot", "quadruped", "--yes"), "--yes", GOALS),
        (("--route", "value-map", "--optimal"), "--optimal", GOALS),
        (("--route", "value-map", "--async"), "--async", "goes with the route reward"),
        (("--robot", "quadruped", "--perception", "pixels"), "--perception", "no camera is where"),
        (("--perception", "eyes"), "", "Choose from: auto, truth, pixels"),
        (("--async",), "--async", "goes with the route reward"),
        (("--base-url", "http://localhost:1"), "--base-url", "--model openai:NAME"),
        (("--max-calls", "3"), "--max-calls", "a language model"),
        (("--model", "rules", "--record", "x"), "--record", "a language model"),
        (("--model", "rules", "--max-tokens", "9"), "--max-tokens", "a language model"),
        (("--timeout", "9"), "--timeout", "--model openai:NAME or"),
        (("--model", "replay:x", "--temperature", "1"), "--temperature", "or local:PATH"),
        (("--model", "rules", "--max-output-tokens", "9"), "--max-output-tokens", "local:PATH"),
        (("--model", "local:x", "--reasoning-effort", "low"), "--reasoning-effort", "anthropic:"),
        (("--model", "local:x", "--price", "1,2"), "--price", "anthropic:NAME"),
        (("--fallback", "local:x"), "--fallback", "a language model"),
        ((*MODEL, "--fallback", "rules"), "", "Choose from: openai:NAME"),
        ((*MODEL, "--price", "cheap"), "", "write READ,WRITTEN"),
        ((*MODEL, "--reasoning-effort", "some"), "", "Choose from: minimal, low"),
        (("--scene", "kitchn"), "", "Did you mean kitchen?"),
        (("--robot", "fr4"), "", "Did you mean fr3?"),
        (("--world", "mars"), "", "Choose from: mujoco, pybullet"),
        (("--route", "magic"), "", "Choose from: auto, mixed, pddl, reward, value-map"),
        (("--model", "gpt"), "", "Choose from: offline, rules"),
        (("--strategy", "pray"), "", "Choose from: code"),
    ],
)
def test_what_does_not_go_together_is_refused(
    arguments: tuple[str, ...], option: str, words: str
) -> None:
    done = invoke("run", "put the red block on the tray", *arguments)
    assert done.exit_code == 2, done.output
    assert words in done.output and option.strip("-") in done.output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("scenes", "--seed", "4"), "give the name of a scene"),
        (("scenes", "--picture", "x.png"), "give the name of a scene"),
        (("scenes", "kitchen", "--picture", "x.txt"), "does not end in .png"),
        (("replay", "run", "--no-video", "--video", "v.mp4"), "does not go with --no-video"),
        (("plan", "put the red block on the tray", "--out", ""), "give a path"),
    ],
)
def test_what_would_be_dropped_is_refused(arguments: tuple[str, ...], words: str) -> None:
    done = invoke(*arguments)
    assert done.exit_code == 2, done.output
    assert words in done.output


def test_a_route_that_cannot_move_the_robot_says_which_can(tmp_path: Path) -> None:
    out = ("--out", str(tmp_path), "--no-video")
    done = invoke("run", "sit", "--robot", "quadruped", "--scene", "kitchen", *out)
    assert done.exit_code == 2 and "unknown scene of the quadruped 'kitchen'" in done.output
    done = invoke("run", "sit", "--robot", "quadruped", "--route", "pddl", *out)
    assert done.exit_code == 2 and "the quadruped has none" in done.output
    done = invoke("run", "sit", "--robot", "quadruped", "--route", "value-map", *out)
    assert done.exit_code == 2 and "the quadruped has none" in done.output
    assert not list(tmp_path.iterdir())


def test_a_conversation_that_changes_while_it_moves_needs_rewards(tmp_path: Path) -> None:
    done = invoke("chat", "--live", "--out", str(tmp_path), "--no-video")
    assert done.exit_code == 2 and "does not change a motion while it goes on" in done.output


def test_resuming_takes_its_options_from_the_folder(tmp_path: Path) -> None:
    done = invoke("run", "--resume", str(tmp_path), "--scene", "kitchen", "--seed", "4")
    assert done.exit_code == 2 and "leave out --scene, --seed" in done.output


def test_settings_and_options_have_the_same_defaults() -> None:
    defaults = Settings()
    for name, option in OPTIONS.items():
        if option.field and option.field != "model":  # the command line has the larger model
            assert getattr(defaults, option.field) == option.default, name


def test_every_option_of_the_table_is_in_a_command() -> None:
    used: set[str] = set()
    for command in cli.app.registered_commands:
        assert command.callback is not None
        used |= set(inspect.signature(command.callback).parameters)
    assert set(OPTIONS) <= used


def test_the_version_is_shown() -> None:
    done = invoke("--version")
    assert done.exit_code == 0 and done.output.strip() == f"embodied {__version__}"


def test_there_is_shell_completion() -> None:
    assert "--install-completion" in invoke("--help").output


def test_no_pictures_means_no_pictures_on_any_route(tmp_path: Path) -> None:
    done = invoke(
        "run", "move the gripper 5 cm up", "--route", "value-map", "--model", "rules",
        "--no-video", "--out", str(tmp_path),
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    (folder,) = tmp_path.iterdir()
    assert not [p for p in folder.iterdir() if p.suffix in (".png", ".html", ".mp4")]


def test_an_optimiser_is_chosen_by_name(tmp_path: Path) -> None:
    wrong = invoke("run", "sit", "--robot", "quadruped", "--optimiser", "adam")
    assert wrong.exit_code == 2 and "Choose from: cem, mppi, predictive-sampling" in wrong.output
    done = invoke(
        "run", "sit down low with a flat torso", "--robot", "quadruped", "--model", "rules",
        "--optimiser", "cem", "--no-video", "--out", str(tmp_path),
    )  # fmt: skip
    assert done.exit_code in (0, 1), done.output
