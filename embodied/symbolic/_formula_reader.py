"""S-expressions to formulas, with line-numbered diagnostics."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from embodied.errors import Diagnostic
from embodied.symbolic import _sexpr
from embodied.symbolic._sexpr import Group, Sexpr, Word
from embodied.symbolic.formulas import (
    TRUE,
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
    listed,
)
from embodied.symbolic.model import OBJECT, Domain

CONNECTIVES = ("and", "or", "not", "imply", "forall", "exists", "=")
UNSUPPORTED = frozenset(
    "preference always sometime within at-most-once sometime-after sometime-before always-within "
    "hold-during hold-after".split()
)
"""Heads of PDDL 3's preferences and trajectory constraints."""


@dataclass(slots=True)
class FormulaReader:
    """Builds formulas out of s-expressions and collects what is wrong with them.

    Attributes:
        part: Put before line numbers, e.g. ``"problem"``.
        errors: What makes the text unusable.
        warnings: What is worth mending but has a clear meaning.
    """

    part: str = ""
    errors: list[Diagnostic] = field(default_factory=list[Diagnostic])
    warnings: list[Diagnostic] = field(default_factory=list[Diagnostic])

    def error(self, at: Sexpr | int, problem: str, hint: str = "") -> None:
        """Note an error."""
        self.errors.append(self._diagnostic(at, problem, hint))

    def warn(self, at: Sexpr | int, problem: str, hint: str = "") -> None:
        """Note a warning."""
        self.warnings.append(self._diagnostic(at, problem, hint))

    def _diagnostic(self, at: Sexpr | int, problem: str, hint: str) -> Diagnostic:
        line = at if isinstance(at, int) else at.line
        where = f"line {line}" if line else "whole text"
        return Diagnostic(
            where=f"{self.part}, {where}" if self.part else where, problem=problem, hint=hint
        )

    def define(self, text: str, kind: str) -> Group | None:
        """The ``(define (kind NAME) ...)`` form of a text."""
        expressions, unbalanced = _sexpr.parse(text)
        for d in unbalanced:
            where = f"{self.part}, {d.where}" if self.part else d.where
            self.errors.append(Diagnostic(where=where, problem=d.problem, hint=d.hint))
        groups = [e for e in expressions if isinstance(e, Group) and e.head == "define"]
        for e in expressions:
            if e not in groups:
                shown = str(e)
                self.error(
                    e,
                    f"text outside the definition: {shown[:60]}{'...' if len(shown) > 60 else ''}",
                    f"give only one (define ({kind} ...) ...)",
                )
        if not groups:
            self.error(0, f"there is no (define ({kind} NAME) ...) here")
            return None
        if len(groups) > 1:
            self.error(groups[1], "a second (define ...)", "give one definition per text")
        head = groups[0].items[1] if len(groups[0].items) > 1 else None
        if not isinstance(head, Group) or head.head != kind or len(name_of(head)) != 1:
            self.error(groups[0], f"expected (define ({kind} NAME) ...)")
        return groups[0]

    # -- typed lists -----------------------------------------------------------------------------

    def typed(self, items: Sequence[Sexpr], what: str) -> list[tuple[Word, tuple[str, ...]]]:
        """``a b - t c`` to ``[(a, (t,)), (b, (t,)), (c, ("object",))]``."""
        result: list[tuple[Word, tuple[str, ...]]] = []
        pending: list[Word] = []
        items = [part for item in items for part in _unglued(item)]
        i = 0
        while i < len(items):
            item = items[i]
            if isinstance(item, Group):
                self.error(item, f"expected a name in {what}, got {item}")
            elif item.text != "-":
                pending.append(item)
            else:
                i += 1
                types = self._type(items[i] if i < len(items) else item, what)
                if not pending:
                    self.error(item, f"type without names before it in {what}")
                result += [(word, types) for word in pending]
                pending = []
            i += 1
        return result + [(word, (OBJECT,)) for word in pending]

    def _type(self, item: Sexpr, what: str) -> tuple[str, ...]:
        if isinstance(item, Word) and item.text != "-":
            return (item.text,)
        if isinstance(item, Group) and item.head == "either" and len(item.items) > 1:
            return tuple(w.text for w in _sexpr.words(item.rest))
        self.error(item, f"expected a type after '-' in {what}", "e.g. ?x - block")
        return (OBJECT,)

    def parameters(
        self, items: Sequence[Sexpr], domain: Domain, what: str, *, labels: bool = False
    ) -> tuple[Parameter, ...]:
        """Typed variables with known types; as ``labels`` only, two may have the same name."""
        result: list[Parameter] = []
        for word, types in self.typed(items, what):
            if not word.text.startswith("?"):
                self.error(word, f"'{word}' in {what} must be a variable", f"write ?{word}")
            for t in types:
                self._known_type(word, t, domain)
            if not labels and word.text in {p.name for p in result}:
                self.error(word, f"variable {word} appears twice in {what}")
            result.append(Parameter(word.text, types))
        return tuple(result)

    def _known_type(self, at: Word, name: str, domain: Domain) -> None:
        if name != OBJECT and name not in domain.types:
            self.error(
                at,
                f"type '{name}' of {at} is not declared",
                f"types: {', '.join([OBJECT, *domain.types])}",
            )

    # -- formulas --------------------------------------------------------------------------------

    def formula(self, e: Sexpr, domain: Domain, scope: Mapping[str, tuple[str, ...]]) -> Formula:
        """A formula whose terms are in ``scope``: variables and objects with their types."""
        if isinstance(e, Word):
            self.error(e, f"expected a formula in parentheses, got '{e}'", f"write ({e})")
            return TRUE
        head, rest = e.head, e.rest
        if not e.items:
            return TRUE
        if head in ("and", "or"):
            parts = tuple(self.formula(p, domain, scope) for p in rest)
            return And(parts) if head == "and" else Or(parts)
        if head == "not" and self._count(e, 1):
            return Not(self.formula(rest[0], domain, scope))
        if head == "imply" and self._count(e, 2):
            a, b = (self.formula(p, domain, scope) for p in rest)
            return Imply(a, b)
        if head in ("forall", "exists") and self._count(e, 2):
            variables = self._quantified(e, domain)
            inner = {**scope, **{v.name: v.types for v in variables}}
            body = self.formula(rest[1], domain, inner)
            return ForAll(variables, body) if head == "forall" else Exists(variables, body)
        if head == "=" and self._count(e, 2):
            if any(isinstance(r, Group) for r in rest):
                self.error(e, f"unsupported numeric condition {e}", "compare objects only")
                return TRUE
            left, right = self._terms(e, rest, scope)
            return Equal(left, right)
        if head in (">", "<", ">=", "<="):
            self.error(e, f"unsupported numeric condition {e}", "use predicates")
            return TRUE
        if head in ("when", "increase", "decrease", "assign"):
            self.error(e, f"'{head}' belongs in an effect, not in a condition")
            return TRUE
        if head in UNSUPPORTED and head not in domain.predicates:
            self.error(e, f"unsupported: {head}, in {e}", "state what must hold at the end")
            return TRUE
        if head in CONNECTIVES:
            return TRUE  # wrong number of parts, already reported
        return self.proposition(e, domain, scope)

    def _quantified(self, e: Group, domain: Domain) -> tuple[Parameter, ...]:
        variables = e.items[1]
        if isinstance(variables, Group):
            return self.parameters(variables.items, domain, e.head)
        self.error(e, f"expected a list of variables in {e}", f"e.g. ({e.head} (?x - type) ...)")
        return ()

    def _count(self, e: Group, n: int) -> bool:
        if len(e.rest) != n:
            self.error(e, f"'{e.head}' takes {n} part{'s' * (n > 1)}, got {len(e.rest)}: {e}")
        return len(e.rest) == n

    def proposition(
        self, e: Group, domain: Domain, scope: Mapping[str, tuple[str, ...]]
    ) -> Proposition:
        """A predicate applied to terms of fitting types."""
        name = e.head
        terms = self._terms(e, e.rest, scope)
        result = Proposition(name, terms)
        parameters = domain.predicates.get(name)
        if parameters is None:
            known = ", ".join(signature(n, p) for n, p in domain.predicates.items())
            self.error(e, f"unknown predicate '{name}' in {e}", f"predicates: {known}")
        elif len(parameters) != len(terms):
            self.error(
                e,
                f"'{name}' takes {len(parameters)} arguments, got {len(terms)}: {e}",
                f"write {signature(name, parameters)}",
            )
        else:
            for parameter, term in zip(parameters, terms, strict=True):
                self._fits(e, parameter, term, domain, scope)
        return result

    def _fits(
        self,
        e: Group,
        parameter: Parameter,
        term: str,
        domain: Domain,
        scope: Mapping[str, tuple[str, ...]],
    ) -> None:
        types = scope.get(term)
        if types is None:
            return
        below = any(domain.accepts(parameter, t) for t in types)
        # a variable of a wider type is narrowed by the predicate, which planners allow
        above = term.startswith("?") and any(
            domain.is_subtype(p, t) for p in parameter.types for t in types
        )
        if not (below or above):
            self.error(
                e,
                f"'{term}' is a {' or '.join(types)}, but '{e.head}' wants a "
                f"{' or '.join(parameter.types)} for {parameter.name}: {e}",
                f"write {signature(e.head, domain.predicates[e.head])}",
            )

    def _terms(
        self, e: Group, items: Sequence[Sexpr], scope: Mapping[str, tuple[str, ...]]
    ) -> tuple[str, ...]:
        result: list[str] = []
        for item in items:
            if isinstance(item, Group):
                self.error(item, f"expected a name or variable in {e}, got {item}")
                continue
            if item.text not in scope:
                legal = [n for n in scope if n.startswith("?") == item.text.startswith("?")]
                kind = "variable" if item.text.startswith("?") else "object"
                self.error(
                    item,
                    f"undeclared {kind} '{item}' in {e}",
                    f"{kind}s here: {', '.join(legal) or 'none'}",
                )
            result.append(item.text)
        return tuple(result)


def _unglued(item: Sexpr) -> tuple[Sexpr, ...]:
    """``-type`` as ``-`` and ``type``: no name starts with a hyphen."""
    if isinstance(item, Word) and item.text.startswith("-") and len(item.text) > 1:
        return Word("-", item.line), Word(item.text[1:], item.line)
    return (item,)


def define_name(root: Group) -> str:
    """NAME of ``(define (domain NAME) ...)``, ``""`` where there is none."""
    head = root.items[1] if len(root.items) > 1 else root
    return next(iter(name_of(head)), "") if isinstance(head, Group) else ""


def name_of(group: Group) -> tuple[str, ...]:
    """The words after the head."""
    return tuple(w.text for w in _sexpr.words(group.rest))


def groups(root: Group) -> Iterator[Group]:
    """The lists among the items."""
    return (item for item in root if isinstance(item, Group))


def signature(name: str, parameters: Sequence[Parameter]) -> str:
    """``(name ?x - type ...)``."""
    return f"({' '.join([name, *([listed(parameters)] if parameters else [])])})"


def parse_number(text: str) -> float | None:
    """The value of a numeral, None for anything else."""
    try:
        return float(text)
    except ValueError:
        return None
