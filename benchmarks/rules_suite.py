"""Exactness of the rules translator on the project's suites of instructions.

    python benchmarks/rules_suite.py [--verbose] [FILE ...]

A sentence counts as exact when its stages are equivalent, one by one, to those of the suite; as
rightly refused when the suite says so and the refusal names a reason.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from embodied.errors import NotUnderstoodError
from embodied.language.pddl.rules import RulesTranslator
from embodied.language.pddl.rules.equivalence import goals_equivalent
from embodied.symbolic import read_domain
from embodied.types import Atom, PddlProgram, WorldSpec
from embodied.world.grounding import TabletopGrounder
from embodied.world.scene import load_scene

DATA = Path(__file__).resolve().parents[1] / "tests" / "data"
SUITES = (DATA / "instructions_tabletop.jsonl", DATA / "instructions_blind.jsonl")
OUTCOMES = ("exact", "wrong", "refused rightly", "refused wrongly", "not refused")


@dataclass(frozen=True)
class Memory:
    """Facts and earlier exchanges, as a translator sees them."""

    facts: frozenset[Atom]
    exchanges: tuple[tuple[str, PddlProgram], ...] = ()


@dataclass
class Bench:
    """One scene with its translator."""

    spec: WorldSpec
    grounder: TabletopGrounder
    translator: RulesTranslator
    domain: Any = field(init=False)

    def __post_init__(self) -> None:
        self.domain = read_domain(self.grounder.domain_text)

    @staticmethod
    def of(scene_name: str) -> Bench:
        """Build the bench of a scene; no simulator is needed."""
        one = np.zeros(1)
        spec = WorldSpec(
            name=scene_name, robot="fr3", joint_names=("joint",), q_lower=one, q_upper=one,
            dq_max=one, ddq_max=one, dddq_max=one, tau_max=one, q_home=one, control_dt_s=0.01,
            objects=load_scene(scene_name).objects,
        )  # fmt: skip
        grounder = TabletopGrounder(spec)
        return Bench(spec, grounder, RulesTranslator(grounder.domain_text, grounder.objects))

    def facts(self, stated: list[str]) -> frozenset[Atom]:
        """Everything on the table and drawers closed, but for what is stated."""
        atoms = {Atom.parse(text) for text in stated}
        placed = {a.args[0] for a in atoms if a.predicate in ("on", "in", "holding")}
        items = [n for n, o in self.spec.objects.items() if o.kind == "item"]
        atoms |= {Atom("on", (n, "table")) for n in items if n not in placed}
        covered = {a.args[1] for a in atoms if a.predicate == "on"}
        atoms |= {Atom("clear", (n,)) for n in items if n not in covered}
        if not any(a.predicate == "holding" for a in atoms):
            atoms.add(Atom("hand-empty"))
        return frozenset(atoms | set(self.grounder.static_facts))

    def memory(self, record: Mapping[str, Any]) -> Memory:
        """Facts and exchanges of a suite's record."""
        exchanges = tuple(
            (
                b["text"],
                PddlProgram(domain="", problem="", stages=tuple(b["goals"]), source="suite"),
            )
            for b in record.get("before", ())
        )
        return Memory(self.facts(record.get("facts", [])), exchanges)

    def judge(self, record: Mapping[str, Any]) -> tuple[str, str, float]:
        """Translate one record: (outcome, what came out, CPU seconds)."""
        memory = self.memory(record)
        started = time.process_time()
        try:
            program = self.translator.translate(record["text"], memory, self.spec)  # type: ignore[arg-type]
        except NotUnderstoodError as refusal:
            cpu_s = time.process_time() - started
            reason = "; ".join(str(d) for d in refusal.diagnostics[:-1])
            right = bool(record.get("refuse")) and bool(reason)
            return ("refused rightly" if right else "refused wrongly"), reason, cpu_s
        cpu_s = time.process_time() - started
        said = " | ".join(program.stages)
        if record.get("refuse"):
            return "not refused", said, cpu_s
        gold = record["goals"]
        same = len(gold) == len(program.stages) and all(
            goals_equivalent(a, b, self.domain, self.grounder.objects)
            for a, b in zip(gold, program.stages, strict=True)
        )
        return ("exact" if same else "wrong"), said, cpu_s


def read(path: Path) -> Iterator[dict[str, Any]]:
    """The records of a suite."""
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def run(path: Path, *, verbose: bool) -> Counter[str]:
    """Judge a suite and print its table."""
    benches: dict[str, Bench] = {}
    counts: dict[str, Counter[str]] = {}
    seconds: dict[str, list[float]] = {}
    for record in read(path):
        scene = record["scene"]
        if scene not in benches:
            benches[scene] = Bench.of(scene)
            benches[scene].judge(record)  # the first sentence also pays for imports
        outcome, said, cpu_s = benches[scene].judge(record)
        counts.setdefault(scene, Counter())[outcome] += 1
        seconds.setdefault(scene, []).append(cpu_s)
        if verbose and outcome not in ("exact", "refused rightly"):
            print(f"{outcome:16} {record['id']:12} {record['text']}\n    {said}")
            print(f"    expected: {record.get('goals', record.get('why'))}")
    print(f"\n{path.name}")
    head = f"{'scene':10} {'sentences':>9} " + " ".join(f"{o:>15}" for o in OUTCOMES)
    print(head + f" {'exact/goals':>12} {'CPU ms':>7}")
    counts["total"] = sum(counts.values(), Counter())
    seconds["total"] = [s for values in seconds.values() for s in values]
    for scene, count in counts.items():
        goals = sum(count[o] for o in ("exact", "wrong", "refused wrongly"))
        row = f"{scene:10} {sum(count.values()):9} " + " ".join(f"{count[o]:15}" for o in OUTCOMES)
        mean_ms = 1000 * sum(seconds[scene]) / len(seconds[scene])
        print(row + f" {100 * count['exact'] / goals:11.1f}% {mean_ms:7.2f}")
    return counts["total"]


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
