from __future__ import annotations

import pytest

from embodied.language.offline.grounding import absent_nouns, everyday_words, unknown_words
from embodied.language.offline.scene_view import SceneView


@pytest.mark.parametrize(
    ("sentence", "unknown"),
    [
        ("put the red cup in the bowl", ()),
        ("both cups into the bowl please", ()),
        ("put teh aple in the bwol", ()),
        ("put the pear in the bowl", ("pear",)),
        ("put the purple cup in the bowl", ("purple",)),
        ("close the drawer", ()),
    ],
)
def test_words_that_name_nothing_here(
    kitchen: SceneView, sentence: str, unknown: tuple[str, ...]
) -> None:
    assert unknown_words(sentence, kitchen) == unknown


def test_everyday_words_name_no_things() -> None:
    assert {"put", "the", "left"} <= everyday_words()
    assert not {"apple", "bowl", "hammer", "elephant", "red"} & everyday_words()


@pytest.mark.parametrize(
    ("sentence", "absent"),
    [
        ("put the red cup in the bowl", ()),
        ("put the pear in the bowl", ("pear",)),
        ("everything but the red one into crates", ("crates",)),
        ("rescue the blue cup from the bowl", ()),
        ("the biggest cup, or both", ()),
        ("arrange the blocks so that the apple is on the red cup", ()),
    ],
)
def test_absent_nouns_stand_where_things_are_named(
    kitchen: SceneView, sentence: str, absent: tuple[str, ...]
) -> None:
    assert absent_nouns(sentence, kitchen) == absent
