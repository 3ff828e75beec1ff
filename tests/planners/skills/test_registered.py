"""Skills are found by name, one file each; another package's takes part in everything."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from embodied_planners.skills import SKILLS, all_skills

from embodied.symbolic import read_domain
from embodied.types import ObjectSpec
from embodied.world.grounding import domain_text

EXAMPLES = Path(__file__).parents[3] / "examples"


COVER = {
    "cup": ObjectSpec(name="cup", kind="item", category="item", inner_size_m=(0.06, 0.06, 0.07))
}
"""An item that is hollow below: scenes without one do without the skill that lifts it."""


@pytest.mark.parametrize("name", SKILLS.names)
def test_a_skill_is_one_file_that_says_all_about_it(name: str) -> None:
    skill, domain = SKILLS.get(name), read_domain(domain_text(COVER))
    assert skill.name == name
    assert len(domain.actions[name].parameters) == skill.arity
    words = skill.explanation.format(*(f"<{i}>" for i in range(skill.arity)))
    assert all(f"<{i}>" in words for i in range(skill.arity)) and words.endswith(".")


def test_the_domain_lists_the_actions_by_rank() -> None:
    order = ("pick", "unstack", "take-out", "place", "stack", "put-in", "open", "close")
    assert tuple(s.name for s in all_skills()) == (*order, "uncover", "cover")
    assert tuple(read_domain(domain_text({})).actions) == order
    assert tuple(read_domain(domain_text(COVER)).actions) == (*order, "uncover", "cover")


def embodied(folder: Path, *words: str, installed: bool) -> subprocess.CompletedProcess[str]:
    """Run the command line with the example's package installed, or not."""
    info = folder / "other_package-1.0.dist-info"
    info.mkdir(exist_ok=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: other-package\nVersion: 1.0\n")
    point = "[embodied.skills]\npush-away = own_skill:SKILL\n" if installed else ""
    (info / "entry_points.txt").write_text(point)
    out = ("--no-video", "--json", "--model", "rules", "--out", str(folder / "runs"))
    return subprocess.run(
        [sys.executable, "-m", "embodied.app.cli.main", *words, *out],
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(folder), str(EXAMPLES), *filter(None, sys.path)]),
        },
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_sentence_is_carried_out_with_another_packages_skill(tmp_path: Path) -> None:
    sentence = "push the red block away, then put the green block on the tray"
    done = embodied(tmp_path, "run", sentence, "--seed", "3", "--yes", installed=True)
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    goals = [g["text"] for g in summary["verdict"]["goals"]]
    assert goals == ["(far red-block)", "(on green-block tray)"]
    (folder,) = (tmp_path / "runs").iterdir()
    plan = (folder / "plan.txt").read_text()
    assert "(push-away red-block)" in plan and "Push the red block away from the robot." in plan
    events = [json.loads(line) for line in (folder / "events.jsonl").read_text().splitlines()]
    assert any("(far red-block)" in json.dumps(e) for e in events if e["kind"] == "verdict")


@pytest.mark.parametrize(
    ("sentence", "installed", "reason"),
    [
        ("push the red block away", False, "where to push"),
        ("push the bin away", True, "bin"),
        ("push the unicorn away", True, "unicorn"),
    ],
)
def test_what_no_skill_does_is_refused(
    sentence: str, installed: bool, reason: str, tmp_path: Path
) -> None:
    done = embodied(tmp_path, "run", sentence, installed=installed)
    assert done.returncode == 2, done.stdout
    assert reason in done.stdout + done.stderr
    assert ("push {x} away" in done.stdout + done.stderr) == installed
