from __future__ import annotations

import pytest

from embodied.language.offline.ambiguity import may_be_unclear, unclear_nouns
from embodied.language.offline.scene_view import SceneView
from embodied.training.corpus import generate

from .conftest import thing


@pytest.mark.parametrize(
    ("sentence", "unclear"),
    [
        ("put the cup in the bowl", True),
        ("put it in the bowl", True),
        ("put the red one in the bowl", True),
        ("hold the thingamajig", True),
        ("do something", True),
        ("put the red cup in the bowl", False),
        ("put the cups in the bowl", False),
        ("put the apple in the bowl", False),
    ],
)
def test_what_leaves_a_choice(kitchen: SceneView, sentence: str, unclear: bool) -> None:
    assert may_be_unclear(sentence, kitchen) == unclear


def test_generated_sentences_with_a_choice_are_never_called_clear() -> None:
    found = [
        e
        for e in generate(3, 1200, split="held-out", kinds=("goal", "value-map"))
        if e.slots == "cannot ambiguous"
    ]
    assert len(found) > 10
    assert all(may_be_unclear(e.sentence, e.scene) for e in found)


def test_nouns_of_several_things(kitchen: SceneView) -> None:
    assert unclear_nouns("hold the cup", kitchen) == ("cup",)
    assert unclear_nouns("hold the blue cup", kitchen) == ()
    assert unclear_nouns("hold a cup", kitchen) == ()
    assert unclear_nouns("hold the apple", kitchen) == ()
    assert unclear_nouns("cup into bowl", kitchen) == ("cup",)
    assert unclear_nouns("hold either cup", kitchen) == ()


def test_a_name_behind_its_noun_leaves_no_choice() -> None:
    scene = SceneView(
        things=(
            thing("h1", "item", "hinge"),
            thing("h2", "item", "hinge"),
            thing("a", "item", "cup"),
        )
    )
    assert unclear_nouns("put hinge h1 on hinge h2", scene) == ()
    assert unclear_nouns("put hinge on hinge h2", scene) == ("hinge",)
