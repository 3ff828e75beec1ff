"""The state memory of a mission: immutable, every call returns a new one and the change to it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from embodied.memory.arithmetic import Linear, Quantities
from embodied.memory.facts import CONFIDENCE, Change, Contradiction, Fact, Provenance, Value
from embodied.memory.vocabulary import CLEAR, DERIVED, IN, ON, PLACES, UNDER, Vocabulary
from embodied.protocols import Grounder
from embodied.symbolic.semantics import effects_of
from embodied.types import Atom, GroundAction, Observation, Program, SkillResult

EXCHANGES_KEPT = 32
"""Sentences that stay in the memory itself; all of them are in its log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What is believed, with where each belief comes from. Implements ``protocols.StateMemory``.

    A memory holds the present only: its size depends on the scene and not on how long the mission
    has lasted. ``change`` is what the latest step changed; a ``MemoryLog`` keeps all of them.

    Attributes:
        vocabulary: What it may speak of.
        grounder: Turns measurements into facts; without one, measurements only tell the time.
        beliefs: Every fact by what it is about; a read-only view.
        quantities: What is known about quantities from relations between them.
        exchanges: The latest sentences and their programs, oldest first.
        step: Number of changes so far.
        time_s: Time of the latest one, s.
        change: The latest one, None at the start.
        contradictions: Beliefs that the latest measurement refuted.
        complete: Whether a measurement shows everything that nothing covers, so that what is not
            seen in a place that is in view is not there.
    """

    vocabulary: Vocabulary
    grounder: Grounder | None = None
    beliefs: Mapping[Atom, Fact] = field(default_factory=lambda: MappingProxyType({}))
    quantities: Quantities = field(default_factory=Quantities)
    exchanges: tuple[tuple[str, Program], ...] = ()
    step: int = 0
    time_s: float = 0.0
    change: Change | None = None
    contradictions: tuple[Contradiction, ...] = ()
    complete: bool = False

    @property
    def facts(self) -> frozenset[Atom]:
        """Ground atoms of the domain that are believed to hold."""
        domain = self.vocabulary.domain.predicates
        return frozenset(
            a for a, f in self.beliefs.items() if f.value is True and a.predicate in domain
        )

    @property
    def attributes(self) -> Mapping[str, frozenset[str]]:
        """Words that were told of objects, e.g. "dirty", with the objects."""
        found: dict[str, set[str]] = {}
        for atom, fact in self.beliefs.items():
            if fact.value is True and self.vocabulary.is_told(atom.predicate):
                found.setdefault(atom.predicate, set()).add(atom.args[0])
        return {word: frozenset(names) for word, names in found.items()}

    @property
    def remarks(self) -> tuple[str, ...]:
        """What is told or remembered and not measured now, with its origin, one line each."""
        v, now = self.vocabulary, self.time_s
        told = [f for f in self.beliefs.values() if f.provenance is Provenance.TOLD]
        placed = (f for a, f in self.beliefs.items() if a.predicate in (*PLACES, UNDER))
        old = [f for f in placed if f.provenance is Provenance.SEEN and f.time_s < now]
        known = [f for f in told if v.is_told(f.atom.predicate) or f.atom.predicate in v.quantities]
        known += [f for f in told if f.atom.predicate in (*PLACES, UNDER)]
        lines = [f"{f} was {f.provenance.value} at {f.time_s:.1f} s" for f in (*known, *old)]
        return (*sorted(lines), *sorted(map(str, self.quantities.rows.values())))

    def fact(self, atom: Atom) -> Fact | None:
        """The fact about ``atom``, None when nothing is believed."""
        return self.beliefs.get(atom)

    def value(self, atom: Atom) -> Value | None:
        """The value of a quantity or attribute, worked out from relations where it was not told."""
        fact = self.beliefs.get(atom)
        return fact.value if fact is not None else self.quantities.value(atom)

    def observed(self, observation: Observation) -> Memory:
        """Take in a measurement of every predicate of the domain.

        What is measured stands; beliefs that it refutes are in ``contradictions`` of the result.
        Quantities and attributes that no measurement is about stay, and so does what is believed of
        objects that are not seen: with the time, origin and confidence that it had.
        """
        if self.grounder is None:
            return replace(self, time_s=observation.time, contradictions=())
        facts = self.grounder.facts(observation)
        unseen: set[str] = set()
        if observation.poses:  # what is not seen is believed to be as it was
            unseen = self.vocabulary.objects.keys() - observation.poses.keys() - observation.gone
        return self.measured(facts, time_s=observation.time, unseen=unseen)

    def measured(
        self,
        facts: frozenset[Atom],
        *,
        time_s: float,
        scope: Collection[str] | None = None,
        unseen: Collection[str] = (),
    ) -> Memory:
        """Take in everything that holds of the predicates that are measured.

        Args:
            facts: What holds; of these predicates, everything else does not.
            time_s: When, s.
            scope: Predicates that are measured; all of the domain if None. Beliefs about the
                others stay, and derived ones are worked out again.
            unseen: Objects that were not measured: beliefs about them stay as they are.
        """
        beliefs = self.facts
        old = beliefs if scope is None else frozenset(a for a in beliefs if a.predicate in scope)
        gone, places = self._gone(old, facts, unseen), (*PLACES, UNDER)
        covered = {a.args[0] for a in facts if a.predicate == UNDER}
        old -= {
            a
            for a in old - facts
            if a.args and a.args[0] in unseen and not (a.args[0] in gone and a.predicate in places)
            if a.predicate != CLEAR or a.args[0] not in covered
        }
        put = [_fact(a, time_s, Provenance.SEEN) for a in sorted(facts)]
        follows: dict[Atom, bool] = {}
        if scope is not None:
            v, after = self.vocabulary, (beliefs - old) | facts
            derived = v.derived(after, v.objects).items()
            follows = {
                a: so for a, so in derived if a.predicate not in scope and so != (a in after)
            }
            put += [_fact(a, time_s, Provenance.INFERRED) for a, so in follows.items() if so]
        refuted = [
            Contradiction(atom=a, believed=self.beliefs[a], measured=None, time_s=time_s)
            for a in sorted(old - facts)
            if a.predicate not in DERIVED
        ]
        if old:  # before the first measurement nothing was believed, and all of it is new
            refuted += [
                Contradiction(atom=a, believed=None, measured=True, time_s=time_s)
                for a in sorted(facts - old)
                if a.predicate not in DERIVED
            ]
        return self.changed(
            "observed",
            time_s=time_s,
            put=put,
            dropped=sorted((old - facts) | {a for a, so in follows.items() if not so}),
            contradictions=tuple(refuted),
            notes=[str(c) for c in refuted],
        )

    def _gone(
        self, old: frozenset[Atom], facts: frozenset[Atom], unseen: Collection[str]
    ) -> frozenset[str]:
        """What is not seen although nothing hides the place where it was believed to be."""
        if not self.complete:
            return frozenset()
        standing = {a.args[0] for a in facts if a.predicate == ON}
        under = {a.args for a in old if a.predicate == UNDER and a.args[0] in unseen}
        lifted = {x for x, c in under if c not in standing and c not in unseen}
        hidden = {x for x, _ in under} - lifted | {a.args[0] for a in facts if a.predicate == UNDER}
        inside = {a.args[0]: a.args[1] for a in old if a.predicate == IN}
        places = {a.args[0]: a.args[1] for a in old if a.predicate == ON} | inside
        missed = {
            x
            for x, y in places.items()
            if x in unseen and y not in unseen and x not in hidden
            if x not in inside or Atom("open", (y,)) in facts
        }
        return frozenset(lifted | missed)

    def ended(self, verdict: str) -> Memory:
        """Take in how the latest sentence ended."""
        return self.changed(f"ended: {verdict}", time_s=self.time_s)

    def executed(self, action: GroundAction, result: SkillResult) -> Memory:
        """Predict the effects of an action that reported success; a failure predicts nothing.

        Raises:
            ValueError: The action or its arguments do not exist.
        """
        if not result.ok:
            note = f"{action} failed: {result.reason}" if result.reason else f"{action} failed"
            return self.changed(f"executed {action}", time_s=self.time_s, notes=[note])
        facts, v = self.facts, self.vocabulary
        adds, deletes = effects_of(action, facts, v.domain, v.objects)
        sure = [self.beliefs[a].confidence for a in deletes & facts]
        confidence = min([CONFIDENCE[Provenance.INFERRED], *sure])
        put = [
            Fact(atom=a, provenance=Provenance.INFERRED, confidence=confidence, time_s=self.time_s)
            for a in sorted(adds - facts)
        ]
        dropped = sorted(deletes & facts)
        return self.changed(f"executed {action}", time_s=self.time_s, put=put, dropped=dropped)

    def told(self, instruction: str, program: Program, meaning: str = "") -> Memory:
        """Take in a sentence, what it was understood to mean, and that in words."""
        exchange = (instruction, meaning or str(program))
        kept = (*self.exchanges, (instruction, program))[-EXCHANGES_KEPT:]
        after = self.changed(f"told: {instruction}", time_s=self.time_s, exchange=exchange)
        return replace(after, exchanges=kept)

    def changed(
        self,
        cause: str,
        *,
        time_s: float,
        put: Iterable[Fact] = (),
        dropped: Iterable[Atom] = (),
        relations: Iterable[Linear] = (),
        notes: Iterable[str] = (),
        exchange: tuple[str, ...] = (),
        contradictions: tuple[Contradiction, ...] = (),
    ) -> Memory:
        """One step further. Does not check anything: that is the writer's work.

        Raises:
            ValueError: A relation contradicts what is known.
        """
        change = Change(
            step=self.step + 1,
            time_s=time_s,
            cause=cause,
            put=tuple(put),
            dropped=tuple(dropped),
            relations=tuple(r.to_json() for r in relations),
            notes=tuple(notes),
            exchange=exchange,
        )
        return replace(self.applied(change), contradictions=contradictions)

    def applied(self, change: Change) -> Memory:
        """The memory after a change that was recorded; sentences stay in the record.

        Raises:
            ValueError: The change is not the next one, or a relation contradicts what is known.
        """
        if change.step != self.step + 1:
            raise ValueError(f"change {change.step} does not follow step {self.step}")
        beliefs = dict(self.beliefs)
        quantities = self.quantities
        for atom in change.dropped:
            beliefs.pop(atom, None)
            if atom.predicate in self.vocabulary.quantities:
                quantities = quantities.without(atom)
        for fact in change.put:
            beliefs[fact.atom] = fact
        for relation in change.relations:
            quantities = quantities.learned(Linear.from_json(relation))
        return replace(
            self,
            beliefs=MappingProxyType(beliefs),
            quantities=quantities,
            step=change.step,
            time_s=max(self.time_s, change.time_s),
            change=change,
            contradictions=(),
        )


def _fact(atom: Atom, time_s: float, source: Provenance) -> Fact:
    return Fact(atom=atom, provenance=source, confidence=CONFIDENCE[source], time_s=time_s)
