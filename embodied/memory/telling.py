"""What a person says is so, taken into the memory: by the writer, or rejected with the reason.

``tell(statement, belief)`` reads a statement and gives the memory after it, or the reasons against.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from embodied.errors import NotUnderstoodError
from embodied.language.words.scene_words import plain
from embodied.memory.answering import Belief, BelievedState
from embodied.memory.arithmetic import Linear
from embodied.memory.descriptions import Condition, not_understood
from embodied.memory.facts import Delta, Op, Provenance
from embodied.memory.memory import Memory
from embodied.memory.model_writer import ModelWriter
from embodied.memory.selection import the
from embodied.memory.statements import Statement, read_statement
from embodied.memory.vocabulary import HOLDING, IN, ON, UNDER
from embodied.memory.writer import Decision, Judgement, Writer
from embodied.protocols import LanguageModel
from embodied.types import Atom


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What became of a statement.

    Attributes:
        steps: The memory after each step that it took, oldest first; the last one holds.
        decisions: What became of each part of it, and why.
        text: The same in a sentence.
    """

    steps: tuple[Memory, ...]
    decisions: tuple[Decision, ...]
    text: str

    @property
    def memory(self) -> Memory:
        """What is believed after it."""
        return self.steps[-1]

    @property
    def accepted(self) -> bool:
        """Whether everything that was said was taken in."""
        return all(d.judgement is not Judgement.REJECTED for d in self.decisions)


def tell(statement: str, belief: Belief, *, writer: LanguageModel | None = None) -> Told:
    """Take a statement in.

    Args:
        statement: What a person says is so.
        belief: What is remembered.
        writer: A language model that proposes what a statement means which the rules cannot read;
            the writer decides about its proposals as about those of the rules.

    Raises:
        NotUnderstoodError: It is no statement, or it speaks of things that there are not.
        ProgramError: The model's answer stayed unreadable.
        ModelError: The model could not be reached or is out of budget.
    """
    state = belief.state
    try:
        read = read_statement(statement, state.scene, state.told)
    except NotUnderstoodError as unread:
        if writer is None:
            raise
        return _proposed(statement, belief.memory, writer, unread)
    names = [n for t in read.things for n in the(t, state)]
    if not names:
        raise not_understood(statement, "it speaks of nothing that there is")
    if read.factor is not None:
        steps, decisions = _weigh(read, names, state, statement)
    else:
        steps, decisions = _assert(read, names, state, statement)
    return Told(steps=steps, decisions=decisions, text=_in_words(decisions))


def _proposed(
    statement: str, memory: Memory, model: LanguageModel, unread: NotUnderstoodError
) -> Told:
    """What a model makes of a statement, as far as the writer lets it in."""
    proposal = ModelWriter(model).propose(statement, memory)
    if not proposal.deltas and not proposal.relations:
        raise unread
    writer, cause = Writer(), f"told: {statement}"
    written = writer.propose(
        memory,
        proposal.deltas,
        provenance=Provenance.TOLD,
        time_s=memory.time_s,
        cause=cause,
    )
    steps, decisions = [written.memory], list(written.decisions)
    for relation in proposal.relations:
        written = writer.relate(steps[-1], relation, time_s=memory.time_s, cause=cause)
        steps.append(written.memory)
        decisions += written.decisions
    return Told(steps=tuple(steps), decisions=tuple(decisions), text=_in_words(decisions))


def _weigh(
    read: Statement, names: Sequence[str], state: BelievedState, cause: str
) -> tuple[tuple[Memory, ...], tuple[Decision, ...]]:
    memory, writer, factor = state.memory, Writer(), read.factor
    assert factor is not None
    steps: list[Memory] = []
    decisions: list[Decision] = []
    others = (None,) if read.other is None else the(read.other, state)
    for name in names:
        for other in others:
            weight = Atom("weight", (name,))
            relation = (
                Linear.value(weight, factor)
                if other is None
                else Linear.ratio(weight, factor, Atom("weight", (other,)))
            )
            written = writer.relate(memory, relation, time_s=memory.time_s, cause=f"told: {cause}")
            memory = written.memory
            steps.append(memory)
            decisions += written.decisions
    return tuple(steps), tuple(decisions)


def _assert(
    read: Statement, names: Sequence[str], state: BelievedState, cause: str
) -> tuple[tuple[Memory, ...], tuple[Decision, ...]]:
    memory = state.memory
    deltas: list[Delta] = []
    settled: list[Decision] = []
    for condition in read.conditions:
        for name in names:
            delta = _delta(condition, name, state)
            if isinstance(delta, Delta):
                deltas.append(delta)
            else:
                settled.append(delta)
    written = Writer().propose(
        memory,
        deltas,
        provenance=Provenance.TOLD,
        time_s=memory.time_s,
        cause=f"told: {cause}",
    )
    return (written.memory,), (*written.decisions, *settled)


def _delta(condition: Condition, name: str, state: BelievedState) -> Delta | Decision:
    """The proposal that a statement makes of one object, or why there can be none."""
    spec, memory = state.objects[name], state.memory
    match condition.relation:
        case "is":
            return _word(condition, name, state)
        case "open":
            if spec.kind != "drawer":
                return _no(f"(open {name})", f"the {plain(name)} cannot be opened or closed")
            op = Op.REMOVE if condition.negated else Op.ADD
            atom = Atom("open", (name,))
            if op is Op.REMOVE and memory.fact(atom) is None:
                return Decision(proposal=f"remove {atom}", judgement=Judgement.ACCEPTED)
            return Delta(op=op, atom=atom)
        case "on" | "in" | "under":
            return _place(condition, name, state)
        case "held":
            return _no(f"(holding {name})", "what is in my hand is measured, not told")
        case _:
            return _no(f"{condition.relation} {name}", "this cannot be told, only measured")


