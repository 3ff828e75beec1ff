"""What an initial state should satisfy by the domain's own rules.

A problem file that a model writes from a description mostly fails in its ``:init``: a block that
nothing says is clear, a neighbour listed in one direction only. Two kinds of rules catch that:

- *Exactly one.* A set S of predicate places such that every action leaves the number of facts with
  x in one of these places as it was, e.g. ``clear x``, ``holding x``, ``on ? x``. If exactly one
  such fact holds for every object of a kind in a known-good problem of the domain (or, without
  one, for most objects here), then it does so in every sensible problem. This is the simplest case
  of the invariants that Fast Downward synthesises (Helmert 2009).
- *Both ways.* A static relation that is symmetric in the known-good problem (or, without one,
  mostly symmetric here) is symmetric; the same for two relations that mirror each other, such as
  ``up`` and ``down``.

These are suspicions, not errors: whoever wrote the problem may know better.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations, product

from embodied.errors import Diagnostic
from embodied.symbolic import ActionSchema, Domain, Effect, Parameter, Problem

_LARGEST_SET = 3
_MOST_PLACES = 24
_MOSTLY = 0.6

_Place = tuple[str, int]
"""A predicate and the position of x in it; position -1 counts every fact of the predicate."""


@dataclass(frozen=True, slots=True)
class ExactlyOne:
    """For every object of ``kind``, one fact in ``places`` holds; ``kind`` is "" for one in all.

    Attributes:
        places: Predicates with the position of the object; -1 where any fact counts.
        kind: A type, or a static predicate of one argument, or "".
    """

    places: tuple[_Place, ...]
    kind: str

    def describe(self, domain: Domain, name: str) -> str:
        """The alternatives for an object, as PDDL with ``?`` for anything."""
        texts: list[str] = []
        for predicate, position in self.places:
            words = ["?"] * len(domain.predicates[predicate])
            if position >= 0:
                words[position] = name
            texts.append(f"({' '.join((predicate, *words))})")
        return ", ".join(texts)


def suspicions(
    domain: Domain, problem: Problem, example: Problem | None = None
) -> tuple[Diagnostic, ...]:
    """Where ``:init`` breaks rules that the domain, and a known-good problem of it, suggest.

    Args:
        domain: The domain.
        problem: The problem to check.
        example: A known-good problem of the same domain; makes the rules sharper.
    """
    return (
        *_count_suspicions(domain, problem, example),
        *_mirror_suspicions(domain, problem, example),
        *_absence_suspicions(domain, problem, example),
    )


def exactly_one_rules(domain: Domain, witness: Problem) -> tuple[ExactlyOne, ...]:
    """The rules that every action preserves and that hold without exception in ``witness``."""
    return tuple(
        rule
        for rule in _candidates(domain)
        if (counts := _counts(domain, witness, rule)) and set(counts.values()) == {1}
    )


def _count_suspicions(
    domain: Domain, problem: Problem, example: Problem | None
) -> Iterator[Diagnostic]:
    said: set[tuple[str, tuple[_Place, ...]]] = set()
    if example is not None:
        rules = exactly_one_rules(domain, example)
    else:
        rules = tuple(r for r in _candidates(domain) if _mostly_one(domain, problem, r))
    for rule in rules:
        for name, count in sorted(_counts(domain, problem, rule).items()):
            if count == 1 or (name, rule.places) in said:
                continue
            said.add((name, rule.places))
            about = f"about {name} " if name else ""
            yield Diagnostic(
                where="problem, :init",
                problem=f"{'none' if count == 0 else count} of these facts {about}hold: "
                f"{rule.describe(domain, name)}",
                hint="usually exactly one of them does: does the description say otherwise?",
            )


def _mostly_one(domain: Domain, problem: Problem, rule: ExactlyOne) -> bool:
    counts = _counts(domain, problem, rule)
    ones = sum(1 for c in counts.values() if c == 1)
    return len(counts) >= 3 and ones / len(counts) >= _MOSTLY


def _candidates(domain: Domain) -> Iterator[ExactlyOne]:
    """Minimal preserved sets of places, with every kind of object that they may be about."""
    fluents = domain.fluents()
    places: list[_Place] = [
        (name, i)
        for name, parameters in domain.predicates.items()
        if name in fluents
        for i in range(len(parameters))
    ]
    anywhere: list[_Place] = [(name, -1) for name in domain.predicates if name in fluents]
    for pool, kinds in ((places, _kinds(domain)), (anywhere, ("",))):
        found: list[frozenset[_Place]] = []
        for size in range(1, _LARGEST_SET + 1):
            for chosen in combinations(pool[:_MOST_PLACES], size):
                if len({p for p, _ in chosen}) < size and pool is anywhere:
                    continue
                if any(smaller <= set(chosen) for smaller in found):
                    continue
                if all(_preserves(a, chosen) for a in domain.actions.values()):
                    found.append(frozenset(chosen))
                    for kind in kinds:
                        yield ExactlyOne(chosen, kind)


def _kinds(domain: Domain) -> tuple[str, ...]:
    """Types, or in a domain without them static predicates of one argument, and ``object``."""
    if domain.types:
        return tuple(domain.types)
    fluents = domain.fluents()
    unary = (n for n, p in domain.predicates.items() if len(p) == 1 and n not in fluents)
    return ("object", *unary)


def _counts(domain: Domain, problem: Problem, rule: ExactlyOne) -> Mapping[str, int]:
    """Facts in the rule's places for every object of its kind; one entry "" for a global rule."""
    places = set(rule.places)
    if not rule.kind:
        return {"": sum(1 for fact in problem.init if (fact.predicate, -1) in places)}
    counts: dict[str, int] = {name: 0 for name in _members(domain, problem, rule.kind)}
    for fact in problem.init:
        for i, name in enumerate(fact.args):
            if (fact.predicate, i) in places and name in counts:
                counts[name] += 1
    return counts


