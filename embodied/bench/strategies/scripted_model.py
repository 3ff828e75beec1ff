"""A scripted model: a planner that answers prompts, with errors at a known rate.

It knows the rules of the domain and nothing else of a task: objects, facts, the instruction and
what was observed since are read from the prompt, as a model would have to. The rules translator
makes the goal, the classical planner the plan, and every action of an answer is spoilt with a given
probability: left out, with a wrong object, or with a wrong verb. Errors are drawn from a hash of
the request, so that the same request always gets the same answer, like a recording.

Tokens are counted as GPT-2 splits text before it merges bytes: words, runs of punctuation, single
digits. A model's own tokenizer gives other totals, of similar proportions.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence

import numpy as np
from embodied_planners.pddl import Planner

from embodied.language.pddl.rules import RulesTranslator
from embodied.memory import SceneMemory
from embodied.protocols import Message, Request, Response, Usage
from embodied.symbolic import bindings, read_domain, render_problem
from embodied.types import Atom, GroundAction, Observation, PddlProgram, WorldSpec

_TOKEN = re.compile(r" ?[^\W\d_]+|\d| ?(?:[^\s\w]|_)+|\s+")
_FACT = re.compile(r"\(([a-z][\w-]*(?: [\w-]+)*)\)")
_COUNT = re.compile(r"Write (\d+) different plans")


def count_tokens(text: str) -> int:
    """Pieces of a text by GPT-2's rule for splitting."""
    return len(_TOKEN.findall(text))


class _NoGrounder:
    def facts(self, observation: Observation) -> frozenset[Atom]:
        raise NotImplementedError("the stand-in sees prompts, not observations")


