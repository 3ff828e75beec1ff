from __future__ import annotations

import pytest

from embodied.bench.l2r.suite import TASKS
from embodied.errors import NotUnderstoodError
from embodied.language.conversation import Conversation
from embodied.language.reward import arm_speech, check, quadruped_speech
from embodied.language.reward.rules import RewardRules
from embodied.routes.reward.setup import build_setup
from embodied.types import RewardProgram, RewardTerm

SPEC = build_setup("quadruped").world.spec


SPEECHES = {"quadruped": quadruped_speech(), "fr3-hand": arm_speech()}


def say(robot: str, *sentences: str) -> RewardProgram:
    rules, memory = RewardRules(SPEECHES[robot]), Conversation()
    program = None
    for sentence in sentences:
        program = rules.translate(sentence, memory, SPEC)
        assert check(program) == ()
        memory = memory.told(sentence, program)
    assert program is not None
    return program


def term(program: RewardProgram, name: str, **parameters: object) -> RewardTerm:
    (found,) = [
        t
        for t in program.stages[-1].terms
        if t.name == name and parameters.items() <= dict(t.parameters).items()
    ]
    return found


@pytest.mark.parametrize("task", list(TASKS.values()), ids=lambda t: t.name)
def test_the_published_tasks_give_the_oracle_rewards(task) -> None:
    program = say(task.robot, *task.instructions)
    assert program.stages[-1] == task.oracle.stages[-1]
    if len(task.instructions) == 1:
        assert program.stages == task.oracle.stages


@pytest.mark.parametrize(
    "sentence",
    [
        "please sit down",
        "stand up, then lift the front left paw to 10 cm then roll over",
        "walk forward slowly",
        "spin to the right fast",
        "raise your hind left leg",
        "lift the right front foot",
        "stand on your hind legs",
        "pitch up by 15 degrees for 2 seconds",
    ],
)
def test_other_words_are_understood(sentence: str) -> None:
    say("quadruped", sentence)


def test_then_makes_stages_with_durations() -> None:
    program = say("quadruped", "sit down for 2 seconds, then spin fast")
    assert [s.duration_s for s in program.stages] == [2.0, None]


def test_corrections_edit_the_program_in_force() -> None:
    higher = say("quadruped", "lift the front right paw", "higher")
    assert term(higher, "foot_lift", foot="front_right").parameters["height"] == 0.24
    assert term(higher, "torso_height").parameters["height"] == 0.27
    slower = say("quadruped", "spin fast", "slower")
    assert term(slower, "torso_turn_rate").parameters["rate"] == pytest.approx(1.6667, abs=1e-3)
    lower = say("quadruped", "stand up", "a bit lower")
    assert term(lower, "torso_height").parameters["height"] == pytest.approx(0.22)


def test_keep_that_and_also_adds() -> None:
    both = say("quadruped", "lift the front right paw", "keep that and also lift the rear left paw")
    for foot in ("front_right", "rear_left"):
        assert term(both, "foot_lift", foot=foot).parameters["height"] == 0.14
    assert term(both, "foot_lift", foot="front_left").parameters["height"] == 0.0


@pytest.mark.parametrize(
    "sentence",
    [
        "",
        "jump",
        "sit down and sing",
        "lift the front right tail",
        "do not sit down",
        "x" * 600,
        "lift the front right paw to 9 m",
        "higher",
        "keep that and also dance",
    ],
)
def test_what_is_not_understood_is_refused_with_a_reason(sentence: str) -> None:
    with pytest.raises(NotUnderstoodError) as caught:
        say("quadruped", sentence)
    assert caught.value.diagnostics[0].problem
    assert caught.value.diagnostics[0].hint


def test_unknown_objects_are_refused() -> None:
    with pytest.raises(NotUnderstoodError, match="anvil"):
        say("fr3-hand", "lift the anvil")


def test_feet_that_step_are_not_kept_on_the_ground_by_what_else_is_asked() -> None:
    walk = say("quadruped", "walk forward at 0.3 m/s with the nose up 10 degrees").stages[0]
    names = [t.name for t in walk.terms]
    assert names.count("foot_stepping") == 4 and "torso_pitch" in names
    assert "foot_lift" not in names and "stillness" not in names
    still = [t.name for t in say("quadruped", "nose up 10 degrees").stages[0].terms]
    assert still.count("foot_lift") == 4 and "stillness" in still


@pytest.mark.parametrize(
    ("verb", "together"),
    [
        ("trot", "rear_right"),
        ("pace", "rear_left"),
        ("bound", "front_right"),
        ("walk", "rear_right"),
    ],
)
def test_gaits_differ_in_which_feet_step_together(verb: str, together: str) -> None:
    program = say("quadruped", f"{verb} forward at 0.4 m/s")
    phases = {
        t.parameters["foot"]: t.parameters["phase"]
        for t in program.stages[0].terms
        if t.name == "foot_stepping"
    }
    assert [foot for foot, phase in phases.items() if phase == 0.0] == ["front_left", together]
    assert sorted(phases.values()) == [0.0, 0.0, 0.5, 0.5]
    assert term(program, "torso_velocity").parameters["forward"] == 0.4
