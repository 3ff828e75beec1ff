"""``embodied bench translate``: exact-semantics accuracy of the offline translators.

Every translator hears the same conversations and answers with a program or a refusal. Accuracy per
kind counts a sentence as right when the program means what the gold says (see
``translate_meaning``), or when it refuses what must be refused. "Answered" is the share that it did
not refuse, "precision" the share of right ones among the answered, so a careful translator is not
confused with an able one. The run continues where it was stopped.
"""

from __future__ import annotations

import contextlib
import json
import resource
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from embodied.bench.benchmark import About, Benchmark, option
from embodied.bench.runner import Payload, Row, Task
from embodied.bench.translate.data import (
    Case,
    generated,
    handwritten,
    published,
    spec_of,
    tabletop,
)
from embodied.bench.translate.meaning import same_goals, same_rewards, same_value_maps
from embodied.bench.translate.report import calibrate, draw_calibration, summarise, table
from embodied.errors import ConfigurationError, ProgramError
from embodied.language.conversation import Conversation
from embodied.language.offline.answer import Answer, AnswersSlots
from embodied.language.offline.slot_model import SlotModel
from embodied.language.offline.translator import KINDS, CascadeTranslator, LocalTranslator
from embodied.language.offline.weights import adapter_path, fetch_base, find_base
from embodied.language.pddl.rules import RulesTranslator
from embodied.language.reward import arm_speech, arm_vocabulary, quadruped_speech
from embodied.language.reward.rules import RewardRules
from embodied.language.value_map.rules import RulesValueMapTranslator
from embodied.protocols import Translator
from embodied.symbolic import read_domain
from embodied.types import Atom, PddlProgram, Program, RewardProgram, ValueMapProgram
from embodied.world.grounding import TabletopGrounder

