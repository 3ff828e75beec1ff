"""Grammars narrowed to what was said: nothing that was meant is lost, what was not said is gone."""

from __future__ import annotations

import random

import pytest

from embodied.language.offline import goal_slots, reward_slots, value_map_slots
from embodied.language.offline.directions import struck
from embodied.language.offline.evidence import left_out, narrowed, quantities
from embodied.language.offline.grammar import Grammar, words
from embodied.language.offline.scene_view import SceneView, Thing
from embodied.training.corpus import Example, generate

QUADRUPED = SceneView(robot="quadruped")
KITCHEN = SceneView(
    things=(
        Thing(name="red-cup", kind="item", category="cup", color="red"),
        Thing(name="blue-cup", kind="item", category="cup", color="blue"),
        Thing(name="spoon", kind="item", category="spoon"),
        Thing(name="bowl", kind="container", category="bowl"),
        Thing(name="table", kind="surface", category="table"),
    )
)


def derives(grammar: Grammar, text: str) -> bool:
    """Whether the grammar's sentences include the text."""
    return grammar.may_end(grammar.after(text))


def grammar_of(example: Example) -> Grammar:
    after = example.previous is not None
    if example.kind == "goal":
        return goal_slots.grammar(example.scene)
    if example.kind == "reward":
        return reward_slots.grammar(example.scene, previous=after)
    return value_map_slots.grammar(example.scene, previous=after)


@pytest.mark.parametrize("split", ["train", "held-out"])
def test_what_was_meant_can_still_be_said(split: str) -> None:
    examples = list(generate(77, 300, split=split, per_scene=3))
    lost = [
        e
        for e in examples
        if not derives(narrowed(grammar_of(e), e.sentence, e.scene, e.previous), " " + e.slots)
    ]
    assert len(lost) <= 3, [(e.sentence, e.slots) for e in lost]


def test_narrowed_grammars_only_lose_sentences() -> None:
    rng = random.Random(5)
    for e in generate(78, 120, per_scene=2):
        wide = grammar_of(e)
        text = narrowed(wide, e.sentence, e.scene, e.previous).sample(rng, depth=25)
        assert derives(wide, text), text


def test_numbers_that_nobody_said_are_gone() -> None:
    wide = value_map_slots.grammar(KITCHEN)
    narrow = narrowed(wide, "ten centimetres left of the spoon", KITCHEN)
    assert derives(narrow, " to left-of spoon 10 cm")
    assert derives(wide, " to left-of spoon 12 cm")
    assert not derives(narrow, " to left-of spoon 12 cm")
    without_number = narrowed(wide, "left of the spoon", KITCHEN)
    assert derives(without_number, " to left-of spoon")
    assert not derives(without_number, " to left-of spoon 10 cm")


def test_things_that_nobody_mentioned_are_gone() -> None:
    narrow = narrowed(goal_slots.grammar(KITCHEN), "spoon into the bowl", KITCHEN)
    assert derives(narrow, " put spoon in bowl")
    assert not derives(narrow, " put red-cup in bowl")


def test_a_kind_or_a_colour_keeps_all_that_share_it() -> None:
    narrow = narrowed(goal_slots.grammar(KITCHEN), "the cup in the bowl", KITCHEN)
    assert derives(narrow, " put red-cup in bowl")
    assert derives(narrow, " put blue-cup in bowl")


def test_what_was_spoken_of_before_stays() -> None:
    before = ("put the red cup on the table", "put red-cup on table")
    narrow = narrowed(goal_slots.grammar(KITCHEN), "the other one", KITCHEN, before)
    assert derives(narrow, " put blue-cup on table")


def test_where_nothing_is_named_nothing_is_lost() -> None:
    narrow = narrowed(goal_slots.grammar(KITCHEN), "tidy up", KITCHEN)
    assert derives(narrow, " put red-cup in bowl")


@pytest.mark.parametrize(
    ("text", "found", "missing"),
    [
        ("lift it 15 cm", "15 cm", "15 m"),
        ("lift it 15", "15 m", "16 cm"),
        ("move at 0.8 m/s", "0.8 m/s", "0.8 m"),
        ("step once a second", "1 hz", "2 hz"),
        ("open it half way", "50 %", "40 %"),
    ],
)
def test_quantities(text: str, found: str, missing: str) -> None:
    assert found in quantities([text])
    assert missing not in quantities([text])


