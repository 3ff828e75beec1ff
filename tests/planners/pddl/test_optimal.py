"""Optimal planning: SymK and Fast Downward's A* race, and their proofs agree."""

from __future__ import annotations

from pathlib import Path

import pytest
from embodied_planners.pddl import Planner, engines

from embodied.types import PddlProgram, PlanStatus
from embodied.world.grounding import domain_text

pytestmark = pytest.mark.skipif(
    engines.symk() is None, reason="SymK is not installed (extra [optimal])"
)

DATA = Path(__file__).parents[2] / "data" / "pddl"
TYPES = "block cup - item table - surface bin - container cabinet - drawer)"


def _task(name: str) -> PddlProgram:
    domain = domain_text({})
    domain = domain.replace("drawer - container)", f"drawer - container {TYPES}")
    if name == "lamps":
        domain = (DATA / "lamps.pddl").read_text()
    problem = (DATA / f"{'lamps_two' if name == 'lamps' else 'tabletop_three'}.pddl").read_text()
    return PddlProgram(domain=domain, problem=problem, stages=(), source="test")


@pytest.mark.parametrize("name", ["tabletop", "lamps"])
def test_symk_and_astar_prove_the_same_cost(name: str) -> None:
    raced = Planner(optimal=True).solve(_task(name), deadline_s=60)
    symk = Planner(optimal=True, engines="symk").solve(_task(name), deadline_s=60)
    astar = Planner(optimal=True, engines="fast-downward").solve(_task(name), deadline_s=60)
    for result in (raced, symk, astar):
        assert result.status is PlanStatus.SOLVED, result.message
        assert result.optimal
        assert result.cost == raced.cost
    assert "symk" in symk.engine.lower()
    satisficing = Planner().solve(_task(name), deadline_s=60)
    assert satisficing.cost >= raced.cost
    assert not satisficing.optimal
