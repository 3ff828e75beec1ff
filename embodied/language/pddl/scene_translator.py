"""Scene mode: objects and facts are measured, only the goal comes from the sentence.

What the model writes is data: goals over the scene's own symbols, type-checked against the domain,
and repaired with diagnostics a bounded number of times. The model never writes the initial state.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from embodied.bounded_json import LONGEST_TEXT, UnreadableAnswerError, json_object
from embodied.errors import Diagnostic, NotUnderstoodError, ProgramError
from embodied.language.pddl.goal_grammar import goal_grammar
from embodied.language.program_form import ProgramForm
from embodied.language.prompting import data, fill, prompt_text, short
from embodied.language.records import JsonReader, object_schema
from embodied.language.repair import Writer
from embodied.protocols import LanguageModel, Request, StateMemory
from embodied.symbolic import (
    Domain,
    Formula,
    Proposition,
    conjuncts,
    read_domain,
    read_goal,
    render_problem,
)
from embodied.types import Atom, PddlProgram, WorldSpec

LONGEST_SENTENCE = 2_000
"""Characters; longer ones are refused before any token is spent."""

_MOST_EXCHANGES = 6
_MOST_REMARKS = 40
_MOST_STATIC_FACTS = 40

ANSWER_SCHEMA = object_schema(
    {"stages": {"type": "array", "items": {"type": "string"}}, "unsupported": {"type": "string"}}
)
"""JSON schema of the model's answer."""


class SceneTranslator(Writer):
    """Any language model as a translator of sentences about one scene.

    Args:
        model: Who writes the goals.
        domain_text: PDDL domain of the scene.
        objects: Object name to PDDL type, colours and the like included.
        repairs: How often the model is asked again after a faulty answer.
        max_tokens: Longest answer.

    Raises:
        ProgramError: The domain is malformed.
    """

    def __init__(
        self,
        model: LanguageModel,
        domain_text: str,
        objects: Mapping[str, str],
        *,
        repairs: int = 2,
        max_tokens: int = 512,
    ) -> None:
        super().__init__(model, repairs=repairs, max_tokens=max_tokens)
        self._domain_text = domain_text
        self._domain = read_domain(domain_text)
        self._objects = dict(objects)
        self._grammar = goal_grammar(self._domain, self._objects, form="json")

    def build_request(
        self, instruction: str, memory: StateMemory, spec: WorldSpec | None = None
    ) -> Request:
        """The first request for a sentence; ``translate`` sends it.

        Args:
            instruction: The sentence.
            memory: What is believed, and the sentences before.
            spec: The scene, for other names of its objects.
        """
        user = fill(
            "pddl",
            "scene_user",
            predicates=_section(self._domain_text, ":predicates"),
            types=data(_type_lines(self._domain)),
            objects=data(_object_lines(self._objects) + _other_names(spec)),
            facts=data("\n".join([_fact_lines(self._domain, memory.facts), *_remarks(memory)])),
            earlier=_earlier_lines(memory),
            instruction=instruction,
        )
        system = prompt_text("pddl", "scene_system")
        request = self.request(system, user, "pddl-goal", schema=ANSWER_SCHEMA)
        return replace(request, grammar=self._grammar)

    def translate(self, instruction: str, memory: StateMemory, spec: WorldSpec) -> PddlProgram:
        """Translate one sentence about the scene as ``memory`` believes it to be.

        Raises:
            NotUnderstoodError: The sentence is empty or too long, or the model says that it cannot
                be expressed.
            ProgramError: The answer stayed unusable after the repairs.
            ModelError: The model could not be reached or is out of budget.
        """
        sentence = " ".join(instruction.split())
        _check_length(sentence)
        request = self.build_request(sentence, memory, spec)
        answer = self.ask(request, lambda text: self.read(text, memory.facts))
        if isinstance(answer.value, _Refusal):
            hint = f"known objects: {', '.join(self._objects)}"
            problem = answer.value.reason
            raise NotUnderstoodError(
                instruction, [Diagnostic(where="sentence", problem=problem, hint=hint)]
            )
        notes = (f"the goal took {answer.repairs} repairs",) if answer.repairs else ()
        return PddlProgram(
            domain=self._domain_text,
            problem=render_problem(
                spec.name, self._domain, self._objects, memory.facts, answer.value
            ),
            stages=answer.value,
            source=answer.response.model or self.name,
            notes=notes,
        )

    def read(self, text: str, facts: frozenset[Atom]) -> tuple[str, ...] | _Refusal:
        """Goals of an answer, or the model's refusal.

        Raises:
            ProgramError: Not the form asked for, or goals that do not type-check; with one
                diagnostic per fault.
        """
        stages, refusal = read_answer(text)
        if refusal:
            return _Refusal(refusal)
        return _goals(text, stages, self._domain, self._objects, facts)


