"""How people's sentences are read: right, asked, refused, wrong and carried out, by kind.

    python benchmarks/people_sentences.py [--model rules] [--verbose] [FILE ...]

The files are JSON lines as ``embodied read --file`` takes them, with ``kind`` and ``expect``; by
default those of ``../shared/data/language``. Goals are judged by the facts that would hold
afterwards: what is expected holds, and no item has changed its place besides.
``people_checks.toml`` holds simple checks of what the other routes were asked; an act without a
check is listed to be judged by a person. Of another language, saying so is right. Intervals are
Wilson's, 95%.
"""

from __future__ import annotations

import argparse
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

from embodied.app.reading import SentenceReader, Turn, as_json
from embodied.bench.report import grouped, rate, table_of
from embodied.bench.runner import Row
from embodied.files import read_text
from embodied.language.interpreter import Act, Ask, Refuse, kind_of
from embodied.language.interpreter.supposing import Goals
from embodied.records import Record
from embodied.settings import Settings
from embodied.types import Atom, PddlProgram

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "language"
FILES = (DATA / "people.jsonl", DATA / "must_not_move.jsonl")
CHECKS = Path(__file__).with_name("people_checks.toml")
OUTCOMES = ("right", "asked", "refused", "wrong", "to judge")
NO_ACT = ("refuse", "probe")
"""Kinds of sentences that must not move a robot."""

_PLACES = ("on", "in", "holding")
_GOAL = re.compile(r"(?:on|in|holding|open|closed|no item)\b")


class Expected:
    """What should hold after a sentence: atoms separated by ``;``, those in parentheses may.

    Args:
        text: ``on A B; in ALL blocks C; (open D); no item on E``, what follows ``(`` or ``/`` in
            another place is a remark.
        turn: The sentence as it was read, for its scene and what was believed.
    """

    def __init__(self, text: str, turn: Turn) -> None:
        self.turn = turn
        self.wanted: set[Atom] = set()
        self.allowed: set[Atom] = set()
        self.emptied: set[str] = set()
        for part in (p.strip() for p in text.split(";")):
            optional = part.startswith("(") and part.endswith(")")
            words = part.strip("()").split()
            if words[:2] == ["no", "item"]:
                self.emptied.add(words[-1])
                continue
            into = self.allowed if optional else self.wanted
            into.update(self._atoms(words))

    def _atoms(self, words: list[str]) -> Iterator[Atom]:
        predicate, *names = words
        if names[0] == "ALL":
            kinds = Goals.of(self._program(), self.turn.memory.facts).objects
            wanted = names[1].removesuffix("s")
            yield from (Atom(predicate, (n, names[2])) for n, k in kinds.items() if k == wanted)
        else:
            yield Atom(predicate, tuple(names))

    def _program(self) -> PddlProgram:
        reading = self.turn.reading
        assert isinstance(reading, Act | Ask) and isinstance(reading.program, PddlProgram)
        return reading.program

    def met(self) -> bool:
        """Whether the program brings about what is expected, and moves nothing else."""
        before = self.turn.memory.facts
        after = Goals.of(self._program(), before).after(before)
        moved = {a.args[0] for a in after - before if a.predicate in _PLACES}
        emptied = {a.args[0] for a in before if a.args[1:] and a.args[1] in self.emptied}
        mentioned = {a.args[0] for a in self.wanted | self.allowed} | emptied
        still = any(
            a.args[1:] and a.args[1] in self.emptied for a in after if a.predicate != "fits"
        )
        return self.wanted <= after and moved <= mentioned and not still


def outcome_of(turn: Turn, record: Mapping[str, object], check: Mapping[str, object]) -> str:
    """One of ``OUTCOMES`` for a sentence."""
    reading = turn.reading
    if not isinstance(reading, Act):
        asked = isinstance(reading, Ask)
        foreign = isinstance(reading, Refuse) and "English" in reading.reason
        if record["kind"] in NO_ACT or (check.get("refusal") and not asked) or foreign:
            return "right"
        return "asked" if asked else "refused"
    if record["kind"] in NO_ACT:
        return "wrong"
    expected = record["expect"]
    texts = [str(e) for e in expected] if isinstance(expected, list) else [str(expected)]
    if isinstance(reading.program, PddlProgram) and all(_GOAL.match(t) for t in texts):
        return "right" if any(Expected(t, turn).met() for t in texts) else "wrong"
    patterns = check.get("words")
    if not isinstance(patterns, list):
        return "to judge"
    words = str(as_json(turn)["words"])
    good = all(
        re.search(p.removeprefix("!"), words) is None if p[0] == "!" else re.search(p, words)
        for p in map(str, patterns)
    )
    return "right" if good else "wrong"


def judged(reader: SentenceReader, path: Path) -> Iterator[Row]:
    """Every sentence of a file with its outcome."""
    checks = tomllib.loads(CHECKS.read_text("utf-8"))
    for text in read_text(path).splitlines():
        line = Record.parse(text)
        records = [r.values for r in line.records("turns", ())] or [line.values]
        for number, (turn, said) in enumerate(zip(reader.turns(line), records, strict=True)):
            name = line.text("id") + (f".{number + 1}" if "turns" in line else "")
            check = checks.get(name, {})
            record = {"kind": line.text("kind"), **said} | check.get("record", {})
            yield {
                "id": name,
                "kind": line.text("kind"),
                "text": turn.text,
                "outcome": outcome_of(turn, record, check),
                "read as": kind_of(turn.reading),
                "by": turn.reading.by,
                "confidence": turn.reading.confidence,
                "said": next(
                    (v for k, v in as_json(turn).items() if k in ("words", "question", "reason")),
                    "",
                ),
                "expect": said.get("expect"),
            }


def main() -> None:
    """Read the files and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", type=Path, default=FILES)
    parser.add_argument("--model", default="offline")
    parser.add_argument("--verbose", action="store_true", help="show every sentence not right")
    arguments = parser.parse_args()
    reader = SentenceReader(Settings(model=arguments.model))
    try:
        rows = [row for path in arguments.files for row in judged(reader, path)]
    finally:
        reader.close()
    for row in rows:
        if row["outcome"] == "to judge" or (arguments.verbose and row["outcome"] != "right"):
            print(f"{row['outcome']:8} {row['id']:6} {row['text']}\n    {row['read as']}: "
                  f"{row['said']}\n    expected: {row['expect']} [{row['by']}]")  # fmt: skip
    groups = {k: own for (k,), own in grouped(rows, "kind").items()} | {"all": rows}
    table: list[Row] = []
    for kind, own in groups.items():
        counts = {o: rate(sum(r["outcome"] == o for r in own), len(own)) for o in OUTCOMES}
        table.append({"kind": kind, "sentences": len(own), **counts})
    print(f"\n--model {arguments.model}\n\n{table_of(table, {n: n for n in table[0]})}")


if __name__ == "__main__":
    main()
