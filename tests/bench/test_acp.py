"""Eight kinds of questions about a small task of our own."""

from __future__ import annotations

import itertools
import json

import pytest
from embodied_planners.pddl import Planner

from embodied.bench.acp.answers import NONE, TASKS, Question, claim
from embodied.bench.acp.relaxed import Relaxed
from embodied.bench.runner import Row
from embodied.symbolic import applicable, bindings, validate_plan
from embodied.types import Atom, GroundAction, PddlProgram, PlanStatus

DOMAIN = """(define (domain lifts)
  (:requirements :strips :typing :negative-preconditions)
  (:types floor box - object)
  (:predicates (above ?f ?g - floor) (lift ?f - floor) (on ?b - box ?f - floor) (in ?b - box)
               (idle))
  (:action rise :parameters (?f ?g - floor)
    :precondition (and (lift ?f) (above ?g ?f)) :effect (and (lift ?g) (not (lift ?f))))
  (:action sink :parameters (?f ?g - floor)
    :precondition (and (lift ?f) (above ?f ?g)) :effect (and (lift ?g) (not (lift ?f))))
  (:action load :parameters (?b - box ?f - floor)
    :precondition (and (lift ?f) (on ?b ?f) (idle))
    :effect (and (in ?b) (not (on ?b ?f)) (not (idle))))
  (:action unload :parameters (?b - box ?f - floor)
    :precondition (and (lift ?f) (in ?b))
    :effect (and (on ?b ?f) (idle) (not (in ?b)))))"""
PROBLEM = """(define (problem three) (:domain lifts)
  (:objects f1 f2 f3 f9 - floor b1 b2 - box)
  (:init (above f2 f1) (above f3 f2) (lift f1) (on b1 f2) (on b2 f1) (idle))
  (:goal (on b1 f3)))"""
PLAN = "(load b2 f1) (rise f1 f2) (unload b2 f2) (load b1 f2) (rise f2 f3) (sink f3 f2) (rise f2 f3) (unload b1 f3)"  # noqa: E501


def asked(text: str = "") -> Question:
    record: Row = {"question": text, "PDDL_domain": DOMAIN, "PDDL_problem": PROBLEM}
    return Question.of(record)


def everything(question: Question) -> set[GroundAction]:
    return {
        GroundAction(s.name, tuple(b.values()))
        for s in question.domain.actions.values()
        for b in bindings(s.parameters, question.domain, question.problem.objects)
    }


def reached(question: Question) -> set[frozenset[Atom]]:
    states, todo = {question.problem.init}, [question.problem.init]
    while todo:
        facts = todo.pop()
        for action in everything(question):
            if not question.unmet(action, facts):
                after = question.after(action, facts)
                if after not in states:
                    states.add(after)
                    todo.append(after)
    return states


def test_applicable_actions_are_those_of_the_semantics() -> None:
    question = asked()
    objects = question.problem.objects
    expected = {
        a
        for a in everything(question)
        if not applicable(a, question.problem.init, question.domain, objects)
    }
    assert {*question.applicable} == expected
    assert {*TASKS["app"](question).replace(") (", ")|(").split("|")} == {*map(str, expected)}


@pytest.mark.parametrize(
    ("told", "answer"),
    [
        ("load box b2 at floor f1", "[(in b2)][(idle),(on b2 f1)]"),
        ("rise from floor f1 to floor f2", "[(lift f2)][(lift f1)]"),
        ("load b2:f1", "[(in b2)][(idle),(on b2 f1)]"),
    ],
)
def test_an_action_told_in_words_changes_what_it_does(told: str, answer: str) -> None:
    assert TASKS["prog"](asked(f'performing the action "{told}" into two lists')) == answer


def test_the_first_step_that_is_not_applicable() -> None:
    assert TASKS["val"](asked(f'the sequence "{PLAN}"?')) == NONE
    wrong = PLAN.replace("(unload b2 f2) ", "")
    assert TASKS["val"](asked(f'the sequence "{wrong}"?')) == "2"


def test_a_shorter_plan_is_part_of_the_plan_and_valid() -> None:
    question = asked(f'Simplify the plan "{PLAN}" by')
    steps = TASKS["just"](question).replace(") (", ")|(").split("|")
    plan = [GroundAction.parse(s) for s in steps]
    assert len(steps) == 6
    assert validate_plan(question.domain, question.problem, plan).ok
    told = iter(question.plan)
    assert all(step in told for step in steps)


def test_a_landmark_is_on_every_way_to_the_goal() -> None:
    question = asked()
    atom = Atom.parse(TASKS["land"](question))
    goal = Atom.parse("(on b1 f3)")
    without, todo = {question.problem.init}, [question.problem.init]
    while todo:
        facts = todo.pop()
        for action in everything(question):
            after = question.after(action, facts)
            if not question.unmet(action, facts) and atom not in after | question.problem.init:
                if after not in without:
                    without.add(after)
                    todo.append(after)
    assert atom not in question.problem.init
    assert not any(goal in facts for facts in without)
    domain, problem = claim("land", question, str(atom))
    program = PddlProgram(domain=domain, problem=problem, stages=(str(goal),), source="test")
    assert Planner().solve(program).status is PlanStatus.UNSOLVABLE


def test_what_never_holds_and_what_is_never_applicable() -> None:
    question = asked()
    states = reached(question)
    atom = Atom.parse(TASKS["reach"](question))
    assert not any(atom in facts for facts in states)
    action = GroundAction.parse(TASKS["areach"](question))
    assert all(question.unmet(action, facts) for facts in states)
    assert claim("areach", question, str(action))[0].startswith("(and")
    without = PROBLEM.replace(" f9", "")
    record = {"question": "", "PDDL_domain": DOMAIN, "PDDL_problem": without}
    assert TASKS["reach"](Question.of(record)) == NONE


def test_the_next_action_lies_on_a_shortest_plan() -> None:
    assert TASKS["nexta"](asked()) == "(rise f1 f2)"


def test_everything_that_is_reached_is_reached_without_deletions() -> None:
    question = asked()
    facts = set(itertools.chain.from_iterable(reached(question)))
    assert facts <= Relaxed(question.domain, question.problem).facts
    assert json.loads(json.dumps(claim("app", question, "(rise f1 f2)"))) == []
