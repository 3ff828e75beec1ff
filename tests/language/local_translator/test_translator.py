from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from embodied.bench.translate.data import spec_of
from embodied.errors import NotUnderstoodError, RefusedError
from embodied.language.offline.answer import Answer, Step, Token
from embodied.language.offline.scene_view import SceneView
from embodied.language.offline.translator import CascadeTranslator, LocalTranslator
from embodied.language.pddl.rules import RulesTranslator
from embodied.language.reward import quadruped_speech
from embodied.language.reward.rules import RewardRules
from embodied.types import Atom, PddlProgram, Program, RewardProgram, ValueMapProgram
from embodied.world.grounding import TabletopGrounder


@dataclass(frozen=True, kw_only=True)
class Memory:
    facts: frozenset[Atom] = frozenset({Atom("hand-empty")})
    exchanges: tuple[tuple[str, Program], ...] = ()
    attributes: Mapping[str, frozenset[str]] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()

    def observed(self, observation: Any) -> Memory:
        return self

    def executed(self, action: Any, result: Any) -> Memory:
        return self

    def told(self, instruction: str, program: Program, meaning: str = "") -> Memory:
        return replace(self, exchanges=(*self.exchanges, (instruction, program)))


@dataclass
class Scripted:
    """A model that says what it is told to say, and remembers what it was asked."""

    answers: list[tuple[str, float]]
    complete: bool = True
    prompts: list[str] = field(default_factory=list)
    grammars: list[str] = field(default_factory=list)

    def answer(self, prompt: str, grammar: str, *, written: Sequence[int] = ()) -> Answer:
        self.prompts.append(prompt)
        self.grammars.append(grammar)
        slots, confidence = self.answers.pop(0)
        return Answer(
            slots=slots,
            confidence=confidence,
            complete=self.complete,
            latency_s=0.0,
            input_tokens=1,
            cached_tokens=0,
            output_tokens=1,
        )


def goals(model: Scripted, scene: SceneView) -> LocalTranslator:
    grounder = TabletopGrounder(spec_of(scene))
    return LocalTranslator(
        model,
        "goal",
        domain_text=grounder.domain_text,
        objects=grounder.objects,
        threshold=0.5,
    )


def test_a_sure_answer_becomes_a_program(kitchen: SceneView) -> None:
    model = Scripted([("put apple in bowl", 0.9)])
    program = goals(model, kitchen).translate("apple in bowl", Memory(), spec_of(kitchen))
    assert isinstance(program, PddlProgram)
    assert program.stages == ("(in apple bowl)",)
    assert "(in apple bowl)" in program.problem
    assert program.source.startswith("local:")
    assert "0.90" in program.notes[0]
    assert model.prompts == ["G red-cup blue-cup apple(red) , bowl drawer table | apple in bowl >"]


def test_below_the_threshold_it_asks(kitchen: SceneView) -> None:
    translator = goals(Scripted([("put apple in bowl", 0.3)]), kitchen)
    with pytest.raises(NotUnderstoodError, match="did you mean: put apple in bowl"):
        translator.translate("appel bowl", Memory(), spec_of(kitchen))


def test_a_refusal_says_why(kitchen: SceneView) -> None:
    translator = goals(Scripted([("cannot object", 0.9)]), kitchen)
    with pytest.raises(NotUnderstoodError, match="something that is not here"):
        translator.translate("put the pear in the bowl", Memory(), spec_of(kitchen))


@pytest.mark.parametrize("sentence", ["", "   ", "x" * 10_000])
def test_empty_and_endless_sentences_never_reach_the_model(
    kitchen: SceneView, sentence: str
) -> None:
    with pytest.raises(NotUnderstoodError):
        goals(Scripted([]), kitchen).translate(sentence, Memory(), spec_of(kitchen))


def test_an_answer_that_was_cut_off_is_refused(kitchen: SceneView) -> None:
    translator = goals(Scripted([("put apple in bowl", 1.0)], complete=False), kitchen)
    with pytest.raises(NotUnderstoodError, match="too long"):
        translator.translate("apple in bowl", Memory(), spec_of(kitchen))


def test_follow_ups_carry_what_was_said_before(quadruped: SceneView) -> None:
    model = Scripted([("lift front-left 10 cm", 0.9), ("more", 0.9)])
    translator = LocalTranslator(model, "reward", scene=quadruped, threshold=0.5)
    spec = spec_of(quadruped)
    memory = Memory()
    first = translator.translate("left front paw 10 cm up", memory, spec)
    memory = memory.told("left front paw 10 cm up", first)
    second = translator.translate("Higher!", memory, spec)
    assert isinstance(second, RewardProgram)
    assert second.stages[0].terms[0].parameters["height"] == pytest.approx(0.15)
    assert model.prompts[1] == ("Q | left front paw 10 cm up > lift front-left 10 cm | higher >")
    assert '"more"' in model.grammars[1] and '"more"' not in model.grammars[0]


