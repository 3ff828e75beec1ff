"""Who takes part in a Statler episode: a memory written by rules, by a model, or none at all."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from fractions import Fraction
from importlib import resources
from typing import Protocol

from embodied.bench.statler.language import (
    Accident,
    Balance,
    Put,
    Ratio,
    Sentence,
    Tell,
    names_in,
    read_sentence,
)
from embodied.bench.statler.moves import balance_moves, put_moves
from embodied.bench.statler.score import Belief
from embodied.bench.statler.world import CLEAN, DIRTY, DISINFECTOR, TABLE, UNDETERMINED
from embodied.errors import NotUnderstoodError
from embodied.memory import (
    Delta,
    Linear,
    Memory,
    Provenance,
    Question,
    Reader,
    Vocabulary,
    Writer,
    answer,
)
from embodied.symbolic import Domain, read_domain
from embodied.types import Atom, GroundAction

Pairs = Collection[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What a method does in a turn.

    Attributes:
        moves: Moves to make, (block, place), in order.
        say: Its answer to a question.
        problem: Why it does nothing, when it does not understand.
    """

    moves: tuple[tuple[str, str], ...] = ()
    say: tuple[str, ...] = ()
    problem: str = ""


class Method(Protocol):
    """Takes part in one episode."""

    def turn(self, query: str, *, time_s: float) -> Reply:
        """Answer one sentence."""
        ...

    def moved(self, block: str, place: str, *, time_s: float) -> None:
        """One of its moves was carried out; those that the world refused are not reported."""
        ...

    def belief(self, pairs: Pairs) -> Belief:
        """What it holds true, with the weight ratios of some pairs."""
        ...


def statler_domain() -> Domain:
    """The planning domain of the episodes."""
    return read_domain(
        (resources.files("embodied_assets") / "domains" / "statler.pddl").read_text("utf-8")
    )


def statler_memory(names: Sequence[str], domain: Domain) -> Memory:
    """A memory that knows the objects and that every block is on the table."""
    kinds = {n: n.rsplit("-", 1)[-1] for n in names}
    memory = Memory(vocabulary=Vocabulary(domain=domain, objects={**kinds, TABLE: "table"}))
    blocks = [n for n, kind in kinds.items() if kind == "block"]
    start = [Delta.add(f"(on {b} {TABLE})") for b in blocks]
    written = Writer().propose(
        memory, start, provenance=Provenance.SEEN, time_s=0.0, cause="initial state"
    )
    return written.memory


class BeliefState:
    """A memory as a ``State`` of ``statler_moves``."""

    def __init__(self, memory: Memory) -> None:
        self.memory = memory
        self.reader = Reader(memory)

    def names(self) -> tuple[str, ...]:
        """Everything there is."""
        return tuple(self.memory.vocabulary.objects)

    def contents(self, place: str) -> tuple[str, ...]:
        """What is believed to rest on a place, directly or not."""
        return self.reader.contents(place)

    def those(self, word: str) -> tuple[str, ...]:
        """The blocks believed to be dirty or clean."""
        return self.reader.those(word)

    def place(self, name: str) -> str | None:
        """What a block is believed to rest on."""
        return self.reader.place(name)

    def is_block(self, name: str) -> bool:
        """Whether it is a block."""
        return self.memory.vocabulary.kind_of(name) == "block"


