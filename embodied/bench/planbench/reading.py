"""Prompts of PlanBench to PDDL: what the actions need and do, how it is at first, what is wanted.

Two kinds of domain texts are read. In the obfuscated ones every precondition and effect stands in
the text; nothing of these domains is in this file. The plain one of blocks is recognised by its
four actions; their effects, which the text leaves to the reader's knowledge of the words, are in
``blocks.pddl``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib import resources

from embodied.errors import Diagnostic, NotUnderstoodError
from embodied.symbolic import read_domain, render_problem
from embodied.types import Atom, GroundAction, PddlProgram

STATEMENT = "[statement]"
_ACTIONS, _RULES = (
    "here are the actions i can do",
    "i have the following restrictions on my actions:",
)
_STATE = re.compile(
    r"as initial conditions i have that, (?P<init>[^.]*)\.\s*"
    r"my goal is to have that (?P<goal>[^.]*)\."
)
_RULE = re.compile(
    r"(?:to perform (?P<needs>\S+) action, the following (?:facts )?needs? to be true"
    r"|once (?P<does>\S+)(?: action)? is performed,? the following (?:facts )?"
    r"will be (?P<so>true|false)):[, ]*(?P<atoms>.*)"
)
_BLOCKS = {
    "pick up a block": ("pick-up", "pick up {}"),
    "unstack a block from on top of another block": ("unstack", "unstack {} from on top of {}"),
    "put down a block": ("put-down", "put down {}"),
    "stack a block on top of another block": ("stack", "stack {} on top of {}"),
}
_BLOCK_FACTS = {
    "{} is clear": "clear",
    "{} is on the table": "on-table",
    "the hand is empty": "hand-empty",
    "{} is on top of {}": "on",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """How a prompt speaks.

    Attributes:
        domain: PDDL.
        facts: Predicate by how it is said, with ``{}`` for things.
        actions: How an action is said, by its name.
        thing: Pattern of what is called by a name.
    """

    domain: str
    facts: Mapping[str, str]
    actions: Mapping[str, str]
    thing: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """A prompt that was read.

    Attributes:
        words: How it speaks.
        program: Domain and problem.
        names: What the things of the problem are called.
    """

    words: Words
    program: PddlProgram
    names: Mapping[str, str] = field(default_factory=dict[str, str])

    def said(self, plan: tuple[GroundAction, ...]) -> str:
        """A plan in the prompt's own words, one step a line."""
        called = ((self.words.actions[s.name], [self.names[a] for a in s.args]) for s in plan)
        return "\n".join(words.format(*names) for words, names in called)


def read_prompt(text: str) -> Prompt:
    """Read the domain and the last statement of a prompt; its worked example is not looked at.

    Raises:
        NotUnderstoodError: A line or a fact has no meaning; it is named.
    """
    intro, *statements = text.lower().split(STATEMENT)
    listed, found, rules = intro.partition(_RULES)
    _, begun, actions = listed.partition(_ACTIONS)
    state = _STATE.search(statements[-1]) if statements else None
    if not (found and begun and state):
        raise _unclear(text[:80], "no actions, restrictions, initial conditions or goal")
    words = _words(_lines(actions), _lines(rules))
    names: dict[str, str] = {}

    def facts(told: str) -> list[Atom]:
        return [_fact(words, part, names) for part in _parts(told)]

    init, goal = facts(state["init"]), facts(state["goal"])
    domain = read_domain(words.domain)
    goals = [str(a) for a in goal]
    problem = render_problem("asked", domain, dict.fromkeys(names, "object"), {*init}, goals)
    stage = f"(and {' '.join(goals)})"
    program = PddlProgram(domain=words.domain, problem=problem, stages=(stage,), source="rules")
    return Prompt(words=words, program=program, names=names)


def _words(actions: list[str], rules: list[str]) -> Words:
    if set(actions) == set(_BLOCKS):
        text = (
            resources.files("embodied.bench.planbench").joinpath("blocks.pddl").read_text("utf-8")
        )
        said = dict(_BLOCKS.values())
        return Words(domain=text, facts=_BLOCK_FACTS, actions=said, thing=r"the \w+ block")
    heads: dict[str, tuple[str, list[str]]] = {}
    said = {}
    for line in actions:
        template, variables = _said(line)
        name = template.split()[0]
        heads[name] = (identifier(name), variables)
        said[identifier(name)] = template
    facts: dict[str, str] = {}
    arity: dict[str, int] = {}
    clauses: dict[tuple[str, str], list[str]] = {}
    for line in rules:
        rule = _RULE.fullmatch(line)
        action = rule and (rule["needs"] or rule["does"])
        if rule is None or action not in heads:
            raise _unclear(line, f"no rule of one of the actions {', '.join(heads)}")
        atoms: list[str] = []
        for part in _parts(rule["atoms"]):
            template, variables = _said(part)
            if unknown := set(variables) - set(heads[action][1]):
                raise _unclear(part, f"'{action}' has no {', '.join(sorted(unknown))}")
            words = " ".join(template.replace("{}", "").split())
            facts[template] = identifier(words)
            arity[facts[template]] = len(variables)
            atom = f"({' '.join((facts[template], *variables))})"
            atoms.append(f"(not {atom})" if rule["so"] == "false" else atom)
        clauses.setdefault((action, "needs" if rule["needs"] else "does"), []).extend(atoms)
    lines = ["(define (domain read) (:requirements :strips)", "(:predicates"]
    for name, count in arity.items():
        lines.append(f"  ({' '.join((name, *(f'?v{i}' for i in range(count))))})")
    lines.append(")")
    for word, (name, variables) in heads.items():
        needs, does = (" ".join(clauses.get((word, k), ())) for k in ("needs", "does"))
        lines.append(f"(:action {name} :parameters ({' '.join(variables)})")
        lines.append(f"  :precondition (and {needs}) :effect (and {does}))")
    domain = "\n".join([*lines, ")"])
    return Words(domain=domain, facts=facts, actions=said, thing=r"object[ _]\w+")


def _said(line: str) -> tuple[str, list[str]]:
    """How something is said, and its variables in their order: of actions and facts in general."""
    variables: list[str] = []

    def slot(found: re.Match[str]) -> str:
        number, other = found["number"], found["other"]
        variables.append(f"?x{number}" if number else "?y" if other else "?x")
        return "{}"

    template = re.sub(r"\b(?P<other>(?:an)?other )?object(?:_(?P<number>\d+))?\b", slot, line)
    return template, variables


def _fact(words: Words, part: str, names: dict[str, str]) -> Atom:
    for template, predicate in words.facts.items():
        pattern = re.escape(template).replace(r"\{\}", f"({words.thing})")
        if found := re.fullmatch(pattern, part):
            things = [identifier(g) for g in found.groups()]
            names.update(zip(things, found.groups(), strict=True))
            return Atom(predicate, tuple(things))
    raise _unclear(part, f"no fact of this domain; facts are {', '.join(words.facts)}")


def identifier(words: str) -> str:
    """A PDDL name of some words."""
    name = re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-")
    return name if name[:1].isalpha() else f"n-{name}"


def _lines(text: str) -> list[str]:
    return [" ".join(line.split()).rstrip(".") for line in text.splitlines() if line.strip()]


def _parts(text: str) -> Iterator[str]:
    parts = (" ".join(p.split()).rstrip(".") for p in re.split(r",|\band\b", text))
    return (p for p in parts if p)


def _unclear(where: str, problem: str) -> NotUnderstoodError:
    return NotUnderstoodError(where, (Diagnostic(where=where, problem=problem),))
