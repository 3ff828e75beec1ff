"""The corpus: a seeded stream of checked examples for the three kinds of program."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files

from embodied.language.offline.scene_view import SceneView
from embodied.language.offline.text import normalise
from embodied.training.corpus import (
    goals,
    goals_dialogue,
    hand,
    rewards,
    value_maps,
    value_maps_dialogue,
)
from embodied.training.corpus.lexicon import HELD_OUT, TRAIN, Lexicon
from embodied.training.corpus.phrasing import noisy, polite
from embodied.training.corpus.scenes import random_scene

KINDS = ("goal", "reward", "value-map")
SPLITS: dict[str, Lexicon] = {"train": TRAIN, "held-out": HELD_OUT}
REFUSED = 0.13
FOLLOW_UP = 0.17


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One sentence in one scene, and the slots that say what it means.

    Attributes:
        kind: ``"goal"``, ``"reward"`` or ``"value-map"``.
        scene: What is there.
        sentence: As a person typed it.
        slots: The answer, ``"cannot REASON"`` for a refusal.
        previous: The sentence before and its slots, when this one leans on it.
    """

    kind: str
    scene: SceneView
    sentence: str
    slots: str
    previous: tuple[str, str] | None = None


def generate(
    seed: int, n: int, *, split: str = "train", kinds: tuple[str, ...] = KINDS, per_scene: int = 6
) -> Iterator[Example]:
    """``n`` distinct examples; equal arguments give equal examples.

    Consecutive examples share a scene, ``per_scene`` at a time. Sentences that stand in the
    hand-written evaluation sets are never produced.

    Args:
        seed: Seed of all choices.
        n: How many.
        split: ``"train"`` or ``"held-out"``: which nouns.
        kinds: Kinds of program, in turn.
        per_scene: Examples per scene.

    Raises:
        KeyError: Unknown split.
    """
    lexicon = SPLITS[split]
    rng = random.Random(f"{split}-{seed}")
    banned = held_out_sentences()
    seen: set[str] = set()
    made = 0
    group = 0
    while made < n:
        kind = kinds[group % len(kinds)]
        group += 1
        scene = _scene(rng, kind, lexicon)
        for _ in range(per_scene):
            example = _example(rng, kind, scene, lexicon)
            said = normalise(example.sentence)
            key = _digest(f"{kind}|{scene.line()}|{example.previous}|{said}")
            if _digest(said) in banned or key in seen or not said:
                continue
            seen.add(key)
            yield example
            made += 1
            if made == n:
                return


def _scene(rng: random.Random, kind: str, lexicon: Lexicon) -> SceneView:
    if kind != "reward":
        return random_scene(rng, lexicon)
    if rng.random() < 0.6:
        return SceneView(robot="quadruped")
    return hand.arm_scene(rng, lexicon)


def _example(rng: random.Random, kind: str, scene: SceneView, lexicon: Lexicon) -> Example:
    draw = rng.random()
    previous: tuple[str, str] | None = None
    if draw < REFUSED:
        refused = {
            "goal": goals_dialogue.refused,
            "reward": rewards.refused,
            "value-map": value_maps_dialogue.refused,
        }
        sentence, slots = refused[kind](rng, scene, lexicon)
    elif draw < REFUSED + FOLLOW_UP:
        if kind == "goal":
            turn = None
            while turn is None:
                turn = goals_dialogue.correction(rng, scene, lexicon)
        else:
            corrections = {"reward": rewards, "value-map": value_maps_dialogue}
            turn = corrections[kind].correction(rng, scene)
        previous = (turn.before, turn.before_slots)
        sentence, slots = turn.sentence, turn.slots
    elif kind == "goal":
        said = goals.sentence(rng, scene, lexicon)
        sentence, slots = said.sentence, said.slots
    else:
        sentences = {"reward": rewards.sentence, "value-map": value_maps.sentence}
        sentence, slots = sentences[kind](rng, scene)
    sentence = noisy(rng, polite(rng, sentence))
    return Example(kind=kind, scene=scene, sentence=sentence, slots=slots, previous=previous)


def held_out_sentences() -> frozenset[str]:
    """Digests of the hand-written evaluation sentences, which training must never see."""
    text = (files("embodied.training.corpus") / "evaluation_digests.txt").read_text()
    return frozenset(text.split())


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
