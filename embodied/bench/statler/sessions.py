"""Random sessions and shell games: as long as one likes, with a known truth.

Sentences are drawn in the present state of the simulator, so that each makes sense when it is
said. Now and then somebody moves a block unseen and the robot then looks: belief and measurement
contradict each other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from embodied.bench.statler.language import FACTOR_WORDS
from embodied.bench.statler.world import CLEAN, DIRTY, DISINFECTOR, TABLE, BlockWorld
from embodied.memory import Memory, Provenance, Reader, Vocabulary, Writer
from embodied.symbolic import Domain
from embodied.types import Atom, GroundAction

_COLOURS = (
    "red green blue black white pink orange purple cyan brown teal gray yellow silver golden"
).split()
_WEIGHTS = tuple(Fraction(n, d) for n, d in ((1, 1), (2, 1), (4, 1), (1, 2), (3, 1), (6, 1)))


@dataclass(frozen=True, slots=True)
class Look:
    """Somebody moved a block while nobody looked; then everything is measured."""

    block: str
    place: str


def random_world(rng: np.random.Generator) -> BlockWorld:
    """Four to eight blocks, two or three bowls and a disinfector; true weights in simple ratios."""
    colours = [_COLOURS[int(i)] for i in rng.permutation(len(_COLOURS))]
    blocks = [f"{c}-block" for c in colours[: int(rng.integers(4, 9))]]
    bowls = [f"{c}-bowl" for c in colours[-int(rng.integers(2, 4)) :]]
    weights = {b: _WEIGHTS[int(rng.integers(len(_WEIGHTS)))] for b in blocks}
    return BlockWorld((*blocks, *bowls, DISINFECTOR), weights)


def sentences(world: BlockWorld, rng: np.random.Generator, n: int) -> Iterator[str | Look]:
    """Sentences that make sense in the state in which each is drawn.

    Args:
        world: The simulator; the caller carries out each sentence before the next is drawn.
        rng: Source of randomness.
        n: How many.
    """
    kinds = ("put", "there", "all", "several", "tell", "ratio", "ask", "accident", "look")
    chances = np.array([0.38, 0.08, 0.08, 0.08, 0.12, 0.06, 0.14, 0.02, 0.04])
    for _ in range(n):
        kind = kinds[int(rng.choice(len(kinds), p=chances))]
        said = _draw(kind, world, rng)
        yield said if said is not None else _put(world, rng)


def _draw(kind: str, world: BlockWorld, rng: np.random.Generator) -> str | Look | None:
    """A sentence of one kind, None when the state allows none."""
    block = _pick(world.blocks, rng)
    bowls = [c for c in world.containers if c != DISINFECTOR]
    match kind:
        case "there":
            single = [c for c in bowls if len(world.contents(c)) == 1]
            if not single:
                return None
            return f"Put the block in {_the(_pick(single, rng))} on the table"
        case "all":
            word = _pick((DIRTY, CLEAN), rng)
            place = _pick((*bowls, DISINFECTOR, TABLE), rng)
            return f"Put all the {word} blocks in {_the(place)}" if world.those(word) else None
        case "several":
            count = int(rng.integers(2, 4))
            chosen = [world.blocks[int(i)] for i in rng.permutation(len(world.blocks))[:count]]
            names = " and ".join([", ".join(map(_the, chosen[:-1])), _the(chosen[-1])])
            return f"Put {names} in {_the(_pick((*bowls, DISINFECTOR), rng))}"
        case "tell":
            if world.state[block] == DIRTY or rng.random() < 0.5:
                return f"{_the(block)} is dirty."
            return f"{_the(block)} is clean."
        case "ratio":
            return _ratio(world, rng)
        case "ask":
            return _question(world, rng)
        case "accident":
            uncovered = [b for b in world.blocks if not world.on(b)]
            return (
                f"Woops, somebody was moving {_the(_pick(uncovered, rng))} and dropped them on "
                "some dirty region on the table"
            )
        case "look":
            uncovered = [b for b in world.blocks if not world.on(b)]
            moved = _pick(uncovered, rng)
            places = [p for p in (*bowls, TABLE) if p != world.under[moved]]
            return Look(moved, _pick(places, rng))
        case _:
            return _put(world, rng)


def _put(world: BlockWorld, rng: np.random.Generator) -> str:
    block = _pick(world.blocks, rng)
    tower = world.contents(block)
    places = [p for p in world.names() if p != block and p not in tower]
    place = _pick(places, rng)
    word = "on" if place in world.blocks or place == TABLE else "in"
    return f"Put {_the(block)} {word} {_the(place)}"


def _ratio(world: BlockWorld, rng: np.random.Generator) -> str | None:
    i, j = rng.choice(len(world.blocks), size=2, replace=False)
    x, y = world.blocks[int(i)], world.blocks[int(j)]
    words = FACTOR_WORDS.get(world.weights[x] / world.weights[y])
    if words is None:
        return None
    return f"{_the(x)} {'has' if words.startswith('the same') else 'is'} {words} {_the(y)}"


def _question(world: BlockWorld, rng: np.random.Generator) -> str:
    i, j = rng.choice(len(world.blocks), size=2, replace=False)
    x, y = _the(world.blocks[int(i)]), _the(world.blocks[int(j)])
    place = _the(_pick(world.containers, rng))
    forms = (
        f"what is under {x}?",
        f"what is on {x}?",
        f"what is in {place}?",
        f"is {x} in a higher position than {y}?",
        "which block is in the highest position?",
        f"is {x} in a bowl?",
        f"is {x} right above {y}?",
        f"is {x} in {place}?",
        f"is {x} dirty?",
        f"is {x} clean?",
        "which blocks are dirty?",
    )
    return _pick(forms, rng)


def _the(name: str) -> str:
    return "the " + name.replace("-", " ")


def _pick(options: Sequence[str], rng: np.random.Generator) -> str:
    return options[int(rng.integers(len(options)))]


class ShellGame:
    """Cups that swap places, with a ball under one of them.

    Args:
        domain: The planning domain of the shell game.
        cups: Number of cups.
        ball: Place of the ball at first, from 1.

    Attributes:
        first: Place of the ball at first.
        truth: Place of the ball now.
        memory: What is believed.
    """

    def __init__(self, domain: Domain, *, cups: int, ball: int) -> None:
        self.first = self.truth = ball
        numbers = range(1, cups + 1)
        objects = {f"cup-{n}": "cup" for n in numbers} | {f"spot-{n}": "spot" for n in numbers}
        facts = frozenset(Atom("at", (f"cup-{n}", f"spot-{n}")) for n in numbers)
        hidden = Atom("in", ("ball", f"cup-{ball}"))
        vocabulary = Vocabulary(domain=domain, objects={**objects, "ball": "ball"})
        self.memory = Memory(vocabulary=vocabulary).measured(facts | {hidden}, time_s=0.0)
        self._writer = Writer()

    def swap(self, i: int, j: int, *, time_s: float) -> None:
        """Swap what stands at two places, in truth and in the memory."""
        if self.truth in (i, j):
            self.truth = j if self.truth == i else i
        reader = Reader(self.memory)
        (a,), (b,) = reader.directly_on(f"spot-{i}"), reader.directly_on(f"spot-{j}")
        action = GroundAction("swap", (a, f"spot-{i}", b, f"spot-{j}"))
        written = self._writer.act(
            self.memory, action, time_s=time_s, provenance=Provenance.INFERRED
        )
        self.memory = written.memory

    def believed(self) -> int:
        """Where the ball is believed to be: where the cup is that it is in."""
        return int(Reader(self.memory).whereabouts("ball")[-1].removeprefix("spot-"))
