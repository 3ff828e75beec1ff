"""Small grammars as data: written out as GBNF for llama.cpp, or sampled at random for tests."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

Symbols = tuple[str, ...]
"""One alternative: literals start with a quote mark (``'"put '``), everything else names a rule."""


def lit(text: str) -> str:
    """A literal symbol."""
    return '"' + text


@dataclass(frozen=True, slots=True)
class Grammar:
    """Rules by name; ``root`` is where a sentence starts.

    Attributes:
        rules: For each rule its alternatives.
    """

    rules: Mapping[str, tuple[Symbols, ...]] = field(default_factory=dict[str, tuple[Symbols, ...]])

    def gbnf(self) -> str:
        """The grammar in llama.cpp's GBNF notation."""
        lines: list[str] = []
        for name, alternatives in self.rules.items():
            bodies = [" ".join(_gbnf_symbol(s) for s in each) or '""' for each in alternatives]
            lines.append(f"{name} ::= {' | '.join(bodies)}")
        return "\n".join(lines) + "\n"

    def without(self, rule: str) -> Grammar:
        """The same grammar, less the alternatives of ``root`` that use ``rule``."""
        root = tuple(a for a in self.rules["root"] if rule not in a)
        return Grammar({**self.rules, "root": root} if root else self.rules)

    def sample(self, rng: random.Random, *, depth: int = 40) -> str:
        """A random sentence; beyond ``depth`` rule uses the shortest alternatives are taken."""
        pieces: list[str] = []
        stack = ["root"]
        used = 0
        while stack:
            symbol = stack.pop()
            if symbol.startswith('"'):
                pieces.append(symbol[1:])
                continue
            used += 1
            alternatives = self.rules[symbol]
            chosen = (
                rng.choice(alternatives) if used < depth else min(alternatives, key=self._recursion)
            )
            stack.extend(reversed(chosen))
        return "".join(pieces)

    def _recursion(self, alternative: Symbols) -> tuple[int, int]:
        return (sum(not s.startswith('"') for s in alternative), len(alternative))


def _gbnf_symbol(symbol: str) -> str:
    if not symbol.startswith('"'):
        return symbol
    return '"' + symbol[1:].replace("\\", "\\\\").replace('"', '\\"') + '"'


def words(options: Sequence[str]) -> tuple[Symbols, ...]:
    """One alternative per word."""
    return tuple((lit(o),) for o in options)


DIGIT = words("0123456789")
NUMBER: tuple[Symbols, ...] = (
    ("digit",),
    ("digit", "digit"),
    ("digit", "digit", "digit"),
    ("digit", lit("."), "digit"),
    ("digit", lit("."), "digit", "digit"),
)
"""Unsigned numbers as a person writes them; the sign is said in words (``left``, ``down``)."""
