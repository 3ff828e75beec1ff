"""``embodied bench translate``: exact-semantics accuracy of the offline translators.

Every translator hears the same conversations and answers with a program or a refusal. Accuracy per
kind counts a sentence as right when the program means what the gold says (see
``translate_meaning``), or when it refuses what must be refused. "Answered" is the share that it did
not refuse, "precision" the share of right ones among the answered, so a careful translator is not
confused with an able one. The run continues where it was stopped.
"""

from __future__ import annotations

import argparse
import contextlib
import resource
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from embodied.bench.core.runner import ResultFile, check_settings, read_results
from embodied.bench.translate.data import (
    Case,
    generated,
    handwritten,
    published,
    spec_of,
    tabletop,
)
from embodied.bench.translate.meaning import same_goals, same_rewards, same_value_maps
from embodied.bench.translate.report import calibrate, draw_calibration, report, write_calibration
from embodied.errors import ConfigurationError, EnvironmentMissingError, ProgramError
from embodied.language.offline.answer import Answer, AnswersSlots
from embodied.language.offline.slot_model import SlotModel
from embodied.language.offline.translator import CascadeTranslator, LocalTranslator
from embodied.language.offline.weights import adapter_path, fetch_base, find_base
from embodied.language.pddl.rules import RulesTranslator
from embodied.language.reward import arm_speech, arm_vocabulary, quadruped_speech
from embodied.language.reward.rules import RewardRules
from embodied.language.value_map.rules import RulesValueMapTranslator
from embodied.protocols import StateMemory, Translator
from embodied.symbolic import read_domain
from embodied.types import Atom, PddlProgram, Program, RewardProgram, ValueMapProgram
from embodied.world.grounding import TabletopGrounder

