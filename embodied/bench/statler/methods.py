"""Who takes part in a Statler episode: a memory written by rules, by a model, or none at all."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources

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
    Written,
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


class BeliefState(Reader):
    """A memory as a ``State`` of ``language``."""

    def names(self) -> tuple[str, ...]:
        """Everything there is."""
        return tuple(self.memory.vocabulary.objects)

    def is_block(self, name: str) -> bool:
        """Whether it is a block."""
        return self.memory.vocabulary.kind_of(name) == "block"


class Method(ABC):
    """Takes part in one episode with a memory.

    Args:
        names: Everything there is but the table.
        domain: The planning domain.

    Attributes:
        memory: What is believed; at first, that everything is on the table.
        rejected: Everything that the writer rejected.
    """

    def __init__(self, names: Sequence[str], domain: Domain) -> None:
        self.memory = statler_memory(names, domain)
        self.rejected: list[str] = []
        self.writer = Writer()
        self._state = BeliefState(self.memory)

    @abstractmethod
    def turn(self, query: str, *, time_s: float) -> Reply:
        """Answer one sentence."""

    @property
    def state(self) -> BeliefState:
        """The memory as a state."""
        if self._state.memory is not self.memory:
            self._state = BeliefState(self.memory)
        return self._state

    @property
    def blocks(self) -> tuple[str, ...]:
        """Names of the blocks."""
        return tuple(n for n in self.state.names() if self.state.is_block(n))

    def moved(self, block: str, place: str, *, time_s: float) -> None:
        """One of its moves was carried out; those that the world refused are not reported."""
        self.act(move_action(self.state, block, place), time_s, Provenance.INFERRED)

    def look(self, under: Mapping[str, str], *, time_s: float) -> int:
        """It may measure what every block rests on; returns how many beliefs were refuted."""
        return 0

    def belief(self, pairs: Pairs) -> Belief:
        """What it holds true in the words of the simulator, with the weight ratios of pairs."""
        state, blocks, beliefs = self.state, self.blocks, self.memory.beliefs
        words = {b: UNDETERMINED for b in blocks}
        for word in (DIRTY, CLEAN):
            words |= {b: word for b in blocks if Atom(word, (b,)) in beliefs}
        under = {b: p for b in blocks if (p := state.place(b)) is not None}
        ratios = {(x, y): state.ratio("weight", x, y) for x, y in pairs}
        return Belief(under=under, state=words, ratios=ratios)

    def act(self, action: GroundAction, time_s: float, provenance: Provenance) -> None:
        """Believe that an action was carried out."""
        self.keep(self.writer.act(self.memory, action, time_s=time_s, provenance=provenance))

    def keep(self, written: Written) -> None:
        """Go on with what the writer made of the memory."""
        self.memory = written.memory
        self.rejected += [str(d) for d in written.rejected]


class RulesMethod(Method):
    """Sentences are read by rules; everything goes through the writer into the memory."""

    def __init__(self, names: Sequence[str], domain: Domain) -> None:
        super().__init__(names, domain)
        self._spoken: set[str] = set()

    def turn(self, query: str, *, time_s: float) -> Reply:
        """Answer one sentence."""
        try:
            return self._answer(read_sentence(query, self.state.names()), query, time_s)
        except NotUnderstoodError as error:
            return Reply(problem=str(error))

    def look(self, under: Mapping[str, str], *, time_s: float) -> int:
        """Measure what every block rests on; returns how many beliefs were refuted."""
        seen = frozenset(Atom("on", pair) for pair in under.items())
        self.memory = self.memory.measured(seen, time_s=time_s, scope=("on",))
        return len(self.memory.contradictions)

    def _answer(self, sentence: Sentence, query: str, time_s: float) -> Reply:
        match sentence:
            case Tell():
                others = [b for b in self.blocks if b not in self._spoken]
                names = others if sentence.others else sentence.names
                self._spoken.update(names_in(query))
                verb = "soil" if sentence.word == DIRTY else "certify"
                for name in names:
                    self.act(GroundAction(verb, (name,)), time_s, Provenance.TOLD)
            case Accident():
                for name in sentence.names:
                    if self.state.place(name) != TABLE:
                        action = move_action(self.state, name, TABLE)
                        self.act(action, time_s, Provenance.TOLD)
                    self.act(GroundAction("soil", (name,)), time_s, Provenance.TOLD)
            case Ratio(x, factor, y):
                relation = Linear.ratio(Atom("weight", (x,)), factor, Atom("weight", (y,)))
                self.keep(self.writer.relate(self.memory, relation, time_s=time_s))
            case Put():
                return Reply(moves=put_moves(sentence, self.state))
            case Balance():
                known = self.memory.quantities
                return Reply(moves=balance_moves(sentence, self.state, self.blocks, known))
            case Question():
                return Reply(say=answer(self.state, sentence))
        return Reply()


class MemorylessMethod(RulesMethod):
    """Code as Policies without a state: every sentence is met with the initial state alone.

    The same rules read the sentences, so that what is missing is the memory and nothing else.
    """

    def turn(self, query: str, *, time_s: float) -> Reply:
        """Answer one sentence and forget it."""
        start = self.memory
        reply = super().turn(query, time_s=time_s)
        self.memory = start
        self._spoken.clear()
        return reply

    def moved(self, block: str, place: str, *, time_s: float) -> None:
        """Forgotten at once."""

    def look(self, under: Mapping[str, str], *, time_s: float) -> int:
        """Forgotten at once."""
        return 0


def move_action(state: BeliefState, block: str, place: str) -> GroundAction:
    """The action of the planning domain that moves a block."""
    start = state.place(block) or TABLE
    if state.is_block(place):
        return GroundAction("stack", (block, start, place))
    return GroundAction("disinfect" if place == DISINFECTOR else "put", (block, start, place))
