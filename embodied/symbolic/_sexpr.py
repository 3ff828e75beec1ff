"""S-expressions with line numbers: the tolerant first stage of reading PDDL."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from embodied.errors import Diagnostic

DEEPEST = 100
"""Deepest nesting that is read; what reads the expressions after this recurses."""

_TOKEN = re.compile(r";[^\n]*|[()]|\??[^\s();?]+|\?|\n")  # "at?x" is a name and a variable


@dataclass(frozen=True, slots=True)
class Word:
    """A name, variable, keyword or number, in lower case; ``line`` counts from 1."""

    text: str
    line: int = field(default=0, compare=False)

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Group:
    """A parenthesised list; ``line`` is that of its opening parenthesis."""

    items: tuple[Sexpr, ...]
    line: int = field(default=0, compare=False)

    @property
    def head(self) -> str:
        """The first word in lower case, ``""`` where there is none."""
        first = self.items[0] if self.items else None
        return first.text if isinstance(first, Word) else ""

    @property
    def rest(self) -> tuple[Sexpr, ...]:
        """Everything after the first item."""
        return self.items[1:]

    def part(self, i: int) -> Sexpr:
        """The i-th item after the head."""
        return self.items[i + 1]

    def __iter__(self) -> Iterator[Sexpr]:
        return iter(self.items)

    def __str__(self) -> str:
        return f"({' '.join(str(item) for item in self.items)})"


Sexpr: TypeAlias = Word | Group


def parse(text: str) -> tuple[tuple[Sexpr, ...], tuple[Diagnostic, ...]]:
    """Read every top-level expression of ``text``.

    Unbalanced parentheses do not end the reading: lists still open at the end are closed there,
    and closing parentheses too many are skipped. Either is reported.

    Returns:
        The expressions and what is wrong with the parentheses.
    """
    stack: list[tuple[int, list[Sexpr]]] = [(1, [])]
    problems: list[Diagnostic] = []
    line = 1
    for match in _TOKEN.finditer(text):
        token = match.group()
        if token == "\n":
            line += 1
        elif token.startswith(";"):
            continue
        elif token == "(":
            if len(stack) > DEEPEST:
                problem = f"lists are nested more than {DEEPEST} deep"
                hint = "write it flatter, e.g. one 'and' with many parts"
                return (), (Diagnostic(where=f"line {line}", problem=problem, hint=hint),)
            stack.append((line, []))
        elif token == ")":
            if len(stack) == 1:
                problems.append(
                    Diagnostic(
                        where=f"line {line}",
                        problem="a closing parenthesis without an opening one",
                        hint="remove it",
                    )
                )
                continue
            opened, items = stack.pop()
            stack[-1][1].append(Group(tuple(items), opened))
        else:
            stack[-1][1].append(Word(token.lower(), line))
    missing = len(stack) - 1
    if missing:
        problems.append(
            Diagnostic(
                where=f"line {stack[-1][0]}",
                problem=f"{missing} opening parenthes{'is is' if missing == 1 else 'es are'} "
                "never closed",
                hint="close each list; the innermost open one starts on this line",
            )
        )
    while len(stack) > 1:
        opened, items = stack.pop()
        stack[-1][1].append(Group(tuple(items), opened))
    return tuple(stack[0][1]), tuple(problems)


def spans(text: str) -> list[tuple[int, int]]:
    """Start and end of every balanced list at the top level of ``text``."""
    found: list[tuple[int, int]] = []
    depth = start = 0
    for match in _TOKEN.finditer(text):
        if match.group() == "(":
            start = start if depth else match.start()
            depth += 1
        elif match.group() == ")" and depth:
            depth -= 1
            if not depth:
                found.append((start, match.end()))
    return found


def section(group: Group, keyword: str) -> Group | None:
    """The first ``(keyword ...)`` directly inside ``group``."""
    return next((g for g in group if isinstance(g, Group) and g.head == keyword), None)


def render(expression: Sexpr, indent: int = 0, width: int = 96) -> str:
    """PDDL text of an expression, broken over lines where it would be too wide."""
    flat = str(expression)
    if isinstance(expression, Word) or len(flat) + indent <= width:
        return flat
    inner = indent + 2
    chunks: list[str] = []
    items = list(expression.items)
    while items:
        item = items.pop(0)
        text = render(item, inner, width)
        if items and isinstance(item, Word) and item.text in _WITH_NEXT:
            text += f" {render(items.pop(0), inner, width)}"
        chunks.append(text)
    return "(" + f"\n{' ' * inner}".join(chunks) + ")"


_WITH_NEXT = ("define", ":action", ":parameters", ":precondition", ":effect")


def words(items: Sequence[Sexpr]) -> tuple[Word, ...]:
    """Those items that are words."""
    return tuple(item for item in items if isinstance(item, Word))