def _word(condition: Condition, name: str, state: BelievedState) -> Delta | Decision:
    word, memory = condition.word, state.memory
    colors = {o.color for o in state.objects.values()} | set(_COLOR_LIKE)
    if word in colors:
        own = state.objects[name].color or "of no colour that I know"
        if (word == own) != condition.negated:
            return Decision(proposal=f"({word} {name})", judgement=Judgement.ACCEPTED)
        return _no(f"({word} {name})", f"the {plain(name)} is {own}: colours are not told")
    if word in state.scene.heads or word in state.scene.plurals:
        return _no(f"({word} {name})", f"what kind of thing the {plain(name)} is, is not told")
    atom = Atom(word, (name,))
    if not condition.negated:
        return Delta(op=Op.ADD, atom=atom)
    for opposite in memory.vocabulary.opposites_of(atom):
        return Delta(op=Op.ADD, atom=opposite)
    if memory.fact(atom) is None:
        return Decision(proposal=f"remove {atom}", judgement=Judgement.ACCEPTED)
    return Delta(op=Op.REMOVE, atom=atom)


_COLOR_LIKE = "red green blue yellow orange purple pink cyan brown white grey black".split()


def _place(condition: Condition, name: str, state: BelievedState) -> Delta | Decision:
    assert condition.other is not None
    places = the(condition.other, state)
    if len(places) != 1:
        return _no(f"{condition.relation} {name}", "an object is in one place")
    (place,), memory = places, state.memory
    if condition.relation == "under" and memory.vocabulary.is_predicate(UNDER):
        return Delta(op=Op.ADD, atom=Atom(UNDER, (name, place)))
    if condition.relation == "under":
        name, place = place, name
    inside = state.objects[place].kind in ("container", "drawer")
    if condition.relation == "in" and not inside and state.objects[place].kind == "item":
        return _no(f"(in {name} {place})", f"nothing can be in the {plain(place)}")
    atom = Atom(IN if inside else ON, (name, place))
    if state.objects[name].kind != "item":
        return _no(str(atom), f"the {plain(name)} is fixed and cannot be moved")
    if condition.negated:
        if memory.fact(atom) is None:
            return Decision(proposal=f"remove {atom}", judgement=Judgement.ACCEPTED)
        return Delta(op=Op.REMOVE, atom=atom)
    fits = Atom("fits", (name, place))
    if inside and memory.vocabulary.is_predicate("fits") and memory.fact(fits) is None:
        return _no(str(atom), f"the {plain(name)} does not fit in the {plain(place)}")
    if _in_view(place, state) and not _in_view(name, state) and memory.fact(atom) is None:
        return _no(str(atom), f"I see the {plain(place)}, and the {plain(name)} is not there")
    return Delta(op=Op.ADD, atom=atom)


def _in_view(name: str, state: BelievedState) -> bool:
    """Whether an object, or the inside of a container, was seen in the latest measurement."""
    memory, kind = state.memory, state.objects[name].kind
    if not memory.complete or kind == "surface":
        return memory.complete
    if kind in ("container", "drawer"):
        return memory.fact(Atom("open", (name,))) is not None
    places = (f for a, f in memory.beliefs.items() if a.predicate in (ON, IN, HOLDING, UNDER))
    now = (f for f in places if f.atom.args[0] == name and f.time_s >= memory.time_s)
    return any(f.provenance is Provenance.SEEN and f.atom.predicate != UNDER for f in now)


def _no(proposal: str, reason: str) -> Decision:
    return Decision(proposal=proposal, judgement=Judgement.REJECTED, reason=reason)


def _in_words(decisions: Sequence[Decision]) -> str:
    kept = [d for d in decisions if d.judgement is not Judgement.REJECTED]
    rejected = [d for d in decisions if d.judgement is Judgement.REJECTED]
    said = [", ".join(facts_in_words(d.proposal) for d in kept)] if kept else []
    ends = [facts_in_words(d.reason) for d in kept if d.reason]
    if ends:
        said[0] += f" ({'; '.join(ends)})"
    for decision in rejected:
        proposal, reason = facts_in_words(decision.proposal), facts_in_words(decision.reason)
        said.append(f"not taken in that {proposal}: {reason}")
    return ". ".join(s[:1].upper() + s[1:] for s in said) + "."


_ATOM = re.compile(r"(add |remove )?\(([a-z-]+)((?: [\w-]+)+)\)")


def facts_in_words(text: str) -> str:
    """A text with its facts in words: "(on red-block table)" is "the red block is on the table"."""

    def said(match: re.Match[str]) -> str:
        negated, predicate, names = match[1] == "remove ", match[2], match[3].split()
        verb = "is not" if negated else "is"
        if predicate == "weight":
            return f"the weight of the {plain(names[0])}"
        if predicate == "holding":
            return f"the {plain(names[0])} {verb} in the hand"
        if len(names) == 2:
            return f"the {plain(names[0])} {verb} {predicate} the {plain(names[1])}"
        return f"the {plain(names[0])} {verb} {predicate}"

    return re.sub(r"(\d) (the weight of)", r"\1 times \2", _ATOM.sub(said, text))