TRANSLATORS = ("rules", "local", "cascade")
SUITES = ("handwritten", "held-out", "published", "tabletop")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Memory:
    """What was said so far, and facts in which every item stands on the first surface."""

    facts: frozenset[Atom] = frozenset()
    exchanges: tuple[tuple[str, Program], ...] = ()

    def observed(self, observation: Any) -> StateMemory:
        """Nothing is measured in this benchmark."""
        return self

    def executed(self, action: Any, result: Any) -> StateMemory:
        """Nothing is carried out in this benchmark."""
        return self

    def told(self, instruction: str, program: Program, meaning: str = "") -> _Memory:
        """Append to the conversation."""
        return replace(self, exchanges=(*self.exchanges, (instruction, program)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a translator answered to one case.

    Attributes:
        right: Whether the answer is what it should be.
        refused: Whether it was a refusal.
        source: Who answered; ``""`` for a refusal.
        confidence: Confidence where the translator states one.
        wall_s: Wall time for the last sentence.
        cpu_s: CPU time of this process for it.
        said: The answer in short, for reading.
    """

    right: bool
    refused: bool
    source: str = ""
    confidence: float | None = None
    wall_s: float = 0.0
    cpu_s: float = 0.0
    said: str = ""


@dataclass(slots=True)
class Remembered:
    """A model that is not asked the same thing twice: decoding is greedy, so nothing changes.

    Attributes:
        model: Who is asked.
        answers: Answers so far by prompt, grammar and what was given of the answer.
    """

    model: AnswersSlots
    answers: dict[tuple[str, str, tuple[int, ...]], Answer] = field(
        default_factory=dict[tuple[str, str, tuple[int, ...]], Answer]
    )

    def answer(self, prompt: str, grammar: str, *, written: Sequence[int] = ()) -> Answer:
        """The answer, asked for at most once."""
        key = (prompt, grammar, tuple(written))
        if key not in self.answers:
            self.answers[key] = self.model.answer(prompt, grammar, written=written)
        return self.answers[key]


@dataclass(slots=True)
class Bench:
    """Translators for every case; the model is loaded once.

    Attributes:
        model: The local model, if a translator needs it.
        thresholds: Confidence thresholds by kind; None for the calibrated ones.
    """

    model: AnswersSlots | None = None
    thresholds: Mapping[str, float] | None = None
    _domains: dict[str, Any] = field(default_factory=dict[str, Any])

    def translator(self, name: str, case: Case) -> Translator | None:
        """The translator for a case, or None where it has no such kind."""
        parts: list[Translator] = []
        grounder = TabletopGrounder(spec_of(case.scene)) if case.kind == "goal" else None
        if name in ("rules", "cascade") and grounder is not None:
            parts.append(RulesTranslator(grounder.domain_text, grounder.objects))
        elif name in ("rules", "cascade") and case.kind == "reward":
            parts.append(
                RewardRules(
                    quadruped_speech()
                    if case.scene.robot == "quadruped"
                    else arm_speech(arm_vocabulary(case.scene.names("item")))
                )
            )
        elif name in ("rules", "cascade"):
            parts.append(RulesValueMapTranslator())
        if name in ("local", "cascade"):
            assert self.model is not None
            parts.append(
                LocalTranslator(
                    self.model,
                    case.kind,
                    scene=case.scene,
                    domain_text=grounder.domain_text if grounder else "",
                    objects=grounder.objects if grounder else None,
                    threshold=None if self.thresholds is None else self.thresholds[case.kind],
                )
            )
        if not parts:
            return None
        return parts[0] if len(parts) == 1 else CascadeTranslator(parts)

    def run(self, name: str, case: Case) -> Outcome | None:
        """Let a translator hear the conversation of a case; None where it has no such kind."""
        translator = self.translator(name, case)
        if translator is None:
            return None
        spec = spec_of(case.scene)
        memory = _Memory(facts=_facts(case))
        for sentence in case.before:
            with contextlib.suppress(ProgramError):
                memory = memory.told(sentence, translator.translate(sentence, memory, spec))
        wall, cpu = time.perf_counter(), time.process_time()
        try:
            program = translator.translate(case.sentence, memory, spec)
        except ProgramError as error:
            return Outcome(
                right=case.refuse is not None,
                refused=True,
                wall_s=time.perf_counter() - wall,
                cpu_s=time.process_time() - cpu,
                said=str(error)[:300],
            )
        return Outcome(
            right=right(case, program),
            refused=False,
            source=program.source,
            confidence=_confidence(program),
            wall_s=time.perf_counter() - wall,
            cpu_s=time.process_time() - cpu,
            said=_short(program),
        )


def right(case: Case, program: Program) -> bool:
    """Whether the program is one of the accepted meanings of the case."""
    if isinstance(program, PddlProgram):
        grounder = TabletopGrounder(spec_of(case.scene))
        domain = read_domain(grounder.domain_text)
        colors = {t.name: t.color for t in case.scene.things}
        return any(
            same_goals(program.stages, gold, domain, grounder.objects, colors) for gold in case.gold
        )
    if isinstance(program, RewardProgram):
        return any(same_rewards(program, gold) for gold in case.gold)
    assert isinstance(program, ValueMapProgram)
    return any(same_value_maps(program, gold, case.scene) for gold in case.gold)


def _facts(case: Case) -> frozenset[Atom]:
    surfaces = case.scene.names("surface")
    facts = {Atom("hand-empty")}
    for thing in case.scene.things:
        if thing.kind == "item":
            facts |= {Atom("clear", (thing.name,)), Atom("stackable", (thing.name,))}
            facts |= {Atom("on", (thing.name, s)) for s in surfaces[:1]}
            facts |= {
                Atom("fits", (thing.name, c)) for c in case.scene.names("container", "drawer")
            }
        elif thing.kind == "container":
            facts.add(Atom("open", (thing.name,)))
        if thing.color:
            facts.add(Atom("has-color", (thing.name, thing.color)))
    return frozenset(facts)


def _confidence(program: Program) -> float | None:
    for note in program.notes:
        if "(confidence " in note:
            return float(note.rsplit("(confidence ", 1)[1].rstrip(")"))
    return None


def _short(program: Program) -> str:
    for note in program.notes:
        if " read it as: " in note:
            return note.partition(" read it as: ")[2]
    if isinstance(program, PddlProgram):
        return " ;; ".join(program.stages)
    if isinstance(program, RewardProgram):
        return "; ".join(f"{t.name} {dict(t.parameters)}" for s in program.stages for t in s.terms)
    assert isinstance(program, ValueMapProgram)
    return "; ".join(f"{o.map} {o.region}" for s in program.stages for o in s.operations)


def cases_of(
    suite: str,
    *,
    tests_data: Path,
    data: Path | None = None,
    held_out: int = 600,
    held_out_seed: int = 1,
) -> list[Case]:
    """The cases of a suite.

    Raises:
        ConfigurationError: Unknown suite, or its files are missing.
    """
    if suite == "held-out":
        return generated(held_out, seed=held_out_seed)
    if suite == "published":
        return published(data)
    if suite not in SUITES:
        raise ConfigurationError(f"unknown suite {suite!r}, legal: {', '.join(SUITES)}")
    try:
        if suite == "handwritten":
            return handwritten(tests_data)
        return tabletop(tests_data / "instructions_tabletop.jsonl")
    except FileNotFoundError as error:
        raise ConfigurationError(f"{error.filename} is missing: give --tests-data") from error


def run_translate(
    out: Path,
    *,
    tests_data: Path = Path("tests/data"),
    data: Path | None = None,
    suites: Sequence[str] = SUITES,
    translators: Sequence[str] = TRANSLATORS,
    adapter: Path | None = None,
    base: Path | None = None,
    held_out: int = 600,
    held_out_seed: int = 1,
    threads: int = 1,
    thresholds: Mapping[str, float] | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> str:
    """Run the benchmark and return its table as Markdown; also written to ``out/report.md``.

    Where matplotlib is installed, ``out/calibration.png`` shows how often the model is right by its
    confidence.

    Args:
        out: Folder of results; a stopped run continues there.
        tests_data: Folder with the hand-written sentences.
        data: Folder of published data (``llm-pddl``), if there is one.
        suites: Which suites.
        translators: Which translators.
        adapter: Adapter to test instead of the shipped one.
        base: Base weights; found, or fetched on first use, if None.
        held_out: Number of generated sentences.
        held_out_seed: Seed that they are generated from.
        threads: CPU threads of the model.
        thresholds: Confidence thresholds by kind instead of the calibrated ones.
        progress: Called with cases done and cases in all.

    Raises:
        ConfigurationError: Unknown suite or translator, or ``out`` holds another run's results.
        EnvironmentMissingError: No weights.
    """
    unknown = set(translators) - set(TRANSLATORS)
    if unknown:
        raise ConfigurationError(
            f"unknown translator {', '.join(sorted(unknown))}, legal: {', '.join(TRANSLATORS)}"
        )
    check_settings(
        out,
        {
            "held_out": held_out,
            "held_out_seed": held_out_seed,
            "adapter": str(adapter or "shipped"),
            "threads": threads,
            "thresholds": dict(thresholds) if thresholds else "calibrated",
        },
    )
    work = [
        (suite, name, case)
        for suite in suites
        for case in cases_of(
            suite,
            tests_data=tests_data,
            data=data,
            held_out=held_out,
            held_out_seed=held_out_seed,
        )
        for name in translators
    ]
    results = ResultFile(out)
    done = {r["id"] for r in results.results}
    bench = Bench(thresholds=thresholds)
    loaded: SlotModel | None = None
    load_s = 0.0
    try:
        for i, (suite, name, case) in enumerate(work):
            task = f"{suite}/{name}/{case.id}"
            if task in done:
                continue
            if bench.model is None and name != "rules":
                start = time.perf_counter()
                loaded = SlotModel(
                    base or find_base() or fetch_base(),
                    adapter or adapter_path(),
                    threads=threads,
                )
                bench.model = Remembered(loaded)
                load_s = time.perf_counter() - start
            outcome = bench.run(name, case)
            if outcome is not None:
                results.append(
                    {
                        "id": task,
                        "suite": suite,
                        "translator": name,
                        "kind": case.kind,
                        "sentence": " / ".join((*case.before, case.sentence)),
                        "must_refuse": case.refuse is not None and not case.gold,
                        "may_refuse": case.refuse is not None,
                        "right": outcome.right,
                        "refused": outcome.refused,
                        "source": outcome.source,
                        "confidence": outcome.confidence,
                        "wall_s": round(outcome.wall_s, 4),
                        "cpu_s": round(outcome.cpu_s, 4),
                        "said": outcome.said,
                        "load_s": round(load_s, 3),
                        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
                    }
                )
            progress(i + 1, len(work))
        text = report(results.results)
    finally:
        results.close()
        if loaded is not None:
            loaded.close()
    (out / "report.md").write_text(text)
    with contextlib.suppress(EnvironmentMissingError):
        draw_calibration(results.results, out / "calibration.png")
    return text


def main(argv: Sequence[str] | None = None) -> int:
    """Command line of ``embodied bench translate``."""
    parser = argparse.ArgumentParser(prog="embodied bench translate", description=main.__doc__)
    parser.add_argument("--out", type=Path, default=Path("bench/translate"))
    parser.add_argument("--tests-data", type=Path, default=Path("tests/data"))
    parser.add_argument("--data", type=Path, help="folder of published data (llm-pddl)")
    parser.add_argument("--suite", action="append", choices=SUITES, help="repeatable; all if none")
    parser.add_argument("--translator", action="append", choices=TRANSLATORS)
    parser.add_argument("--adapter", type=Path, help="adapter to test instead of the shipped one")
    parser.add_argument("--held-out", type=int, default=600, help="number of generated sentences")
    parser.add_argument("--held-out-seed", type=int, default=1, help="seed of those sentences")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument(
        "--threshold", type=float, help="confidence below which the model abstains, for all kinds"
    )
    parser.add_argument(
        "--calibrate",
        type=Path,
        help="write thresholds from the held-out suite's results (run with --threshold 0) here",
    )
    options = parser.parse_args(argv)
    thresholds: dict[str, float] | None = None
    if options.threshold is not None:
        thresholds = {k: float(options.threshold) for k in ("goal", "reward", "value-map")}
    text = run_translate(
        options.out,
        tests_data=options.tests_data,
        data=options.data,
        suites=options.suite or SUITES,
        translators=options.translator or TRANSLATORS,
        adapter=options.adapter,
        held_out=options.held_out,
        held_out_seed=options.held_out_seed,
        threads=options.threads,
        thresholds=thresholds,
        progress=_show,
    )
    sys.stderr.write("\n")
    sys.stdout.write(text)
    if options.calibrate:
        rows = [
            r
            for r in read_results(options.out)
            if r["suite"] == "held-out" and r["translator"] == "local"
        ]
        write_calibration(options.calibrate, calibrate(rows))
    return 0


def _show(done: int, total: int) -> None:
    if done % 10 == 0 or done == total:
        sys.stderr.write(f"\r{done}/{total} sentences")
        sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