@dataclass(frozen=True, slots=True)
class _Refusal:
    reason: str


def goal_form(domain_text: str, objects: Mapping[str, str], spec: WorldSpec) -> ProgramForm:
    """How goals about a scene are written; raises ProgramError for a malformed domain.

    Args:
        domain_text: PDDL domain of the scene.
        objects: Object name to PDDL type, colours and the like included.
        spec: The scene, for other names of its objects and who may say how to move.
    """
    domain = read_domain(domain_text)

    def read(text: str, memory: StateMemory, source: str) -> PddlProgram:
        stages, refusal = read_answer(text)
        if refusal:
            raise ProgramError(text, [Diagnostic(where="stages", problem="missing", hint=_FORM)])
        goals = _goals(text, stages, domain, objects, memory.facts)
        problem = render_problem(spec.name, domain, objects, memory.facts, goals)
        return PddlProgram(domain=domain_text, problem=problem, stages=goals, source=source)

    about = fill(
        "pddl",
        "goal_form",
        predicates=_section(domain_text, ":predicates"),
        types=data(_type_lines(domain)),
        objects=data(_object_lines(objects) + _other_names(spec)),
    )
    return ProgramForm(about=about, read=read)


def _goals(
    text: str,
    stages: Sequence[str],
    domain: Domain,
    objects: Mapping[str, str],
    facts: frozenset[Atom],
) -> tuple[str, ...]:
    """Goals that type-check and that actions can reach; raises ProgramError for others."""
    problems: list[Diagnostic] = []
    goals: list[str] = []
    for index, stage in enumerate(stages):
        try:
            goal = read_goal(stage, domain, objects)
        except ProgramError as error:
            problems += [_in_stage(index, d) for d in error.diagnostics]
            continue
        goals.append(str(goal))
        problems += [_in_stage(index, d) for d in _impossible(goal, domain, facts)]
    if problems:
        raise ProgramError(text, problems)
    return tuple(goals)


def read_answer(text: str) -> tuple[tuple[str, ...], str]:
    """Stages and refusal of an answer, from JSON (prose and code fences around it are passed over).

    Bare goals, one per line, and a line ``unsupported: REASON`` are read as well: that is what the
    text form of ``goal_grammar`` produces.

    Raises:
        ProgramError: None of these forms.
    """
    try:
        parsed = json_object(text)
    except UnreadableAnswerError as error:
        return _read_lines(text, error)
    reader = JsonReader()
    answer = reader.object(parsed, "answer", ("stages", "unsupported"))
    if "stages" not in answer:
        reader.wrong("stages", "missing", _FORM)
    goals = reader.items(answer.get("stages"), "stages", reader.text)
    refusal = reader.text(answer.get("unsupported", ""), "unsupported").strip()
    if not reader.diagnostics and bool(goals) == bool(refusal):
        both = "both goals and a refusal" if goals else "neither goals nor a refusal"
        reader.wrong("answer", f"it holds {both}", _FORM)
    if reader.diagnostics:
        raise ProgramError(text, reader.diagnostics)
    return goals, refusal


_FORM = (
    'answer {"stages": ["<goal>", ...], "unsupported": ""} or '
    '{"stages": [], "unsupported": "<why>"}'
)


def _read_lines(text: str, why: UnreadableAnswerError) -> tuple[tuple[str, ...], str]:
    lines = [line.strip() for line in text[:LONGEST_TEXT].strip().splitlines()]
    lines = [line for line in lines if line and not line.startswith("```")]
    if len(lines) == 1 and lines[0].lower().startswith("unsupported:"):
        return (), lines[0].partition(":")[2].strip() or "no reason given"
    if lines and all(line.startswith("(") and line.endswith(")") for line in lines):
        return tuple(lines), ""
    cut = text.strip() if len(text) < 80 else text.strip()[:80] + " ..."
    problem = f"it is not a JSON object ({why.where}: {why.problem}): {cut!r}"
    raise ProgramError(text, [Diagnostic(where="answer", problem=problem, hint=_FORM)])


