"""Phrases on speed, distance and tilt are read as a manner, and nothing else is."""

from __future__ import annotations

from functools import cache

import pytest

from embodied.app.wiring import open_session
from embodied.errors import NotUnderstoodError
from embodied.language.manner import SLOW_M_S, VERY_SLOW_M_S, MannerTranslator, split
from embodied.language.pddl.rules import RulesTranslator
from embodied.language.words.cursor import Abstain
from embodied.memory import SceneMemory
from embodied.settings import Settings
from embodied.types import Manner, PddlProgram, WorldSpec
from embodied.world.grounding import TabletopGrounder
from embodied.world.mujoco import build_world
from embodied.world.scene import load_scene

CUPS = (("red-cup", 0.1), ("blue-cup", 0.1))


@cache
def spec_of(scene: str) -> WorldSpec:
    return build_world(load_scene(scene)).spec


def translate(sentence: str, scene: str = "kitchen") -> PddlProgram:
    spec = spec_of(scene)
    grounder = TabletopGrounder(spec)
    rules = MannerTranslator(RulesTranslator(grounder.domain_text, grounder.objects))
    program = rules.translate(
        sentence, SceneMemory(grounder=grounder, transition=lambda action, facts: facts), spec
    )
    assert isinstance(program, PddlProgram)
    return program


LIME = "put the lime in the bowl"
CUP = "put the red cup on the plate"


@pytest.mark.parametrize(
    ("sentence", "rest", "manner"),
    [
        ("{} slowly", LIME, Manner(max_speed_m_s=SLOW_M_S)),
        ("very slowly, {}", LIME, Manner(max_speed_m_s=VERY_SLOW_M_S)),
        ("{} at no more than 8 cm/s", LIME, Manner(max_speed_m_s=0.08)),
        ("{}, never faster than 0.2 m/s", LIME, Manner(max_speed_m_s=0.2)),
        ("{} upright", CUP, Manner(upright=True)),
        ("{} without spilling anything", CUP, Manner(upright=True)),
        ("{}, at least 10 cm away from the cups", LIME, Manner(apart=CUPS)),
        ("while staying 5 cm from the plate, {}", LIME, Manner(apart=(("plate", 0.05),))),
        (
            "{} and do not get closer than 70 mm to the soda can",
            LIME,
            Manner(apart=(("soda-can", 0.07),)),
        ),
        (
            "{} without touching the apple or the sponge",
            LIME,
            Manner(apart=(("apple", 0.02), ("sponge", 0.02))),
        ),
        (
            "{} carefully, avoiding the plate by 12 cm",
            LIME,
            Manner(max_speed_m_s=SLOW_M_S, apart=(("plate", 0.12),)),
        ),
    ],
)
def test_a_manner_is_read_and_left_out(sentence: str, rest: str, manner: Manner) -> None:
    assert split(sentence.format(rest), spec_of("kitchen")) == (rest, {0: manner})


def test_a_manner_in_the_middle() -> None:
    rest, manners = split("carry the red cup upright to the shelf", spec_of("kitchen"))
    assert (rest, manners) == ("carry the red cup to the shelf", {0: Manner(upright=True)})


@pytest.mark.parametrize(
    "sentence",
    [
        "put the lime in the bowl",
        "keep away from the plate",
        "do not touch the plate",
        "move the lime away from the plate",
        "put the lime at the plate",
        "put the apple in the bowl and leave the lime alone",
    ],
)
def test_what_is_no_manner_stays(sentence: str) -> None:
    assert split(sentence, spec_of("kitchen")) == (sentence, {})


def test_each_stage_has_the_manner_of_its_part() -> None:
    program = translate("slowly put the sponge in the drawer, then close it")
    assert len(program.stages) == 2
    assert program.manners == (Manner(max_speed_m_s=SLOW_M_S), Manner())
    program = translate("put the lime in the bowl. Then put the apple on the plate upright.")
    assert program.manners == (Manner(), Manner(upright=True))


def test_a_sentence_without_manner_is_translated_as_before() -> None:
    assert translate("put the lime in the bowl").manners == ()


@pytest.mark.parametrize(
    ("sentence", "words"),
    [
        ("put the lime in the bowl, staying 8 cm away from the bowl", "nothing can stay"),
        ("put the lime in the bowl, avoiding the vase", "names no object"),
        ("put the lime at least 10 cm away from it", "names no object"),
    ],
)
def test_what_cannot_be_meant_is_refused(sentence: str, words: str) -> None:
    with pytest.raises(NotUnderstoodError, match=words):
        translate(sentence)


def test_a_distance_from_nothing_is_no_manner() -> None:
    with pytest.raises(Abstain):
        split("put the lime in the bowl, at least 5 cm from there", spec_of("kitchen"))


@pytest.mark.slow
def test_the_motion_is_measured() -> None:
    session = open_session(Settings(scene="blocks", seed=1, model="rules"))
    try:
        quick = session.run("put the blue block on the tray")
        assert not quick.verdicts[0].numbers
        session.restore(session.qpos())
        done = session.run(
            "put the blue block on the table slowly, at least 6 cm away from the red block"
        )
        assert done.reached, done.message
        numbers = done.verdicts[0].numbers
        assert 0.05 < numbers["top_speed_m_s"] <= SLOW_M_S * 1.05
        assert numbers["nearest_m: red-block"] >= 0.055
        assert any(text.startswith("never faster than 0.1 m/s") for text in done.verdicts[0].holds)
    finally:
        session.close()
