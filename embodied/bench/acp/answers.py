"""Answers to the eight kinds of questions, from the PDDL that comes with them."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeVar

from embodied_planners.pddl import Planner

from embodied.bench.acp.relaxed import Relaxed, fitting, index_of
from embodied.bench.runner import Row
from embodied.symbolic import (
    Domain,
    Equal,
    Formula,
    Not,
    Problem,
    Proposition,
    applicable,
    bindings,
    conjoin,
    conjuncts,
    expected_effects,
    progress,
    read_domain,
    read_problem,
    render_domain,
    render_problem,
    substitute,
    validate_plan,
)
from embodied.symbolic.model import ActionSchema
from embodied.types import Atom, GroundAction, PddlProgram, PlanStatus

NONE = "None"
PLAN_S, QUESTION_S, OPTIMAL_S = 20.0, 120.0, 60.0
MOST_OPTIONS = 50_000
T = TypeVar("T", Atom, GroundAction)


@dataclass(frozen=True, kw_only=True)
class Question:
    """A question with its task.

    Attributes:
        text: The question.
        domain: Its domain.
        problem: Its state and goal.
    """

    text: str
    domain: Domain
    problem: Problem

    @staticmethod
    def of(record: Row) -> Question:
        """Read a record of the set; raises ProgramError where its PDDL cannot be read."""
        domain = read_domain(str(record["PDDL_domain"]))
        problem = read_problem(str(record["PDDL_problem"]), domain)
        return Question(text=str(record["question"]), domain=domain, problem=problem)

    @cached_property
    def relaxed(self) -> Relaxed:
        """The task without deletions."""
        return Relaxed(self.domain, self.problem)

    @cached_property
    def applicable(self) -> list[GroundAction]:
        """Actions that are applicable at first."""
        known, found = index_of(self.problem.init), list[GroundAction]()
        for schema in self.domain.actions.values():
            for binding in fitting(schema, self.domain, self.problem, known):
                action = GroundAction(schema.name, tuple(binding.values()))
                if not self.unmet(action, self.problem.init):
                    found.append(action)
        return found

    def unmet(self, action: GroundAction, facts: frozenset[Atom]) -> tuple[str, ...]:
        """Why an action is not applicable."""
        return applicable(action, facts, self.domain, self.problem.objects)

    def after(self, action: GroundAction, facts: frozenset[Atom]) -> frozenset[Atom]:
        """The state after an action."""
        return progress(action, facts, self.domain, self.problem.objects)

    def states(self, plan: Iterable[GroundAction]) -> set[Atom]:
        """Everything that holds at some time during a plan."""
        facts, seen = self.problem.init, {*self.problem.init}
        for step in plan:
            facts = self.after(step, facts)
            seen |= facts
        return seen

    @property
    def plan(self) -> list[str]:
        """The steps that are quoted in the question, as they are written."""
        return re.findall(r"\([^()]*\)", self.text.split('"')[1])


def apply(question: Question) -> str:
    """All actions that are applicable."""
    return " ".join(map(str, question.applicable)) or NONE


def progression(question: Question) -> str:
    """What an action changes; it is told in words, so it is found by what it mentions."""
    action = _told(question)
    if action is None:
        return NONE
    facts, objects = question.problem.init, question.problem.objects
    pos, neg = expected_effects(action, facts, question.domain, objects)
    return "".join(f"[{','.join(map(str, sorted(part)))}]" for part in (pos, neg))


def _told(question: Question) -> GroundAction | None:
    """Of the applicable actions, the one whose arguments and name are told best."""
    words = re.findall(r"[^\s,:;\"]+", question.text.split('"')[1].lower())
    named = [w for w in words if w in question.problem.objects or w in question.domain.constants]

    def fit(action: GroundAction) -> tuple[int, int, int]:
        own = re.findall(r"[a-z]+", action.name)
        extra = sum(a not in named for a in action.args)
        lost = sum(n not in action.args for n in named)
        order = [named.index(a) for a in dict.fromkeys(action.args) if a in named]
        swaps = sum(x > y for i, x in enumerate(order) for y in order[i + 1 :])
        spoken = sum(any(w.startswith(o[:4]) for w in words) for o in own)
        return -lost, -extra, 10 * spoken - swaps

    best = max(question.applicable, key=fit, default=None)
    return None if best is None or (named and not {*named} & {*best.args}) else best


def validation(question: Question) -> str:
    """Index of the first step that is not applicable."""
    facts = question.problem.init
    for i, step in enumerate(question.plan):
        action = GroundAction.parse(step)
        if question.unmet(action, facts):
            return str(i)
        facts = question.after(action, facts)
    return NONE


def justification(question: Question) -> str:
    """The plan without one step, or without two that follow each other, where it stays valid."""
    steps = question.plan
    for width in (1, 2):
        for i in range(len(steps) - width + 1):
            rest = steps[:i] + steps[i + width :]
            plan = [GroundAction.parse(s) for s in rest]
            if rest and validate_plan(question.domain, question.problem, plan).ok:
                return " ".join(rest)
    return NONE


def landmark(question: Question) -> str:
    """A fact of every plan that holds neither at first nor in the goal.

    First what is needed where nothing is deleted, else what the planner proves: that there is no
    plan without the actions that make it true.
    """
    problem, relaxed = question.problem, question.relaxed
    goals = {p.ground({}) for p in conjuncts(problem.goal) if isinstance(p, Proposition)}
    fluents = question.domain.fluents()
    options = sorted(a for a in relaxed.facts - problem.init - goals if a.predicate in fluents)
    end = time.monotonic() + QUESTION_S
    first = Planner().solve(_program(question.domain, problem), deadline_s=PLAN_S)
    if first.plan:  # a landmark holds during every plan
        seen = question.states(first.plan)
        options = [a for a in options if a in seen]
    for atom in options:
        if time.monotonic() < end and not relaxed.reached_without(atom, goals):
            return str(atom)
    while options and time.monotonic() < end:
        atom = options.pop(0)
        task = _program(_without(question, atom), problem)
        result = Planner().solve(task, deadline_s=PLAN_S)
        if result.status is PlanStatus.UNSOLVABLE:
            return str(atom)
        if result.status is PlanStatus.SOLVED:
            seen = question.states(result.plan)
            options = [a for a in options if a in seen]
    return NONE


def _without(question: Question, atom: Atom) -> Domain:
    """The domain without the actions that make a fact true."""
    domain = question.domain

    def allowed(schema: ActionSchema) -> Formula:
        added = (e.atom for e in schema.effects if e.positive)
        makes = (a for a in added if a.predicate == atom.predicate)
        same = (zip(made.terms, atom.args, strict=True) for made in makes)
        forbidden = (Not(conjoin(*(Equal(t, n) for t, n in pairs))) for pairs in same)
        return conjoin(schema.precondition, *forbidden)

    actions = {n: replace(s, precondition=allowed(s)) for n, s in domain.actions.items()}
    types = {**question.problem.objects, **domain.constants}
    constants = {**domain.constants, **{name: types[name] for name in atom.args}}
    return replace(domain, actions=actions, constants=constants)


def next_action(question: Question) -> str:
    """First step of an optimal plan; of any plan where none is proven optimal in time."""
    program = _program(question.domain, question.problem)
    result = Planner(optimal=True).solve(program, deadline_s=OPTIMAL_S)
    if result.status is not PlanStatus.SOLVED:
        result = Planner(improve=True).solve(program, deadline_s=PLAN_S)
    return str(result.plan[0]) if result.plan else NONE


def reachable_atom(question: Question) -> str:
    """A fact that never holds; proven by the planner where it is not plain without deletions."""
    domain, objects = question.domain, question.problem.objects
    fluents = domain.fluents()
    options = [
        Atom(name, tuple(b.values()))
        for name, parameters in domain.predicates.items()
        if name in fluents
        for b in _some(bindings(parameters, domain, objects))
    ]
    never = (a for a in options if a not in question.relaxed.facts)
    goals = {a: Proposition(a.predicate, a.args) for a in options}
    return str(next(never, None) or _unreachable(question, goals) or NONE)


def reachable_action(question: Question) -> str:
    """An action that never becomes applicable, first of those that are only so with deletions."""
    ground = question.relaxed.ground
    goals: dict[GroundAction, Formula] = {
        action: conjoin(*(Proposition(a.predicate, a.args) for a in sorted(needs)))
        for action, (needs, _) in ground.items()
    }
    found = _unreachable(question, goals)
    if found is not None:
        return str(found)
    schemas = question.domain.actions.values()
    objects = question.problem.objects
    for schema in schemas:
        for binding in _some(bindings(schema.parameters, question.domain, objects)):
            action = GroundAction(schema.name, tuple(binding.values()))
            if action not in ground:
                return str(action)
    return NONE


def _unreachable(question: Question, goals: Mapping[T, Formula]) -> T | None:
    """One of some goals for which it is proven that no plan reaches it, doubled names first."""
    end = time.monotonic() + QUESTION_S
    seen: list[frozenset[Atom]] = [question.problem.init]
    order = sorted(goals, key=lambda o: len({*o.args}) == len(o.args))
    for option in order:
        goal = goals[option]
        needed = {p.ground({}) for p in conjuncts(goal) if isinstance(p, Proposition)}
        if any(needed <= facts for facts in seen):
            continue
        if time.monotonic() > end:
            break
        task = _program(question.domain, replace(question.problem, goal=goal))
        result = Planner().solve(task, deadline_s=PLAN_S)
        if result.status is PlanStatus.UNSOLVABLE:
            return option
        facts = question.problem.init
        for step in result.plan:
            facts = question.after(step, facts)
            seen.append(facts)
    return None


def _program(domain: Domain, problem: Problem) -> PddlProgram:
    text = render_problem("asked", domain, problem.objects, problem.init, [str(problem.goal)])
    stages = (str(problem.goal),)
    return PddlProgram(domain=render_domain(domain), problem=text, stages=stages, source="set")


def _some(options: Iterable[dict[str, str]]) -> Iterator[dict[str, str]]:
    return (o for _, o in zip(range(MOST_OPTIONS), options, strict=False))


def claim(task: str, question: Question, answer: str) -> tuple[str, ...]:
    """What an answer says has no plan: a goal, or domain and problem; empty where nothing."""
    if task not in ("reach", "areach", "land") or answer == NONE:
        return ()
    if task == "reach":
        return (answer,)
    if task == "areach":
        action = GroundAction.parse(answer)
        schema = question.domain.actions[action.name]
        names = [p.name for p in schema.parameters]
        return (str(substitute(schema.precondition, dict(zip(names, action.args, strict=True)))),)
    program = _program(_without(question, Atom.parse(answer)), question.problem)
    return program.domain, program.problem


TASKS: Mapping[str, Callable[[Question], str]] = {
    "app": apply,
    "prog": progression,
    "val": validation,
    "just": justification,
    "land": landmark,
    "nexta": next_action,
    "reach": reachable_atom,
    "areach": reachable_action,
}
"""How the questions of a task are answered, by its name in the set."""