TRANSLATORS = ("rules", "local", "cascade")
SUITES = ("handwritten", "held-out", "published", "tabletop")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Options of the benchmark."""

    tests_data: Path = option(Path("tests/data"), "folder of the hand-written sentences")
    data: Path | None = option(None, "folder of published data (llm-pddl)")
    suite: tuple[str, ...] = option(SUITES, choices=SUITES)
    translator: tuple[str, ...] = option(TRANSLATORS, choices=TRANSLATORS)
    adapter: str = option("shipped", "adapter to test instead of the shipped one", key=True)
    base: Path | None = option(None, "weights of the base model; found, or fetched, if none")
    held_out: int = option(600, "number of generated sentences", key=True)
    held_out_seed: int = option(1, "seed of those sentences", key=True)
    threads: int = option(1, "CPU threads of the model", key=True)
    threshold: float | None = option(
        None, "confidence below which the model abstains, for all kinds", key="thresholds"
    )
    calibrate: Path | None = option(
        None, "write thresholds from the held-out suite's results (run with --threshold 0) here"
    )


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


def _rules(case: Case, grounder: TabletopGrounder | None) -> Translator:
    if grounder is not None:
        return RulesTranslator(grounder.domain_text, grounder.objects)
    if case.kind == "value-map":
        return RulesValueMapTranslator()
    arm = case.scene.robot == "arm"
    speech = arm_speech(arm_vocabulary(case.scene.names("item"))) if arm else quadruped_speech()
    return RewardRules(speech)


@dataclass(slots=True)
class Bench:
    """Translators for every case; the model is loaded once.

    Attributes:
        model: The local model, if a translator needs it.
        thresholds: Confidence thresholds by kind; None for the calibrated ones.
    """

    model: AnswersSlots | None = None
    thresholds: Mapping[str, float] | None = None

    def translator(self, name: str, case: Case) -> Translator:
        """The translator for a case."""
        parts: list[Translator] = []
        grounder = TabletopGrounder(spec_of(case.scene)) if case.kind == "goal" else None
        if name in ("rules", "cascade"):
            parts.append(_rules(case, grounder))
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
        return parts[0] if len(parts) == 1 else CascadeTranslator(parts)

    def run(self, name: str, case: Case) -> Row:
        """What a translator answers to the conversation of a case.

        Returns:
            ``right``: whether the answer is what it should be; ``refused``; ``source``: who
            answered, ``""`` for a refusal; ``confidence`` where one is stated; ``wall_s`` and
            ``cpu_s`` of the last sentence; ``said``: the answer in short.
        """
        translator = self.translator(name, case)
        spec = spec_of(case.scene)
        memory = Conversation(facts=_facts(case))
        for sentence in case.before:
            with contextlib.suppress(ProgramError):
                memory = memory.told(sentence, translator.translate(sentence, memory, spec))
        wall, cpu = time.perf_counter(), time.process_time()
        program = None
        try:
            program = translator.translate(case.sentence, memory, spec)
            said = _short(program)
        except ProgramError as error:
            said = str(error)[:300]
        times = {
            "wall_s": round(time.perf_counter() - wall, 4),
            "cpu_s": round(time.process_time() - cpu, 4),
        }
        return {
            "right": case.refuse is not None if program is None else right(case, program),
            "refused": program is None,
            "source": "" if program is None else program.source,
            "confidence": None if program is None else _confidence(program),
            "said": said,
            **times,
        }


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


def cases_of(suite: str, settings: Settings) -> list[Case]:
    """The cases of a suite.

    Raises:
        ConfigurationError: Its files are missing.
    """
    if suite == "held-out":
        return generated(settings.held_out, seed=settings.held_out_seed)
    if suite == "published":
        return published(settings.data)
    try:
        if suite == "handwritten":
            return handwritten(settings.tests_data)
        return tabletop(settings.tests_data / "instructions_tabletop.jsonl")
    except FileNotFoundError as error:
        raise ConfigurationError(f"{error.filename} is missing: give --tests-data") from error


def tasks_of(settings: Settings) -> list[Task]:
    """Every translator on every case; those of one case one after the other."""
    names = ("tests_data", "data", "adapter", "base", "held_out", "held_out_seed", "threads")
    about = {n: getattr(settings, n) for n in (*names, "threshold")}
    about = {k: str(v) if isinstance(v, Path) else v for k, v in about.items()}
    return [
        Task(
            id=f"{suite}/{name}/{case.id}",
            payload={"suite": suite, "translator": name, "number": number, "settings": about},
        )
        for suite in settings.suite
        for number, case in enumerate(cases_of(suite, settings))
        for name in settings.translator
    ]


def run_task(payload: Payload) -> Row:
    """One translator on one case; a process loads the model once."""
    suite, name = str(payload["suite"]), str(payload["translator"])
    given: Row = dict(payload["settings"])
    given |= {k: Path(given[k]) for k in ("tests_data", "data", "base") if given[k]}
    settings = Settings(**given)
    case = _cases(suite, settings)[int(payload["number"])]
    bench, load_s = _bench(settings) if name != "rules" else (Bench(), 0.0)
    return {
        "suite": suite,
        "translator": name,
        "kind": case.kind,
        "sentence": " / ".join((*case.before, case.sentence)),
        "must_refuse": case.refuse is not None and not case.gold,
        "may_refuse": case.refuse is not None,
        **bench.run(name, case),
        "load_s": round(load_s, 3),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


@lru_cache(maxsize=4)
def _cases(suite: str, settings: Settings) -> list[Case]:
    return cases_of(suite, settings)


@lru_cache(maxsize=1)
def local_model(adapter: str, base: Path | None, threads: int) -> SlotModel:
    """The local model with an adapter, ``"shipped"`` or a path; fetched where it is missing."""
    path = adapter_path() if adapter == "shipped" else Path(adapter)
    return SlotModel(base or find_base() or fetch_base(), path, threads=threads)


@lru_cache(maxsize=1)
def _bench(settings: Settings) -> tuple[Bench, float]:
    """The model in this process, and how long it took to load, s."""
    start = time.perf_counter()
    model = Remembered(local_model(settings.adapter, settings.base, settings.threads))
    least = settings.threshold
    thresholds = None if least is None else {str(kind): least for kind in KINDS}
    return Bench(model=model, thresholds=thresholds), time.perf_counter() - start


def report_of(rows: Sequence[Row], settings: Settings) -> Row:
    """The figures; thresholds go to a file where that is asked for."""
    if settings.calibrate is not None:
        own = [r for r in rows if (r["suite"], r["translator"]) == ("held-out", "local")]
        settings.calibrate.write_text(json.dumps(calibrate(own), indent=2) + "\n")
    return summarise(rows)


BENCHMARK = Benchmark(
    name="translate",
    summary="Accuracy of all translators on hand-written and held-out sentences.",
    about=About(routes=("pddl",)),
    settings=Settings,
    cases=tasks_of,
    run=run_task,
    report=report_of,
    table=table,
    figures={"calibration.png": draw_calibration},
    jobs=1,
)
