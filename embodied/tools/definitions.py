"""What the tools are called, what they take and what they do, in one place.

Chat completions, responses, Anthropic's messages and MCP all get these definitions; arguments are
read into these records, and what is wrong with them is said with the legal values.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias, cast

from embodied.bounded_json import UnreadableAnswerError, check_bounds
from embodied.errors import Diagnostic, ProgramError
from embodied.language.records import (
    Schema,
    keys_of,
    list_schema,
    name_schema,
    or_null,
    parsed,
    record_schema,
)
from embodied.protocols import Tool

LONGEST_ARGUMENTS, LONGEST_TEXT, MOST_CHOICES = 40_000, 1_000, 6
"""Longest arguments of one call, longest text in them, characters; most answers to choose from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Nothing:
    """Takes nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """Takes the name of a route."""

    route: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Takes the name of a camera."""

    camera: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AskMemory:
    """Takes a question."""

    question: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WithProgram:
    """Takes a program."""

    program: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class SaidProgram:
    """Takes a program and the sentence that it is for."""

    sentence: str
    program: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class AskPerson:
    """Takes a question and, where it is not yes or no, the answers to choose from."""

    question: str
    choices: Sequence[str] = field(default_factory=tuple)


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveUp:
    """Takes the reason."""

    reason: str


Arguments: TypeAlias = (
    Nothing | About | Look | AskMemory | WithProgram | SaidProgram | AskPerson | GiveUp
)

_SENTENCE = "What the person asked for, word for word."


@dataclass(frozen=True, slots=True, kw_only=True)
class Definitions:
    """The tools of one session.

    Attributes:
        routes: Names of the routes whose programs can be written, and ``"mixed"``.
        cameras: Names of cameras; none where there are none to look through.
        said: Whether a call says for which sentence it is: agents serve many, a model one.
    """

    routes: tuple[str, ...]
    cameras: tuple[str, ...] = ()
    said: bool = False

    def tools(self) -> tuple[Tool, ...]:
        """All of them."""
        return tuple(tool for tool, _ in self._table().values())

    def read(self, name: str, arguments: str | Mapping[str, object]) -> Arguments:
        """The arguments of a call.

        Args:
            name: Name of the tool, as it was called.
            arguments: JSON text, or an object that was read already.

        Raises:
            ProgramError: No such tool, no JSON, too much of it, or unknown, missing or ill-typed
                arguments; the diagnostics name what is legal.
        """
        table = self._table()
        if name not in table:
            problem, hint = f"there is no tool {name[:60]!r}", "legal: " + ", ".join(table)
            raise ProgramError(name, [Diagnostic(where="tool", problem=problem, hint=hint)])
        tool, record = table[name]
        values = _object(arguments, "{" + ", ".join(f'"{k}": ...' for k in keys_of(record)) + "}")
        problems = list(_wrong(tool.schema, values, "arguments"))
        if problems:
            raise ProgramError(str(arguments)[:LONGEST_TEXT], problems)
        make = cast("Callable[..., Arguments]", record)
        return make(**{k: v for k, v in values.items() if v is not None})

    def _table(self) -> Mapping[str, tuple[Tool, type[Arguments]]]:
        text: Schema = {"type": "string"}
        program: Schema = {
            "type": "object",
            "description": '{"route": ROUTE, "stages": [...]}; describe_programs(route) says how '
            'stages are written. Several in a row: {"route": "mixed", "parts": [PROGRAM, ...]}.',
            "properties": {
                "route": name_schema(*self.routes),
                "stages": {"type": "array", "minItems": 1},
                "parts": {"type": "array", "minItems": 1, "items": {"type": "object"}},
            },
            "required": ["route"],
        }
        kind: type[Arguments] = SaidProgram if self.said else WithProgram
        takes: Schema = (
            record_schema(
                SaidProgram, sentence={"type": "string", "description": _SENTENCE}, program=program
            )
            if self.said
            else record_schema(WithProgram, program=program)
        )
        choices = or_null(list_schema(text, 2, MOST_CHOICES))
        routes = tuple(r for r in self.routes if r != "mixed")
        found: list[tuple[Tool, type[Arguments]]] = [
            (
                Tool(
                    name="scene",
                    about="What is there, measured now: objects, sizes, places, what lies on what,"
                    " and what was told or is remembered and not seen.",
                    schema=record_schema(Nothing),
                ),
                Nothing,
            ),
            (
                Tool(
                    name="describe_programs",
                    about="How programs of a route are written. Read it before the first one.",
                    schema=record_schema(About, route=name_schema(*routes)),
                ),
                About,
            ),
            (
                Tool(
                    name="ask_memory",
                    about="Ask in one English sentence where things are or were, what was done or"
                    " told, e.g. 'where is the sponge?' or 'which block was moved last?'.",
                    schema=record_schema(AskMemory, question=text),
                ),
                AskMemory,
            ),
            (
                Tool(
                    name="check",
                    about="Whether a program is legal, what it asks for in words, and whether the"
                    " person would be asked about it first. Nothing moves.",
                    schema=takes,
                ),
                kind,
            ),
            (
                Tool(
                    name="preview",
                    about="What would be done: the plan of goals, the stages of others. Nothing"
                    " moves.",
                    schema=takes,
                ),
                kind,
            ),
            (
                Tool(
                    name="execute",
                    about="Carry a program out on the robot. Answers with what was measured"
                    " afterwards and what of the sentence is still missing.",
                    schema=takes,
                    reads=False,
                    moves=True,
                ),
                kind,
            ),
            (
                Tool(
                    name="ask_person",
                    about="Ask the person. choices: the answers to choose from, in the person's"
                    " words, e.g. ['the red block', 'the blue block']; null for yes or no.",
                    schema=record_schema(AskPerson, question=text, choices=choices),
                ),
                AskPerson,
            ),
        ]
        if self.cameras:
            look = Tool(
                name="look",
                about="A picture of the scene now, as a camera sees it.",
                schema=record_schema(Look, camera=name_schema(*self.cameras)),
            )
            found.insert(2, (look, Look))
        if self.said:
            stop = Tool(
                name="stop",
                about="Hold the robot where it is, at once, whoever moves it.",
                schema=record_schema(Nothing),
                reads=False,
            )
            found.append((stop, Nothing))
        else:
            up = Tool(
                name="give_up",
                about="End because it cannot be done; the reason is shown to the person.",
                schema=record_schema(GiveUp, reason=text),
                reads=False,
            )
            found.append((up, GiveUp))
        return {tool.name: (tool, record) for tool, record in found}


