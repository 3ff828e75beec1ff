"""The goal of one stage: literals as the clauses gave them, made consistent or refused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from embodied.language.words.cursor import Abstain
from embodied.language.words.scene_words import plain
from embodied.symbolic import And, ForAll, Formula, Not, Or, Parameter, Proposition
from embodied.types import Atom, Placement


@dataclass(frozen=True, slots=True)
class Literal:
    """A ground atom that shall hold, or (``positive`` false) shall not."""

    atom: Atom
    positive: bool = True

    @property
    def formula(self) -> Formula:
        """As a formula."""
        proposition = Proposition(self.atom.predicate, self.atom.args)
        return proposition if self.positive else Not(proposition)


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """What one clause asks for.

    Attributes:
        kind: ``"place"``, ``"remove"``, ``"empty"``, ``"hold"``, ``"open"`` or ``"keep"``.
        literals: A conjunction of ground literals.
        general: The same with quantifiers, where that is shorter; a disjunction when
            ``literals`` is empty.
        names: Objects that the clause speaks about.
        universal: The sentence said "all" or used a plural, so that exceptions may follow.
        exception: An exception from what was said before ("but leave the red one on the tray").
        placement: Where exactly on what it lies on a thing is to be; ``literals`` say what that is.
    """

    kind: str
    literals: tuple[Literal, ...] = ()
    general: Formula | None = None
    names: frozenset[str] = frozenset()
    universal: bool = False
    exception: bool = False
    placement: Placement | None = None

    @property
    def formulas(self) -> tuple[Formula, ...]:
        """Conjuncts."""
        if self.general is not None:
            return (self.general,)
        return tuple(literal.formula for literal in self.literals)


def literals(atoms: Iterable[Atom], *, positive: bool = True) -> tuple[Literal, ...]:
    """Literals of one sign."""
    return tuple(Literal(atom, positive) for atom in atoms)


def for_all(types: Sequence[tuple[str, str]], body: Proposition, *, positive: bool) -> Formula:
    """A universally quantified literal over variables given as (name, type)."""
    parameters = tuple(Parameter(name, (kind,)) for name, kind in types)
    return ForAll(parameters, body if positive else Not(body))


def any_of(options: Iterable[Sequence[Literal]]) -> Formula:
    """A disjunction of conjunctions."""
    parts = [
        option[0].formula if len(option) == 1 else And(tuple(x.formula for x in option))
        for option in options
    ]
    return parts[0] if len(parts) == 1 else Or(tuple(parts))


def stage_goal(requirements: Sequence[Requirement], *, stackable: Mapping[str, bool]) -> str:
    """The goal of a stage as PDDL text.

    A means to an end that the end undoes is left out: picking up what is then put somewhere,
    opening the drawer that is closed again after something went in, emptying what is then filled.

    Args:
        requirements: What the clauses ask for, in their order.
        stackable: Whether something can rest on each item.

    Raises:
        Abstain: The requirements contradict each other.
    """
    kept = _with_towers(_without_means(requirements))
    _check([x for r in kept for x in r.literals], stackable)
    formulas = list(dict.fromkeys(f for r in kept for f in r.formulas))
    if not formulas:
        raise Abstain("sentence", "it asks for nothing that could be checked")
    return str(formulas[0] if len(formulas) == 1 else And(tuple(formulas)))


def _without_means(requirements: Sequence[Requirement]) -> list[Requirement]:
    kept: list[Requirement] = []
    for i, requirement in enumerate(requirements):
        later = requirements[i + 1 :]
        placed = {
            x.atom.args[0]
            for r in later
            for x in r.literals
            if x.positive and x.atom.predicate in ("on", "in")
        }
        excepted = {
            x.atom.args[0] for r in later if r.exception and not r.universal for x in r.literals
        }
        match requirement.kind:
            case "place" if requirement.universal and excepted:
                remaining = tuple(x for x in requirement.literals if x.atom.args[0] not in excepted)
                kept.append(_narrowed(requirement, remaining))
            case "hold" | "remove":
                remaining = tuple(x for x in requirement.literals if x.atom.args[0] not in placed)
                if requirement.literals and not remaining:
                    continue
                kept.append(_narrowed(requirement, remaining))
            case "empty":
                filled = {x.atom for r in later for x in r.literals if x.positive}
                remaining = tuple(x for x in requirement.literals if x.atom not in filled)
                kept.append(_narrowed(requirement, remaining))
            case "open" if any(x.positive for x in requirement.literals):
                drawers = {x.atom.args[0] for x in requirement.literals}
                if not _closed_again(drawers, later):
                    kept.append(requirement)
            case _:
                kept.append(requirement)
    return kept


def _with_towers(requirements: list[Requirement]) -> list[Requirement]:
    """Let "put both on the tray, the short one on the long one" mean that one of them is below.

    What is said to be on another thing is not also directly where that thing is put.
    """
    places = [x.atom for r in requirements for x in r.literals if x.positive]
    spots: dict[str, set[Atom]] = {}
    for atom in places:
        if atom.predicate in ("on", "in"):
            spots.setdefault(atom.args[0], set()).add(atom)
    dropped: set[Atom] = set()
    for own in spots.values():
        on_items = [a for a in own if a.predicate == "on" and a.args[1] in spots]
        for atom in on_items:
            under = spots[atom.args[1]]
            dropped |= {a for a in own if a != atom and any(b.args[1] == a.args[1] for b in under)}
    if not dropped:
        return requirements
    return [
        _narrowed(r, tuple(x for x in r.literals if x.atom not in dropped))
        if any(x.atom in dropped for x in r.literals)
        else r
        for r in requirements
    ]


def _narrowed(requirement: Requirement, remaining: tuple[Literal, ...]) -> Requirement:
    if remaining == requirement.literals:
        return requirement
    return Requirement(kind=requirement.kind, literals=remaining, names=requirement.names)


def _closed_again(drawers: set[str], later: Sequence[Requirement]) -> bool:
    """Whether all are closed later, after something was put in or taken out of them."""
    used: set[str] = set()
    closed: set[str] = set()
    for requirement in later:
        if requirement.kind == "open":
            closed |= {x.atom.args[0] for x in requirement.literals if not x.positive} & used
        else:
            used |= requirement.names
    return drawers <= closed


def _check(all_literals: Sequence[Literal], stackable: Mapping[str, bool]) -> None:
    """Refuse what no state of the world satisfies."""
    positive = {x.atom for x in all_literals if x.positive}
    for literal in all_literals:
        if not literal.positive and literal.atom in positive:
            raise _contradiction(f"{_words(literal.atom)}, and not so")
    where: dict[str, Atom] = {}
    under: dict[str, Atom] = {}
    held: set[str] = set()
    for atom in sorted(positive):
        if atom.predicate == "holding":
            held.add(atom.args[0])
        if atom.predicate not in ("on", "in", "holding"):
            continue
        item = atom.args[0]
        if item in where:
            raise _contradiction(f"{_words(where[item])} and {_words(atom)}", "places at once")
        where[item] = atom
        if atom.predicate == "on" and atom.args[1] in stackable:
            below = atom.args[1]
            if item == below:
                raise _contradiction(f"the {plain(item)} on itself")
            if not stackable[below]:
                raise Abstain("goal", f"nothing can rest on the {plain(below)}")
            if below in under:
                raise _contradiction(
                    f"{_words(under[below])} and {_words(atom)}", "only one thing rests on an item"
                )
            under[below] = atom
    if len(held) > 1:
        names = " and ".join(f"the {plain(n)}" for n in sorted(held))
        raise _contradiction(f"holding {names}", "there is one hand")
    _check_cycles({a.args[0]: a.args[1] for a in where.values() if a.predicate == "on"})


def _check_cycles(below: Mapping[str, str]) -> None:
    for start in below:
        path = [start]
        while path[-1] in below and len(path) <= len(below) + 1:
            path.append(below[path[-1]])
            if path[-1] == start:
                circle = " on ".join(f"the {plain(n)}" for n in path)
                raise _contradiction(circle, "a circle of things on each other")


def _contradiction(what: str, why: str = "") -> Abstain:
    problem = f"this contradicts itself: {what}" + (f" ({why})" if why else "")
    return Abstain("goal", problem, "say 'first ..., then ...' if one comes after the other")


def _words(atom: Atom) -> str:
    names = [f"the {plain(a)}" for a in atom.args]
    match atom.predicate:
        case "on" | "in":
            return f"{names[0]} {atom.predicate} {names[1]}"
        case "holding":
            return f"{names[0]} in the hand"
        case _:
            return f"{' '.join(names)} {atom.predicate}"
