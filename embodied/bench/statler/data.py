"""The published Statler episodes as they lie in their files, and what is amiss in them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from embodied.bench.runner import Row
from embodied.bench.statler.language import names_in, read_sentence
from embodied.errors import ConfigurationError, NotUnderstoodError
from embodied.memory.statements import Statement

FILES = ("pick_and_place", "disinfection", "weight")
_PRIMES = (101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One turn: what was said, and what the authors expect.

    Attributes:
        query: The sentence.
        moves: Expected moves, (block, place).
        say: Expected answer, words as published.
    """

    query: str
    moves: tuple[tuple[str, str], ...]
    say: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """One conversation.

    Attributes:
        family: File that it is from.
        number: Its place in the file, from 0.
        names: Everything there is but the table, words joined by hyphens.
        steps: The turns.
        weights: True weights: the published ones, otherwise some that satisfy what is said.
        oddities: What the initial state lacks or says twice.
    """

    family: str
    number: int
    names: tuple[str, ...]
    steps: tuple[Step, ...]
    weights: Mapping[str, Fraction] = field(default_factory=dict[str, Fraction])
    oddities: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """``"weight/03"``."""
        return f"{self.family}/{self.number:02d}"

    @property
    def blocks(self) -> tuple[str, ...]:
        """Names of the blocks."""
        return tuple(n for n in self.names if n.endswith("-block"))


def read_episodes(folder: Path) -> tuple[Episode, ...]:
    """Read every episode file in a folder.

    Raises:
        ConfigurationError: There is none, or one is not in the published layout.
    """
    found = [folder / f"{name}.json" for name in FILES if (folder / f"{name}.json").is_file()]
    if not found:
        names = ", ".join(f"{name}.json" for name in FILES)
        raise ConfigurationError(f"{folder} holds none of {names}")
    episodes: list[Episode] = []
    for path in found:
        try:
            raw: list[Row] = json.loads(path.read_text("utf-8"))
            episodes += [_episode(path.stem, n, e) for n, e in enumerate(raw)]
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ConfigurationError(
                f"{path} is not in the published layout (init_state, steps with query, "
                f"gold_moves, gold_say): {error}"
            ) from error
    return tuple(episodes)


def _episode(family: str, number: int, raw: Row) -> Episode:
    steps = tuple(
        Step(
            query=str(s["query"]),
            moves=tuple((_name(a), _name(b)) for a, b in s["gold_moves"]),
            say=tuple(str(w) for w in s["gold_say"]),
        )
        for s in raw["steps"]
    )
    match = re.search(r'"objects"\s*[:=]\s*\[(.*?)\]', raw["init_state"], re.DOTALL)
    if match is None:
        raise ValueError(f"episode {number}: the initial state lists no objects")
    listed = [_name(n) for n in re.split(r",", match[1].replace('"', ""))]
    given = tuple(dict.fromkeys(n for n in listed if n and n != "table"))
    oddities = [f"lists {n} twice" for n in given if listed.count(n) > 1]
    spoken = dict.fromkeys(n for s in steps for n in names_in(s.query))
    missing = [n for n in spoken if n not in given]
    oddities += [f"speaks of {n}, which the initial state lacks" for n in missing]
    names = (*given, *missing)
    blocks = tuple(n for n in names if n.endswith("-block"))
    published = {_name(k): Fraction(v) for k, v in raw.get("obj_name_to_weight", {}).items()}
    ratios = [r for s in steps for r in ratios_in(s.query, names)]
    dirty = {_name(n) for n in raw.get("dirty_object_list", ())}
    oddities += _dirty_oddities(dirty, steps)
    return Episode(
        family=family,
        number=number,
        names=names,
        steps=steps,
        weights=published or true_weights(blocks, ratios),
        oddities=tuple(oddities),
    )


@dataclass(frozen=True, slots=True)
class Ratio:
    """``x`` weighs ``factor`` times as much as ``y``."""

    x: str
    factor: Fraction
    y: str


def ratios_in(query: str, names: tuple[str, ...]) -> tuple[Ratio, ...]:
    """What a sentence says about weights; nothing where it cannot be read."""
    try:
        read = read_sentence(query, names)
    except NotUnderstoodError:
        return ()
    if not isinstance(read, Statement) or read.factor is None or read.other is None:
        return ()
    things = [n for t in read.things for n in t.names]
    return tuple(Ratio(x, read.factor, y) for x in things for y in read.other.names)


def true_weights(blocks: Sequence[str], ratios: Sequence[Ratio]) -> dict[str, Fraction]:
    """Weights that satisfy all ratios; unrelated groups get units without a common measure."""
    weights: dict[str, Fraction] = {}
    units = iter(_PRIMES)
    for block in blocks:
        if block in weights:
            continue
        weights[block] = Fraction(next(units))
        todo = [block]
        while todo:
            b = todo.pop()
            for r in ratios:
                for x, y, factor in ((r.x, r.y, 1 / r.factor), (r.y, r.x, r.factor)):
                    if x == b and y not in weights:
                        weights[y] = weights[b] * factor
                        todo.append(y)
    return weights


def _dirty_oddities(dirty: set[str], steps: Sequence[Step]) -> list[str]:
    """Blocks that the file calls dirty and that a sentence calls clean before anything is moved."""
    found: list[str] = []
    for step in steps:
        if step.moves:
            break
        if step.query.rstrip(". ").endswith("clean"):
            said = [n for n in names_in(step.query) if n in dirty]
            found += [f"calls {n} dirty in its list and clean in '{step.query}'" for n in said]
    return found


def _name(words: str) -> str:
    return words.strip().lower().replace(" ", "-")
