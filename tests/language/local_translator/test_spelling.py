from __future__ import annotations

import pytest

from embodied.language.offline.scene_view import SceneView
from embodied.language.offline.spelling import corrected
from embodied.training.corpus import examples, generate

from .conftest import thing

pytest.importorskip("spellchecker", reason="needs the [local] extra")


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("put teh blue cup in the bwol", "put the blue cup in the bowl"),
        ("raise your frnot left paw fiften cm", "raise your front left paw fifteen cm"),
        ("Opne the drwer", "Open the drawer"),
        ("find the elephnat", "find the elephant"),
        ("put the red cups in the bowl", "put the red cups in the bowl"),
    ],
)
def test_slips_are_put_right(kitchen: SceneView, said: str, meant: str) -> None:
    assert corrected(said, kitchen).lower() == meant.lower()


@pytest.mark.parametrize(
    "said",
    [
        "take the goat",  # a word, though a boat is here
        "put xqz on the table",  # like nothing
        "the b-1 and the fr3",  # names
        "it aren't here",
        "put the bat in the bowl",
    ],
)
def test_words_and_names_stay_as_they_are(said: str) -> None:
    scene = SceneView(
        things=(
            thing("boat", "item", "boat"),
            thing("bowl", "container", "bowl"),
            thing("table", "surface", "table"),
        )
    )
    assert corrected(said, scene) == said


def test_a_slip_that_may_be_two_words_stays(quadruped: SceneView) -> None:
    assert corrected("legt", quadruped) == "legt"  # left, legs, let


def test_names_of_the_scene_come_before_other_words() -> None:
    scene = SceneView(things=(thing("yoyo", "item", "yoyo"), thing("bowl", "container", "bowl")))
    assert corrected("the yoyo", scene) == "the yoyo"
    assert corrected("the yooyo in the bowl", scene) == "the yoyo in the bowl"


def test_names_of_the_scene_are_known_by_two_slips() -> None:
    scene = SceneView(
        things=(
            thing("locker", "container", "locker"),
            thing("pouch", "container", "pouch"),
            thing("peach", "item", "peach"),
        )
    )
    assert corrected("into the lpkcer", scene) == "into the locker"
    assert corrected("the ppuuch", scene) == "the pouch"
    assert corrected("the pooach", scene) == "the pooach"  # pouch, or peach


def test_sentences_without_slips_are_not_touched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examples, "noisy", lambda rng, sentence: sentence)
    for e in generate(23, 400, split="held-out"):
        assert corrected(e.sentence, e.scene) == e.sentence
