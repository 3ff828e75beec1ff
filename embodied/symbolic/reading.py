"""PDDL text to ``Domain``, ``Problem`` and ``Formula``, with line-numbered diagnostics.

Covers PDDL 1.2's ADL subset (typing, negation, disjunction, quantifiers, equality, conditional
effects) and PDDL 2.1's action costs. Everything else (durative actions, numeric preconditions,
derived predicates) is reported as unsupported, never ignored.

A ``Reader`` collects all *errors* (the text has no clear meaning) and *warnings* (it has, but some
planner may stumble over it) instead of stopping at the first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from embodied.errors import Diagnostic, ProgramError
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
    conjoin,
)
from embodied.symbolic.model import (
    OBJECT,
    ActionSchema,
    Arithmetic,
    Domain,
    Effect,
    Expression,
    Function,
    Number,
    Problem,
)
from embodied.types import Atom

REQUIREMENTS = frozenset(
    ":strips :typing :equality :negative-preconditions :disjunctive-preconditions "
    ":existential-preconditions :universal-preconditions :quantified-preconditions "
    ":conditional-effects :adl :action-costs".split()
)
DOMAIN_SECTIONS = (
    ":requirements",
    ":types",
    ":constants",
    ":predicates",
    ":functions",
    ":action",
)
PROBLEM_SECTIONS = (":domain", ":requirements", ":objects", ":init", ":goal", ":metric")
CONNECTIVES = ("and", "or", "not", "imply", "forall", "exists", "=")


@dataclass(slots=True)
class Reader:
    """Builds domains, problems and formulas out of s-expressions.

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
        if not isinstance(head, Group) or head.head != kind or len(_name_of(head)) != 1:
            self.error(groups[0], f"expected (define ({kind} NAME) ...)")
        return groups[0]

    # -- typed lists -----------------------------------------------------------------------------

    def typed(self, items: Sequence[Sexpr], what: str) -> list[tuple[Word, tuple[str, ...]]]:
        """``a b - t c`` to ``[(a, (t,)), (b, (t,)), (c, ("object",))]``."""
        result: list[tuple[Word, tuple[str, ...]]] = []
        pending: list[Word] = []
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
        self, items: Sequence[Sexpr], domain: Domain, what: str
    ) -> tuple[Parameter, ...]:
        """Typed variables with known types."""
        result: list[Parameter] = []
        for word, types in self.typed(items, what):
            if not word.text.startswith("?"):
                self.error(word, f"'{word}' in {what} must be a variable", f"write ?{word}")
            for t in types:
                self._known_type(word, t, domain)
            if word.text in {p.name for p in result}:
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
            known = ", ".join(_signature(n, p) for n, p in domain.predicates.items())
            self.error(e, f"unknown predicate '{name}' in {e}", f"predicates: {known}")
        elif len(parameters) != len(terms):
            self.error(
                e,
                f"'{name}' takes {len(parameters)} arguments, got {len(terms)}: {e}",
                f"write {_signature(name, parameters)}",
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
                f"write {_signature(e.head, domain.predicates[e.head])}",
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

    # -- domain ----------------------------------------------------------------------------------

    def domain(self, text: str) -> Domain:
        """A whole domain; meaningless where errors were found."""
        root = self.define(text, "domain")
        if root is None:
            return Domain(name="")
        self._sections(root, DOMAIN_SECTIONS, repeated=(":action",))
        requirements = self._requirements(root)
        domain = Domain(name=_define_name(root), requirements=requirements, types=self._types(root))
        domain = self._declarations(root, domain)
        actions: dict[str, ActionSchema] = {}
        for group in _groups(root):
            if group.head == ":action":
                action = self._action(group, domain)
                if action.name in actions:
                    self.error(group, f"a second action '{action.name}'", "rename one of them")
                actions[action.name] = action
                if action.name in domain.predicates:
                    self.warn(
                        group,
                        f"action and predicate share the name '{action.name}'",
                        "legal in PDDL, but some planners reject it; rename one",
                    )
        return Domain(
            name=domain.name,
            requirements=requirements,
            types=domain.types,
            constants=domain.constants,
            predicates=domain.predicates,
            functions=domain.functions,
            actions=actions,
        )

    def _sections(self, root: Group, legal: tuple[str, ...], repeated: tuple[str, ...]) -> None:
        seen: set[str] = set()
        for item in root.items[2:]:
            head = item.head if isinstance(item, Group) else ""
            if head not in legal:
                shown = str(item)[:50]
                self.error(
                    item, f"unsupported or misplaced part {shown}", f"parts: {', '.join(legal)}"
                )
            elif head in seen and head not in repeated:
                self.error(item, f"a second {head}", "merge the two")
            seen.add(head)

    def _requirements(self, root: Group) -> frozenset[str]:
        group = _sexpr.section(root, ":requirements")
        if group is None:
            return frozenset()
        names = _sexpr.words(group.rest)
        for word in names:
            if word.text not in REQUIREMENTS:
                self.warn(
                    word,
                    f"requirement '{word}' is not supported",
                    f"supported: {', '.join(sorted(REQUIREMENTS))}",
                )
        return frozenset(w.text for w in names)

    def _types(self, root: Group) -> dict[str, str]:
        group = _sexpr.section(root, ":types")
        types: dict[str, str] = {}
        if group is None:
            return types
        declared: dict[str, list[tuple[Word, str]]] = {}
        for word, parents in self.typed(group.rest, ":types"):
            parent, *more = parents
            if more:
                self.error(word, f"type '{word}' has several parents", "give it one")
            if word.text == OBJECT:
                if parent != OBJECT:
                    self.error(word, f"'{OBJECT}' is the root of all types, it has no parent")
                self.warn(
                    word, f"type '{OBJECT}' is built in and must not be declared", "remove it"
                )
                continue
            declared.setdefault(word.text, []).append((word, parent))
        for name, entries in declared.items():
            parents = list(dict.fromkeys(p for _, p in entries))
            if len(entries) > 1:
                say = self.error if len([p for p in parents if p != OBJECT]) > 1 else self.warn
                say(
                    entries[-1][0],
                    f"type '{name}' is declared {len(entries)} times, "
                    f"with parent {' and '.join(parents)}",
                    "declare it once, with the narrower parent",
                )
            types[name] = next((p for p in parents if p != OBJECT), OBJECT)
        for parent in dict.fromkeys(types.values()):
            if parent != OBJECT and parent not in types:
                types[parent] = OBJECT  # common usage: the parent is declared by its use
        for name in types:
            seen = {name}
            at = types[name]
            while at != OBJECT:
                if at in seen:
                    self.error(group, f"type '{name}' is its own ancestor", "break the cycle")
                    types[name] = OBJECT
                    break
                seen.add(at)
                at = types[at]
        return types

    def _declarations(self, root: Group, base: Domain) -> Domain:
        predicates = self._signatures(root, ":predicates", base)
        functions = self._signatures(root, ":functions", base)
        constants: dict[str, str] = {}
        group = _sexpr.section(root, ":constants")
        if group is not None:
            constants = self.objects(group, base, ":constants")
        return Domain(
            name=base.name,
            requirements=base.requirements,
            types=base.types,
            constants=constants,
            predicates=predicates,
            functions=functions,
        )

    def _signatures(
        self, root: Group, keyword: str, base: Domain
    ) -> dict[str, tuple[Parameter, ...]]:
        group = _sexpr.section(root, keyword)
        result: dict[str, tuple[Parameter, ...]] = {}
        if group is None:
            return result
        items = list(group.rest)
        while items:
            item = items.pop(0)
            if isinstance(item, Word) and item.text == "-" and keyword == ":functions" and items:
                items.pop(0)  # the type of a function: number
                continue
            if not isinstance(item, Group) or not item.head:
                self.error(item, f"expected (name ?x - type ...) in {keyword}, got {item}")
                continue
            if item.head in result:
                self.error(item, f"'{item.head}' is declared twice in {keyword}")
            if item.head in CONNECTIVES:
                self.error(item, f"'{item.head}' is a keyword, it cannot be declared")
            result[item.head] = self.parameters(item.rest, base, f"{keyword[1:-1]} {item.head}")
        return result

    def objects(self, group: Group, domain: Domain, what: str) -> dict[str, str]:
        """Object names to types."""
        result: dict[str, str] = {}
        for word, types in self.typed(group.rest, what):
            if word.text.startswith("?"):
                self.error(word, f"'{word}' in {what} must not be a variable")
            kind, *more = types
            if more:
                self.error(word, f"object '{word}' has several types", "give it one")
            self._known_type(word, kind, domain)
            if word.text in result:
                say = self.warn if result[word.text] == kind else self.error
                say(word, f"object '{word}' is declared twice in {what}", "declare it once")
            result[word.text] = kind
        return result

    def _action(self, group: Group, domain: Domain) -> ActionSchema:
        name = group.items[1] if len(group.items) > 1 else group
        if not isinstance(name, Word) or name.text.startswith(":"):
            self.error(group, "an action without a name")
            name = Word("?", group.line)
        fields = self._fields(group)
        what = f"action '{name}'"
        parameters: tuple[Parameter, ...] = ()
        listed = fields.get(":parameters")
        if isinstance(listed, Group):
            parameters = self.parameters(listed.items, domain, what)
        elif listed is not None:
            self.error(listed, f"expected a list of parameters in {what}")
        scope = {n: (t,) for n, t in domain.constants.items()} | {
            p.name: p.types for p in parameters
        }
        stated = fields.get(":precondition")
        precondition = TRUE if stated is None else self.formula(stated, domain, scope)
        effects: list[Effect] = []
        costs: list[Expression] = []
        if ":effect" in fields:
            self._effect(fields[":effect"], domain, scope, TRUE, (), effects, costs)
        return ActionSchema(
            name=name.text,
            parameters=parameters,
            precondition=precondition,
            effects=tuple(effects),
            costs=tuple(costs),
        )

    def _fields(self, group: Group) -> dict[str, Sexpr]:
        legal = (":parameters", ":precondition", ":effect")
        result: dict[str, Sexpr] = {}
        rest = list(group.items[2:])
        while rest:
            key = rest.pop(0)
            if not isinstance(key, Word) or key.text not in legal:
                self.error(key, f"unexpected {str(key)[:50]}", f"parts: {', '.join(legal)}")
            elif not rest or (isinstance(rest[0], Word) and rest[0].text.startswith(":")):
                self.error(key, f"{key} without a value")
            else:
                if key.text in result:
                    self.error(key, f"a second {key}")
                result[key.text] = rest.pop(0)
        return result

    def _effect(
        self,
        e: Sexpr,
        domain: Domain,
        scope: Mapping[str, tuple[str, ...]],
        condition: Formula,
        variables: tuple[Parameter, ...],
        effects: list[Effect],
        costs: list[Expression],
    ) -> None:
        if isinstance(e, Word):
            self.error(e, f"expected an effect in parentheses, got '{e}'")
            return
        if not e.items:
            return
        head, rest = e.head, e.rest
        if head == "and":
            for part in rest:
                self._effect(part, domain, scope, condition, variables, effects, costs)
        elif head == "forall":
            if self._count(e, 2):
                more = self._quantified(e, domain)
                inner = {**scope, **{v.name: v.types for v in more}}
                self._effect(rest[1], domain, inner, condition, variables + more, effects, costs)
        elif head == "when":
            if self._count(e, 2):
                both = conjoin(condition, self.formula(rest[0], domain, scope))
                self._effect(rest[1], domain, scope, both, variables, effects, costs)
        elif head == "increase":
            if condition != TRUE or variables:
                self.error(e, f"unsupported conditional cost {e}", "make the cost unconditional")
            elif self._count(e, 2) and str(rest[0]) in ("(total-cost)", "total-cost"):
                costs.append(self.expression(rest[1], domain, scope))
            else:
                self.error(e, f"unsupported numeric effect {e}", "only total-cost can increase")
        elif head in ("decrease", "assign", "scale-up", "scale-down", "or", "imply", "oneof"):
            self.error(e, f"unsupported effect {e}", "effects: and, not, forall, when, increase")
        elif head == "not":
            if self._count(e, 1):
                body = rest[0]
                if isinstance(body, Group) and body.head not in CONNECTIVES:
                    atom = self.proposition(body, domain, scope)
                    effects.append(Effect(atom, False, condition, variables))
                else:
                    self.error(e, f"only an atom can be made false: {e}")
        elif head in CONNECTIVES:
            self.error(e, f"unsupported effect {e}", "effects: and, not, forall, when, increase")
        else:
            atom = self.proposition(e, domain, scope)
            effects.append(Effect(atom, True, condition, variables))

    def expression(
        self, e: Sexpr, domain: Domain, scope: Mapping[str, tuple[str, ...]]
    ) -> Expression:
        """A numeric expression."""
        if isinstance(e, Word):
            number = _number(e.text)
            if number is None:
                self.error(e, f"'{e}' is not a number")
            return Number(number or 0.0)
        if e.head in ("+", "-", "*", "/") and len(e.rest) == 2:
            left, right = (self.expression(r, domain, scope) for r in e.rest)
            return Arithmetic(e.head, left, right)
        if e.head not in domain.functions:
            self.error(
                e, f"unknown function in {e}", f"functions: {', '.join(domain.functions) or 'none'}"
            )
        return Function(e.head, self._terms(e, e.rest, scope))

    # -- problem ---------------------------------------------------------------------------------

    def problem(self, text: str, domain: Domain) -> Problem:
        """A whole problem; meaningless where errors were found."""
        root = self.define(text, "problem")
        if root is None:
            return Problem(name="", domain_name="", objects={}, init=frozenset(), goal=TRUE)
        self._sections(root, PROBLEM_SECTIONS, repeated=())
        stated = _sexpr.section(root, ":domain")
        domain_name = next(iter(_name_of(stated)), "") if stated else ""
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
            name=_define_name(root),
            domain_name=domain_name,
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
                p = self.proposition(item, domain, scope)
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
        number = _number(str(item.rest[1])) if len(item.rest) == 2 else None
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


def _define_name(root: Group) -> str:
    head = root.items[1] if len(root.items) > 1 else root
    return next(iter(_name_of(head)), "") if isinstance(head, Group) else ""


def _name_of(group: Group) -> tuple[str, ...]:
    return tuple(w.text for w in _sexpr.words(group.rest))


def _groups(root: Group) -> Iterator[Group]:
    return (item for item in root if isinstance(item, Group))


def _signature(name: str, parameters: Iterable[Parameter]) -> str:
    return f"({' '.join([name, *map(str, parameters)])})"


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


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
