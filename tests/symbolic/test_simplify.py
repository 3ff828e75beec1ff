from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from embodied.symbolic import (
    And,
    Domain,
    Equal,
    Exists,
    ForAll,
    Formula,
    Imply,
    Not,
    Or,
    Parameter,
    Problem,
    Proposition,
    holds,
    read_domain,
    read_goal,
    read_problem,
    render_domain,
    render_problem,
)
from embodied.symbolic.simplify import compile_quantifiers, disjuncts, simplify, static_truth
from embodied.types import Atom

OBJECTS = {"a": "object", "b": "object", "c": "object"}
DOMAIN = Domain(
    name="d", predicates={"p": (Parameter("?x"),), "r": (Parameter("?x"), Parameter("?y"))}
)
terms = st.sampled_from(["a", "b", "c", "?u", "?v"])
leaves = st.one_of(
    st.builds(lambda t: Proposition("p", (t,)), terms),
    st.builds(lambda t, u: Proposition("r", (t, u)), terms, terms),
    st.builds(Equal, terms, terms),
)
variables = st.sampled_from(
    [(Parameter("?u"),), (Parameter("?v"),), (Parameter("?u"), Parameter("?v"))]
)
formulas = st.recursive(
    leaves,
    lambda f: st.one_of(
        st.builds(Not, f),
        st.builds(lambda *p: And(p), f, f),
        st.builds(lambda *p: Or(p), f, f),
        st.builds(Imply, f, f),
        st.builds(ForAll, variables, f),
        st.builds(Exists, variables, f),
    ),
    max_leaves=6,
)
atoms = st.one_of(
    st.builds(lambda x: Atom("p", (x,)), st.sampled_from("abc")),
    st.builds(lambda x, y: Atom("r", (x, y)), st.sampled_from("abc"), st.sampled_from("abc")),
)


def _closed(formula: Formula) -> Formula:
    return ForAll((Parameter("?u"), Parameter("?v")), formula)


@given(formula=formulas, facts=st.frozensets(atoms))
@settings(max_examples=150, deadline=None, derandomize=True)
def test_simplified_formulas_mean_the_same(formula: Formula, facts: frozenset[Atom]) -> None:
    closed = _closed(formula)
    truth = holds(closed, facts, DOMAIN, OBJECTS)
    plain = simplify(closed, DOMAIN, OBJECTS, lambda _: None)
    assert holds(plain, facts, DOMAIN, OBJECTS) == truth

    def static(p: Proposition) -> bool | None:
        return p.ground({}) in facts if p.predicate == "p" else None

    known = simplify(closed, DOMAIN, OBJECTS, static)
    assert holds(known, facts, DOMAIN, OBJECTS) == truth
    assert "(p " not in str(known)


@given(formula=formulas, facts=st.frozensets(atoms))
@settings(max_examples=100, deadline=None, derandomize=True)
def test_disjunctive_normal_form_means_the_same(formula: Formula, facts: frozenset[Atom]) -> None:
    closed = Exists((Parameter("?u"), Parameter("?v")), formula)
    plain = simplify(closed, DOMAIN, OBJECTS, lambda _: None)
    alternatives = disjuncts(plain, limit=100_000)
    found = any(all(holds(x, facts, DOMAIN, OBJECTS) for x in a) for a in alternatives)
    assert found == holds(closed, facts, DOMAIN, OBJECTS)


@given(formula=formulas)
@settings(max_examples=100, deadline=None, derandomize=True)
def test_written_formulas_are_read_back(formula: Formula) -> None:
    closed = _closed(formula)
    assert read_goal(str(closed), DOMAIN, OBJECTS) == closed


def test_a_colour_goal_becomes_a_list_of_facts(tabletop: Domain, problem: Problem) -> None:
    goal = read_goal(
        "(forall (?b - block) (imply (has-color ?b crimson) (in ?b bin)))",
        tabletop,
        problem.objects,
    )
    plain = simplify(goal, tabletop, problem.objects, static_truth(tabletop, problem))
    assert str(plain) == "(and (in red bin) (in blue bin))"


def test_compiled_tasks_have_no_quantified_preconditions(
    tabletop: Domain, problem: Problem
) -> None:
    compiled, _ = compile_quantifiers(tabletop, problem)
    assert "forall" in str(tabletop.actions["stack"].precondition)
    assert "forall" not in str(compiled.actions["stack"].precondition)
    assert set(compiled.constants) == {"bin", "drawer"}


def test_domains_and_problems_are_written_and_read_back(tabletop: Domain, problem: Problem) -> None:
    domain = read_domain(render_domain(tabletop))
    assert domain.actions == tabletop.actions
    assert domain.predicates == tabletop.predicates
    assert domain.types == tabletop.types
    text = render_problem(
        problem.name, domain, problem.objects, problem.init, [str(problem.goal), "(clear red)"]
    )
    again = read_problem(text, domain)
    assert (again.objects, again.init) == (problem.objects, problem.init)
    assert str(again.goal) == str(problem.goal)[:-1] + " (clear red))"
