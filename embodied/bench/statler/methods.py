"""Who takes part in a Statler episode: a memory written by rules, by a model, or none at all."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources

from embodied.bench.statler.language import (
    Balance,
    Put,
    Sentence,
    affected,
    names_in,
    place_of,
    read_sentence,
    scene_of,
    words_of,
)
from embodied.bench.statler.moves import balance_moves, put_moves, sign_of
from embodied.bench.statler.score import Belief
from embodied.bench.statler.world import CLEAN, DIRTY, DISINFECTOR, TABLE, UNDETERMINED
from embodied.errors import NotUnderstoodError
from embodied.memory import (
    Delta,
    Linear,
    Memory,
    Provenance,
    Vocabulary,
    Writer,
    Written,
)
from embodied.memory.answering import BelievedState, answer
from embodied.memory.questions import Question
from embodied.memory.selection import the
from embodied.memory.statements import Statement
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
        self._scene = scene_of(tuple(names))
        self._state = BelievedState(self.memory, self._scene)

    @abstractmethod
    def turn(self, query: str, *, time_s: float) -> Reply:
        """Answer one sentence."""

    @property
    def state(self) -> BelievedState:
        """The memory as a state."""
        if self._state.memory is not self.memory:
            self._state = BelievedState(self.memory, self._scene)
        return self._state

    @property
    def blocks(self) -> tuple[str, ...]:
        """Names of the blocks."""
        return self.state.scene.items

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
            return self._answer(read_sentence(query, tuple(self._scene.specs)), query, time_s)
        except NotUnderstoodError as error:
            return Reply(problem=str(error))

    def look(self, under: Mapping[str, str], *, time_s: float) -> int:
        """Measure what every block rests on; returns how many beliefs were refuted."""
        seen = frozenset(Atom("on", pair) for pair in under.items())
        self.memory = self.memory.measured(seen, time_s=time_s, scope=("on",))
        return len(self.memory.contradictions)

    def _answer(self, sentence: Sentence, query: str, time_s: float) -> Reply:
        match sentence:
            case Statement():
                self._take_in(sentence, query, time_s)
            case Put():
                return Reply(moves=put_moves(sentence, self.state))
            case Balance():
                known = sign_of(self.memory.quantities)
                return Reply(moves=balance_moves(sentence, self.state, known))
            case Question():
                return Reply(say=answer(sentence, self.state))
        return Reply()

    def _take_in(self, said: Statement, query: str, time_s: float) -> None:
        """Believe what a person says is so, or has happened."""
        told = Provenance.TOLD
        names = affected(said, self.state, self._spoken)
        self._spoken.update(names_in(query))
        if said.factor is not None and said.other is not None:
            for x in names:
                for y in the(said.other, self.state):
                    relation = Linear.ratio(Atom("weight", (x,)), said.factor, Atom("weight", (y,)))
                    self.keep(self.writer.relate(self.memory, relation, time_s=time_s))
        where = place_of(said)
        for name in sorted(names, key=lambda n: len(self.state.contents(n))):
            if where is not None and where.other is not None:
                (place,) = the(where.other, self.state)
                if self.state.place(name) != place:
                    self.act(move_action(self.state, name, place), time_s, told)
            for word in words_of(said):
                verb = "soil" if word == DIRTY else "certify"
                self.act(GroundAction(verb, (name,)), time_s, told)


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


def move_action(state: BelievedState, block: str, place: str) -> GroundAction:
    """The action of the planning domain that moves a block."""
    start = state.place(block) or TABLE
    if state.scene.specs[place].kind == "item":
        return GroundAction("stack", (block, start, place))
    return GroundAction("disinfect" if place == DISINFECTOR else "put", (block, start, place))
