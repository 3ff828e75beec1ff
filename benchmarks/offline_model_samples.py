"""Samples the offline model hot and checks every answer: none may leave the language.

    python benchmarks/offline_model_samples.py --samples 10000

Each sample is drawn at temperature 1.5 under the grammar of its scene and sentence, for sentences
of the held-out split and of all three kinds, then expanded and checked by the validators. Prints
how many were programs, refusals, refusals because of a number out of range, cut off at the longest
length, and invalid. With ``--no-model`` the scene's grammar itself is sampled, uniformly over its
alternatives.
"""

from __future__ import annotations

import argparse
import random
from collections import Counter
from pathlib import Path

from embodied.bench.translate_data import spec_of
from embodied.language.corpus import Example, generate
from embodied.language.local_translator import goal_slots, reward_slots, value_map_slots
from embodied.language.local_translator.evidence import narrowed
from embodied.language.local_translator.grammar import Grammar
from embodied.language.local_translator.prompts import scene_part, sentence_part
from embodied.language.local_translator.slots import Refusal, SlotError
from embodied.language.local_translator.weights import adapter_path, fetch_base, find_base
from embodied.language.reward.vocabulary import check as check_reward
from embodied.language.value_map import check as check_value_map
from embodied.symbolic import read_domain, read_goal
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


def main() -> None:
    """Sample, check, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=10_000)
    parser.add_argument("--temperature", type=float, default=1.5)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--adapter", type=Path)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--no-model", action="store_true")
    options = parser.parse_args()
    counts: Counter[str] = Counter()
    examples = generate(options.seed + 77, options.samples, split="held-out")
    if options.no_model:
        rng = random.Random(options.seed)
        for example in examples:
            counts[verdict(example, grammar_of(example).sample(rng))] += 1
    else:
        from embodied.language.local_translator.slot_model import SlotModel

        model = SlotModel(
            find_base() or fetch_base(),
            options.adapter or adapter_path(),
            threads=options.threads,
        )
        for i, example in enumerate(examples):
            prompt = scene_part(example.kind, example.scene)
            prompt += sentence_part(example.sentence, example.previous)
            answer = model.answer(
                prompt,
                narrowed(
                    grammar_of(example), example.sentence, example.scene, example.previous
                ).gbnf(),
                temperature=options.temperature,
                seed=options.seed + i,
            )
            counts[verdict(example, answer.slots) if answer.complete else "cut off, refused"] += 1
        model.close()
    for what, n in counts.most_common():
        print(f"{n:6d}  {what}")


if __name__ == "__main__":
    main()
