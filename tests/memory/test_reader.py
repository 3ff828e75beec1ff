"""Answers from a memory, and the part of it that is shown within a budget."""

import numpy as np
import pytest

from embodied.errors import NotUnderstoodError
from embodied.language.words.scene_words import SceneWords
from embodied.memory import (
    Delta,
    Memory,
    Provenance,
    Reader,
    Vocabulary,
    Writer,
)
from embodied.memory.answering import BelievedState, answer
from embodied.memory.descriptions import specs_of
from embodied.memory.questions import read_question
from embodied.types import GroundAction, Observation, PddlProgram, Pose, SkillResult


def asked(memory: Memory, question: str) -> tuple[str, ...]:
    state = BelievedState(memory, SceneWords(specs_of(memory.vocabulary)))
    return answer(read_question(question, state.scene), state)


@pytest.fixture
def scene(memory: Memory) -> Memory:
    """d in the bowl with c on it, a on the table with b on it; a is dirty."""
    deltas = [Delta.add(f"(on {n} table)") for n in "abcd"]
    writer = Writer()
    memory = writer.propose(memory, deltas, provenance=Provenance.SEEN, time_s=0.0).memory
    for n, text in enumerate(("put d table bowl", "stack c table d", "stack b table a", "soil a")):
        action = GroundAction.parse(text)
        memory = writer.act(memory, action, time_s=n + 1.0, provenance=Provenance.TOLD).memory
    return memory


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("Where is the c?", ("d", "bowl")),
        ("what is on the d", ("c",)),
        ("what is right above c?", ()),
        ("what is under the b", ("a",)),
        ("what is in the bowl?", ("c", "d")),
        ("how many blocks are in the bowl?", ("2",)),
        ("how many blocks are not in a bowl", ("2",)),
        ("are there any blocks that are not in a bowl?", ("yes",)),
        ("which block is under c?", ("d",)),
        ("which blocks (if there are any) are in positions higher than a", ("b", "c")),
        ("how many blocks are lower than c", ("2",)),
        ("is anything on the bowl", ("yes",)),
        ("is c in the bowl", ("yes",)),
        ("is c in a bowl", ("yes",)),
        ("is b in a bowl", ("no",)),
        ("is c right above d", ("yes",)),
        ("is c right above the bowl", ("no",)),
        ("is c in a higher position than b?", ("no",)),
        ("is d higher than b", ("no",)),
        ("is d higher than a", ("no",)),
        ("which block is in the highest position", ("b", "c")),
        ("which blocks are dirty?", ("a", "b")),
        ("is c higher than a", ("yes",)),
        ("is b dirty", ("yes",)),
        ("is b clean", ("no",)),
        ("is c dirty", ("not known",)),
        ("is a heavier than b", ("not known",)),
    ],
)
def test_questions(scene: Memory, question: str, expected: tuple[str, ...]) -> None:
    assert asked(scene, question) == expected


@pytest.mark.parametrize("text", ["where is the ghost?", "put a on b", "", "wherefore?"])
def test_what_is_not_understood_is_said(scene: Memory, text: str) -> None:
    with pytest.raises(NotUnderstoodError) as error:
        asked(scene, text)
    assert error.value.diagnostics[0].problem


def test_a_question_of_no_known_form_says_what_can_be_asked(scene: Memory) -> None:
    with pytest.raises(
        NotUnderstoodError, match=r"I do not understand this question \(you can ask: where"
    ):
        asked(scene, "wherefore?")


@pytest.mark.parametrize(
    "question", ["where is a", "is a higher than b", "is a in the bowl", "what is under a?"]
)
def test_what_is_not_known_is_neither_yes_nor_no(memory: Memory, question: str) -> None:
    assert asked(memory, question) == ("not known",)


def test_a_view_shows_what_is_near_first_and_says_what_it_leaves_out(scene: Memory) -> None:
    reader = Reader(scene)
    whole = reader.view((), budget_tokens=10_000)
    assert whole.left_out == 0
    assert {f.atom for f in whole.facts} == set(scene.beliefs)
    near = reader.view(["c"], budget_tokens=60)
    assert 0 < len(near.facts) < len(whole.facts)
    assert "c" in near.facts[0].atom.args
    assert near.text.endswith(f"; {near.left_out} more facts are believed")
    assert near.left_out + len(near.facts) == len(whole.facts)


@pytest.mark.parametrize("budget", [1, 12, 30, 60, 100, 200])
def test_a_view_keeps_to_its_budget(scene: Memory, budget: int) -> None:
    view = Reader(scene).view(["a"], budget_tokens=budget)
    assert view.tokens <= max(budget, 12)


def test_the_protocol(blocks: Vocabulary, scene: Memory) -> None:
    class Measured:
        def facts(self, observation: Observation) -> frozenset[object]:
            return scene.facts

    nowhere = Pose(position=np.zeros(3), quat_wxyz=np.array([1.0, 0.0, 0.0, 0.0]))
    zero = np.zeros(1)
    observation = Observation(time=2.0, q=zero, dq=zero, tau=zero, pose_ee_in_world=nowhere)
    memory = Memory(vocabulary=blocks, grounder=Measured())  # pyright: ignore[reportArgumentType]
    seen = memory.observed(observation)
    assert seen.facts == scene.facts
    assert seen.contradictions == ()
    assert memory.facts == frozenset()
    moved = seen.executed(GroundAction.parse("(put b a table)"), SkillResult(ok=True))
    assert "(on b table)" in map(str, moved.facts)
    failed = seen.executed(
        GroundAction.parse("(put b a table)"), SkillResult(ok=False, reason="slip")
    )
    assert failed.facts == seen.facts
    again = moved.observed(observation)
    assert {str(c.atom) for c in again.contradictions} == {"(on b table)", "(on b a)"}
    program = PddlProgram(domain="", problem="", stages=("(on b a)",), source="rules")
    told = again.told("put b on a", program)
    assert told.exchanges == (("put b on a", program),)
    for _ in range(50):
        told = told.told("again", program)
    assert len(told.exchanges) == 32


def test_a_measurement_of_places_leaves_what_it_cannot_see(scene: Memory) -> None:
    facts = {a for a in scene.facts if a.predicate == "on"}
    moved = frozenset(a for a in facts if a.args[0] != "b") | {Delta.add("(on b table)").atom}
    after = scene.measured(moved, time_s=9.0, scope=("on",))
    assert Reader(after).holds("(dirty b)")
    assert not Reader(after).holds("(above b a)")
    assert Reader(after).holds("(above c d)")
    assert {str(c.atom) for c in after.contradictions} == {"(on b a)", "(on b table)"}
