"""Exactness of the rules translator on the project's suites of instructions.

    python benchmarks/rules_suite.py [--verbose] [FILE ...]

A sentence counts as exact when its stages are equivalent, one by one, to those of the suite; as
rightly refused when the suite says so and the refusal names a reason.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from embodied.bench.report import grouped, table_of
from embodied.bench.runner import Row
from embodied.bench.translate.data import spec_of_objects
from embodied.bench.translate.meaning import same_goals
from embodied.errors import NotUnderstoodError
from embodied.language.conversation import Conversation
from embodied.language.pddl.rules import RulesTranslator
from embodied.symbolic import read_domain
from embodied.types import Atom, PddlProgram
from embodied.world.grounding import TabletopGrounder
from embodied.world.scene import load_scene

DATA = Path(__file__).resolve().parents[1] / "tests" / "data"
SUITES = (DATA / "instructions_tabletop.jsonl", DATA / "instructions_blind.jsonl")
OUTCOMES = ("exact", "wrong", "refused rightly", "refused wrongly", "not refused")


class Bench:
    """One scene with its translator; no simulator is needed."""

    def __init__(self, scene: str) -> None:
        self.spec = spec_of_objects(scene, load_scene(scene).objects)
        self.grounder = TabletopGrounder(self.spec)
        self.domain = read_domain(self.grounder.domain_text)
        self.translator = RulesTranslator(self.grounder.domain_text, self.grounder.objects)

    def memory(self, record: Mapping[str, Any]) -> Conversation:
        """Everything on the table and drawers closed, but for a record's facts; its exchanges."""
        atoms = {Atom.parse(text) for text in record.get("facts", ())}
        placed = {a.args[0] for a in atoms if a.predicate in ("on", "in", "holding")}
        items = [n for n, o in self.spec.objects.items() if o.kind == "item"]
        atoms |= {Atom("on", (n, "table")) for n in items if n not in placed}
        covered = {a.args[1] for a in atoms if a.predicate == "on"}
        atoms |= {Atom("clear", (n,)) for n in items if n not in covered}
        if not any(a.predicate == "holding" for a in atoms):
            atoms.add(Atom("hand-empty"))
        before = (
            (
                b["text"],
                PddlProgram(domain="", problem="", stages=tuple(b["goals"]), source="suite"),
            )
            for b in record.get("before", ())
        )
        facts = frozenset(atoms | set(self.grounder.static_facts))
        return Conversation(facts=facts, exchanges=tuple(before))

    def judge(self, record: Mapping[str, Any]) -> tuple[str, str, float]:
        """Translate one record: (outcome, what came out, CPU seconds)."""
        memory, refuse = self.memory(record), bool(record.get("refuse"))
        started = time.process_time()
        try:
            program = self.translator.translate(record["text"], memory, self.spec)
        except NotUnderstoodError as refusal:
            cpu_s = time.process_time() - started
            reason = "; ".join(str(d) for d in refusal.diagnostics[:-1])
            return f"refused {'rightly' if refuse and reason else 'wrongly'}", reason, cpu_s
        cpu_s = time.process_time() - started
        said = " | ".join(program.stages)
        if refuse:
            return "not refused", said, cpu_s
        objects = self.grounder.objects
        same = same_goals(program.stages, record["goals"], self.domain, objects, None)
        return ("exact" if same else "wrong"), said, cpu_s


def read(path: Path) -> list[Row]:
    """The records of a suite."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def run(path: Path, *, verbose: bool) -> None:
    """Judge a suite and print its table."""
    benches: dict[str, Bench] = {}
    rows: list[Row] = []
    for record in read(path):
        scene = record["scene"]
        if scene not in benches:
            benches[scene] = Bench(scene)
            benches[scene].judge(record)  # the first sentence also pays for imports
        outcome, said, cpu_s = benches[scene].judge(record)
        rows.append({"scene": scene, "outcome": outcome, "cpu_s": cpu_s})
        if verbose and outcome not in ("exact", "refused rightly"):
            print(f"{outcome:16} {record['id']:12} {record['text']}\n    {said}")
            print(f"    expected: {record.get('goals', record.get('why'))}")
    groups = {scene: own for (scene,), own in grouped(rows, "scene").items()} | {"total": rows}
    found: list[Row] = []
    for scene, own in groups.items():
        counts = {o: sum(r["outcome"] == o for r in own) for o in OUTCOMES}
        goals = sum(counts[o] for o in ("exact", "wrong", "refused wrongly"))
        exact = f"{100 * counts['exact'] / goals:.1f}%"
        mean_ms = f"{1000 * sum(r['cpu_s'] for r in own) / len(own):.2f}"
        row = {"scene": scene, "sentences": len(own), **counts}
        found.append({**row, "exact/goals": exact, "CPU ms": mean_ms})
    print(f"\n{path.name}\n\n{table_of(found, {name: name for name in found[0]})}")


def main() -> None:
    """Run the suites."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--verbose", action="store_true", help="show every miss")
    arguments = parser.parse_args()
    for path in arguments.files or [p for p in SUITES if p.exists()]:
        run(path, verbose=arguments.verbose)


if __name__ == "__main__":
    main()
