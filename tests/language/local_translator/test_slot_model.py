"""The real model, where its weights are on this machine."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from embodied.errors import EmbodiedError
from embodied.language.offline import goal_slots
from embodied.language.offline.prompts import scene_part, sentence_part
from embodied.language.offline.scene_view import SceneView, Thing
from embodied.language.offline.search import Effort, readings
from embodied.language.offline.slot_model import SlotModel
from embodied.language.offline.weights import adapter_path, find_base


@pytest.fixture(scope="module")
def model() -> Iterator[SlotModel]:
    pytest.importorskip("xllamacpp", reason="xllamacpp is not installed (extra [local])")
    base = find_base()
    if base is None:
        pytest.skip("no weights to test with: set EMBODIED_BASE_GGUF")
    try:
        adapter = adapter_path()
    except EmbodiedError:
        pytest.skip("no weights to test with: no adapter is shipped")
    opened = SlotModel(base, adapter, threads=1)
    yield opened
    opened.close()


def test_most_plain_sentences_are_right(model: SlotModel, kitchen: SceneView) -> None:
    grammar = goal_slots.grammar(kitchen).gbnf()
    right = 0
    for sentence, slots in (
        ("put the apple in the bowl", "put apple in bowl"),
        ("red cup on the table please", "put red-cup on table"),
        ("pick up the blue cup", "hold blue-cup"),
        ("both cups go in the bowl", "put all cup in bowl"),
        ("shut the drawer", "close drawer"),
        ("apple into the drawer", "put apple in drawer"),
    ):
        answer = model.answer(scene_part("goal", kitchen) + sentence_part(sentence), grammar)
        right += answer.slots == slots
        assert answer.complete and 0.0 < answer.confidence <= 1.0
    assert right >= 4


def test_what_was_read_before_changes_no_digit_and_a_beginning_is_read_once(
    model: SlotModel, kitchen: SceneView
) -> None:
    grammar = goal_slots.grammar(kitchen)
    prompt = scene_part("goal", kitchen) + sentence_part("hold the apple")
    first = model.answer(prompt, grammar.gbnf())
    model.answer(scene_part("goal", kitchen) + sentence_part("close the drawer"), grammar.gbnf())
    again = model.answer(prompt, grammar.gbnf())
    assert (again.slots, again.confidence) == (first.slots, first.confidence)
    beginning = again.steps[0].token
    rest = grammar.continued(grammar.after(beginning.text))
    gone_on = model.answer(prompt, rest.gbnf(), written=[beginning.id])
    assert beginning.text + gone_on.steps[0].token.text == "".join(
        step.token.text for step in first.steps[:2]
    )
    assert gone_on.cached_tokens >= again.input_tokens - 1


def test_hot_samples_stay_in_the_language(model: SlotModel, kitchen: SceneView) -> None:
    grammar = goal_slots.grammar(kitchen).gbnf()
    prompt = scene_part("goal", kitchen) + sentence_part("tidy the place up somehow")
    for seed in range(10):
        answer = model.answer(prompt, grammar, temperature=1.5, seed=seed)
        if answer.complete:
            goal_slots.expand(answer.slots, kitchen)


def test_a_beginning_is_continued_as_it_would_have_been(
    model: SlotModel, kitchen: SceneView
) -> None:
    grammar = goal_slots.grammar(kitchen)
    prompt = scene_part("goal", kitchen) + sentence_part("apple into the drawer and shut it")
    whole = model.answer(prompt, grammar.gbnf())
    said = "".join(s.token.text for s in whole.steps[:3])
    rest = model.answer(
        prompt,
        grammar.continued(grammar.after(said)).gbnf(),
        written=[s.token.id for s in whole.steps[:3]],
    )
    assert [s.token.id for s in rest.steps] == [s.token.id for s in whole.steps[3:]]
    assert all(len(s.others) > 3 for s in whole.steps)


def test_other_readings_are_legal_and_the_same_each_time(
    model: SlotModel, kitchen: SceneView
) -> None:
    grammar = goal_slots.grammar(kitchen)
    prompt = scene_part("goal", kitchen) + sentence_part("the red thing and the cup, bowl")
    effort = Effort(readings=4, tokens=40, ratio=1e-4)

    def found() -> dict[str, float]:
        first = model.answer(prompt, grammar.gbnf())
        return {a.slots: a.confidence for a in readings(model, prompt, grammar, first, effort)}

    answers = found()
    assert len(answers) > 1
    assert all(grammar.may_end(grammar.after(f" {a}")) for a in answers)
    assert found() == answers


def test_earlier_prompts_are_not_kept_in_memory(model: SlotModel) -> None:
    def resident_mib() -> float:
        with open("/proc/self/statm") as pages:
            return int(pages.read().split()[1]) * os.sysconf("SC_PAGESIZE") / 2**20

    def ask(i: int) -> None:
        things = tuple(
            Thing(name=f"thing-{i}-{j}", kind="item", category=f"thing-{i}") for j in range(6)
        )
        scene = SceneView(things=(*things, Thing(name="bin", kind="container", category="bin")))
        prompt = scene_part("goal", scene) + sentence_part(f"put thing {i} 1 in the bin")
        model.answer(prompt, goal_slots.grammar(scene).gbnf())

    for i in range(4):
        ask(i)
    before = resident_mib()
    for i in range(4, 24):
        ask(i)
    assert resident_mib() - before < 15
