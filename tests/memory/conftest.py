"""A small world of blocks for the tests of the memory."""

from importlib import resources

import pytest

from embodied.memory import Memory, Vocabulary
from embodied.symbolic import Domain, read_domain
from embodied.world.grounding import domain_text


def bundled_domain(name: str) -> Domain:
    text = (resources.files("embodied_assets") / "domains" / name).read_text("utf-8")
    return read_domain(text)


STATLER = bundled_domain("statler.pddl")
TABLETOP = read_domain(domain_text({}))
BLOCKS = {
    "a": "block",
    "b": "block",
    "c": "block",
    "d": "block",
    "bowl": "bowl",
    "washer": "disinfector",
    "table": "table",
}
THINGS = {
    "x": "item",
    "y": "item",
    "z": "item",
    "table": "surface",
    "box": "container",
    "drawer": "drawer",
}


@pytest.fixture(scope="session")
def blocks() -> Vocabulary:
    """Four blocks, a bowl and a disinfector."""
    colours = {"colour": ("red", "blue")}
    return Vocabulary(domain=STATLER, objects=BLOCKS, attributes=colours)


@pytest.fixture(scope="session")
def things() -> Vocabulary:
    """Three items, a table, a box and a drawer, with an arm."""
    return Vocabulary(domain=TABLETOP, objects=THINGS)


@pytest.fixture
def memory(blocks: Vocabulary) -> Memory:
    """Nothing is believed yet."""
    return Memory(vocabulary=blocks)
