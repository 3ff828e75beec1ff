"""A memory while it is being written: what each proposal does to it, and what forbids it."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from embodied.memory.arithmetic import Linear, Quantities
from embodied.memory.facts import Fact, Provenance, Value
from embodied.memory.memory import Memory
from embodied.memory.vocabulary import DERIVED, HOLDING, IN, ON, UNDER, inconsistencies
from embodied.types import Atom


class Refused(Exception):  # noqa: N818 - caught within this package; not an error of the caller
    """A proposal cannot be taken in; the text says why."""


class Draft:
    """A working copy of a memory.

    Args:
        memory: What it starts from.
        provenance: Where the proposals come from.
        time_s: What moment they are about, s.
        confidence: Probability that they are right.

    Attributes:
        beliefs: Facts by what they are about.
        relations: Relations that were learned.
    """

    def __init__(
        self, memory: Memory, provenance: Provenance, time_s: float, confidence: float
    ) -> None:
        self.memory = memory
        self.time_s = time_s
        self.beliefs: dict[Atom, Fact] = dict(memory.beliefs)
        self.relations: list[Linear] = []
        self._quantities: Quantities = memory.quantities
        self._provenance = provenance
        self._confidence = confidence
        self._lost: set[Atom] = set()

    def copy(self) -> tuple[dict[Atom, Fact], list[Linear], Quantities, set[Atom]]:
        """What ``restore`` needs to undo everything from here on."""
        return dict(self.beliefs), list(self.relations), self._quantities, set(self._lost)

    def restore(self, saved: tuple[dict[Atom, Fact], list[Linear], Quantities, set[Atom]]) -> None:
        """Undo everything since ``copy``."""
        self.beliefs, self.relations, self._quantities, self._lost = saved

    def difference(self) -> tuple[tuple[Fact, ...], tuple[Atom, ...]]:
        """Facts that are new, and atoms about which nothing is believed any more."""
        old = self.memory.beliefs
        put = tuple(f for a, f in sorted(self.beliefs.items()) if old.get(a) != f)
        return put, tuple(sorted(self._lost | (old.keys() - self.beliefs.keys())))

    # ------------------------------------------------------------- proposals

    def add(self, atom: Atom) -> list[str]:
        """Believe a predicate.

        Returns:
            What else ends or follows with it.

        Raises:
            Refused: It cannot hold together with what stands.
        """
        if atom.predicate in DERIVED:
            return self._confirm(atom, holds=True)
        self._check_static(atom)
        if atom in self.beliefs:
            self._put(atom)
            return []
        v = self.memory.vocabulary
        if atom.predicate in v.places:
            notes = self._relocate(atom)
        elif atom.predicate == UNDER:
            notes = self._end(self._places_of(atom.args[0]))
        elif atom.predicate == HOLDING:
            notes = self._grasp(atom)
        else:
            notes = self._end(v.opposites_of(atom))
        self._put(atom)
        return notes + self._follow()

    def remove(self, atom: Atom) -> list[str]:
        """End a belief; returns and raises as ``add`` does."""
        if atom.predicate in DERIVED:
            return self._confirm(atom, holds=False)
        self._check_static(atom)
        if atom.predicate in self.memory.vocabulary.quantities:
            return self._forget(atom)
        if atom not in self.beliefs:
            raise Refused(f"{atom} is not believed; {self._known_of(atom)}")
        self._end([atom])
        return self._follow()

    def set(self, atom: Atom, value: Value) -> list[str]:
        """Believe a value; returns and raises as ``add`` does."""
        old = self.beliefs.get(atom)
        if old is not None and old.value != value:
            self._check_weight(old)
        if atom.predicate in self.memory.vocabulary.quantities and isinstance(value, Fraction):
            self.relate(Linear.value(atom, value))
        self._put(atom, value)
        return [f"{old} ends"] if old is not None and old.value != value else []

    def relate(self, relation: Linear) -> None:
        """Learn a relation; raises as ``add`` does."""
        v = self.memory.vocabulary
        for x in relation.terms:
            if x.predicate not in v.quantities:
                legal = ", ".join(sorted(v.quantities))
                raise Refused(f"{x} is no quantity; quantities: {legal}")
            problem = v.objection(x)
            if problem:
                raise Refused(problem)
        if not relation.terms:
            raise Refused(f"{relation} relates nothing")
        problem = self._quantities.objection(relation)
        if problem:
            raise Refused(problem)
        if not self._quantities.implies(relation):
            self._quantities = self._quantities.learned(relation)
            self.relations.append(relation)

    def apply_effects(self, adds: Iterable[Atom], deletes: Iterable[Atom]) -> str:
        """Apply an action's effects; returns why they cannot hold, ``""`` when they can."""
        for atom in deletes:
            del self.beliefs[atom]
        for atom in adds:
            self._put(atom)
        try:
            self._follow()
        except Refused as refusal:
            return f"its effects contradict what is believed: {refusal}"
        return ""

    # --------------------------------------------------------------- one place

    def _relocate(self, atom: Atom) -> list[str]:
        """Everything that ends when an object comes to a place."""
        predicate, (x, y) = atom.predicate, atom.args
        if x == y:
            raise Refused(f"{x} cannot be {predicate} itself")
        if y in self._all_on_or_in(x):
            raise Refused(f"{y} rests on or in {x}")
        rests_on_item = predicate == ON and self.memory.vocabulary.can_be_on_top(y)
        if rests_on_item:
            if above := [z for z in self._carried(y) if z != x]:
                raise Refused(f"{above[0]} rests on {y}, which carries one object at most")
            if self._holding(y):
                raise Refused(f"{y} is in the hand")
        ends = self._places_of(x) + self._holding(x)
        inside = self._inside(x)
        if predicate == IN and (support := self._target(ON, x)) is not None:
            if self._inside(support) == y:  # x is found to be where its support is
                ends = [e for e in ends if e.predicate != ON]
        if rests_on_item and inside is not None and self._inside(y) == inside:
            ends = [e for e in ends if e.predicate != IN]
        if ends:
            self._check_uncovered(x)
        elif self._carried(x):
            self._check_together(x, y, predicate)
        notes = self._end(ends)
        if rests_on_item and (container := self._inside(y)) is not None and inside != container:
            self._put(Atom(IN, (x, container)))
            notes.append(f"so {Atom(IN, (x, container))}")
        return notes

    def _grasp(self, atom: Atom) -> list[str]:
        (x,) = atom.args
        others = [a for a in self.beliefs if a.predicate == HOLDING and a != atom]
        if others:
            raise Refused(f"the hand holds {others[0].args[0]}")
        self._check_uncovered(x)
        return self._end(self._places_of(x))

    def _check_uncovered(self, x: str) -> None:
        above = self._carried(x)
        if above:
            raise Refused(f"{above[0]} rests on {x}: nothing may rest on what is moved")

    def _check_together(self, x: str, y: str, predicate: str) -> None:
        """Refuse to find ``x`` in another container than what rests on it."""
        container = y if predicate == IN else self._inside(y) if predicate == ON else None
        for z in self._carried(x):
            if self._inside(z) != container:
                raise Refused(f"{z} rests on {x} and is not in the same container")

    # ------------------------------------------------------------------ helpers

    def _follow(self) -> list[str]:
        """Bring derived facts up to date; refuse what has become inconsistent."""
        facts = self._facts()
        changed = self.memory.facts ^ facts
        v = self.memory.vocabulary
        about = {arg for a in changed if a.predicate not in DERIVED for arg in a.args}
        for atom, holds in v.derived(facts, about).items():
            if holds and atom not in self.beliefs:
                self._put(atom, provenance=Provenance.INFERRED)
            elif not holds:
                self.beliefs.pop(atom, None)
        found = inconsistencies(v, self._facts())
        if found:  # a measurement may have brought some in; a proposal must not add to them
            new = set(found).difference(inconsistencies(v, self.memory.facts))
            if new:
                raise Refused(min(new))
        return []

    def _confirm(self, atom: Atom, *, holds: bool) -> list[str]:
        """Accept a derived fact only where it follows anyway."""
        so = self.memory.vocabulary.derived(self._facts(), atom.args).get(atom, False)
        if so == holds:
            if so and atom not in self.beliefs:
                self._put(atom, provenance=Provenance.INFERRED)
            return []
        where = "follows from" if so else "does not follow from"
        places = ", ".join(self.memory.vocabulary.places)
        raise Refused(f"{atom} {where} where things are: change {places} instead")

    def _end(self, atoms: Iterable[Atom]) -> list[str]:
        notes: list[str] = []
        for atom in atoms:
            old = self.beliefs.get(atom)
            if old is not None:
                self._check_weight(old)
                del self.beliefs[atom]
                notes.append(f"{atom} ends")
        return notes

    def _forget(self, atom: Atom) -> list[str]:
        """Forget a quantity, whatever was said of it."""
        old = self.beliefs.get(atom)
        if old is not None:
            self._check_weight(old)
            del self.beliefs[atom]
        without = self._quantities.without(atom)
        if old is None and without is self._quantities:
            raise Refused(f"nothing is known of {atom}")
        self._quantities = without
        if self.relations:
            raise Refused(f"{atom} cannot be forgotten together with new relations")
        self._lost.add(atom)
        return []

    def _check_static(self, atom: Atom) -> None:
        v = self.memory.vocabulary
        if v.is_static(atom.predicate) and self._provenance is not Provenance.SEEN:
            raise Refused(f"no action changes '{atom.predicate}': it is measured, not said")

    def _check_weight(self, old: Fact) -> None:
        """Refuse to end what is newer, or as new and from a stronger source."""
        if old.time_s > self.time_s:
            raise Refused(
                f"{old} was {old.provenance.value} at {old.time_s:g} s, this is about "
                f"{self.time_s:g} s"
            )
        if old.time_s == self.time_s and old.provenance.weight > self._provenance.weight:
            raise Refused(
                f"{old} was {old.provenance.value} at the same moment, which outweighs "
                f"what is {self._provenance.value}"
            )

    def _put(
        self, atom: Atom, value: Value = True, *, provenance: Provenance | None = None
    ) -> None:
        old = self.beliefs.get(atom)
        now = (self.time_s, self._provenance.weight)
        if old is not None and old.value == value and (old.time_s, old.provenance.weight) > now:
            return
        self.beliefs[atom] = Fact(
            atom=atom,
            value=value,
            provenance=provenance or self._provenance,
            confidence=self._confidence,
            time_s=self.time_s,
        )

    def _known_of(self, atom: Atom) -> str:
        names = set(atom.args)
        known = [str(f) for a, f in sorted(self.beliefs.items()) if names & set(a.args)]
        return f"believed: {', '.join(known[:8])}" if known else "nothing is believed about it"

    def _facts(self) -> frozenset[Atom]:
        return frozenset(a for a, f in self.beliefs.items() if f.value is True)

    def _places_of(self, x: str) -> list[Atom]:
        places = (*self.memory.vocabulary.places, UNDER)
        return [a for a in self.beliefs if a.predicate in places and a.args[0] == x]

    def _holding(self, x: str) -> list[Atom]:
        atom = Atom(HOLDING, (x,))
        return [atom] if atom in self.beliefs else []

    def _carried(self, y: str) -> list[str]:
        return [a.args[0] for a in self.beliefs if a.predicate == ON and a.args[1] == y]

    def _inside(self, x: str) -> str | None:
        return self._target(IN, x)

    def _target(self, predicate: str, x: str) -> str | None:
        for a in self.beliefs:
            if a.predicate == predicate and a.args[0] == x:
                return a.args[1]
        return None

    def _all_on_or_in(self, x: str) -> set[str]:
        """Everything that rests on or in ``x``, directly or not."""
        places = self.memory.vocabulary.places
        found: set[str] = set()
        todo = [x]
        while todo:
            y = todo.pop()
            for a in self.beliefs:
                if a.predicate in places and a.args[1] == y and a.args[0] not in found:
                    found.add(a.args[0])
                    todo.append(a.args[0])
        return found
