"""The writer: whoever proposes changes, only consistent ones get into the memory.

A language model, a rule or a person proposes *deltas*, or says which action was carried out. A
symbolic transition model decides: the effects of the domain's actions, and rules that hold in every
scene (one place per object, nothing on what is moved, what is hidden moves with its container).
Each proposal is accepted, corrected (other beliefs end with it) or rejected, always with a reason
that a model can act on. Published models that rewrite a whole state lose facts (Yoneda et al.,
arXiv 2306.17840); a delta that nobody proposed changes nothing here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction

from embodied.memory._draft import Draft, Refused
from embodied.memory.arithmetic import Linear
from embodied.memory.facts import CONFIDENCE, Delta, Op, Provenance
from embodied.memory.memory import Memory
from embodied.memory.vocabulary import DERIVED
from embodied.symbolic import applicable
from embodied.symbolic.semantics import effects_of
from embodied.types import GroundAction


class Judgement(Enum):
    """What became of a proposal."""

    ACCEPTED = "accepted"
    CORRECTED = "corrected"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What became of one proposal, and why.

    Attributes:
        proposal: The delta, action or relation as text.
        judgement: What became of it.
        reason: Why it was corrected or rejected; ``""`` when it was accepted as it is.
    """

    proposal: str
    judgement: Judgement
    reason: str = ""

    def __str__(self) -> str:
        return f"{self.judgement.value}: {self.proposal}" + (
            f" ({self.reason})" if self.reason else ""
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """The memory after a proposal, with one decision for each part of it."""

    memory: Memory
    decisions: tuple[Decision, ...]

    @property
    def rejected(self) -> tuple[Decision, ...]:
        """The decisions against."""
        return tuple(d for d in self.decisions if d.judgement is Judgement.REJECTED)


class Writer:
    """Decides what gets into a memory. Has no state of its own."""

    def propose(
        self,
        memory: Memory,
        deltas: Sequence[Delta],
        *,
        provenance: Provenance,
        time_s: float,
        cause: str = "proposed",
    ) -> Written:
        """Take in what can be taken in of several deltas about the same moment.

        Removals come before settings and additions, so that the order of the deltas does not
        matter where one makes room for another.

        Args:
            memory: The memory before.
            deltas: The proposals.
            provenance: Where they come from. At the same moment a weaker source does not outweigh
                a stronger one.
            time_s: What moment they are about, s.
            cause: For the log.

        Returns:
            The memory after, one step further; decisions in the order of ``deltas``.
        """
        draft = Draft(memory, provenance, time_s, CONFIDENCE[provenance])
        order = {Op.REMOVE: 0, Op.SET: 1, Op.ADD: 2}
        numbered = sorted(
            enumerate(deltas), key=lambda d: (d[1].atom.predicate in DERIVED, order[d[1].op])
        )
        decisions: dict[int, Decision] = {}
        for number, delta in numbered:
            decisions[number] = _judge(draft, delta)
        return _finish(memory, draft, [decisions[n] for n in range(len(deltas))], cause)

    def act(
        self,
        memory: Memory,
        action: GroundAction,
        *,
        time_s: float,
        provenance: Provenance = Provenance.INFERRED,
    ) -> Written:
        """Take in that an action was carried out: its effects, and nothing but its effects.

        Args:
            memory: The memory before.
            action: The action.
            time_s: When it ended, s.
            provenance: Of the effects: ``INFERRED`` for the robot's own actions, ``TOLD`` for what
                somebody else did.

        Returns:
            The memory after, one step further, and one decision. An action whose preconditions are
            not believed changes nothing.
        """
        v, facts = memory.vocabulary, memory.facts
        unmet = applicable(action, facts, v.domain, v.objects)
        problem = f"it needs {', '.join(unmet)}" if unmet else ""
        draft = Draft(memory, provenance, time_s, 1.0)
        if not problem:
            adds, deletes = effects_of(action, facts, v.domain, v.objects)
            sure = [memory.beliefs[a].confidence for a in deletes & facts]
            acted = Draft(memory, provenance, time_s, min([CONFIDENCE[provenance], *sure]))
            problem = acted.apply_effects(adds - facts, deletes & facts)
            draft = draft if problem else acted
        accepted = Decision(proposal=str(action), judgement=Judgement.ACCEPTED)
        decision = _rejected(action, problem) if problem else accepted
        return _finish(memory, draft, [decision], str(action))

    def relate(
        self, memory: Memory, relation: Linear, *, time_s: float, cause: str = ""
    ) -> Written:
        """Take in a relation between quantities, e.g. that one thing is twice as heavy as another.

        Relations are about constant quantities: one that contradicts what is known is rejected.
        """
        draft = Draft(memory, Provenance.TOLD, time_s, CONFIDENCE[Provenance.TOLD])
        try:
            draft.relate(relation)
        except Refused as refusal:
            decision = _rejected(relation, str(refusal))
        else:
            decision = Decision(proposal=str(relation), judgement=Judgement.ACCEPTED)
        return _finish(memory, draft, [decision], cause or f"relation {relation}")


def _judge(draft: Draft, delta: Delta) -> Decision:
    before = draft.copy()
    try:
        _check_form(draft.memory, delta)
        if delta.op is Op.REMOVE:
            notes = draft.remove(delta.atom)
        elif delta.op is Op.ADD:
            notes = draft.add(delta.atom)
        else:
            notes = draft.set(delta.atom, delta.value)
    except Refused as refusal:
        draft.restore(before)
        return _rejected(delta, str(refusal))
    if not notes:
        return Decision(proposal=str(delta), judgement=Judgement.ACCEPTED)
    return Decision(proposal=str(delta), judgement=Judgement.CORRECTED, reason="; ".join(notes))


def _check_form(memory: Memory, delta: Delta) -> None:
    """Refuse what is outside the vocabulary, or the wrong operation for it."""
    v, name = memory.vocabulary, delta.atom.predicate
    problem = v.objection(delta.atom)
    if problem:
        raise Refused(problem)
    if v.is_predicate(name) or v.is_told(name):
        if delta.op is Op.SET:
            raise Refused(f"'{name}' is a predicate: add or remove it")
        return
    if delta.op is Op.ADD:
        raise Refused(f"'{name}' has a value: set it")
    if delta.op is not Op.SET:
        return
    if name in v.quantities:
        if not isinstance(delta.value, Fraction) or delta.value <= 0:
            raise Refused(f"'{name}' is a positive number, got {delta.value!r}")
    else:
        legal = v.attributes[name]
        if not isinstance(delta.value, str) or (legal and delta.value not in legal):
            words = f"one of {', '.join(legal)}" if legal else "a word"
            raise Refused(f"'{name}' is {words}, got {delta.value!r}")


def _rejected(proposal: object, reason: str) -> Decision:
    return Decision(proposal=str(proposal), judgement=Judgement.REJECTED, reason=reason)


def _finish(memory: Memory, draft: Draft, decisions: Sequence[Decision], cause: str) -> Written:
    put, dropped = draft.difference()
    after = memory.changed(
        cause,
        time_s=max(memory.time_s, draft.time_s),
        put=put,
        dropped=dropped,
        relations=draft.relations,
        notes=[str(d) for d in decisions if d.judgement is not Judgement.ACCEPTED],
    )
    return Written(memory=after, decisions=tuple(decisions))
