"""What the README promises of ``pip install`` without extras holds without their packages."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

OPTIONAL = (
    "xllamacpp pydantic_ai openai anthropic pybullet open3d numba torch gguf matplotlib mcap ray"
    " rtde_control rtde_receive dynamixel_sdk scservo_sdk cyclonedds transformers gymnasium pyarrow"
    " mcp anyio viser websockets msgspec trimesh"
).split()

WITHOUT = f"""
import importlib.machinery, sys

class Bare(importlib.machinery.PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name.partition(".")[0] in {OPTIONAL!r}:
            return None
        return super().find_spec(name, path, target)

at = sys.meta_path.index(importlib.machinery.PathFinder)
sys.meta_path[at] = Bare
from embodied.app.cli.main import main
sys.argv = ["embodied", *sys.argv[1:]]
main()
"""


def _without_extras(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", WITHOUT, *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)


def test_the_first_sentence_needs_no_extra(tmp_path: Path) -> None:
    done = _without_extras(tmp_path, "run", "put the red block on the green block", "--no-video")
    assert done.returncode == 0, done.stderr
    assert "goal reached" in done.stdout
    assert "[local]" in done.stdout  # the header says what is missing for other sentences


def test_perception_needs_no_extra(tmp_path: Path) -> None:
    done = _without_extras(tmp_path, "perceive")
    assert done.returncode == 0, done.stderr


def test_a_sentence_that_the_rules_refuse_says_what_is_missing(tmp_path: Path) -> None:
    done = _without_extras(tmp_path, "plan", "tidy up a bit would you")
    assert done.returncode == 2, done.stderr
    assert "embodied-stack[local]" in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("words", "extra"),
    [
        (("run", "--route", "value-map", "move above the red block"), "value-map"),
        (("perceive", "--points", "cloud.ply"), "open3d"),
        (("perceive", "--picture", "views.png"), "perception"),
        (("run", "--world", "pybullet", "put the red block on the green block"), "pybullet"),
        (("run", "--model", "local:x.gguf", "put the red block on the green block"), "local"),
        (("bridge", "check", "--driver", "universal-robots"), "bridge-ur"),
        (("mcp",), "mcp"),
        (("serve",), "console"),
    ],
)
def test_what_needs_an_extra_names_it(tmp_path: Path, words: tuple[str, ...], extra: str) -> None:
    done = _without_extras(tmp_path, *words)
    assert done.returncode == 3, done.stdout + done.stderr
    assert f"embodied-stack[{extra}]" in done.stdout + done.stderr


@pytest.mark.parametrize("words", [("bench", "list"), ("train-translator", "--help")])
def test_lists_and_help_need_no_extra(tmp_path: Path, words: tuple[str, ...]) -> None:
    done = _without_extras(tmp_path, *words)
    assert done.returncode == 0, done.stderr
    assert "embodied-stack[" in done.stdout  # what lacks something says what


@pytest.mark.parametrize("strategy", ["tree", "code"])
def test_strategies_ask_for_a_model_not_for_an_extra(tmp_path: Path, strategy: str) -> None:
    sentence = "put the red block on the green block"
    done = _without_extras(tmp_path, "run", "--strategy", strategy, sentence, "--no-video")
    assert done.returncode == 2, done.stderr
    assert f"the strategy {strategy} asks a language model" in done.stderr
