"""A language model in the Statler episodes: it proposes, the writer decides."""

from __future__ import annotations

from collections.abc import Sequence

from embodied.bench.statler.language import names_in
from embodied.bench.statler.methods import (
    BeliefState,
    Pairs,
    Reply,
    belief_of,
    move_action,
    statler_memory,
)
from embodied.bench.statler.score import Belief
from embodied.errors import ProgramError
from embodied.memory import Memory, Provenance, Writer, Written
from embodied.memory.model_writer import ModelWriter
from embodied.protocols import LanguageModel, Usage
from embodied.symbolic import Domain
from embodied.types import GroundAction

_TOLD_ABOUT = ("soil", "certify")
_NOTES_KEPT = 6


class ModelMethod:
    """A model reads the sentences and the believed facts; the writer checks what it proposes.

    Args:
        names: Everything there is but the table.
        domain: The planning domain.
        model: The model.

    Attributes:
        memory: What is believed.
    """

    def __init__(self, names: Sequence[str], domain: Domain, model: LanguageModel) -> None:
        self.memory: Memory = statler_memory(names, domain)
        self._proposer = ModelWriter(model)
        self._writer = Writer()
        self._notes: list[str] = []

    @property
    def usage(self) -> Usage:
        """What all calls cost."""
        return self._proposer.usage

    def turn(self, query: str, *, time_s: float) -> Reply:
        """Answer one sentence; raises ModelError when the model cannot be reached."""
        known = self.memory.vocabulary.objects
        about = [n for n in names_in(query) if n in known]
        try:
            proposal = self._proposer.propose(query, self.memory, about=about, notes=self._notes)
        except ProgramError as error:
            return Reply(problem=f"the model's answer cannot be read: {error}")
        if proposal.deltas:
            self._note(
                self._writer.propose(
                    self.memory,
                    proposal.deltas,
                    provenance=Provenance.TOLD,
                    time_s=time_s,
                    cause=f"model: {query}",
                )
            )
        for relation in proposal.relations:
            self._note(self._writer.relate(self.memory, relation, time_s=time_s))
        moves: list[tuple[str, str]] = []
        for action in proposal.actions:
            if action.name in _TOLD_ABOUT:
                self._note(
                    self._writer.act(self.memory, action, time_s=time_s, provenance=Provenance.TOLD)
                )
            elif len(action.args) == 3:
                moves.append((action.args[0], action.args[2]))
            else:
                self._notes.append(f"{action} has the wrong number of arguments")
        return Reply(moves=tuple(moves), say=proposal.say)

    def moved(self, block: str, place: str, *, time_s: float) -> None:
        """One of its moves was carried out."""
        action: GroundAction = move_action(BeliefState(self.memory), block, place)
        self._note(self._writer.act(self.memory, action, time_s=time_s))

    def belief(self, pairs: Pairs) -> Belief:
        """What it holds true."""
        objects = self.memory.vocabulary.objects
        blocks = [n for n, kind in objects.items() if kind == "block"]
        return belief_of(BeliefState(self.memory), blocks, pairs)

    def _note(self, written: Written) -> None:
        self.memory = written.memory
        self._notes += [str(d) for d in written.rejected]
        del self._notes[:-_NOTES_KEPT]
