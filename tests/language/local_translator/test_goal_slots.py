from __future__ import annotations

import random

import pytest

from embodied.bench.translate.data import spec_of
from embodied.language.offline import goal_slots
from embodied.language.offline.goal_slots import slots_of_goals
from embodied.language.offline.scene_view import SceneView
from embodied.language.offline.slots import Refusal, SlotError
from embodied.symbolic import read_domain, read_goal
from embodied.world.grounding import TabletopGrounder


@pytest.mark.parametrize(
    ("slots", "stages"),
    [
        ("put apple in bowl", ("(in apple bowl)",)),
        ("put apple blue-cup on table", ("(and (on apple table) (on blue-cup table))",)),
        ("put all cup in bowl", ("(and (in red-cup bowl) (in blue-cup bowl))",)),
        ("put all red in bowl", ("(and (in red-cup bowl) (in apple bowl))",)),
        ("put all red cup in bowl", ("(in red-cup bowl)",)),
        ("put all but apple in bowl", ("(and (in red-cup bowl) (in blue-cup bowl))",)),
        ("put all on red-cup", ("(and (on blue-cup red-cup) (on apple red-cup))",)),
        ("stack apple red-cup blue-cup", ("(and (on apple red-cup) (on red-cup blue-cup))",)),
        ("tower apple red-cup", ("(on red-cup apple)",)),
        ("hold apple", ("(holding apple)",)),
        ("free apple", ("(clear apple)",)),
        ("free bowl", ("(forall (?x - item) (not (in ?x bowl)))",)),
        ("free table", ("(forall (?x - item) (not (on ?x table)))",)),
        ("out apple of bowl", ("(not (in apple bowl))",)),
        ("open drawer then close drawer", ("(open drawer)", "(not (open drawer))")),
        (
            "either hold apple or put apple in bowl",
            ("(or (holding apple) (in apple bowl))",),
        ),
    ],
)
def test_slots_become_goals(kitchen: SceneView, slots: str, stages: tuple[str, ...]) -> None:
    assert goal_slots.expand(slots, kitchen) == stages


def test_refusals_carry_their_reason(kitchen: SceneView) -> None:
    assert goal_slots.expand("cannot object", kitchen) == Refusal("object")
    empty = goal_slots.expand("put all red but red-cup apple in bowl", kitchen)
    assert isinstance(empty, Refusal) and "red but red-cup apple" in empty.detail
    assert isinstance(goal_slots.expand("stack apple apple", kitchen), Refusal)


@pytest.mark.parametrize("slots", ["put pear in bowl", "fly apple", "put apple", "cannot maybe"])
def test_text_outside_the_language_is_an_error(kitchen: SceneView, slots: str) -> None:
    with pytest.raises(SlotError):
        goal_slots.expand(slots, kitchen)


def test_whatever_the_grammar_allows_type_checks(kitchen: SceneView) -> None:
    grammar = goal_slots.grammar(kitchen)
    grounder = TabletopGrounder(spec_of(kitchen))
    domain = read_domain(grounder.domain_text)
    rng = random.Random(3)
    goals = 0
    for _ in range(400):
        text = grammar.sample(rng)
        assert text.startswith(" ")
        meaning = goal_slots.expand(text, kitchen)
        if isinstance(meaning, tuple):
            for stage in meaning:
                read_goal(stage, domain, grounder.objects)
            goals += 1
    assert goals > 100


def test_a_scene_without_things_allows_refusals_only() -> None:
    grammar = goal_slots.grammar(SceneView())
    assert all(grammar.sample(random.Random(i)).startswith(" cannot ") for i in range(20))


@pytest.mark.parametrize(
    "slots",
    ["put apple in bowl", "put apple on table ; open drawer then close drawer", "hold apple"],
)
def test_goals_of_others_can_be_said_in_slots(kitchen: SceneView, slots: str) -> None:
    stages = goal_slots.expand(slots, kitchen)
    assert isinstance(stages, tuple)
    assert slots_of_goals(stages) == slots


def test_quantified_goals_have_no_slots() -> None:
    assert slots_of_goals(["(forall (?x - item) (in ?x bowl))"]) == ""
