"""A language model as the writer's source: it proposes deltas under a schema, and answers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from importlib import resources
from string import Template

from embodied.bounded_json import UnreadableAnswerError, json_object
from embodied.errors import Diagnostic, ProgramError
from embodied.language.prompting import data
from embodied.language.records import Schema
from embodied.language.repair import Writer
from embodied.memory.arithmetic import Linear
from embodied.memory.facts import Delta, Op, Value
from embodied.memory.memory import Memory
from embodied.memory.reader import Reader
from embodied.protocols import LanguageModel
from embodied.records import Record
from embodied.symbolic import Parameter
from embodied.types import Atom, GroundAction


def _text(name: str) -> str:
    return (resources.files("embodied.memory") / "prompts" / name).read_text("utf-8").strip("\n")


VIEW_TOKENS = 1500
"""Budget of the facts that a model is shown."""

SCHEMA: Schema = json.loads(_text("memory_deltas.json"))
"""JSON schema of a model's answer."""

_PARTS = ("deltas", "relations", "actions", "say")


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What a model makes of a sentence.

    Attributes:
        deltas: Changes that the sentence tells of.
        relations: Relations between quantities that it tells of.
        actions: Actions that it asks for, in order.
        say: Answer to a question.
    """

    deltas: tuple[Delta, ...] = ()
    relations: tuple[Linear, ...] = ()
    actions: tuple[GroundAction, ...] = ()
    say: tuple[str, ...] = ()


class ModelWriter(Writer):
    """Asks a model what a sentence means for the memory. What it says is a proposal only.

    Args:
        model: The model.
        view_tokens: Budget of the facts that it is shown.
        repairs: How often an unreadable answer goes back with its diagnostics.
    """

    def __init__(
        self, model: LanguageModel, *, view_tokens: int = VIEW_TOKENS, repairs: int = 1
    ) -> None:
        super().__init__(model, repairs=repairs, max_tokens=1024)
        self._view_tokens = view_tokens

    def propose(
        self, sentence: str, memory: Memory, *, about: Sequence[str] = (), notes: Sequence[str] = ()
    ) -> Proposal:
        """Ask what a sentence means.

        Args:
            sentence: The sentence.
            memory: What is believed; the model sees the part that is about ``about``.
            about: Names of objects in the sentence; all if none.
            notes: What became of its earlier proposals, to learn from.

        Raises:
            ProgramError: The answer stayed unreadable.
            ModelError: The model could not be reached or is out of budget.
        """
        v = memory.vocabulary
        predicates = [_signature(n, parameters) for n, parameters in v.domain.predicates.items()]
        actions = [_signature(a.name, a.parameters) for a in v.domain.actions.values()]
        system = Template(_text("memory_system.md")).substitute(
            predicates="\n".join(predicates),
            quantities=", ".join(sorted(v.quantities)) or "none",
            attributes=", ".join(
                f"{n} ({'|'.join(words) or 'any word'})" for n, words in v.attributes.items()
            )
            or "none",
            actions="\n".join(actions),
            objects=data("\n".join(f"{n}: {kind}" for n, kind in v.objects.items())),
        )
        view = Reader(memory).view(about, budget_tokens=self._view_tokens)
        user = Template(_text("memory_user.md")).substitute(
            facts=data(view.text or "; nothing"),
            notes=data("\n".join(f"- {n}" for n in notes) or "none"),
            sentence=sentence,
        )
        request = self.request(system, user, "memory-deltas", schema=SCHEMA)
        return self.ask(request, read_proposal).value


def read_proposal(text: str) -> Proposal:
    """Read a model's answer.

    Raises:
        ProgramError: It is not in the schema; the diagnostics say where.
    """
    part = "answer"
    try:
        answer = Record(json_object(text), "the answer")
        if unknown := sorted(set(answer.values) - set(_PARTS)):
            hint = f"legal: {', '.join(_PARTS)}"
            raise _unreadable(text, "answer", f"there is no '{unknown[0]}'", hint)
        deltas: list[Delta] = []
        for n, item in enumerate(answer.records("deltas", ())):
            part = f"deltas[{n}]"
            deltas.append(_delta(item))
        relations: list[Linear] = []
        for n, item in enumerate(answer.records("relations", ())):
            part = f"relations[{n}]"
            x, y = Atom.parse(item.text("x")), Atom.parse(item.text("y"))
            relations.append(Linear.ratio(x, Fraction(str(item.value("factor"))), y))
        part = "actions"
        actions = tuple(map(GroundAction.parse, answer.texts("actions", ())))
        say = tuple(map(str, answer.items("say", ())))
    except UnreadableAnswerError as error:
        raise _unreadable(text, error.where, error.problem, error.hint) from error
    except ProgramError:
        raise
    except (ValueError, ZeroDivisionError) as error:
        raise _unreadable(text, part, str(error)) from error
    return Proposal(deltas=tuple(deltas), relations=tuple(relations), actions=actions, say=say)


def _delta(item: Record) -> Delta:
    op = Op(item.text("op"))
    legal = ("op", "fact", "value") if op is Op.SET else ("op", "fact")
    if unknown := sorted(set(item.values) - set(legal)):
        raise ValueError(f"{op.value} has no {unknown[0]!r}; legal: {', '.join(legal)}")
    value: Value = True
    if op is Op.SET:
        raw = item.value("value")
        value = Fraction(str(raw)) if isinstance(raw, int | float) else str(raw)
    return Delta(op=op, atom=Atom.parse(item.text("fact")), value=value)


def _signature(name: str, parameters: Sequence[Parameter]) -> str:
    """``(on ?x:block ?p:place)``."""
    return f"({' '.join([name, *(p.name + ':' + '|'.join(p.types) for p in parameters)])})"


def _unreadable(text: str, where: str, problem: str, hint: str = "") -> ProgramError:
    return ProgramError(text, [Diagnostic(where=where, problem=problem, hint=hint)])
