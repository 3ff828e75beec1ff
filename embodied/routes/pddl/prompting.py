"""Prompts of the strategies that ask a model, and how its answers are read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from importlib import resources
from string import Template

from embodied.language.prompting import conversation, data
from embodied.protocols import LanguageModel, Message, Request, Response, Usage
from embodied.routes.pddl.tasks import Task
from embodied.symbolic import ActionSchema, Domain
from embodied.types import Atom, GroundAction

_ACTION = re.compile(r"\(\s*([a-z][\w-]*(?:\s+[\w-]+)*)\s*\)")


@cache
def prompt(name: str) -> Template:
    """The prompt ``prompts/NAME.md``; ``$name`` marks what is filled in."""
    path = resources.files("embodied.routes.pddl.strategies").joinpath("prompts", f"{name}.md")
    return Template(path.read_text("utf-8").strip("\n"))


def scene_text(task: Task, facts: frozenset[Atom]) -> str:
    """Actions, objects, facts and the instruction."""
    used = {a for fact in facts for a in fact.args}
    return prompt("scene").substitute(
        actions="\n".join(_action_line(a) for a in task.domain.actions.values()),
        types=data("\n".join(_type_lines(task))),
        objects=data(
            "\n".join(
                f"{kind}: {' '.join(n for n, k in task.objects.items() if k == kind)}"
                for kind in dict.fromkeys(k for n, k in task.objects.items() if n in used)
            )
        ),
        facts=data("\n".join(fact_lines(task.domain, facts))),
        instruction=task.instruction,
    )


def _type_lines(task: Task) -> list[str]:
    """The types above those of the objects, one step a line."""
    parents, lines = task.domain.types, dict[str, None]()
    for kind in dict.fromkeys(task.objects.values()):
        while kind in parents:
            lines[f"{kind} - {parents[kind]}"] = None
            kind = parents[kind]
    return list(lines)


def fact_lines(domain: Domain, facts: frozenset[Atom]) -> list[str]:
    """One line of facts for each predicate, those that can change first."""
    fluents = domain.fluents()
    names = sorted({f.predicate for f in facts}, key=lambda n: (n not in fluents, n))
    return [" ".join(str(f) for f in sorted(facts) if f.predicate == n) for n in names]


def _action_line(schema: ActionSchema) -> str:
    head = " ".join((schema.name, *map(str, schema.parameters)))
    effects = [
        str(e.atom) if e.positive else f"(not {e.atom})" for e in schema.effects if not e.variables
    ]
    return f"({head}) needs {schema.precondition}; then {' '.join(effects)}"


class ModelStrategy:
    """What the strategies that ask a model share; see ``Strategy`` for the attributes."""

    max_tokens = 1024
    corrections = 0

    def __init__(self, model: LanguageModel) -> None:
        self._model = model
        self.usage = Usage()

    def ask(self, messages: Sequence[Message], purpose: str) -> Response:
        """Ask; raises ModelError as the model does."""
        response = self._model.complete(
            Request(messages=tuple(messages), max_tokens=self.max_tokens, purpose=purpose)
        )
        usage = response.usage
        self.usage = self.usage + (usage if usage.calls else replace(usage, calls=1))
        return response


def opening(name: str, task: Task, facts: frozenset[Atom], **values: str) -> tuple[Message, ...]:
    """The first messages of a strategy's conversation."""
    return conversation(prompt(name).substitute(values), scene_text(task, facts))


def read_actions(text: str, domain: Domain) -> tuple[GroundAction, ...]:
    """The actions in a text, in their order; what is no action of the domain is left out."""
    found = (GroundAction.parse(m[1]) for m in _ACTION.finditer(text.lower()))
    return tuple(a for a in found if a.name in domain.actions)


def read_plans(text: str, domain: Domain) -> tuple[tuple[GroundAction, ...], ...]:
    """The plans in a text; an empty line ends one."""
    plans = (read_actions(part, domain) for part in re.split(r"\n\s*\n", text))
    return tuple(p for p in plans if p)
