"""Sentences that need several kinds of programs are divided where goals end."""

from __future__ import annotations

from functools import cache

import pytest

from embodied.errors import RefusedError
from embodied.language.conversation import Conversation
from embodied.language.manner import MannerTranslator
from embodied.language.mixed import MixedTranslator
from embodied.language.pddl.rules import RulesTranslator
from embodied.language.reward.rules import RewardRules
from embodied.language.reward.rules_tabletop import tabletop_speech
from embodied.language.value_map.rules import RulesValueMapTranslator
from embodied.memory import SceneMemory
from embodied.protocols import StateMemory
from embodied.types import (
    MixedProgram,
    PddlProgram,
    Program,
    RewardProgram,
    ValueMapProgram,
    WorldSpec,
)
from embodied.world.grounding import TabletopGrounder
from embodied.world.mujoco import build_world
from embodied.world.scene import load_scene


@cache
def spec_of(scene: str) -> WorldSpec:
    return build_world(load_scene(scene)).spec


class Guesses:
    """A translator of whole sentences that takes whatever it gets."""

    name = "guesses"

    def __init__(self) -> None:
        self.heard: list[str] = []

    def translate(self, instruction: str, memory: StateMemory, spec: WorldSpec) -> Program:
        self.heard.append(instruction)
        return PddlProgram(domain="", problem="", stages=("(guessed)",), source=self.name)


def translate(sentence: str, guesses: Guesses | None = None, scene: str = "kitchen") -> Program:
    spec = spec_of(scene)
    grounder = TabletopGrounder(spec)
    goals = MannerTranslator(RulesTranslator(grounder.domain_text, grounder.objects))
    rewards = RewardRules(tabletop_speech("fr3", spec.objects))
    rules = {"pddl": goals, "value-map": RulesValueMapTranslator(), "reward": rewards}
    memory = SceneMemory(grounder=grounder, transition=lambda action, facts: facts)
    return MixedTranslator(guesses or goals, rules).translate(sentence, memory, spec)


def kinds(program: Program) -> list[str]:
    parts = program.parts if isinstance(program, MixedProgram) else (program,)
    return [type(p).__name__.removesuffix("Program") for p in parts]


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("put the lime in the bowl, then put the apple on the plate", ["Pddl"]),
        ("put the lime in the bowl, then move the gripper above the plate", ["Pddl", "ValueMap"]),
        ("move the gripper above the plate. Then put the lime in the bowl.", ["ValueMap", "Pddl"]),
        ("put the lime in the bowl, then wave", ["Pddl", "Reward"]),
        ("wave twice, then put the lime in the bowl", ["Reward", "Pddl"]),
        ("move the gripper above the plate and wave", ["ValueMap", "Reward"]),
        ("open the drawer half way, put the lime in, then wave", ["Reward", "Pddl", "Reward"]),
        (
            "open the drawer, then move the gripper up and then put the lime in it",
            ["Pddl", "ValueMap", "Pddl"],
        ),
        ("move the gripper above the plate at 5 cm/s", ["ValueMap"]),
    ],
)
def test_goals_take_what_they_can(sentence: str, expected: list[str]) -> None:
    assert kinds(translate(sentence)) == expected


def test_a_pronoun_means_what_the_part_before_spoke_of() -> None:
    program = translate("open the drawer, then move the gripper up and then put the lime in it")
    assert isinstance(program, MixedProgram)
    last = program.parts[-1]
    assert isinstance(last, PddlProgram) and last.stages == ("(in lime drawer)",)


def test_neighbours_of_one_kind_are_one_program() -> None:
    program = translate(
        "put the lime in the bowl slowly, put the apple on the plate,"
        " then move the gripper above the shelf, then move the gripper 5 cm down"
    )
    assert kinds(program) == ["Pddl", "ValueMap"]
    assert isinstance(program, MixedProgram)
    goals, motions = program.parts
    assert isinstance(goals, PddlProgram) and isinstance(motions, ValueMapProgram)
    assert len(motions.stages) == 2


@pytest.mark.parametrize(
    "sentence",
    [
        "put the lime next to the bowl until I say stop",
        "put the lime in the bowl unless the apple is in it, then move the gripper up",
    ],
)
def test_what_is_refused_stays_refused(sentence: str) -> None:
    guesses = Guesses()
    with pytest.raises(RefusedError):
        translate(sentence, guesses)
    assert not guesses.heard


def test_what_no_rule_reads_goes_to_the_translator_of_whole_sentences() -> None:
    guesses = Guesses()
    program = translate("pop the citrus into the bowl, then move the gripper up a bit", guesses)
    assert program.source == "guesses" and len(guesses.heard) == 1


def test_told_words_count_in_the_parts_too() -> None:
    spec = spec_of("kitchen")
    grounder = TabletopGrounder(spec)
    goals = MannerTranslator(RulesTranslator(grounder.domain_text, grounder.objects))
    rewards = RewardRules(tabletop_speech("fr3", spec.objects))
    rules = {"pddl": goals, "value-map": RulesValueMapTranslator(), "reward": rewards}
    told = Conversation(attributes={"dirty": frozenset({"lime"})})
    said = "put the dirty thing in the bowl, then move the gripper above the plate"
    program = MixedTranslator(goals, rules).translate(said, told, spec)
    assert isinstance(program, MixedProgram)
    first = program.parts[0]
    assert isinstance(first, PddlProgram) and first.stages == ("(in lime bowl)",)


def test_what_a_reward_opened_is_where_the_next_clause_puts_things() -> None:
    program = translate("open the drawer half way, then put the lime in")
    assert isinstance(program, MixedProgram)
    slide, goal = program.parts
    assert isinstance(slide, RewardProgram) and isinstance(goal, PddlProgram)
    (opened,) = (t for t in slide.stages[-1].terms if t.name == "joint_fraction")
    assert any(t.parameters.get("fraction") == 0.0 for t in slide.stages[-1].terms), "let go"
    assert opened.parameters == {"joint": "drawer", "fraction": 0.5}
    assert goal.stages == ("(in lime drawer)",)
