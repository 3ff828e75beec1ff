"""The shipped offline model was trained on this very stream."""

from __future__ import annotations

import hashlib

import pytest

from embodied.training.corpus import generate

DIGESTS = {
    ("train", 0): "d726427bd4c70cd373eae1cf9f8b79b6684504e4d86f18cde0cc3b1abd785509",
    ("held-out", 1): "acb6367028436668b32be0395c0b258653e5ac02ca9e748adaae1ccf65df0662",
}


@pytest.mark.parametrize(("split", "seed"), DIGESTS)
def test_the_corpus_of_a_seed_stays_as_it_is(split: str, seed: int) -> None:
    text = "".join(map(repr, generate(seed, 1500, split=split)))
    assert hashlib.sha256(text.encode()).hexdigest() == DIGESTS[split, seed]
