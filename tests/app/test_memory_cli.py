"""``embodied memory`` on the folder of a run."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from embodied.app.cli.main import app
from embodied.memory import Delta, Memory, MemoryLog, Provenance, Vocabulary, Writer
from embodied.symbolic import read_domain, read_problem

DOMAIN = """(define (domain d) (:requirements :strips :typing)
  (:types item support - object)
  (:predicates (on ?x - item ?y - object) (clear ?x - item))
  (:action move :parameters (?x - item ?a - object ?b - object)
    :precondition (and (on ?x ?a) (clear ?x))
    :effect (and (not (on ?x ?a)) (on ?x ?b))))"""
PROBLEM = """(define (problem p) (:domain d) (:objects a b - item table - support)
  (:init (on a table) (on b table) (clear a) (clear b)) (:goal (on a b)))"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "domain.pddl").write_text(DOMAIN)
    (tmp_path / "problem.pddl").write_text(PROBLEM)
    events = [
        {"kind": "instruction", "data": {"text": "put a on b"}},
        {"kind": "plan", "data": {"problem": PROBLEM}},
        {
            "kind": "effects",
            "data": {
                "action": "(move a table b)",
                "time_s": 2.0,
                "missing": ["(on a b)"],
                "surprising": ["(not (clear b))"],
            },
        },
        {"kind": "observation", "data": {"time_s": 3.0, "facts": ["(on b table)", "(clear b)"]}},
    ]
    lines = [json.dumps({"wall_s": 0.0, **event}) for event in events]
    (tmp_path / "events.jsonl").write_text("\n".join(lines) + "\n" + '{"wall_s": 1')
    return tmp_path


def told(*arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(app, ["memory", *arguments])
    assert result.exit_code == code, result.output
    return result.stdout


def test_a_run_is_read_from_its_events(folder: Path) -> None:
    shown = json.loads(told("show", str(folder), "--json"))
    assert (shown["step"], shown["time_s"]) == (4, 3.0)
    assert [f["fact"] for f in shown["facts"]] == ["(clear b)", "(on b table)"]
    text = told("replay", str(folder))
    assert "measured after (move a table b)" in text
    assert "~ not as promised: (on a b)" in text
    assert "- (clear b)" in text
    assert len(json.loads(told("replay", str(folder), "--json"))) == 4


def test_questions_about_any_step(folder: Path) -> None:
    assert told("ask", str(folder), "where is the a?").startswith("I do not know where the a is")
    assert told("ask", str(folder), "where is a?", "--step", "2") == "The a is on the table.\n"
    answer = json.loads(told("ask", str(folder), "what is on the table", "--json", "--step", "2"))
    assert answer["answer"] == ["a", "b"]
    told("ask", str(folder), "wherefore?", code=2)
    told("show", str(folder), "--step", "9", code=3)


def test_a_memory_log_comes_first(folder: Path) -> None:
    domain = read_domain(DOMAIN)
    memory = Memory(
        vocabulary=Vocabulary(domain=domain, objects=read_problem(PROBLEM, domain).objects)
    )
    written = Writer().propose(
        memory, [Delta.add("(on a b)")], provenance=Provenance.TOLD, time_s=1.0
    )
    with MemoryLog(folder / "memory.jsonl") as log:
        assert written.memory.change is not None
        log.append(written.memory.change)
    assert "(on a b)" in told("show", str(folder))
    assert "told at 1 s" in told("show", str(folder))


def test_no_run(tmp_path: Path) -> None:
    told("show", str(tmp_path), code=3)
