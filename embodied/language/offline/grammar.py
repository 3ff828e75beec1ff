"""Small grammars as data: written out as GBNF for llama.cpp, or sampled at random for tests."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

Symbols = tuple[str, ...]
"""One alternative: literals start with a quote mark (``'"put '``), everything else names a rule."""

Rests = frozenset[Symbols]
"""What may still follow some text: one sequence of symbols for each way to read the text."""


def lit(text: str) -> str:
    """A literal symbol."""
    return '"' + text


def reachable(rules: Mapping[str, tuple[Symbols, ...]]) -> dict[str, tuple[Symbols, ...]]:
    """The rules that ``root`` leads to, in their order."""
    used: set[str] = set()
    todo = ["root"]
    while todo:
        name = todo.pop()
        if name not in used:
            used.add(name)
            todo += [s for a in rules[name] for s in a if not s.startswith('"')]
    return {name: alternatives for name, alternatives in rules.items() if name in used}


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

    def after(self, text: str, rests: Rests = frozenset({("root",)})) -> Rests:
        """What may follow ``text`` where ``rests`` may; empty if the text cannot stand there.

        Rules must not begin with themselves.
        """
        for character in text:
            followed: set[Symbols] = set()
            for literal, *behind in self._opened(rests):
                if literal[1] == character:
                    left = (literal[:1] + literal[2:],) if len(literal) > 2 else ()
                    followed.add((*left, *behind))
            rests = frozenset(followed)
        return rests

    def may_end(self, rests: Rests) -> bool:
        """Whether the text that left ``rests`` is whole."""
        todo, seen = list(rests), set(rests)
        while todo:
            rest = todo.pop()
            if not rest:
                return True
            head, *behind = rest
            if head == '"':
                new = [tuple(behind)]
            else:
                new = [(*a, *behind) for a in self.rules.get(head, ())]
            todo += [n for n in new if n not in seen]
            seen.update(new)
        return False

    def continued(self, rests: Rests) -> Grammar:
        """The grammar of what may follow the text that left ``rests``."""
        if ("root",) in rests:
            return self
        return Grammar({**self.rules, "root": tuple(sorted(rests))})

    def _opened(self, rests: Rests) -> Iterator[Symbols]:
        """The same with a literal that is not empty in front, rules taken apart where needed."""
        todo, seen = list(rests), set(rests)
        while todo:
            rest = todo.pop()
            if not rest:
                continue
            head, *behind = rest
            if head.startswith('"') and len(head) > 1:
                yield rest
                continue
            inner = ((),) if head == '"' else self.rules[head]
            for alternative in inner:
                new = (*alternative, *behind)
                if new not in seen:
                    seen.add(new)
                    todo.append(new)

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
