"""Prompts of our own in the words of PlanBench, and their answers."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from embodied_planners.pddl import Planner

from embodied.bench.planbench.reading import read_prompt
from embodied.bench.planbench.suite import SUITE, Settings, cases, other_words, replaced, run_prompt
from embodied.errors import NotUnderstoodError
from embodied.symbolic import read_domain, read_problem, validate_plan
from embodied.types import GroundAction, PlanStatus

FERRY = """I am playing with a set of objects. Here are the actions I can do

   Hum object from another object
   Croak object from another object
   Wade object from another object

I have the following restrictions on my actions:
    To perform Hum action, the following facts need to be true: Pale, Object Moss other object, Fern other object.
    Once Hum action is performed the following facts will be true: Dusk object.
    Once Hum action is performed the following facts will be false:, Pale, Object Moss other object.
    To perform Croak action, the following needs to be true: Dusk object, Fern other object.
    Once Croak action is performed the following will be true: Pale, Object Moss other object.
    Once Croak action is performed the following will be false: Dusk object.
    To perform Wade action, the following facts need to be true: Fern object, Reed other object.
    Once Wade action is performed the following facts will be true: Fern other object.
    Once Wade action is performed the following facts will be false: Fern object.

[STATEMENT]
As initial conditions I have that, reed object z.
My goal is to have that reed object z.

My plan is as follows:

[PLAN]
[PLAN END]

[STATEMENT]
As initial conditions I have that, pale, object a moss object c, object b moss object d, fern object d, reed object c and reed object d.
My goal is to have that object a moss object d and object b moss object c.

My plan is as follows:

[PLAN]"""  # noqa: E501

BLOCKS = """I am playing with a set of blocks where I need to arrange the blocks into stacks. Here are the actions I can do

Pick up a block
Unstack a block from on top of another block
Put down a block
Stack a block on top of another block

I have the following restrictions on my actions:
I can only pick up or unstack one block at a time.

[STATEMENT]
As initial conditions I have that, the red block is clear, the hand is empty, the red block is on top of the blue block and the blue block is on the table.
My goal is to have that the blue block is on top of the red block.

My plan is as follows:

[PLAN]"""  # noqa: E501


def answered(text: str) -> tuple[str, tuple[GroundAction, ...]]:
    prompt = read_prompt(text)
    result = Planner().solve(prompt.program)
    assert result.status is PlanStatus.SOLVED, result.message
    domain = read_domain(prompt.program.domain)
    assert validate_plan(domain, read_problem(prompt.program.problem, domain), result.plan).ok
    return prompt.said(result.plan), result.plan


def test_a_domain_is_read_from_its_text() -> None:
    prompt = read_prompt(FERRY)
    domain = read_domain(prompt.program.domain)
    assert {n: len(p) for n, p in domain.predicates.items()} == {
        "pale": 0, "moss": 2, "fern": 1, "dusk": 1, "reed": 1,
    }  # fmt: skip
    assert str(domain.actions["wade"].precondition) == "(and (fern ?x) (reed ?y))"
    assert [(str(e.atom), e.positive) for e in domain.actions["hum"].effects] == [
        ("(dusk ?x)", True), ("(pale)", False), ("(moss ?x ?y)", False),
    ]  # fmt: skip


def test_an_answer_is_in_the_prompts_words_and_reaches_the_goal() -> None:
    said, plan = answered(FERRY)
    assert len(said.splitlines()) == len(plan) >= 6
    assert all(
        re.fullmatch(r"(hum|croak|wade) object \w from object \w", x) for x in said.split("\n")
    )


def test_plain_blocks() -> None:
    assert answered(BLOCKS)[0].splitlines() == [
        "unstack the red block from on top of the blue block",
        "put down the red block",
        "pick up the blue block",
        "stack the blue block on top of the red block",
    ]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_other_words_give_the_same_plan(seed: int) -> None:
    words = other_words(FERRY, seed)
    assert set(words) == set("hum croak wade pale moss fern dusk reed".split())
    assert not set(words.values()) & set(words)
    other = replaced(FERRY, words)
    assert "moss" not in other.lower()
    said, _ = answered(other)
    assert replaced(said, {v: k for k, v in words.items()}) == answered(FERRY)[0]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("fern object d,", "fern object d, object a sings,"),
        ("Once Croak action is performed", "When Croak is over"),
        ("To perform Wade", "To perform Swim"),
        ("My goal is to have that", "I want"),
    ],
)
def test_what_has_no_meaning_is_refused(old: str, new: str) -> None:
    with pytest.raises(NotUnderstoodError):
        read_prompt(FERRY.replace(old, new))


EXTRACTION = """
def text_to_plan(text, actions, plan_file, config):
    lines = [x.replace("object ", "").replace("from ", "") for x in text.lower().splitlines()]
    known = [x for x in lines if x.split() and len(x.split()) == 1 + len(actions[x.split()[0]].parameters.vars())]
    open(plan_file, "w").write("".join(f"({x})" for x in known))
"""  # noqa: E501


@pytest.mark.skipif(bool(SUITE.missing()), reason="no environment of the suite planbench")
def test_the_judge_validates_against_the_instance_and_not_against_what_was_read(
    tmp_path: Path,
) -> None:
    name = "mystery_blocksworld_3"
    prompt = read_prompt(FERRY)
    instances = tmp_path / "instances"
    for folder in (
        tmp_path / "configs",
        tmp_path / "utils",
        tmp_path / "prompts" / name,
        instances,
    ):
        folder.mkdir(parents=True)
    (tmp_path / "utils" / "text_to_pddl.py").write_text(EXTRACTION)
    settings = {"domain_file": "domain.pddl", "instance_dir": ".", "instances_template": "{}.pddl"}
    (tmp_path / "configs" / f"{name}.yaml").write_text(json.dumps(settings))
    (instances / "domain.pddl").write_text(prompt.program.domain)
    problem = prompt.program.problem.replace("object-", "")
    (instances / "1.pddl").write_text(problem)
    (instances / "2.pddl").write_text(problem.replace("(pale)\n", "\n"))
    told = [{"instance_id": i, "query": FERRY} for i in (1, 2)]
    path = tmp_path / "prompts" / name / "task_1_plan_generation.json"
    path.write_text(json.dumps({"instances": told}))
    tasks = cases(Settings(data=tmp_path, set=(name,), obfuscate=5))
    rows = [run_prompt(t.payload) for t in tasks]
    assert [(r["valid"], r["stage"]) for r in rows] == [(True, ""), (False, "judge")]
    (copied,) = cases(Settings(data=tmp_path, set=(name,), method=("copied",), limit=1))
    assert not run_prompt(copied.payload)["valid"]
