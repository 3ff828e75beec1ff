from __future__ import annotations

import pytest

from embodied.language.offline import goal_slots, reward_slots, value_map_slots
from embodied.language.offline.abstention import doubts
from embodied.language.offline.scene_view import SceneView
from embodied.language.offline.slots import Refusal
from embodied.training.corpus import Example, generate


def about(kind: str, sentence: str, slots: str, scene: SceneView, **more: bool) -> list[str]:
    expand = {
        "goal": goal_slots.expand,
        "reward": reward_slots.expand,
        "value-map": value_map_slots.expand,
    }[kind]
    return [d.about for d in doubts(kind, sentence, slots, expand(slots, scene), scene, **more)]


@pytest.mark.parametrize(
    ("sentence", "slots"),
    [
        ("red cup and apple in the bowl", "put red-cup apple in bowl"),
        ("both cups in the bowl", "put all cup in bowl"),
        ("everything but the apple goes in the drawer", "put all but apple in drawer"),
        ("not the red cup, the blue cup in the bowl", "put blue-cup in bowl"),
        ("put the pear in the bowl", "cannot object"),
        ("hold the cup", "cannot ambiguous"),
    ],
)
def test_right_answers_are_not_doubted(kitchen: SceneView, sentence: str, slots: str) -> None:
    assert about("goal", sentence, slots, kitchen) == []


@pytest.mark.parametrize(
    ("sentence", "slots", "doubt"),
    [
        ("red cup and apple in the bowl", "put apple in bowl", "leave out red cup"),
        (
            "the apple and the blue cup in the bowl",
            "put apple red-cup in bowl",
            "leave out blue cup",
        ),
        ("both cups in the bowl", "put red-cup red-cup in bowl", "twice"),
        ("the red cup in the crate", "put red-cup in bowl", "nothing here is called crate"),
        ("hold the cup", "hold red-cup", "more than one cup"),
        ("put the apple in the bowl", "cannot object", "is here"),
        ("put the apple in the bowl", "cannot ambiguous", "clear"),
        ("apple on blue cup", "put blue-cup on apple", "another order"),
        ("all the red in the bowl", "put all blue apple in bowl", "cannot be carried out"),
    ],
)
def test_what_is_wrong_with_goals(
    kitchen: SceneView, sentence: str, slots: str, doubt: str
) -> None:
    (found,) = about("goal", sentence, slots, kitchen)
    assert doubt in found


def test_numbers_stages_and_answers_that_do_not_follow(
    quadruped: SceneView, kitchen: SceneView
) -> None:
    said = "left front paw up 12 cm, then lie low"
    assert about("reward", said, "lift front-left ; height low", quadruped) == [
        "it would leave out 12 cm",
        "it would do everything at once",
    ]
    assert about("reward", said, "lift front-left 12 cm then height low", quadruped) == []
    assert about("goal", "now the apple", "cannot chat", kitchen, follow_up=True)
    assert not about("goal", "nice apple", "cannot chat", kitchen)


def gold_doubts(example: Example) -> bool:
    meaning: object
    if example.kind == "goal":
        meaning = goal_slots.expand(example.slots, example.scene)
    else:
        expand = reward_slots.expand if example.kind == "reward" else value_map_slots.expand
        before = expand(example.previous[1], example.scene) if example.previous else None
        assert not isinstance(before, Refusal)
        meaning = expand(example.slots, example.scene, previous=before)  # type: ignore[arg-type]
    found = doubts(
        example.kind,
        example.sentence,
        example.slots,
        meaning,
        example.scene,
        follow_up=example.previous is not None,
    )
    return any(d.grave for d in found)


def test_right_answers_to_generated_sentences_are_rarely_doubted_gravely() -> None:
    doubted = [gold_doubts(e) for e in generate(5, 900, split="held-out")]
    assert sum(doubted) <= 0.02 * len(doubted)