@pytest.mark.parametrize(
    ("sentence", "kept", "gone"),
    [
        ("twirl clockwise", " spin right", " spin left"),
        ("bow", " pitch down", " pitch up"),
        ("lift your right hind paw", " lift rear-right", " lift rear"),
        ("both front paws up", " lift front", " lift rear"),
    ],
)
def test_directions_that_a_sentence_excludes_are_gone(sentence: str, kept: str, gone: str) -> None:
    narrow = narrowed(reward_slots.grammar(QUADRUPED), sentence, QUADRUPED)
    assert derives(narrow, kept)
    assert not derives(narrow, gone)


@pytest.mark.parametrize(
    ("text", "gone"),
    [
        ("keep the cup on your right", {"right-of"}),
        ("with the jar to the left, go to the cup", {"left-of"}),
        ("w / a on your right", {"right-of"}),
        ("keep to the left of the cup", set()),
        ("leave it on the left-hand side of the cup", set()),
        ("keeping the cup to your right, go left", set()),
        ("pass the cup on its left side", set()),
    ],
)
def test_a_thing_on_one_side_is_passed_on_the_other(text: str, gone: set[str]) -> None:
    words = frozenset(text.replace(",", " ").replace("-", " ").split())
    assert struck(words, text, quadruped=False) == gone


def test_a_number_that_the_answer_leaves_out_is_found() -> None:
    assert left_out("go left ten centimetres at 0.2 m/s", "go left 10 cm") == ("0.2 m/s",)
    assert not left_out("go left ten centimetres", "go left 10 cm")
    assert not left_out("roll over by 180 degrees", "roll over")


def test_a_marked_noun_leaves_the_others_of_its_kind_out(kitchen: SceneView) -> None:
    rules = narrowed(goal_slots.grammar(kitchen), "red cup in the bowl", kitchen).rules
    assert rules["item"] == words(("red-cup",))
    rules = narrowed(goal_slots.grammar(kitchen), "the red one in the bowl", kitchen).rules
    assert rules["item"] == words(("red-cup", "apple"))


def test_what_was_taken_back_is_left_out(kitchen: SceneView) -> None:
    before = ("apple on the red cup", "put apple on red-cup")
    grammar = goal_slots.grammar(kitchen)
    said = narrowed(grammar, "not the red cup, the blue one", kitchen, before).rules
    assert ('"red-cup',) not in said["support"] and ('"blue-cup',) in said["support"]
    said = narrowed(grammar, "blue cup instead of the red cup", kitchen, before).rules
    assert ('"red-cup',) not in said["support"]


def test_the_other_one_is_of_the_same_kind(kitchen: SceneView) -> None:
    before = ("red cup in the bowl", "put red-cup in bowl")
    said = narrowed(goal_slots.grammar(kitchen), "no, the other one", kitchen, before).rules
    assert ('"blue-cup',) in said["item"]


@pytest.mark.parametrize(
    ("sentence", "gone"),
    [
        ("stack the cups and the apple, starting from the top", "tower "),
        ("pile up the cups, bottom to top", "stack "),
    ],
)
def test_a_pile_is_listed_as_it_was_said(kitchen: SceneView, sentence: str, gone: str) -> None:
    rules = narrowed(goal_slots.grammar(kitchen), sentence, kitchen).rules
    begun = {a[0][1:] for a in rules["statement"]}
    assert {"tower ", "stack "} - begun == {gone}


def test_the_side_of_a_foot_is_not_that_of_a_turn(quadruped: SceneView) -> None:
    said = "5 degrees clockwise and drum the left hind paw"
    rules = narrowed(reward_slots.grammar(quadruped), said, quadruped).rules
    assert rules["side"] == words(("right",))
    assert ('"rear-left',) in rules["feet"]


def test_mistyped_speeds_and_turns_are_understood(quadruped: SceneView) -> None:
    grammar = reward_slots.grammar(quadruped)
    said = "walk on at 0.4 m per secnod"
    assert derives(narrowed(grammar, said, quadruped), " walk forward 0.4 m/s")
    assert left_out(said, "walk forward 0.4 m/s") == ()
    for turn in ("couunter clockwise", "coutner clockwise", "anti-clockwise", "anticlockwise"):
        rules = narrowed(grammar, f"turn 20 degrees {turn}", quadruped).rules
        assert rules["side"] == words(("left",)), turn
    both = "15 degrees clockwise and then 90 degrees anticlockwise"
    assert narrowed(grammar, both, quadruped).rules["side"] == words(("left", "right"))
