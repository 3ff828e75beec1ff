"""Ground ADL semantics: one small module behind validator, memory, monitor and search.

A state is a frozenset of atoms under the closed-world assumption. An action's effects are read off
the state before it; deletions come before additions (PDDL 2.1, Fox and Long 2003).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet

from embodied.symbolic.formulas import (
    And,
    Binding,
    Equal,
    Exists,
    ForAll,
    Formula,
    Imply,
    Not,
    Or,
    Parameter,
    Proposition,
    substitute,
)
from embodied.symbolic.model import Arithmetic, Domain, Expression, Function, Number
from embodied.types import Atom, GroundAction

Facts = AbstractSet[Atom]
Objects = Mapping[str, str]


def bindings(
    variables: tuple[Parameter, ...], domain: Domain, objects: Objects
) -> Iterator[dict[str, str]]:
    """Every assignment of objects to typed variables."""
    if not variables:
        yield {}
        return
    names = [v.name for v in variables]
    for values in itertools.product(*(domain.names_of(v, objects) for v in variables)):
        yield dict(zip(names, values, strict=True))


def holds(
    formula: Formula, facts: Facts, domain: Domain, objects: Objects, binding: Binding | None = None
) -> bool:
    """Whether a formula is true in a state.

    Args:
        formula: The formula; ``binding`` gives its free variables, if it has any.
        facts: Everything that is true.
        domain: Gives types and constants.
        objects: Object name to type; quantifiers range over these and the constants.
        binding: Values of free variables.

    Raises:
        KeyError: A free variable has no value.
    """
    b: Binding = binding or {}
    match formula:
        case Proposition():
            return formula.ground(b) in facts
        case Equal(left, right):
            return _value(left, b) == _value(right, b)
        case Not(body):
            return not holds(body, facts, domain, objects, b)
        case And(parts):
            return all(holds(p, facts, domain, objects, b) for p in parts)
        case Or(parts):
            return any(holds(p, facts, domain, objects, b) for p in parts)
        case Imply(premise, conclusion):
            return not holds(premise, facts, domain, objects, b) or holds(
                conclusion, facts, domain, objects, b
            )
        case ForAll(variables, body) | Exists(variables, body):
            each = (
                holds(body, facts, domain, objects, {**b, **more})
                for more in bindings(variables, domain, objects)
            )
            return all(each) if isinstance(formula, ForAll) else any(each)


def _value(term: str, binding: Binding) -> str:
    return binding[term] if term.startswith("?") else term


def requirements_of(formula: Formula, domain: Domain, objects: Objects) -> Iterator[Formula]:
    """The ground conjuncts of a formula: conjunctions and ``forall`` are taken apart."""
    match formula:
        case And(parts):
            for part in parts:
                yield from requirements_of(part, domain, objects)
        case ForAll(variables, body):
            for binding in bindings(variables, domain, objects):
                yield from requirements_of(substitute(body, binding), domain, objects)
        case Not(Not(body)):
            yield from requirements_of(body, domain, objects)
        case _:
            yield formula


def unmet(formula: Formula, facts: Facts, domain: Domain, objects: Objects) -> tuple[str, ...]:
    """The ground conjuncts that do not hold, as PDDL text; empty when the formula holds."""
    return tuple(
        dict.fromkeys(
            str(part)
            for part in requirements_of(formula, domain, objects)
            if not holds(part, facts, domain, objects)
        )
    )


def bind(action: GroundAction, domain: Domain, objects: Objects) -> dict[str, str] | str:
    """The binding of an action's parameters, or a sentence that says what is wrong with it."""
    schema = domain.actions.get(action.name)
    if schema is None:
        return f"there is no action '{action.name}'; actions: {', '.join(domain.actions)}"
    if len(schema.parameters) != len(action.args):
        names = " ".join(p.name for p in schema.parameters)
        return (
            f"action '{action.name}' takes {len(schema.parameters)} arguments ({names}), "
            f"got {len(action.args)}"
        )
    for parameter, name in zip(schema.parameters, action.args, strict=True):
        kind = objects.get(name) or domain.constants.get(name)
        if kind is None:
            known = ", ".join([*objects, *domain.constants])
            return f"there is no object '{name}'; objects: {known}"
        if not domain.accepts(parameter, kind):
            return f"'{name}' is a {kind}, but {parameter.name} of '{action.name}' must be a " + (
                " or ".join(parameter.types)
            )
    return {p.name: v for p, v in zip(schema.parameters, action.args, strict=True)}


