from __future__ import annotations

import hashlib
import json
from collections import Counter
from pathlib import Path

import pytest

from embodied.bench.translate.data import generated
from embodied.language.offline.text import normalise
from embodied.training.corpus import generate
from embodied.training.corpus.examples import held_out_sentences
from embodied.training.corpus.lexicon import HELD_OUT, TRAIN
from embodied.training.corpus.phrasing import number_words, say

TESTS_DATA = Path(__file__).parents[2] / "data"


def test_equal_seeds_give_equal_examples() -> None:
    assert list(generate(3, 60)) == list(generate(3, 60))
    assert list(generate(3, 60)) != list(generate(4, 60))


def test_every_meaning_passes_the_validators() -> None:
    for split in ("train", "held-out"):
        for case in generated(900, seed=11, split=split):
            assert case.gold or case.refuse, case


def test_kinds_refusals_and_follow_ups_all_occur() -> None:
    examples = list(generate(5, 900))
    kinds = Counter(e.kind for e in examples)
    assert min(kinds.values()) > 200 and len(kinds) == 3
    refused = sum(e.slots.startswith("cannot") for e in examples)
    assert 0.08 < refused / len(examples) < 0.25
    follow_ups = sum(e.previous is not None for e in examples)
    assert 0.10 < follow_ups / len(examples) < 0.25


def test_examples_are_distinct() -> None:
    seen = {(e.kind, e.scene, e.previous, normalise(e.sentence)) for e in generate(6, 2000)}
    assert len(seen) == 2000


def test_evaluation_sentences_are_never_generated() -> None:
    banned: set[str] = set()
    for path in sorted(TESTS_DATA.glob("handwritten_*.jsonl")):
        for line in path.read_text().splitlines():
            said = normalise(json.loads(line)["sentence"])
            banned.add(said)
            assert hashlib.sha256(said.encode()).hexdigest()[:16] in held_out_sentences()
    assert len(banned) > 300
    assert not banned & {normalise(e.sentence) for e in generate(7, 3000)}


def test_the_held_out_nouns_are_new() -> None:
    def nouns(lexicon: object) -> set[str]:
        assert lexicon in (TRAIN, HELD_OUT)
        themes = (TRAIN if lexicon is TRAIN else HELD_OUT).items.values()
        return {n.split("=")[0] for t in themes for n in t}

    shared = nouns(TRAIN) & nouns(HELD_OUT)
    assert shared <= {"block", "prism"}


@pytest.mark.parametrize(
    ("n", "said"), [(7, "seven"), (25, "twenty five"), (140, "one hundred forty")]
)
def test_number_words_are_read_back(n: int, said: str) -> None:
    assert number_words(n) == said
    assert normalise(f"{said} cm") == f"{n} cm"


def test_templates_choose_innermost_first() -> None:
    import random

    seen = {say(random.Random(i), "(a (b|c)|d) {x}", x="(y|z)") for i in range(40)}
    assert seen == {"a b (y|z)", "a c (y|z)", "d (y|z)"}