class RulesMethod:
    """Sentences are read by rules; everything goes through the writer into the memory.

    Args:
        names: Everything there is but the table.
        domain: The planning domain.
        memory: What is believed at first; that everything is on the table if None.

    Attributes:
        memory: What is believed.
        rejected: Everything that the writer rejected.
    """

    def __init__(
        self, names: Sequence[str], domain: Domain, *, memory: Memory | None = None
    ) -> None:
        self.memory = memory or statler_memory(names, domain)
        self.rejected: list[str] = []
        self._writer = Writer()
        self._spoken: set[str] = set()
        self._state: BeliefState | None = None

    @property
    def state(self) -> BeliefState:
        """The memory as a state."""
        if self._state is None or self._state.memory is not self.memory:
            self._state = BeliefState(self.memory)
        return self._state

    @property
    def blocks(self) -> tuple[str, ...]:
        """Names of the blocks."""
        objects = self.memory.vocabulary.objects
        return tuple(n for n, kind in objects.items() if kind == "block")

    def turn(self, query: str, *, time_s: float) -> Reply:
        """Answer one sentence."""
        try:
            return self._answer(read_sentence(query, self.state.names()), query, time_s)
        except NotUnderstoodError as error:
            return Reply(problem=str(error))

    def moved(self, block: str, place: str, *, time_s: float) -> None:
        """One of its moves was carried out."""
        self._act(move_action(self.state, block, place), time_s, Provenance.INFERRED)

    def belief(self, pairs: Pairs) -> Belief:
        """What it holds true."""
        return belief_of(self.state, self.blocks, pairs)

    def _answer(self, sentence: Sentence, query: str, time_s: float) -> Reply:
        match sentence:
            case Tell():
                others = [b for b in self.blocks if b not in self._spoken]
                names = others if sentence.others else sentence.names
                self._spoken.update(names_in(query))
                verb = "soil" if sentence.word == DIRTY else "certify"
                for name in names:
                    self._act(GroundAction(verb, (name,)), time_s, Provenance.TOLD)
            case Accident():
                for name in sentence.names:
                    if self.state.place(name) != TABLE:
                        action = move_action(self.state, name, TABLE)
                        self._act(action, time_s, Provenance.TOLD)
                    self._act(GroundAction("soil", (name,)), time_s, Provenance.TOLD)
            case Ratio(x, factor, y):
                relation = Linear.ratio(Atom("weight", (x,)), factor, Atom("weight", (y,)))
                written = self._writer.relate(self.memory, relation, time_s=time_s)
                self.memory = written.memory
                self.rejected += [str(d) for d in written.rejected]
            case Put():
                return Reply(moves=put_moves(sentence, self.state))
            case Balance():
                quantities = self.memory.quantities
                moves = balance_moves(sentence, self.state, self.blocks, quantities)
                return Reply(moves=moves)
            case Question():
                return Reply(say=answer(self.state.reader, sentence))
        return Reply()

    def _act(self, action: GroundAction, time_s: float, provenance: Provenance) -> None:
        written = self._writer.act(self.memory, action, time_s=time_s, provenance=provenance)
        self.memory = written.memory
        self.rejected += [str(d) for d in written.rejected]


class MemorylessMethod:
    """Code as Policies without a state: every sentence is met with the initial state alone.

    The same rules read the sentences, so that what is missing is the memory and nothing else.

    Args:
        names: Everything there is but the table.
        domain: The planning domain.
    """

    def __init__(self, names: Sequence[str], domain: Domain) -> None:
        self._names, self._domain = names, domain
        self._fresh = RulesMethod(names, domain)
        self._start = self._fresh.memory

    def turn(self, query: str, *, time_s: float) -> Reply:
        """Answer one sentence."""
        method = RulesMethod(self._names, self._domain, memory=self._start)
        return method.turn(query, time_s=time_s)

    def moved(self, block: str, place: str, *, time_s: float) -> None:
        """Forgotten at once."""

    def belief(self, pairs: Pairs) -> Belief:
        """The initial state."""
        return belief_of(BeliefState(self._start), self._fresh.blocks, pairs)


def move_action(state: BeliefState, block: str, place: str) -> GroundAction:
    """The action of the planning domain that moves a block."""
    start = state.place(block) or TABLE
    if state.is_block(place):
        return GroundAction("stack", (block, start, place))
    return GroundAction("disinfect" if place == DISINFECTOR else "put", (block, start, place))


def belief_of(state: BeliefState, blocks: Sequence[str], pairs: Pairs) -> Belief:
    """A memory's belief in the words of the simulator."""
    beliefs = state.memory.beliefs
    ratios: dict[tuple[str, str], Fraction | None] = {
        (x, y): state.reader.ratio("weight", x, y) for x, y in pairs
    }
    words = {b: UNDETERMINED for b in blocks}
    for word in (DIRTY, CLEAN):
        words |= {b: word for b in blocks if Atom(word, (b,)) in beliefs}
    under = {b: p for b in blocks if (p := state.place(b)) is not None}
    return Belief(under=under, state=words, ratios=ratios)