def _object(arguments: str | Mapping[str, object], form: str) -> Mapping[str, object]:
    """Arguments as an object within bounds; raises ProgramError."""
    size = len(arguments) if isinstance(arguments, str) else len(str(arguments))
    if size > LONGEST_ARGUMENTS:
        problem, hint = f"they have {size} characters", f"at most {LONGEST_ARGUMENTS}"
        raise ProgramError("", [Diagnostic(where="arguments", problem=problem, hint=hint)])
    if isinstance(arguments, str):
        return parsed(arguments, form) if arguments.strip() else {}
    try:
        check_bounds(arguments, "arguments")
    except UnreadableAnswerError as error:
        found = Diagnostic(where=error.where, problem=error.problem, hint=error.hint)
        raise ProgramError("", [found]) from None
    return arguments


_KINDS: Mapping[str, type | tuple[type, ...]] = {
    "string": str,
    "array": (list, tuple),
    "object": Mapping,
    "null": type(None),
}


def _wrong(schema: Mapping[str, object], value: object, where: str) -> list[Diagnostic]:
    """What of a value is not as a schema says; schemas here have the keywords read here."""
    if "anyOf" in schema:
        kinds = cast("Sequence[Mapping[str, object]]", schema["anyOf"])
        problems = [_wrong(kind, value, where) for kind in kinds]
        return [] if any(not p for p in problems) else problems[0]
    kind = str(schema["type"])
    if not isinstance(value, _KINDS[kind]):
        problem = f"expected {kind}, got {type(value).__name__}"
        return [Diagnostic(where=where, problem=problem)]
    if isinstance(value, str):
        return _wrong_text(schema, value, where)
    if isinstance(value, Sequence):
        items = cast("Sequence[object]", value)
        least, most = int(str(schema.get("minItems", 0))), int(str(schema.get("maxItems", 200)))
        if not least <= len(items) <= most:
            problem = f"it has {len(items)} items"
            return [Diagnostic(where=where, problem=problem, hint=f"{least} to {most}")]
        each = cast("Mapping[str, object] | None", schema.get("items"))
        if each is None:
            return []
        return [d for i, item in enumerate(items) for d in _wrong(each, item, f"{where}[{i}]")]
    if isinstance(value, Mapping):
        return _wrong_object(schema, cast("Mapping[str, object]", value), where)
    return []


def _wrong_text(schema: Mapping[str, object], value: str, where: str) -> list[Diagnostic]:
    legal = cast("Sequence[str]", schema.get("enum") or [v for v in [schema.get("const")] if v])
    if legal and value not in legal:
        hint = "legal: " + ", ".join(legal)
        return [Diagnostic(where=where, problem=f"unknown value {value[:60]!r}", hint=hint)]
    if len(value) > LONGEST_TEXT:
        problem = f"it has {len(value)} characters"
        return [Diagnostic(where=where, problem=problem, hint=f"at most {LONGEST_TEXT}")]
    return []


def _wrong_object(
    schema: Mapping[str, object], value: Mapping[str, object], where: str
) -> list[Diagnostic]:
    known = cast("Mapping[str, Mapping[str, object]]", schema.get("properties") or {})
    required = cast("Sequence[str]", schema.get("required") or ())
    problems: list[Diagnostic] = []
    for key in required:
        nullable = "anyOf" in known.get(key, {})
        if key not in value and not nullable:
            hint = "legal: " + ", ".join(known)
            problems.append(Diagnostic(where=f"{where}.{key}", problem="missing", hint=hint))
    for key, item in value.items():
        if key in known:
            problems += _wrong(known[key], item, f"{where}.{key}")
        elif schema.get("additionalProperties") is False:
            hint = "legal: " + (", ".join(known) or "none")
            problem = f"unknown key {key[:60]!r}"
            problems.append(Diagnostic(where=where, problem=problem, hint=hint))
    return problems
