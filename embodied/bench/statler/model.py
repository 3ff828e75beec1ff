"""A language model in the Statler episodes: it proposes, the writer decides."""

from __future__ import annotations

from collections.abc import Sequence

from embodied.bench.statler.language import names_in
from embodied.bench.statler.methods import Method, Reply
from embodied.errors import ProgramError
from embodied.memory import Provenance
from embodied.memory.model_writer import ModelWriter
from embodied.protocols import LanguageModel, Usage
from embodied.symbolic import Domain

_TOLD_ABOUT = ("soil", "certify")
_NOTES_KEPT = 6


class ModelMethod(Method):
    """A model reads the sentences and the believed facts; the writer checks what it proposes."""

    def __init__(self, names: Sequence[str], domain: Domain, model: LanguageModel) -> None:
        super().__init__(names, domain)
        self._proposer = ModelWriter(model)

    @property
    def usage(self) -> Usage:
        """What all calls cost."""
        return self._proposer.usage

    def turn(self, query: str, *, time_s: float) -> Reply:
        """Answer one sentence; raises ModelError when the model cannot be reached."""
        known = self.memory.vocabulary.objects
        about = [n for n in names_in(query) if n in known]
        notes = self.rejected[-_NOTES_KEPT:]
        try:
            proposal = self._proposer.propose(query, self.memory, about=about, notes=notes)
        except ProgramError as error:
            return Reply(problem=f"the model's answer cannot be read: {error}")
        told, cause = Provenance.TOLD, f"model: {query}"
        if proposal.deltas:
            self.keep(
                self.writer.propose(
                    self.memory, proposal.deltas, provenance=told, time_s=time_s, cause=cause
                )
            )
        for relation in proposal.relations:
            self.keep(self.writer.relate(self.memory, relation, time_s=time_s))
        moves: list[tuple[str, str]] = []
        for action in proposal.actions:
            if action.name in _TOLD_ABOUT:
                self.act(action, time_s, told)
            elif len(action.args) == 3:
                moves.append((action.args[0], action.args[2]))
            else:
                self.rejected.append(f"{action} has the wrong number of arguments")
        return Reply(moves=tuple(moves), say=proposal.say)
