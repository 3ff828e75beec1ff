"""Forms that published tasks and models' answers have, from text to validated plan."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from embodied_planners.pddl import Planner

from embodied.symbolic import lint, read_domain, render_domain, render_problem, repair
from embodied.symbolic.reading import read_leniently, read_problem
from embodied.types import PddlProgram, PlanResult, PlanStatus

STEPS = """(define (domain steps) (:requirements :strips) (:predicates (at ?x) (next ?x ?y))
 (:action go :parameters (?x ?y) :precondition (and (at ?x) (next ?x ?y))
  :effect (and (at ?y) (not (at ?x)))))"""
WALK = (
    "(define (problem w) (:domain steps) (:objects a b) (:init (at a) (next a b)) (:goal (at b)))"
)
HIGHEST = """(define (domain piles) (:requirements :adl :derived-predicates)
 (:predicates (on ?x ?y) (over ?x ?y) (taken ?x))
 (:derived (over ?x ?y) (on ?x ?y))
 (:derived (over ?x ?y) (exists (?z) (and (on ?x ?z) (over ?z ?y))))
 (:action take :parameters (?x) :precondition (not (exists (?y) (over ?y ?x)))
  :effect (and (taken ?x) (forall (?y) (not (on ?x ?y))))))"""
PILE = """(define (problem q) (:domain piles) (:objects c b a)
 (:init (on c b) (on b a)) (:goal (and (taken a) (not (over b a)))))"""


def _solved(domain: str, problem: str, **options: bool) -> PlanResult:
    program = PddlProgram(domain=domain, problem=problem, stages=(), source="test")
    return Planner(**options).solve(program, deadline_s=30)


def _parts(text: str) -> tuple[str, str]:
    """Domain and problem of a file that holds either or both."""
    starts = [m.start() for m in re.finditer(r"\(define|^```", text, re.MULTILINE)]
    found = [text[a:b] for a, b in zip(starts, [*starts[1:], len(text)], strict=True)]
    domain = next((t for t in found if "(domain" in t.split("\n")[0]), "")
    return domain, text[text.index("```") :] if "```" in text else found[-1]


def test_the_published_cases_come_out_as_they_say(benchmark_data: Path) -> None:
    files = sorted((benchmark_data / "pddl_cases").glob("*.*"))
    files = [f for f in files if f.name != "README.md"]
    if not files:
        pytest.skip("no published benchmark data: set EMBODIED_BENCHMARK_DATA to its folder")
    plain = _parts((benchmark_data / "pddl_cases" / "untyped-rendering.pddl").read_text())[0]
    for file in files:
        text = file.read_text()
        answer = text.split("\n")[0]
        domain, problem = _parts(text)
        result = _solved(domain or plain, problem)
        refused = re.search(r'refused as "([^"]+)"', answer)
        if refused is not None:
            assert result.status is PlanStatus.UNSUPPORTED and refused[1] in result.message, file
            continue
        assert result.status is PlanStatus.SOLVED, (file, result.message)
        plan = re.search(r"Plan: (.+)$", answer)
        assert plan is None or plan[1] == " ".join(map(str, result.plan)), file
        assert ("fence" in answer) == ("fence" in result.message), file
        if "untyped" in answer:
            assert " - " not in _written(domain, problem), file


def _written(domain_text: str, problem_text: str) -> str:
    domain = read_domain(domain_text)
    problem = read_problem(problem_text, domain)
    goal = [str(problem.goal)]
    return render_domain(domain) + render_problem("p", domain, problem.objects, problem.init, goal)


@pytest.mark.parametrize("engines", ["auto", "fast-downward"])
@pytest.mark.parametrize(
    ("domain", "problem"),
    [
        (STEPS.replace(" ?", "?"), WALK),
        (STEPS.replace("(next ?x ?y)", "(next ?x ?x)", 1), WALK),
        (STEPS, f"Here it is:\n\n```pddl\n{WALK}\n```\nDone."),
        (f"~~~\n{STEPS}\n~~~", f"```\n{WALK}"),
        (f"{STEPS}\n{WALK}", f"{STEPS}\n{WALK}"),
        (STEPS.replace("(?x ?y)", "(?x -object ?y -object)"), WALK),
        (
            STEPS.replace(":strips", ":strips :typing"),
            WALK.replace("(:objects a b", "(:objects a - object b -object"),
        ),
        (STEPS, WALK.replace("(:objects a b", "(:objects a b a")),
        (STEPS, WALK.replace("(at a)", "(and (at a)").replace("(next a b))", "(next a b)))")),
    ],
    ids="glued repeated fenced both-fenced one-file dash typed twice and".split(),
)
def test_forms_with_one_meaning_are_planned_for(engines: str, domain: str, problem: str) -> None:
    program = PddlProgram(domain=domain, problem=problem, stages=(), source="test")
    result = Planner(engines=engines).solve(program, deadline_s=30)
    assert result.status is PlanStatus.SOLVED, result.message
    assert [str(a) for a in result.plan] == ["(go a b)"]


@pytest.mark.parametrize("options", [{}, {"optimal": True}], ids=["first", "optimal"])
def test_derived_predicates_go_to_the_engines(options: dict[str, bool]) -> None:
    result = _solved(HIGHEST, PILE, **options)
    assert result.status is PlanStatus.SOLVED, result.message
    assert [str(a) for a in result.plan] == ["(take c)", "(take b)", "(take a)"]
    assert result.engine != "small search"
    assert result.optimal == options.get("optimal", False)


def test_the_small_search_declines_derived_predicates() -> None:
    program = PddlProgram(domain=HIGHEST, problem=PILE, stages=(), source="test")
    result = Planner(engines="small").solve(program, deadline_s=5)
    assert result.status is PlanStatus.UNSUPPORTED
    assert "derived predicates" in result.message


@pytest.mark.parametrize(
    ("old", "new", "head"),
    [
        ("(:goal (at b))", "(:goal (and (at b) (preference fast (at b))))", "preference"),
        ("(:goal (at b))", "(:goal (and (at b) (sometime-after (at a) (at b))))", "sometime-after"),
        ("(:goal", "(:constraints (always (at b))) (:goal", ":constraints"),
    ],
)
def test_what_pddl_3_adds_is_refused_by_its_name(old: str, new: str, head: str) -> None:
    result = _solved(STEPS, WALK.replace(old, new))
    assert result.status is PlanStatus.UNSUPPORTED
    assert "unsupported" in result.message and head in result.message
    assert "undeclared" not in result.message


def test_a_predicate_may_be_called_as_pddl_3_calls_a_constraint() -> None:
    result = _solved(STEPS.replace("(next", "(within"), WALK.replace("(next", "(within"))
    assert [str(a) for a in result.plan] == ["(go a b)"]


def test_untyped_stays_untyped() -> None:
    quantified = STEPS.replace("(at ?x) (next ?x ?y))\n", "(at ?x) (next ?x ?y))\n", 1).replace(
        ":precondition (and (at ?x)",
        ":precondition (and (forall (?z) (imply (at ?z) (at ?z))) (at ?x)",
    )
    for text in (STEPS, quantified):
        assert " - " not in _written(text, WALK)
    mended, _, notes = repair(STEPS, WALK.replace("(:objects a b", "(:objects a b a"))
    assert " - " not in mended
    problem, notes = repair(STEPS, WALK.replace("(:objects a b", "(:objects a b a"))[1:]
    assert notes and " - " not in problem
    assert not [d for d in lint(STEPS, WALK) if "typing" in d.problem]


def test_ill_typed_facts_are_left_out_only_when_asked() -> None:
    domain = read_domain(STEPS)
    odd = WALK.replace("(next a b)", "(next a b) (next a) (at c) (near a b)")
    problem, notes = read_leniently(odd, domain)
    assert problem == read_problem(WALK, domain)
    assert len(notes) == 3 and all("line 1" in note for note in notes)
    assert _solved(STEPS, odd).status is PlanStatus.UNSUPPORTED
    lenient = _solved(STEPS, odd, lenient=True)
    assert [str(a) for a in lenient.plan] == ["(go a b)"]
    assert "near" in lenient.message
    wrong_goal = _solved(STEPS, odd.replace("(:goal (at b))", "(:goal (at c))"), lenient=True)
    assert wrong_goal.status is PlanStatus.UNSUPPORTED
