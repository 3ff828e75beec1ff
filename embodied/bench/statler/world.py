"""The simulator of the Statler episodes: what is true, whatever anybody believes.

Written apart from the memory and its planning domain, so that agreement between them means
something. Blocks rest on the table, in a bowl, in the disinfector or on one another; only a block
with nothing on it can be moved; dirt spreads by touch. Of a block that nobody spoke of it is not
determined whether it is dirty, and so of what touches it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction

from embodied.bench.statler.language import scene_of
from embodied.language.words.scene_words import SceneWords
from embodied.memory.questions import Question
from embodied.memory.selection import answered

TABLE, DISINFECTOR = "table", "disinfector"
DIRTY, CLEAN, UNDETERMINED = "dirty", "clean", "undetermined"


class Impossible(Exception):  # noqa: N818 - an answer of the simulator
    """A move that physics forbids; the text says why."""


class BlockWorld:
    """Blocks, bowls, a table and perhaps a disinfector.

    Args:
        names: Everything there is but the table.
        weights: True weight of every block.
    """

    def __init__(self, names: Iterable[str], weights: Mapping[str, Fraction]) -> None:
        self.blocks = tuple(n for n in names if n.endswith("-block"))
        self.containers = tuple(n for n in names if not n.endswith("-block") and n != TABLE)
        self.weights = dict(weights)
        self.under: dict[str, str] = dict.fromkeys(self.blocks, TABLE)
        self.state: dict[str, str] = dict.fromkeys(self.blocks, UNDETERMINED)
        self.scene: SceneWords = scene_of((*self.blocks, *self.containers))

    def copy(self) -> BlockWorld:
        """An independent world in the same state."""
        other = BlockWorld((*self.blocks, *self.containers), self.weights)
        other.under, other.state = dict(self.under), dict(self.state)
        return other

    def names(self) -> tuple[str, ...]:
        """Everything there is."""
        return (*self.blocks, *self.containers, TABLE)

    def on(self, place: str) -> list[str]:
        """What rests directly on a place."""
        return [b for b in self.blocks if self.under[b] == place]

    def directly_on(self, name: str) -> tuple[str, ...]:
        """What rests directly on a place."""
        return tuple(self.on(name))

    def over(self, name: str) -> str | None:
        """Nothing: no block is hidden."""
        del name
        return None

    def held(self) -> str | None:
        """Nothing: every move ends on a place."""
        return None

    def has(self, word: str, name: str) -> bool | None:
        """Whether a block is dirty, or clean; None where that is not determined."""
        state = self.state.get(name, UNDETERMINED)
        return None if state == UNDETERMINED else state == word

    def compared(self, relation: str, x: str, y: str) -> int | None:
        """Sign of x - y by height or weight; None for what is no block."""
        if x not in self.blocks or y not in self.blocks:
            return None
        a, b = ((self.weights[n] if relation == "heavier" else self.height(n)) for n in (x, y))
        return (a > b) - (a < b)

    def contents(self, place: str) -> tuple[str, ...]:
        """What rests on a place, directly or not, the lowest first."""
        found = self.on(place)
        for block in found:
            found += self.on(block)
        return tuple(found)

    def those(self, word: str) -> tuple[str, ...]:
        """The dirty or the clean blocks."""
        return tuple(sorted(b for b in self.blocks if self.state[b] == word))

    def place(self, name: str) -> str | None:
        """What a block rests on."""
        return self.under.get(name)

    def move(self, block: str, place: str) -> None:
        """Move a block.

        Raises:
            Impossible: It is covered, the place is taken, or one of them does not exist.
        """
        if block not in self.blocks or place not in self.names():
            raise Impossible(f"there is no {block if block not in self.blocks else place}")
        if self.on(block):
            raise Impossible(f"{self.on(block)[0]} rests on {block}")
        if place in self.blocks and (place == block or [b for b in self.on(place) if b != block]):
            raise Impossible(f"{place} has no room for {block}")
        self.under[block] = place
        if place == DISINFECTOR:
            self.state[block] = CLEAN
        self._touch(block)

    def tell(self, block: str, word: str) -> None:
        """What is said of a block is so, and so it is for its tower."""
        for other in self.tower(block):
            self.state[other] = word

    def tower(self, block: str) -> tuple[str, ...]:
        """A block with everything that it touches through other blocks."""
        lowest = block
        while self.under[lowest] in self.blocks:
            lowest = self.under[lowest]
        return (lowest, *self.contents(lowest))

    def height(self, block: str) -> float:
        """Height of a block's underside, in blocks; the floor of a bowl is as high as the table."""
        place = self.under[block]
        return self.height(place) + 1.0 if place in self.blocks else 0.0

    def total(self, place: str) -> Fraction:
        """Weight of everything in a place."""
        return sum((self.weights[b] for b in self.contents(place)), Fraction(0))

    def answer(self, question: Question) -> tuple[str, ...]:
        """The true answer to one of the published kinds of question.

        Raises:
            NotUnderstoodError: It speaks of things that there are not.
        """
        return answered(question, self)

    def _touch(self, block: str) -> None:
        tower = self.tower(block)
        states = {self.state[b] for b in tower}
        for word in (DIRTY, UNDETERMINED, CLEAN):
            if word in states:
                for b in tower:
                    self.state[b] = word
                return