def _impossible(goal: Formula, domain: Domain, facts: frozenset[Atom]) -> list[Diagnostic]:
    """Demands of the goal that no action can ever meet: static facts that do not hold."""
    fluents = domain.fluents()
    return [
        Diagnostic(
            where="goal",
            problem=f"{part} is false and no action can change it",
            hint="use only what the actions can change: " + ", ".join(sorted(fluents)),
        )
        for part in conjuncts(goal)
        if isinstance(part, Proposition)
        and part.predicate not in fluents
        and Atom(part.predicate, part.terms) not in facts
    ]


def _in_stage(index: int, diagnostic: Diagnostic) -> Diagnostic:
    return replace(diagnostic, where=f"stages[{index}], {diagnostic.where}")


def _check_length(sentence: str) -> None:
    if sentence and len(sentence) <= LONGEST_SENTENCE:
        return
    problem = (
        f"it has {len(sentence)} characters, more than {LONGEST_SENTENCE}"
        if sentence
        else "it is empty"
    )
    hint = "say what shall be where in a sentence or two"
    raise NotUnderstoodError(sentence, [Diagnostic(where="sentence", problem=problem, hint=hint)])


# -- the prompt's parts -------------------------------------------------------------------------


def _section(domain_text: str, keyword: str) -> str:
    """A section of the domain's text as it stands, with the comments that explain it."""
    start = domain_text.find(f"({keyword}")
    if start < 0:
        return ""
    depth = 0
    in_comment = False
    for i in range(start, len(domain_text)):
        c = domain_text[i]
        if in_comment:
            in_comment = c != "\n"
        elif c == ";":
            in_comment = True
        elif c in "()":
            depth += 1 if c == "(" else -1
            if depth == 0:
                end = domain_text.find("\n", i)
                tail = domain_text[i + 1 : end if end >= 0 else None]
                comment = tail if tail.strip().startswith(";") else ""
                return domain_text[start : i + 1] + comment
    return domain_text[start:]


def _type_lines(domain: Domain) -> str:
    if not domain.types:
        return "(none: all objects have type object)"
    return "\n".join(f"{kind} - {parent}" for kind, parent in domain.types.items())


def _object_lines(objects: Mapping[str, str]) -> str:
    members: defaultdict[str, list[str]] = defaultdict(list)
    for name, kind in objects.items():
        members[kind].append(name)
    return "\n".join(f"{' '.join(names)} - {kind}" for kind, names in members.items())


def _other_names(spec: WorldSpec | None) -> str:
    """What people may call the objects besides, a line each."""
    found = {} if spec is None else {n: o.aliases for n, o in spec.objects.items() if o.aliases}
    return "".join(f"\n; {n} is also called {', '.join(map(short, a))}" for n, a in found.items())


def _fact_lines(domain: Domain, facts: frozenset[Atom]) -> str:
    """One line per predicate; long lists of what never changes are left out and said to be."""
    by_predicate: defaultdict[str, list[str]] = defaultdict(list)
    for fact in sorted(facts):
        by_predicate[fact.predicate].append(str(fact))
    fluents = domain.fluents()
    lines: list[str] = []
    for predicate in domain.predicates:
        found = by_predicate.get(predicate)
        if not found:
            continue
        if predicate not in fluents and len(found) > _MOST_STATIC_FACTS:
            lines.append(f"; {len(found)} facts ({predicate} ...), which no action changes")
        else:
            lines.append(" ".join(found))
    return "\n".join(lines) or "(nothing)"


def _remarks(memory: StateMemory) -> list[str]:
    """What is not measured now: told words are no predicates, goals name the objects instead."""
    kept = memory.remarks[:_MOST_REMARKS]
    more = len(memory.remarks) - len(kept)
    return [f"; {r}" for r in kept] + ([f"; and {more} more"] if more else [])


def _earlier_lines(memory: StateMemory) -> str:
    lines: list[str] = []
    for sentence, program in memory.exchanges[-_MOST_EXCHANGES:]:
        if isinstance(program, PddlProgram):
            lines += [
                f"Earlier instruction: {sentence}",
                f"Its goal: {', then '.join(program.stages)}",
            ]
    return "\n" + "\n".join(lines) + "\n" if lines else ""
