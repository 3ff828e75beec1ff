"""``embodied plan --domain --problem``: plans for files, without a robot."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from embodied.app.cli.main import app

DOMAIN = """(define (domain lamps) (:requirements :strips)
 (:predicates (off ?l) (on ?l) (next ?a ?b) (at ?l))
 (:action step :parameters (?a ?b) :precondition (and (at ?a) (next ?a ?b))
  :effect (and (at ?b) (not (at ?a))))
 (:action light :parameters (?l) :precondition (and (at ?l) (off ?l))
  :effect (and (on ?l) (not (off ?l)))))
"""
PROBLEM = """(define (problem two) (:domain lamps) (:objects a b)
 (:init (off a) (off b) (at a) (next a b))
 (:goal (and (on b) (at b))))
"""


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    domain, problem = tmp_path / "lamps.pddl", tmp_path / "two.pddl"
    domain.write_text(DOMAIN)
    problem.write_text(PROBLEM)
    return domain, problem


def _plan(domain: Path, problem: Path | None, *options: str) -> Result:
    named = ("--problem", str(problem)) if problem else ()
    return CliRunner().invoke(app, ["plan", "--domain", str(domain), *named, *options])


def test_the_plan_is_printed_as_planners_write_it(files: tuple[Path, Path]) -> None:
    done = _plan(*files)
    assert done.exit_code == 0, done.output
    lines = done.output.splitlines()
    assert lines[:2] == ["(step a b)", "(light b)"]
    assert lines[2].startswith("; valid: 2 steps, cost 2")
    assert all(line.startswith(";") for line in lines[2:])


def test_one_file_may_hold_both(files: tuple[Path, Path]) -> None:
    files[0].write_text(DOMAIN + PROBLEM)
    done = _plan(files[0], None, "--json", "--optimal")
    found = json.loads(done.output)
    assert done.exit_code == found["exit_code"] == 0
    assert found["plan"] == ["(step a b)", "(light b)"]
    assert found["status"] == "solved" and found["optimal"] is True and found["cost"] == 2


def test_what_cannot_be_planned_has_a_code_of_its_own(files: tuple[Path, Path]) -> None:
    files[1].write_text(PROBLEM.replace("(next a b)", ""))
    none = _plan(*files, "--json")
    assert none.exit_code == 1 and json.loads(none.output)["status"] == "unsolvable"
    cells = range(80)
    domain, problem = files
    domain.write_text(
        "(define (domain slide) (:requirements :strips) (:predicates (at ?t ?c) (free ?c)"
        " (near ?a ?b)) (:action slide :parameters (?t ?a ?b)"
        " :precondition (and (at ?t ?a) (near ?a ?b) (free ?b))"
        " :effect (and (at ?t ?b) (free ?a) (not (at ?t ?a)) (not (free ?b)))))"
    )
    near = " ".join(
        f"(near c{i} c{j})" for i in range(81) for j in (i - 9, i + 9, i - 1, i + 1) if 0 <= j < 81
    )
    start = " ".join(f"(at t{i} c{i})" for i in cells)
    end = " ".join(f"(at t{i} c{80 - i})" for i in cells)
    names = " ".join([f"c{i}" for i in range(81)] + [f"t{i}" for i in cells])
    problem.write_text(
        f"(define (problem p) (:domain slide) (:objects {names})"
        f" (:init (free c80) {near} {start}) (:goal (and {end})))"
    )
    late = _plan(*files, "--plan-time", "0.5")
    assert late.exit_code == 4 and late.output.startswith("; out of time")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("(on b)", "(on c)", ("problem, line 3", "undeclared object 'c'", "objects here: a, b")),
        ("(on b)", "(lit b)", ("line 3", "unknown predicate 'lit'", "(off ?l)")),
        ("(on b)", "(preference p (on b))", ("line 3", "unsupported: preference")),
        ("(:goal", "(:aim", ("line 3", "unsupported or misplaced part", "parts: :domain")),
    ],
)
def test_errors_have_a_line_and_a_hint(
    old: str, new: str, words: tuple[str, ...], files: tuple[Path, Path]
) -> None:
    files[1].write_text(PROBLEM.replace(old, new))
    done = _plan(*files, "--json")
    found = json.loads(done.output)
    assert done.exit_code == found["exit_code"] == 2
    for word in words:
        assert word in found["message"]


@pytest.mark.parametrize(
    "options",
    [("--scene", "blocks"), ("--model", "rules"), ("put the red block in the bin",)],
)
def test_options_of_sentences_do_not_go_with_files(
    options: tuple[str, ...], files: tuple[Path, Path]
) -> None:
    assert _plan(*files, *options).exit_code == 2
    alone = CliRunner().invoke(app, ["plan", "--problem", str(files[1])])
    assert alone.exit_code == 2 and "--domain" in alone.output
    assert CliRunner().invoke(app, ["plan", "--domain", "/no/such/file"]).exit_code == 2


def test_no_simulator_is_imported(files: tuple[Path, Path]) -> None:
    code = (
        "import sys\nfrom embodied.app.plan_files import plan_files\nfrom pathlib import Path\n"
        f"plan_files(Path({str(files[0])!r}), Path({str(files[1])!r}), optimal=False,"
        " plan_time_s=20, json=False)\n"
        "assert not {'mujoco', 'pybullet', 'torch'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)