def _members(domain: Domain, problem: Problem, kind: str) -> Iterable[str]:
    if kind in domain.predicates and kind not in domain.types:
        return [fact.args[0] for fact in problem.init if fact.predicate == kind]
    return domain.names_of(Parameter("?x", (kind,)), problem.objects)


def _preserves(action: ActionSchema, places: tuple[_Place, ...]) -> bool:
    """Whether the action leaves the number of facts in these places as it was, for every object.

    Counted per variable, with different variables taken to be different objects. Conditional and
    quantified effects in these places count as not preserving.
    """
    balance: Counter[str] = Counter()
    names = {p for p, _ in places}
    for effect in action.effects:
        if effect.atom.predicate not in names:
            continue
        if effect.variables or not _unconditional(effect):
            return False
        for predicate, position in places:
            if predicate == effect.atom.predicate:
                about = effect.atom.terms[position] if position >= 0 else ""
                balance[about] += 1 if effect.positive else -1
    return all(n == 0 for n in balance.values())


def _unconditional(effect: Effect) -> bool:
    return str(effect.condition) == "(and)"


def _mirror_suspicions(
    domain: Domain, problem: Problem, example: Problem | None
) -> Iterator[Diagnostic]:
    """Static relations P, Q (mostly P itself) with (P a b) wherever (Q b a)."""
    fluents = domain.fluents()
    relations = [n for n, p in domain.predicates.items() if n not in fluents and len(p) == 2]
    witness = problem if example is None else example
    needed = _MOSTLY if example is None else 1.0
    for name, mirror in product(relations, repeat=2):
        known, known_mirror = _pairs(witness, name), _pairs(witness, mirror)
        mirrored = sum(1 for a, b in known if (b, a) in known_mirror)
        if len(known) < 2 or mirrored / len(known) < needed:
            continue
        here = _pairs(problem, mirror)
        for a, b in sorted(_pairs(problem, name)):
            if (b, a) not in here:
                yield Diagnostic(
                    where="problem, :init",
                    problem=f"({name} {a} {b}) is listed without ({mirror} {b} {a})",
                    hint=f"in this domain one of {name} and {mirror} says the other backwards"
                    if name != mirror
                    else f"{name} holds in both directions in this domain",
                )


def _pairs(problem: Problem, predicate: str) -> set[tuple[str, str]]:
    return {(f.args[0], f.args[1]) for f in problem.init if f.predicate == predicate}


def _absence_suspicions(
    domain: Domain, problem: Problem, example: Problem | None
) -> Iterator[Diagnostic]:
    """Static predicates that the example has facts of and the problem has none."""
    if example is None:
        return
    missing = {f.predicate for f in example.init} - {f.predicate for f in problem.init}
    for name in sorted(missing - domain.fluents()):
        words = " ".join(("?",) * len(domain.predicates[name]))
        yield Diagnostic(
            where="problem, :init",
            problem=f"there is no fact ({name} {words})".replace(" )", ")"),
            hint="no action makes one true, and the actions need them: is none meant?",
        )
