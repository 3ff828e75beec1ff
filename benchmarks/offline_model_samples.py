"""Samples the offline model hot and checks every answer: none may leave the language.

    python benchmarks/offline_model_samples.py --samples 10000 --out bench/samples

Each sample is drawn at temperature 1.5 under the grammar of its scene and sentence, for sentences
of the held-out split and of all three kinds, then expanded and checked by the validators. Prints
how many were programs, refusals, refusals because of a number out of range, cut off at the longest
length, and invalid. Several samples are drawn for each sentence, whose prompt is read once. A run
that was stopped goes on in the same ``--out``. With ``--no-model`` the scene's grammar itself is
sampled, uniformly over its alternatives.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter
from pathlib import Path

from embodied.bench.runner import ResultFile, check_settings
from embodied.bench.translate.data import spec_of
from embodied.language.offline import goal_slots, reward_slots, value_map_slots
from embodied.language.offline.evidence import narrowed
from embodied.language.offline.grammar import Grammar
from embodied.language.offline.prompts import scene_part, sentence_part
from embodied.language.offline.slots import Refusal, SlotError
from embodied.language.offline.weights import adapter_path, fetch_base, find_base
from embodied.language.reward.checking import check as check_reward
from embodied.language.value_map import check as check_value_map
from embodied.symbolic import read_domain, read_goal
from embodied.training.corpus import Example, generate
from embodied.types import RewardProgram, ValueMapProgram
from embodied.world.grounding import TabletopGrounder


def grammar_of(example: Example) -> Grammar:
    """The grammar under which an example is answered."""
    follow_up = example.previous is not None
    if example.kind == "goal":
        return goal_slots.grammar(example.scene)
    if example.kind == "reward":
        return reward_slots.grammar(example.scene, previous=follow_up)
    return value_map_slots.grammar(example.scene, previous=follow_up)


def verdict(example: Example, text: str) -> str:
    """What became of one sample."""
    try:
        if example.kind == "goal":
            meaning = goal_slots.expand(text, example.scene)
        else:
            expand = reward_slots.expand if example.kind == "reward" else value_map_slots.expand
            before = expand(example.previous[1], example.scene) if example.previous else None
            meaning = expand(text, example.scene, previous=before)  # type: ignore[arg-type]
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


def sampled(options: argparse.Namespace) -> Counter[str]:
    """Draw what is missing from ``--out`` and count all that is there by its verdict."""
    from embodied.language.offline.slot_model import SlotModel

    sentences = -(-options.samples // options.per_sentence)
    check_settings(
        options.out,
        {
            "samples": options.samples,
            "per_sentence": options.per_sentence,
            "temperature": options.temperature,
            "seed": options.seed,
            "adapter": str(options.adapter or "shipped"),
        },
    )
    results = ResultFile(options.out)
    done = {r["id"] for r in results.results}
    model: SlotModel | None = None
    try:
        for i, example in enumerate(generate(options.seed + 77, sentences, split="held-out")):
            if str(i) in done:
                continue
            if model is None:
                adapter = options.adapter or adapter_path()
                model = SlotModel(find_base() or fetch_base(), adapter, threads=options.threads)
            start = time.process_time()
            prompt = scene_part(example.kind, example.scene)
            prompt += sentence_part(example.sentence, example.previous)
            grammar = narrowed(
                grammar_of(example), example.sentence, example.scene, example.previous
            ).gbnf()
            first = i * options.per_sentence
            answers = [
                model.answer(prompt, grammar, temperature=options.temperature, seed=seed)
                for seed in range(first, min(first + options.per_sentence, options.samples))
            ]
            verdicts = Counter(
                verdict(example, a.slots) if a.complete else "cut off, refused" for a in answers
            )
            cpu_s = round(time.process_time() - start, 3)
            distinct = len({a.slots for a in answers})
            results.append(
                {"id": str(i), "verdicts": verdicts, "distinct": distinct, "cpu_s": cpu_s}
            )
            sys.stderr.write(f"\r{i + 1}/{sentences} sentences")
    finally:
        results.close()
        if model is not None:
            model.close()
    sys.stderr.write("\n")
    cpu_s = sum(r["cpu_s"] for r in results.results)
    distinct = sum(r["distinct"] for r in results.results)
    print(f"{distinct} different ones for {len(results.results)} sentences, {cpu_s:.0f} s CPU")
    return sum((Counter(r["verdicts"]) for r in results.results), Counter())


def main() -> None:
    """Sample, check, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=10_000)
    parser.add_argument("--per-sentence", type=int, default=10, help="samples of each sentence")
    parser.add_argument("--temperature", type=float, default=1.5)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--adapter", type=Path)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("bench/samples"))
    parser.add_argument("--no-model", action="store_true")
    options = parser.parse_args()
    if options.no_model:
        rng = random.Random(options.seed)
        counts = Counter(
            verdict(example, grammar_of(example).sample(rng))
            for example in generate(options.seed + 77, options.samples, split="held-out")
        )
    else:
        counts = sampled(options)
    for what, n in counts.most_common():
        print(f"{n:6d}  {what}")


if __name__ == "__main__":
    main()