def applicable(
    action: GroundAction, facts: Facts, domain: Domain, objects: Objects
) -> tuple[str, ...]:
    """Unmet preconditions as PDDL text (or why the action does not exist); empty = applicable."""
    binding = bind(action, domain, objects)
    if isinstance(binding, str):
        return (binding,)
    precondition = domain.actions[action.name].precondition
    if holds(precondition, facts, domain, objects, binding):
        return ()
    return unmet(substitute(precondition, binding), facts, domain, objects)


def effects_of(
    action: GroundAction, facts: Facts, domain: Domain, objects: Objects
) -> tuple[frozenset[Atom], frozenset[Atom]]:
    """Atoms that the action makes true and false, whether or not they were so before.

    An atom that is both deleted and added counts as added only.

    Raises:
        ValueError: The action or its arguments do not exist.
    """
    binding = bind(action, domain, objects)
    if isinstance(binding, str):
        raise ValueError(binding)
    adds: set[Atom] = set()
    deletes: set[Atom] = set()
    for effect in domain.actions[action.name].effects:
        for more in bindings(effect.variables, domain, objects):
            b = {**binding, **more}
            if holds(effect.condition, facts, domain, objects, b):
                (adds if effect.positive else deletes).add(effect.atom.ground(b))
    return frozenset(adds), frozenset(deletes - adds)


def expected_effects(
    action: GroundAction, facts: Facts, domain: Domain, objects: Objects
) -> tuple[frozenset[Atom], frozenset[Atom]]:
    """What an action changes in this state: (atoms that become true, atoms that become false)."""
    adds, deletes = effects_of(action, facts, domain, objects)
    return adds - facts, deletes & facts


def progress(
    action: GroundAction, facts: Facts, domain: Domain, objects: Objects
) -> frozenset[Atom]:
    """The state after an action; preconditions are not checked (see ``applicable``).

    Raises:
        ValueError: The action or its arguments do not exist.
    """
    adds, deletes = effects_of(action, facts, domain, objects)
    return (frozenset(facts) - deletes) | adds


def evaluate(expression: Expression, binding: Binding, values: Mapping[Atom, float]) -> float:
    """Value of a numeric expression.

    Raises:
        KeyError: A function has no value for these arguments.
    """
    match expression:
        case Number(value):
            return value
        case Function(name, terms):
            return values[Atom(name, tuple(_value(t, binding) for t in terms))]
        case Arithmetic(op, left, right):
            a, b = evaluate(left, binding, values), evaluate(right, binding, values)
            return {"+": a + b, "-": a - b, "*": a * b}[op] if op != "/" else a / b


def action_cost(
    action: GroundAction, domain: Domain, objects: Objects, values: Mapping[Atom, float]
) -> float:
    """What the action adds to total-cost.

    Raises:
        ValueError: The action does not exist or its cost has no value.
    """
    binding = bind(action, domain, objects)
    if isinstance(binding, str):
        raise ValueError(binding)
    try:
        return sum(evaluate(c, binding, values) for c in domain.actions[action.name].costs)
    except KeyError as error:
        raise ValueError(f"cost of {action}: no value for {error.args[0]}") from error


def expanded(formula: Formula, domain: Domain, objects: Mapping[str, str]) -> Formula:
    """The formula with every quantifier written out over ``objects``; it has no free variables."""
    match formula:
        case Proposition() | Equal():
            return formula
        case Not(body):
            return Not(expanded(body, domain, objects))
        case And(parts) | Or(parts):
            return type(formula)(tuple(expanded(p, domain, objects) for p in parts))
        case Imply(premise, conclusion):
            return Imply(expanded(premise, domain, objects), expanded(conclusion, domain, objects))
        case ForAll(variables, body) | Exists(variables, body):
            every = tuple(
                expanded(substitute(body, b), domain, objects)
                for b in bindings(variables, domain, objects)
            )
            return And(every) if isinstance(formula, ForAll) else Or(every)