class StandIn:
    """A ``LanguageModel`` with the skill of a planner and the errors of a model.

    Args:
        domain_text: The domain that it knows.
        objects: Type of every object by name.
        spec: The world, for the rules translator.
        error_rate: Probability that an action (or a part of a goal) of an answer is spoilt.
        seed: Of the errors.
    """

    def __init__(
        self,
        domain_text: str,
        objects: Mapping[str, str],
        spec: WorldSpec,
        *,
        error_rate: float,
        seed: int,
    ) -> None:
        self._domain_text = domain_text
        self._domain = read_domain(domain_text)
        self._objects = dict(objects)
        self._spec = spec
        self._rules = RulesTranslator(domain_text, objects)
        self._error_rate = error_rate
        self._seed = seed

    @property
    def name(self) -> str:
        """What it is, with its error rate."""
        return f"stand-in (planner, {self._error_rate:.0%} errors)"

    def complete(self, request: Request) -> Response:
        """Answer one request of a strategy or of the scene translator."""
        rng = self._rng(request)
        match request.purpose:
            case "tree-plans":
                found = _COUNT.search(request.messages[0].text)
                count = int(found[1]) if found else 1
                plan = self._plan(request.messages)
                text = "\n\n".join(
                    "\n".join(map(str, self._spoilt(plan, rng))) for _ in range(count)
                )
            case "rewoo-plan":
                text = "\n".join(map(str, self._spoilt(self._plan(request.messages), rng)))
            case "react-step":
                text = self._step(request.messages, rng)
            case "code-policy":
                plan = self._spoilt(self._plan(request.messages), rng)
                text = "\n".join(_call(a) for a in plan)
            case "pddl-goal":
                stages = self._goal(request.messages, rng)
                text = json.dumps({"stages": stages, "unsupported": ""})
            case _:
                raise ValueError(f"the stand-in has no answer to {request.purpose!r}")
        return Response(
            text=text,
            usage=Usage(
                calls=1,
                input_tokens=sum(count_tokens(m.text) for m in request.messages),
                output_tokens=count_tokens(text),
            ),
            model=self.name,
        )

    # ----------------------------------------------------------------- reading

    def _rng(self, request: Request) -> np.random.Generator:
        text = json.dumps([self._seed, [m.text for m in request.messages]])
        digest = hashlib.sha256(text.encode()).digest()
        return np.random.default_rng(int.from_bytes(digest[:8], "little"))

    def _facts(self, messages: Sequence[Message]) -> frozenset[Atom]:
        """Facts of the first message that shows any, with every change told since."""
        shown = next(m.text for m in messages if "measured to be true now:" in m.text)
        body = shown.split("measured to be true now:", 1)[1].split("Instruction:")[0]
        facts = set(_atoms(body))
        for message in messages:
            if message.role == "user" and message.text.startswith("Observation:"):
                told = message.text.partition("Now true:")[2]
                new, _, gone = told.partition("No longer true:")
                facts = (facts | set(_atoms(new))) - set(_atoms(gone))
        return frozenset(facts)

    def _stages(self, messages: Sequence[Message]) -> tuple[str, ...]:
        shown = next(m.text for m in messages if "Instruction:" in m.text and m.role == "user")
        sentence = shown.rsplit("Instruction:", 1)[1].strip().splitlines()[0]
        memory = SceneMemory(
            grounder=_NoGrounder(),
            transition=lambda action, facts: facts,
            facts=self._facts(messages),
        )
        return self._rules.translate(sentence, memory, self._spec).stages

    def _plan(self, messages: Sequence[Message]) -> tuple[GroundAction, ...]:
        stages = self._stages(messages)
        problem = render_problem(
            "asked", self._domain, self._objects, self._facts(messages), stages
        )
        program = PddlProgram(
            domain=self._domain_text, problem=problem, stages=stages, source=self.name
        )
        return Planner().solve(program, deadline_s=10.0).plan

    # ----------------------------------------------------------------- writing

    def _step(self, messages: Sequence[Message], rng: np.random.Generator) -> str:
        plan = self._plan(messages)
        if not plan:
            return "Thought: nothing is left to do.\nAction: (done)"
        spoilt = self._spoilt(plan[:1], rng) or plan[1:2] or plan[:1]
        return f"Thought: {len(plan)} actions are left, this one is next.\nAction: {spoilt[0]}"

    def _goal(self, messages: Sequence[Message], rng: np.random.Generator) -> list[str]:
        spoilt: list[str] = []
        for stage in self._stages(messages):
            atoms = [str(a) for a in _atoms(stage)]
            for atom in atoms:
                if rng.random() < self._error_rate:
                    stage = stage.replace(atom, str(self._other(Atom.parse(atom), rng)), 1)
            spoilt.append(stage)
        return spoilt

    def _spoilt(
        self, plan: Sequence[GroundAction], rng: np.random.Generator
    ) -> tuple[GroundAction, ...]:
        written: list[GroundAction] = []
        for action in plan:
            if rng.random() >= self._error_rate:
                written.append(action)
                continue
            how = int(rng.integers(3))
            if how == 1:
                written.append(self._other_object(action, rng))
            elif how == 2:
                written.append(self._other_verb(action, rng))
        return tuple(written)

    def _other_object(self, action: GroundAction, rng: np.random.Generator) -> GroundAction:
        schema = self._domain.actions[action.name]
        choices = [
            GroundAction(action.name, tuple(b[p.name] for p in schema.parameters))
            for b in bindings(schema.parameters, self._domain, self._objects)
        ]
        near = [
            c for c in choices if sum(a != b for a, b in zip(c.args, action.args, strict=True)) == 1
        ]
        return near[int(rng.integers(len(near)))] if near else action

    def _other_verb(self, action: GroundAction, rng: np.random.Generator) -> GroundAction:
        names = [n for n in self._domain.actions if n != action.name]
        return GroundAction(names[int(rng.integers(len(names)))], action.args)

    def _other(self, atom: Atom, rng: np.random.Generator) -> Atom:
        parameters = self._domain.predicates[atom.predicate]
        names = self._domain.names_of(parameters[-1], self._objects)
        others = [n for n in names if n != atom.args[-1]]
        if not others:
            return atom
        return Atom(atom.predicate, (*atom.args[:-1], others[int(rng.integers(len(others)))]))


def _atoms(text: str) -> list[Atom]:
    return [Atom.parse(m[1]) for m in _FACT.finditer(text)]


def _call(action: GroundAction) -> str:
    arguments = ", ".join(json.dumps(a) for a in action.args)
    return f"{action.name.replace('-', '_')}({arguments})"
