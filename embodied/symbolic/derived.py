"""Derived predicates: the facts that follow from a state by a domain's rules (PDDL 2.2).

Rules become flat Horn clauses with checks (negations, ``forall``), grouped into strata so that what
a check negates is complete before it is asked (Thiebaux, Hoffmann and Nebel, AIJ 168, 2005). Each
stratum is closed semi-naively: a new fact is joined with the known ones, through indices.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from embodied.symbolic.formulas import (
    And,
    Equal,
    Exists,
    ForAll,
    Formula,
    Imply,
    Not,
    Or,
    Parameter,
    Proposition,
    propositions,
    substitute,
)
from embodied.symbolic.model import Domain
from embodied.symbolic.semantics import holds
from embodied.types import Atom


@dataclass(frozen=True, slots=True)
class _Clause:
    """``head`` holds where all of ``positive`` and ``checks`` do, for some ``variables``."""

    head: Proposition
    variables: tuple[Parameter, ...]
    positive: tuple[Proposition, ...]
    checks: tuple[Formula, ...]


class Derivation:
    """Closes states under the rules of a domain.

    Args:
        domain: Gives the rules, types and constants.
        objects: Object name to type.

    Raises:
        ValueError: A predicate depends on its own negation; the message names the predicates.
    """

    def __init__(self, domain: Domain, objects: Mapping[str, str]) -> None:
        self._domain, self._objects = domain, objects
        clauses = list(_clauses(domain))
        self._needs = _needs(clauses)
        self._strata = _strata(clauses, self._needs)
        self._within: dict[frozenset[str], list[list[_Clause]]] = {}
        self._names = {
            v: frozenset(domain.names_of(v, objects)) for c in clauses for v in c.variables
        }

    def base(self, facts: AbstractSet[Atom]) -> frozenset[Atom]:
        """A state without what was derived."""
        if not self._strata:
            return frozenset(facts)
        return frozenset(a for a in facts if a.predicate not in self._needs)

    def close(
        self, facts: AbstractSet[Atom], predicates: AbstractSet[str] | None = None
    ) -> frozenset[Atom]:
        """A state with what follows from it: everything, or the atoms of some predicates."""
        strata = self._strata if predicates is None else self._below(frozenset(predicates))
        if not strata:
            return frozenset(facts)
        known = _Index(facts)
        for stratum in strata:
            self._close_stratum(stratum, known)
        return frozenset(known.atoms)

    def _below(self, predicates: frozenset[str]) -> list[list[_Clause]]:
        """What derives some predicates and all that they depend on."""
        if predicates not in self._within:
            wanted = set(predicates) & set(self._needs)
            while more := {p for w in wanted for p in self._needs[w]} - wanted:
                wanted |= more
            kept = ([c for c in s if c.head.predicate in wanted] for s in self._strata)
            self._within[predicates] = [stratum for stratum in kept if stratum]
        return self._within[predicates]

    def _close_stratum(self, stratum: Sequence[_Clause], known: _Index) -> None:
        own = {c.head.predicate for c in stratum}
        users: dict[str, list[tuple[_Clause, int]]] = defaultdict(list)
        for clause in stratum:
            for i, p in enumerate(clause.positive):
                if p.predicate in own:
                    users[p.predicate].append((clause, i))
        # what a forall says about the stratum's own predicates is asked again until nothing changes
        again = [
            c for c in stratum if any(p.predicate in own for f in c.checks for p in propositions(f))
        ]
        queue: list[Atom] = []
        pending: Sequence[_Clause] = stratum
        while pending:
            for clause in pending:
                queue += known.add(self._instances(clause, clause.positive, {}, known))
            changed = bool(queue)
            while queue:
                atom = queue.pop()
                for clause, i in users[atom.predicate]:
                    binding = self._unified(clause.positive[i], atom.args, {}, clause)
                    if binding is not None:
                        rest = clause.positive[:i] + clause.positive[i + 1 :]
                        queue += known.add(self._instances(clause, rest, binding, known))
            pending = again if changed else ()

    def _instances(
        self,
        clause: _Clause,
        positive: Sequence[Proposition],
        binding: dict[str, str],
        known: _Index,
    ) -> list[Atom]:
        return [
            clause.head.ground(b)
            for b in self._joined(clause, positive, binding, known)
            if all(holds(c, known.atoms, self._domain, self._objects, b) for c in clause.checks)
        ]

    def _joined(
        self,
        clause: _Clause,
        positive: Sequence[Proposition],
        binding: dict[str, str],
        known: _Index,
    ) -> Iterator[dict[str, str]]:
        """Extensions of a binding to all variables under which all of ``positive`` are known."""
        if not positive:
            free = [v for v in clause.variables if v.name not in binding]
            for values in itertools.product(*(self._names[v] for v in free)):
                yield {**binding, **{v.name: x for v, x in zip(free, values, strict=True)}}
            return
        sizes = [len(known.candidates(p, binding)) for p in positive]
        best = sizes.index(min(sizes))
        rest = (*positive[:best], *positive[best + 1 :])
        for args in tuple(known.candidates(positive[best], binding)):
            more = self._unified(positive[best], args, binding, clause)
            if more is not None:
                yield from self._joined(clause, rest, more, known)

    def _unified(
        self, p: Proposition, args: Sequence[str], binding: dict[str, str], clause: _Clause
    ) -> dict[str, str] | None:
        result = dict(binding)
        for term, name in zip(p.terms, args, strict=True):
            if result.setdefault(term, name) != name if term[0] == "?" else term != name:
                return None
        typed = (v for v in clause.variables if v.name in result and v.name not in binding)
        return result if all(result[v.name] in self._names[v] for v in typed) else None


class _Index:
    """Atoms by predicate, and by predicate, place and name of an argument."""

    def __init__(self, atoms: Iterable[Atom]) -> None:
        self.atoms: set[Atom] = set()
        self._by_predicate: dict[str, list[tuple[str, ...]]] = defaultdict(list)
        self._by_argument: dict[tuple[str, int, str], list[tuple[str, ...]]] = defaultdict(list)
        self.add(atoms)

    def add(self, atoms: Iterable[Atom]) -> list[Atom]:
        """Take in atoms; returns the new ones."""
        new = [a for a in dict.fromkeys(atoms) if a not in self.atoms]
        self.atoms.update(new)
        for atom in new:
            self._by_predicate[atom.predicate].append(atom.args)
            for i, name in enumerate(atom.args):
                self._by_argument[atom.predicate, i, name].append(atom.args)
        return new

    def candidates(self, p: Proposition, binding: Mapping[str, str]) -> Sequence[tuple[str, ...]]:
        """Arguments of the atoms that ``p`` may stand for, the shortest list that is at hand."""
        found: Sequence[tuple[str, ...]] = self._by_predicate.get(p.predicate, ())
        for i, term in enumerate(p.terms):
            name = binding.get(term) if term[0] == "?" else term
            if name is not None:
                narrower = self._by_argument.get((p.predicate, i, name), ())
                if len(narrower) < len(found):
                    found = narrower
        return found


def _clauses(domain: Domain) -> Iterator[_Clause]:
    fresh = itertools.count()
    for rule in domain.derived:
        head = Proposition(rule.predicate, tuple(p.name for p in rule.parameters))
        for variables, positive, checks in _alternatives(_normal(rule.condition), fresh):
            yield _Clause(head, (*rule.parameters, *variables), positive, checks)


_Alternative = tuple[tuple[Parameter, ...], tuple[Proposition, ...], tuple[Formula, ...]]


def _alternatives(formula: Formula, fresh: Iterator[int]) -> list[_Alternative]:
    """A formula in negation normal form as alternatives of existential variables and conjuncts."""
    match formula:
        case Proposition():
            return [((), (formula,), ())]
        case Or(parts):
            return [a for part in parts for a in _alternatives(part, fresh)]
        case And(parts):
            each = (_alternatives(part, fresh) for part in parts)
            return [
                (
                    tuple(v for a in chosen for v in a[0]),
                    tuple(p for a in chosen for p in a[1]),
                    tuple(c for a in chosen for c in a[2]),
                )
                for chosen in itertools.product(*each)
            ]
        case Exists(variables, body):
            own = tuple(Parameter(f"{v.name}.{next(fresh)}", v.types) for v in variables)
            renamed = {v.name: o.name for v, o in zip(variables, own, strict=True)}
            found = _alternatives(substitute(body, renamed), fresh)
            return [((*own, *more), positive, checks) for more, positive, checks in found]
        case _:
            return [((), (), (formula,))]


def _normal(formula: Formula, positive: bool = True) -> Formula:
    """Negation normal form: no ``imply``, negations before propositions and equalities only."""
    match formula:
        case Proposition() | Equal():
            return formula if positive else Not(formula)
        case Not(body):
            return _normal(body, not positive)
        case And(parts) | Or(parts):
            kind = And if isinstance(formula, And) == positive else Or
            return kind(tuple(_normal(p, positive) for p in parts))
        case Imply(premise, conclusion):
            kind = Or if positive else And
            return kind((_normal(premise, not positive), _normal(conclusion, positive)))
        case ForAll(variables, body) | Exists(variables, body):
            kind = ForAll if isinstance(formula, ForAll) == positive else Exists
            return kind(variables, _normal(body, positive))


def _signs(formula: Formula, *, negated: bool) -> Iterator[tuple[str, bool]]:
    """Predicates of a formula in negation normal form, and whether they occur negated."""
    match formula:
        case Proposition(predicate):
            yield predicate, negated
        case Not(body):
            yield from _signs(body, negated=not negated)
        case And(parts) | Or(parts):
            for part in parts:
                yield from _signs(part, negated=negated)
        case ForAll(_, body) | Exists(_, body):
            yield from _signs(body, negated=negated)
        case _:
            return


def _needs(clauses: Sequence[_Clause]) -> dict[str, dict[str, bool]]:
    """The derived predicates that each is made of; True for those that a check negates."""
    found: dict[str, dict[str, bool]] = {c.head.predicate: {} for c in clauses}
    for clause in clauses:
        own = found[clause.head.predicate]
        parts = [(p.predicate, False) for p in clause.positive]
        parts += [sign for check in clause.checks for sign in _signs(check, negated=False)]
        for predicate, negated in parts:
            if predicate in found:
                own[predicate] = own.get(predicate, False) or negated
    return found


def _strata(
    clauses: Sequence[_Clause], needs: Mapping[str, Mapping[str, bool]]
) -> list[list[_Clause]]:
    """Clauses by the level of their heads, lowest first."""
    level = dict.fromkeys(needs, 0)
    changed = True
    while changed:
        changed = False
        for head, parts in needs.items():
            least = max((level[p] + negated for p, negated in parts.items()), default=0)
            if least > level[head]:
                if least >= len(level):
                    rounds = ", ".join(sorted(p for p in level if level[p] >= len(level) - 1))
                    raise ValueError(f"these predicates depend on their own negation: {rounds}")
                level[head], changed = least, True
    return [
        [c for c in clauses if level[c.head.predicate] == n] for n in sorted(set(level.values()))
    ]
