from __future__ import annotations

from pathlib import Path

import pytest

from embodied.symbolic import Domain, Problem, read_domain, read_problem
from embodied.world.grounding import domain_text

DATA = Path(__file__).parents[1] / "data" / "pddl"
TABLETOP_TYPES = "block cup - item table - surface bin - container cabinet - drawer)"


@pytest.fixture(scope="session")
def tabletop_text() -> str:
    text = domain_text({})
    assert text.count("drawer - container)") == 1
    return text.replace("drawer - container)", f"drawer - container {TABLETOP_TYPES}")


@pytest.fixture(scope="session")
def tabletop(tabletop_text: str) -> Domain:
    return read_domain(tabletop_text)


@pytest.fixture(scope="session")
def problem(tabletop: Domain) -> Problem:
    return read_problem((DATA / "tabletop_three.pddl").read_text(), tabletop)