def test_goals_of_the_rules_give_context_too(kitchen: SceneView) -> None:
    model = Scripted([("put red-cup in bowl", 0.9)])
    translator = goals(model, kitchen)
    spec = spec_of(kitchen)
    grounder = TabletopGrounder(spec)
    rules = RulesTranslator(grounder.domain_text, grounder.objects)
    said = "put the apple in the bowl"
    memory = Memory().told(said, rules.translate(said, Memory(), spec))
    translator.translate("no, red cup", memory, spec)
    assert model.prompts[0].endswith(
        "| put the apple in the bowl > put apple in bowl | no, red cup >"
    )


def test_rewards_of_the_rules_give_context_too(quadruped: SceneView) -> None:
    model = Scripted([("lift front-left", 0.9), ("more", 0.9)])
    translator = LocalTranslator(model, "reward", scene=quadruped, threshold=0.5)
    before = RewardRules(quadruped_speech()).translate(
        "lift the front left paw", Memory(), spec_of(quadruped)
    )
    memory = Memory().told("lift the front left paw", before)
    after = translator.translate("bit more of that", memory, spec_of(quadruped))
    assert isinstance(after, RewardProgram)

    def height(program: RewardProgram) -> float:
        (term,) = (
            t
            for t in program.stages[0].terms
            if t.name == "foot_lift" and t.parameters["foot"] == "front_left"
        )
        return float(term.parameters["height"])

    assert height(after) > height(before)


def test_value_maps(kitchen: SceneView) -> None:
    model = Scripted([("to above apple 10 cm", 0.9)])
    translator = LocalTranslator(model, "value-map", threshold=0.5)
    program = translator.translate("over the apple", Memory(), spec_of(kitchen))
    assert isinstance(program, ValueMapProgram)
    assert model.prompts[0].startswith("V red-cup")


def test_the_cascade_names_who_answered(kitchen: SceneView) -> None:
    spec = spec_of(kitchen)
    grounder = TabletopGrounder(spec)
    rules = RulesTranslator(grounder.domain_text, grounder.objects)
    model = Scripted([("put apple in bowl", 0.9), ("cannot action", 0.9)])
    cascade = CascadeTranslator([rules, goals(model, kitchen)])
    plain = cascade.translate("put the apple in the bowl", Memory(), spec)
    assert isinstance(plain, PddlProgram) and plain.source == "rules"
    loose = cascade.translate("apple, bowl, you know that I like it", Memory(), spec)
    assert isinstance(loose, PddlProgram) and loose.source.startswith("local:")
    with pytest.raises(NotUnderstoodError) as caught:
        cascade.translate("juggle the apple and sing", Memory(), spec)
    told = str(caught.value)
    assert "rules" in told and "cannot do that" in told


@pytest.mark.parametrize(
    "sentence",
    [
        "put the cup on the table",
        "give me the apple",
        "is the apple in the bowl",
        "if the bowl is empty put the apple in it",
        "leave the apple alone and frobnicate all the rest",
        "don't you dare frobnicate the apple",
        "put the red cups in the bowl",
    ],
)
def test_what_the_rules_refuse_for_good_is_not_guessed(sentence: str, kitchen: SceneView) -> None:
    spec = spec_of(kitchen)
    grounder = TabletopGrounder(spec)
    rules = RulesTranslator(grounder.domain_text, grounder.objects)
    cascade = CascadeTranslator([rules, goals(Scripted([("put apple in bowl", 0.99)]), kitchen)])
    with pytest.raises(RefusedError):
        cascade.translate(sentence, Memory(), spec)


def test_a_cascade_of_nobody_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        CascadeTranslator([])


def test_kinds_are_checked() -> None:
    with pytest.raises(ValueError, match="legal: goal, reward, value-map"):
        LocalTranslator(Scripted([]), "dance", threshold=0.0)


def test_absent_is_only_believed_when_a_word_is_unknown(kitchen: SceneView) -> None:
    model = Scripted([("cannot object", 0.9), ("put apple in bowl", 0.8)])
    program = goals(model, kitchen).translate("apple in the bowl", Memory(), spec_of(kitchen))
    assert isinstance(program, PddlProgram) and program.stages == ("(in apple bowl)",)
    assert "cannot" in model.grammars[0] and "cannot" not in model.grammars[1]
    stubborn = Scripted([("cannot object", 0.9)])
    with pytest.raises(NotUnderstoodError, match="not here"):
        goals(stubborn, kitchen).translate("the pear in the bowl", Memory(), spec_of(kitchen))


