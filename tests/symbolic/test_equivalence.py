from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest

from embodied.symbolic import (
    Domain,
    Problem,
    differences,
    equivalent,
    isomorphism,
    read_domain,
    read_goal,
    read_problem,
    repair,
)
from embodied.types import Atom

GRAPH = read_domain(
    "(define (domain graph) (:requirements :strips :typing) (:types node)"
    " (:predicates (edge ?a ?b - node) (at ?a - node))"
    " (:action go :parameters (?a ?b - node) :precondition (and (at ?a) (edge ?a ?b))"
    " :effect (and (at ?b) (not (at ?a)))))"
)


def _graph(edges: list[tuple[int, int]], at: int, goal: int, n: int) -> Problem:
    both = {*edges, *((b, a) for a, b in edges)}
    facts = " ".join(f"(edge n{a} n{b})" for a, b in sorted(both))
    return read_problem(
        f"(define (problem g) (:domain graph) (:objects {' '.join(f'n{i}' for i in range(n))}"
        f" - node) (:init (at n{at}) {facts}) (:goal (at n{goal})))",
        GRAPH,
    )


def _renamed(problem: Problem, domain: Domain, seed: int) -> Problem:
    names = list(problem.objects)
    fresh = [f"z{i}" for i in range(len(names))]
    random.Random(seed).shuffle(fresh)
    new = dict(zip(names, fresh, strict=True))
    goal_text = str(problem.goal)
    words = goal_text.replace("(", " ( ").replace(")", " ) ").split()
    goal_text = " ".join(new.get(w, w) if words[i - 1] != "(" else w for i, w in enumerate(words))
    objects = {new[n]: t for n, t in problem.objects.items()}
    objects = dict(sorted(objects.items()))

    def move(atom: Atom) -> Atom:
        return Atom(atom.predicate, tuple(new.get(x, x) for x in atom.args))

    return replace(
        problem,
        objects=objects,
        init=frozenset(map(move, problem.init)),
        values={move(k): v for k, v in problem.values.items()},
        goal=read_goal(goal_text, domain, objects),
    )


@pytest.mark.parametrize("seed", range(5))
def test_renamed_graphs_are_equivalent(seed: int) -> None:
    rng = random.Random(seed)
    edges = [(a, b) for a in range(12) for b in range(a) if rng.random() < 0.25]
    graph = _graph(edges, 0, 5, 12)
    renamed = _renamed(graph, GRAPH, seed)
    mapping = isomorphism(graph, renamed, GRAPH)
    assert mapping is not None
    assert {
        Atom(f.predicate, tuple(mapping[x] for x in f.args)) for f in graph.init
    } == renamed.init
    assert differences(graph, renamed, GRAPH) == ()


def test_colour_refinement_alone_would_be_fooled() -> None:
    """Two triangles and a hexagon: every node has two neighbours in both."""
    triangles = _graph([(0, 1), (1, 2), (2, 0), (3, 4), (4, 5), (5, 3)], 0, 0, 6)
    hexagon = _graph([(i, (i + 1) % 6) for i in range(6)], 0, 0, 6)
    assert not equivalent(triangles, hexagon, GRAPH)
    plain = [
        replace(p, init=frozenset(f for f in p.init if f.predicate == "edge"))
        for p in (triangles, hexagon)
    ]
    empty = read_goal("(and)", GRAPH, {})
    a, b = (replace(p, goal=empty) for p in plain)
    assert not equivalent(a, b, GRAPH)
    assert equivalent(a, _renamed(a, GRAPH, 3), GRAPH)
    assert differences(a, b, GRAPH)


def test_differences_name_what_is_missing() -> None:
    whole = _graph([(0, 1), (1, 2)], 0, 2, 3)
    part = replace(whole, init=whole.init - {Atom("edge", ("n2", "n1"))})
    assert differences(part, whole, GRAPH) == ("init: missing (edge n2 n1)",)
    other_goal = _graph([(0, 1), (1, 2)], 0, 1, 3)
    assert differences(other_goal, whole, GRAPH) == (
        "goal: missing (at n2)",
        "goal: extra (at n1)",
    )


def test_goals_are_compared_after_quantifiers_are_expanded() -> None:
    problem = _graph([(0, 1)], 0, 1, 2)
    each = replace(problem, goal=read_goal("(forall (?n - node) (at ?n))", GRAPH, problem.objects))
    listed = replace(problem, goal=read_goal("(and (at n1) (at n0))", GRAPH, problem.objects))
    assert equivalent(each, listed, GRAPH)


def test_composite_goals_are_compared_up_to_names() -> None:
    problem = _graph([(0, 1), (1, 2)], 0, 1, 3)
    goals = ("(or (at n0) (at n1))", "(or (at n0) (at n2))", "(or (at n2) (at n1))")
    either, ends, mirrored = (
        replace(
            problem,
            init=problem.init - {Atom("at", ("n0",))},
            goal=read_goal(g, GRAPH, problem.objects),
        )
        for g in goals
    )
    assert equivalent(either, mirrored, GRAPH)
    assert not equivalent(either, ends, GRAPH)


def test_published_problems_are_equivalent_to_themselves_renamed_and_to_no_damaged_copy(
    benchmark_data: Path,
) -> None:
    for folder in sorted((benchmark_data / "llm-pddl").iterdir()):
        texts = repair((folder / "domain.pddl").read_text(), (folder / "p02.pddl").read_text())
        domain = read_domain(texts[0])
        problem = read_problem(texts[1], domain)
        renamed = _renamed(problem, domain, 1)
        assert differences(problem, renamed, domain) == (), folder.name
        rng = random.Random(0)
        for fact in rng.sample(sorted(renamed.init), 5):
            assert differences(replace(renamed, init=renamed.init - {fact}), problem, domain)
