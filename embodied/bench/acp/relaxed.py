"""What becomes true where nothing is deleted: ground actions, reachable facts, landmarks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Set

from embodied.symbolic import Domain, Problem, Proposition, bindings, conjuncts
from embodied.symbolic.formulas import Binding
from embodied.symbolic.model import ActionSchema
from embodied.types import Atom, GroundAction

Index = dict[str, list[tuple[str, ...]]]


def fitting(
    schema: ActionSchema, domain: Domain, problem: Problem, known: Index
) -> Iterator[dict[str, str]]:
    """Bindings of an action under which the positive literals of its precondition are known."""
    allowed = {p.name: {*domain.names_of(p, problem.objects)} for p in schema.parameters}
    literals = [p for p in conjuncts(schema.precondition) if isinstance(p, Proposition)]

    def extended(binding: dict[str, str], left: list[Proposition]) -> Iterator[dict[str, str]]:
        if not left:
            yield from _free(binding, allowed)
            return
        literal = min(left, key=lambda p: (sum(t in allowed and t not in binding for t in p.terms),
                                           len(known.get(p.predicate, ()))))  # fmt: skip
        rest = [p for p in left if p is not literal]
        for args in known.get(literal.predicate, ()):
            more = dict(binding)
            for term, value in zip(literal.terms, args, strict=True):
                if term not in allowed:
                    if term != value:
                        break
                elif more.setdefault(term, value) != value or value not in allowed[term]:
                    break
            else:
                yield from extended(more, rest)

    for binding in extended({}, literals):
        yield {p.name: binding[p.name] for p in schema.parameters}


def _free(binding: dict[str, str], allowed: dict[str, set[str]]) -> Iterator[dict[str, str]]:
    name = next((n for n in allowed if n not in binding), None)
    if name is None:
        yield binding
        return
    for value in sorted(allowed[name]):
        yield from _free({**binding, name: value}, allowed)


def index_of(facts: Iterable[Atom]) -> Index:
    """Arguments of facts by their predicate."""
    found: Index = defaultdict(list)
    for atom in facts:
        found[atom.predicate].append(atom.args)
    return found


class Relaxed:
    """The task without deletions, negative conditions and conditions of effects.

    Attributes:
        ground: Ground actions that become applicable, with what they need and add.
        facts: Everything that becomes true.
    """

    def __init__(self, domain: Domain, problem: Problem) -> None:
        self.problem = problem
        self.ground: dict[GroundAction, tuple[frozenset[Atom], frozenset[Atom]]] = {}
        self.facts = set(problem.init)
        size = -1
        while size != len(self.facts):
            size, known = len(self.facts), index_of(self.facts)
            for schema in domain.actions.values():
                for binding in fitting(schema, domain, problem, known):
                    action = GroundAction(schema.name, tuple(binding.values()))
                    if action not in self.ground:
                        self.ground[action] = self._instance(domain, schema, binding)
                        self.facts |= self.ground[action][1]

    def reached_without(self, atom: Atom, goals: Set[Atom]) -> bool:
        """Whether some goals are reached although a fact never becomes true."""
        facts = set(self.problem.init) - {atom}
        missing = {a: len(needs - facts) for a, (needs, _) in self.ground.items()}
        users: dict[Atom, list[GroundAction]] = defaultdict(list)
        for action, (needs, _) in self.ground.items():
            for need in needs - facts:
                users[need].append(action)
        ready = [a for a, count in missing.items() if not count]
        while ready:
            for fact in self.ground[ready.pop()][1] - facts - {atom}:
                facts.add(fact)
                for user in users[fact]:
                    missing[user] -= 1
                    if not missing[user]:
                        ready.append(user)
        return goals <= facts

    def _instance(
        self, domain: Domain, schema: ActionSchema, binding: Binding
    ) -> tuple[frozenset[Atom], frozenset[Atom]]:
        parts = conjuncts(schema.precondition)
        needs = frozenset(p.ground(binding) for p in parts if isinstance(p, Proposition))
        adds = frozenset(
            e.atom.ground({**binding, **more})
            for e in schema.effects
            if e.positive
            for more in bindings(e.variables, domain, self.problem.objects)
        )
        return needs, adds
