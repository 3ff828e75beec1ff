"""Our reader against the ``pddl`` library, on the published texts that this library accepts."""

from __future__ import annotations

from pathlib import Path

import pytest

from embodied.symbolic import conjuncts, propositions, read_domain, read_problem
from embodied.types import Atom

ACCEPTED = ("barman", "blocksworld", "floortile", "termes")


@pytest.mark.parametrize("name", ACCEPTED)
def test_both_read_the_same(name: str, benchmark_data: Path) -> None:
    pddl = pytest.importorskip("pddl")
    folder = benchmark_data / "llm-pddl" / name
    ours = read_domain((folder / "domain.pddl").read_text())
    theirs = pddl.parse_domain(str(folder / "domain.pddl"))
    assert {str(p.name).lower(): p.arity for p in theirs.predicates} == {
        n: len(p) for n, p in ours.predicates.items()
    }
    for action in theirs.actions:
        mine = ours.actions[str(action.name).lower()]
        assert [f"?{p.name}" for p in action.parameters] == [p.name for p in mine.parameters]
        assert [sorted(map(str, p.type_tags)) for p in action.parameters] == [
            [t for t in p.types if t != "object"] for p in mine.parameters
        ]
        operands = getattr(action.precondition, "operands", (action.precondition,))
        assert len(operands) == len(conjuncts(mine.precondition))
    for file in sorted(folder.glob("p0*.pddl")):
        problem = read_problem(file.read_text(), ours)
        parsed = pddl.parse_problem(str(file))
        facts = {
            Atom(str(f.name).lower(), tuple(str(t.name).lower() for t in f.terms))
            for f in parsed.init
            if hasattr(f, "terms")
        }
        assert facts == problem.init
        assert {str(o.name).lower() for o in parsed.objects} == set(problem.objects)
        goals = getattr(parsed.goal, "operands", (parsed.goal,))
        assert len(goals) == len(propositions(problem.goal))
