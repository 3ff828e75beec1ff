"""PDDL text to ``Domain``, ``Problem`` and ``Formula``, with line-numbered diagnostics.

Covers PDDL 1.2's ADL subset (typing, negation, disjunction, quantifiers, equality, conditional
effects), PDDL 2.1's action costs and PDDL 2.2's derived predicates. Everything else (durative
actions, numeric preconditions, preferences) is reported as unsupported, never ignored.

A ``Reader`` collects all *errors* (the text has no clear meaning) and *warnings* (it has, but some
planner may stumble over it) instead of stopping at the first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from embodied.errors import Diagnostic, ProgramError
from embodied.symbolic import _sexpr
from embodied.symbolic._domain_reader import DomainReader
from embodied.symbolic._formula_reader import CONNECTIVES, define_name, name_of, parse_number
from embodied.symbolic._sexpr import Group, Sexpr, Word
from embodied.symbolic.formulas import TRUE, Formula
from embodied.symbolic.model import Domain, Function, Problem
from embodied.types import Atom

PROBLEM_SECTIONS = (":domain", ":requirements", ":objects", ":init", ":goal", ":metric")


@dataclass(slots=True)
class Reader(DomainReader):
    """Reads domains, problems and formulas; see ``FormulaReader`` for what it collects.

    Attributes:
        lenient: Initial facts that are not over the problem's predicates, objects and types are
            left out, with a note, instead of being errors.
        notes: What was left out.
    """

    lenient: bool = False
    notes: list[str] = field(default_factory=list[str])

    def problem(self, text: str, domain: Domain) -> Problem:
        """A whole problem; meaningless where errors were found."""
        root = self.define(text, "problem")
        if root is None:
            return Problem(name="", objects={}, init=frozenset(), goal=TRUE)
        self._sections(root, PROBLEM_SECTIONS, repeated=())
        stated = _sexpr.section(root, ":domain")
        domain_name = next(iter(name_of(stated)), "") if stated else ""
        if domain_name != domain.name:
            self.warn(
                stated or root,
                f"the problem is for domain '{domain_name}', the domain is '{domain.name}'",
                f"write (:domain {domain.name})",
            )
        listed = _sexpr.section(root, ":objects")
        objects = self.objects(listed, domain, ":objects") if listed else {}
        for name in objects:
            if name in domain.constants:
                same = objects[name] == domain.constants[name]
                (self.warn if same else self.error)(
                    listed or root,
                    f"object '{name}' is already a constant of the domain",
                    "remove it from :objects",
                )
        scope = object_scope(domain, objects)
        init, values = self._init(root, domain, scope)
        goal_group = _sexpr.section(root, ":goal")
        goal: Formula = TRUE
        if goal_group is None:
            self.error(root, "the problem has no :goal")
        elif self._count(goal_group, 1):
            goal = self.formula(goal_group.rest[0], domain, scope)
        return Problem(
            name=define_name(root),
            objects={n: t for n, t in objects.items() if n not in domain.constants},
            init=init,
            goal=goal,
            values=values,
            minimize_cost=self._metric(root),
        )

    def _init(
        self, root: Group, domain: Domain, scope: Mapping[str, tuple[str, ...]]
    ) -> tuple[frozenset[Atom], dict[Atom, float]]:
        group = _sexpr.section(root, ":init")
        facts: set[Atom] = set()
        values: dict[Atom, float] = {}
        if group is None:
            self.error(root, "the problem has no :init")
            return frozenset(), values
        items = list(group.rest)
        if len(items) == 1 and isinstance(items[0], Group) and items[0].head == "and":
            self.warn(items[0], "':init' is a list of facts, not a conjunction", "remove 'and'")
            items = list(items[0].rest)
        denied: list[tuple[Sexpr, Atom]] = []
        for item in items:
            if isinstance(item, Word):
                self.error(item, f"expected a fact in parentheses in :init, got '{item}'")
            elif item.head == "=":
                self._value(item, domain, scope, values)
            elif item.head == "not" and len(item.rest) == 1 and isinstance(item.rest[0], Group):
                p = self.proposition(item.rest[0], domain, scope)
                denied.append((item, Atom(p.predicate, p.terms)))
            elif item.head in CONNECTIVES or not item.head:
                self.error(item, f"':init' holds ground facts only, got {item}")
            else:
                before = len(self.errors)
                p = self.proposition(item, domain, scope)
                if any(rule.predicate == p.predicate for rule in domain.derived):
                    self.error(item, f"'{p.predicate}' is derived: {item} cannot be in :init")
                if self.lenient and len(self.errors) > before:
                    self.notes.append(f"left out of :init: {self.errors[before]}")
                    del self.errors[before:]
                else:
                    facts.add(Atom(p.predicate, p.terms))
        for item, atom in denied:
            say = self.error if atom in facts else self.warn
            extra = f"both {atom} and its negation" if atom in facts else f"{item}"
            say(item, f"':init' contains {extra}", "facts that are not listed are false: remove it")
        return frozenset(facts), values

    def _value(
        self,
        item: Group,
        domain: Domain,
        scope: Mapping[str, tuple[str, ...]],
        values: dict[Atom, float],
    ) -> None:
        number = parse_number(str(item.rest[1])) if len(item.rest) == 2 else None
        head = item.rest[0] if item.rest else item
        if number is None:
            self.error(item, f"expected (= (function ...) NUMBER), got {item}")
            return
        function = Group((head,), head.line) if isinstance(head, Word) else head
        read = self.expression(function, domain, scope)
        if isinstance(read, Function):
            values[Atom(read.name, read.terms)] = number

    def _metric(self, root: Group) -> bool:
        group = _sexpr.section(root, ":metric")
        if group is None:
            return False
        if str(group) in ("(:metric minimize (total-cost))", "(:metric minimize total-cost)"):
            return True
        self.error(group, f"unsupported metric {group}", "write (:metric minimize (total-cost))")
        return False


def object_scope(domain: Domain, objects: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Objects and constants with their types, as ``Reader.formula`` wants them."""
    return {n: (t,) for n, t in {**domain.constants, **objects}.items()}


