"""Samples the offline model hot and checks every answer: none may leave the language.

    python benchmarks/offline_model_samples.py --samples 10000 --out bench/samples

Each sample is drawn at temperature 1.5 under the grammar of its scene and sentence, for sentences
of the held-out split and of all three kinds, then expanded and checked by the validators. Prints
how many were programs, refusals, refusals because of a number out of range, cut off at the longest
length, and invalid. Several samples are drawn for each sentence, whose prompt is read once. With
``--no-model`` the scene's grammar itself is sampled, uniformly over its alternatives.
"""

from __future__ import annotations

import random
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache

from embodied.bench.benchmark import Benchmark, every, main, option
from embodied.bench.runner import Payload, Row, Task
from embodied.bench.translate.data import meaning_of, spec_of
from embodied.bench.translate.suite import local_model
from embodied.language.offline import goal_slots, reward_slots, value_map_slots
from embodied.language.offline.evidence import narrowed
from embodied.language.offline.grammar import Grammar
from embodied.language.offline.prompts import scene_part, sentence_part
from embodied.language.offline.slots import Refusal, SlotError
from embodied.language.reward.checking import check as check_reward
from embodied.language.value_map import check as check_value_map
from embodied.symbolic import read_domain, read_goal
from embodied.training.corpus import Example, generate
from embodied.types import RewardProgram, ValueMapProgram
from embodied.world.grounding import TabletopGrounder


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Options of the benchmark."""

    samples: int = option(10_000, key=True)
    per_sentence: int = option(10, "samples of each sentence", key=True)
    temperature: float = option(1.5, key=True)
    seed: int = option(0, key=True)
    adapter: str = option("shipped", "adapter to test instead of the shipped one", key=True)
    threads: int = option(1, "CPU threads of the model")
    no_model: bool = option(False, "sample the grammar itself", key=True)


def grammar_of(example: Example) -> Grammar:
    """The grammar under which an example is answered."""
    follow_up = example.previous is not None
    if example.kind == "goal":
        return goal_slots.grammar(example.scene)
    slots = reward_slots if example.kind == "reward" else value_map_slots
    return slots.grammar(example.scene, previous=follow_up)


def verdict(example: Example, text: str) -> str:
    """What became of one sample."""
    try:
        meaning = meaning_of(example, text)
    except SlotError as error:
        return f"invalid: {error}"
    if isinstance(meaning, Refusal):
        return "refusal with a reason of the expansion" if meaning.detail else "refusal"
    if isinstance(meaning, RewardProgram):
        found = check_reward(meaning, reward_slots.vocabulary(example.scene))
    elif isinstance(meaning, ValueMapProgram):
        found = check_value_map(meaning, [t.name for t in example.scene.things])
    else:
        grounder = TabletopGrounder(spec_of(example.scene))
        domain = read_domain(grounder.domain_text)
        for stage in meaning:
            read_goal(stage, domain, grounder.objects)
        found = ()
    return f"invalid: {found[0]}" if found else "program"


@lru_cache(maxsize=1)
def _examples(seed: int, count: int) -> Sequence[Example]:
    return tuple(generate(seed + 77, count, split="held-out"))


def cases(settings: Settings) -> list[Task]:
    """The sentences; all in one without a model."""
    count = 1 if settings.no_model else -(-settings.samples // settings.per_sentence)
    return every("{number}", asdict(settings), number=range(count))


def sample(payload: Payload) -> Row:
    """The samples of one sentence."""
    s = Settings(**{k: v for k, v in payload.items() if k != "number"})
    start = time.process_time()
    if s.no_model:
        rng = random.Random(s.seed)
        written = [(e, grammar_of(e).sample(rng)) for e in _examples(s.seed, s.samples)]
        verdicts = Counter(verdict(e, text) for e, text in written)
        distinct = len({text for _, text in written})
        return {"verdicts": verdicts, "distinct": distinct, "cpu_s": time.process_time() - start}
    model = local_model(s.adapter, None, s.threads)
    example = _examples(s.seed, -(-s.samples // s.per_sentence))[payload["number"]]
    prompt = scene_part(example.kind, example.scene)
    prompt += sentence_part(example.sentence, example.previous)
    whole = grammar_of(example)
    grammar = narrowed(whole, example.sentence, example.scene, example.previous).gbnf()
    first = payload["number"] * s.per_sentence
    answers = [
        model.answer(prompt, grammar, temperature=s.temperature, seed=seed)
        for seed in range(first, min(first + s.per_sentence, s.samples))
    ]
    return {
        "verdicts": Counter(
            verdict(example, a.slots) if a.complete else "cut off, refused" for a in answers
        ),
        "distinct": len({a.slots for a in answers}),
        "cpu_s": time.process_time() - start,
    }


def summarise(rows: Sequence[Row], settings: Settings) -> Row:
    """All samples by their verdict."""
    good = [r for r in rows if r.get("status") != "error"]
    counts = sum((Counter(r["verdicts"]) for r in good), Counter[str]())
    totals = {k: sum(r[k] for r in good) for k in ("distinct", "cpu_s")}
    return {"sentences": len(good), **totals, "verdicts": dict(counts.most_common())}


def table(report: Row) -> str:
    """The verdicts, one per line."""
    lines = [f"{n:6d}  {what}" for what, n in report["verdicts"].items()]
    said = f"{report['distinct']} different ones for {report['sentences']} sentences"
    return "\n".join([f"{said}, {report['cpu_s']:.0f} s CPU", *lines])


BENCHMARK = Benchmark(
    name="samples",
    summary="Samples of the offline model drawn hot: none may leave the language.",
    settings=Settings,
    cases=cases,
    run=sample,
    report=summarise,
    table=table,
    jobs=1,
)

if __name__ == "__main__":
    sys.exit(main(BENCHMARK))
