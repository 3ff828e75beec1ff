"""S-expressions to domains."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from embodied.symbolic import _sexpr
from embodied.symbolic._formula_reader import (
    CONNECTIVES,
    FormulaReader,
    define_name,
    groups,
    parse_number,
)
from embodied.symbolic._sexpr import Group, Sexpr, Word
from embodied.symbolic.derived import Derivation
from embodied.symbolic.formulas import TRUE, Formula, Parameter, conjoin
from embodied.symbolic.model import (
    OBJECT,
    ActionSchema,
    Arithmetic,
    DerivedRule,
    Domain,
    Effect,
    Expression,
    Function,
    Number,
)

REQUIREMENTS = frozenset(
    ":strips :typing :equality :negative-preconditions :disjunctive-preconditions "
    ":existential-preconditions :universal-preconditions :quantified-preconditions "
    ":conditional-effects :adl :action-costs :derived-predicates".split()
)
DOMAIN_SECTIONS = (
    *(":requirements", ":types", ":constants", ":predicates", ":functions"),
    *(":derived", ":action"),
)


@dataclass(slots=True)
class DomainReader(FormulaReader):
    """Adds domains: types, predicates, actions, effects, costs."""

    def domain(self, text: str) -> Domain:
        """A whole domain; meaningless where errors were found."""
        root = self.define(text, "domain")
        if root is None:
            return Domain(name="")
        self._sections(root, DOMAIN_SECTIONS, repeated=(":derived", ":action"))
        requirements = self._requirements(root)
        domain = Domain(name=define_name(root), requirements=requirements, types=self._types(root))
        domain = self._declarations(root, domain)
        domain = replace(domain, derived=self._rules(root, domain))
        actions: dict[str, ActionSchema] = {}
        for group in groups(root):
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
        return replace(domain, actions=actions)

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
        group = _sexpr.section(root, ":constants")
        constants = {} if group is None else self.objects(group, base, ":constants")
        return replace(base, constants=constants, predicates=predicates, functions=functions)

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
            what = f"{keyword[1:-1]} {item.head}"
            result[item.head] = self.parameters(item.rest, base, what, labels=True)
        return result

    def _rules(self, root: Group, domain: Domain) -> tuple[DerivedRule, ...]:
        """What the domain derives."""
        rules: list[DerivedRule] = []
        for group in groups(root):
            if group.head != ":derived":
                continue
            head = group.rest[0] if len(group.rest) == 2 else group
            if not isinstance(head, Group) or head is group:
                self.error(group, f"expected (:derived (predicate ?x ...) condition), got {group}")
                continue
            variables = self.parameters(head.rest, domain, f"derived {head.head}")
            scope = {n: (t,) for n, t in domain.constants.items()}
            scope |= {p.name: p.types for p in variables}
            names = Group((head.items[0], *(Word(p.name, head.line) for p in variables)), head.line)
            self.proposition(names, domain, scope)
            condition = self.formula(group.rest[1], domain, scope)
            rules.append(DerivedRule(head.head, variables, condition))
        if rules and not self.errors:
            try:
                Derivation(replace(domain, derived=tuple(rules)), {})
            except ValueError as error:
                self.error(root, str(error), "write rules without such a cycle")
        return tuple(rules)

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
                    self._changed(e, atom.predicate, domain)
                    effects.append(Effect(atom, False, condition, variables))
                else:
                    self.error(e, f"only an atom can be made false: {e}")
        elif head in CONNECTIVES:
            self.error(e, f"unsupported effect {e}", "effects: and, not, forall, when, increase")
        else:
            atom = self.proposition(e, domain, scope)
            self._changed(e, atom.predicate, domain)
            effects.append(Effect(atom, True, condition, variables))

    def _changed(self, e: Group, predicate: str, domain: Domain) -> None:
        if any(rule.predicate == predicate for rule in domain.derived):
            self.error(e, f"'{predicate}' is derived, so that no action can change it: {e}")

    def expression(
        self, e: Sexpr, domain: Domain, scope: Mapping[str, tuple[str, ...]]
    ) -> Expression:
        """A numeric expression."""
        if isinstance(e, Word):
            number = parse_number(e.text)
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