def _checked(reader: Reader, raw: str) -> None:
    if reader.errors:
        raise ProgramError(raw, reader.errors)


def read_domain(text: str) -> Domain:
    """Read a domain.

    Raises:
        ProgramError: All errors of the text, with line numbers.
    """
    reader = Reader(part="domain")
    domain = reader.domain(text)
    _checked(reader, text)
    return domain


def read_problem(text: str, domain: Domain) -> Problem:
    """Read a problem of ``domain``.

    Raises:
        ProgramError: All errors of the text, with line numbers.
    """
    reader = Reader(part="problem")
    problem = reader.problem(text, domain)
    _checked(reader, text)
    return problem


def read_leniently(text: str, domain: Domain) -> tuple[Problem, tuple[str, ...]]:
    """Read a problem whose initial state may hold ill-typed or unknown facts.

    Returns:
        The problem without these facts, and one note for each of them.

    Raises:
        ProgramError: All other errors of the text, with line numbers.
    """
    reader = Reader(part="problem", lenient=True)
    problem = reader.problem(text, domain)
    _checked(reader, text)
    return problem, tuple(reader.notes)


def read_goal(text: str, domain: Domain, objects: Mapping[str, str]) -> Formula:
    """Read one ground formula, e.g. ``(forall (?b - block) (in ?b bin))``.

    Raises:
        ProgramError: The formula is malformed or names what does not exist.
    """
    reader = Reader(part="goal")
    expressions, unbalanced = _sexpr.parse(text)
    reader.errors += [
        Diagnostic(where=f"goal, {d.where}", problem=d.problem, hint=d.hint) for d in unbalanced
    ]
    formula: Formula = TRUE
    if len(expressions) != 1:
        reader.error(0, f"expected one formula, got {len(expressions)}", "join them with (and ...)")
    else:
        formula = reader.formula(expressions[0], domain, object_scope(domain, objects))
    _checked(reader, text)
    return formula