def test_an_answer_that_drops_a_number_asks(quadruped: SceneView) -> None:
    model = Scripted([("lift front-left", 0.99)])
    translator = LocalTranslator(model, "reward", scene=quadruped, threshold=0.5)
    with pytest.raises(NotUnderstoodError, match="leave out 12 cm"):
        translator.translate("left front paw up twelve cm", Memory(), spec_of(quadruped))


def test_a_cascade_says_who_understood(kitchen: SceneView) -> None:
    grounder = TabletopGrounder(spec_of(kitchen))
    rules = RulesTranslator(grounder.domain_text, grounder.objects)
    model = goals(Scripted([("put apple in bowl", 0.9)]), kitchen)
    cascade = CascadeTranslator([rules, model], name="both")
    assert cascade.name == "both"
    plain = cascade.translate("put the apple in the bowl", Memory(), spec_of(kitchen))
    assert plain.source == "rules"
    odd = cascade.translate("lemme apple thingy bowl", Memory(), spec_of(kitchen))
    assert odd.source.startswith("local:")
    assert any(model.name in note for note in odd.notes)


class Readings:
    """A model with two answers to goals; the greedy one and what it would have taken instead."""

    def __init__(self, greedy: tuple[str, float], other: tuple[str, float]) -> None:
        texts = (greedy[0], other[0])
        common = len(os.path.commonprefix(texts))
        self._other = Token(3, other[0][common:], math.log(other[1]))
        self._steps = (
            Step(Token(1, " " + greedy[0][:common], 0.0)),
            Step(Token(2, greedy[0][common:], math.log(greedy[1])), (self._other,)),
            Step(Token(0, "", 0.0)),
        )
        self.asked = 0

    def answer(self, prompt: str, grammar: str, *, written: Sequence[int] = ()) -> Answer:
        self.asked += 1
        steps = self._steps if not written else (Step(Token(0, "", 0.0)),)
        return Answer(
            slots="".join(s.token.text for s in steps).strip(),
            confidence=math.exp(sum(s.token.log_probability for s in steps)),
            complete=True,
            latency_s=0.0,
            input_tokens=1,
            cached_tokens=0,
            output_tokens=1,
            steps=steps,
        )


def read(model: Readings, scene: SceneView, sentence: str) -> tuple[str, float]:
    grounder = TabletopGrounder(spec_of(scene))
    translator = LocalTranslator(
        model, "goal", scene=scene, domain_text=grounder.domain_text, objects=grounder.objects
    )
    choice = translator.read(sentence, scene)
    return choice.reading.answer.slots, round(choice.confidence, 6)


def test_a_reading_that_leaves_nothing_out_is_taken(kitchen: SceneView) -> None:
    model = Readings(("put apple in bowl", 0.7), ("put apple red-cup in bowl", 0.2))
    found = read(model, kitchen, "red cup and apple in the bowl")
    assert found == ("put apple red-cup in bowl", 0.2)
    assert model.asked == 2


def test_without_a_doubt_nothing_else_is_asked(kitchen: SceneView) -> None:
    model = Readings(("put apple in bowl", 0.3), ("put apple red-cup in bowl", 0.2))
    assert read(model, kitchen, "apple in the bowl") == ("put apple in bowl", 0.3)
    assert model.asked == 1


def test_an_unlikely_answer_is_compared_with_others(kitchen: SceneView) -> None:
    model = Readings(("put apple in bowl", 0.1), ("put apple in drawer", 0.15))
    assert read(model, kitchen, "apple away") == ("put apple in drawer", 0.15)


def test_a_far_less_likely_reading_is_not_taken(kitchen: SceneView) -> None:
    model = Readings(("put apple in bowl", 0.95), ("put apple red-cup in bowl", 0.01))
    slots, confidence = read(model, kitchen, "red cup and apple in the bowl")
    assert slots == "put apple in bowl" and confidence < 0.1


def test_several_is_not_believed_of_what_is_singled_out(kitchen: SceneView) -> None:
    model = Readings(("cannot ambiguous", 0.6), ("cannot action", 0.01))
    assert read(model, kitchen, "hold the red cup")[0] == "cannot ambiguous"
    grammar_words = Scripted([("cannot object", 0.9), ("hold red-cup", 0.8)])
    program = goals(grammar_words, kitchen).translate("hold red cup", Memory(), spec_of(kitchen))
    assert isinstance(program, PddlProgram) and program.stages == ("(holding red-cup)",)
