"""Rewards for arms at a table: plan models from the scene, sentences, verdicts on relations."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from embodied_controllers.mpc.obstacles import Obstacle

from embodied.app.wiring import open_session
from embodied.errors import OptionError
from embodied.language.conversation import Conversation
from embodied.language.reward.rules import RewardRules
from embodied.language.reward.rules_tabletop import spoken, tabletop_speech
from embodied.outcome import NOT_REACHED, REACHED
from embodied.routes.reward.moving import loose, named
from embodied.routes.reward.tabletop import TabletopSetup, described
from embodied.routes.reward.trace import related
from embodied.session import Session
from embodied.settings import Settings
from embodied.types import Atom, Program, RewardProgram, RewardStage, RewardTerm
from embodied.world.layout import Layout
from embodied.world.mujoco import MujocoWorld, build_world
from embodied.world.scene import load_scene


def opened(robot: str, scene: str, seed: int = 0) -> Session:
    return open_session(
        Settings(robot=robot, scene=scene, route="reward", seed=seed, pictures=False)
    )


def rig_of(session: Session) -> TabletopSetup:
    rig = session.route.setup  # type: ignore[attr-defined]
    assert isinstance(rig, TabletopSetup)
    return rig


def translated(scene: str, sentence: str, *facts: str) -> RewardProgram:
    objects = load_scene(scene).objects
    rules = RewardRules(tabletop_speech("fr3", objects))
    memory = Conversation(facts=frozenset(Atom.parse(f) for f in facts))
    program = rules.translate(sentence, memory, build_world(load_scene(scene)).spec)
    assert isinstance(program, RewardProgram)
    return program


def test_jaws_lift_what_contact_and_friction_hold() -> None:
    session = opened("fr3", "kitchen")
    outcome = session.run("lift the apple")
    assert outcome.exit_code == REACHED
    seen = session.environment.body.observation
    assert seen.poses["apple"].position[2] == pytest.approx(0.25, abs=0.05)
    assert Atom("holding", ("apple",)) in session.environment.grounder.facts(seen)
    session.close()


def test_another_arm_puts_a_thing_down_and_the_relation_is_judged() -> None:
    session = opened("ur5e", "blocks")
    outcome = session.run("put the red block on the green block")
    assert outcome.exit_code == REACHED
    assert "red-block on green-block" in outcome.verdicts[-1].holds
    facts = session.environment.grounder.facts(session.environment.body.observe())
    assert {Atom("on", ("red-block", "green-block")), Atom("hand-empty")} <= facts
    session.close()


class Still:
    """The end of a stage in which a thing has moved by some metres."""

    def __init__(self, moved_m: float = 0.0) -> None:
        self.moved_m = moved_m

    def sensor(self, name: str) -> np.ndarray:
        del name
        return np.array([[[0.0, 0.0, 0.0], [self.moved_m, 0.0, 0.0]]])


def test_a_relation_that_is_no_fact_or_does_not_last_is_unmet() -> None:
    term = RewardTerm(name="resting", parameters={"object": "apple", "place": "bowl"}, weight=1.0)
    stage = RewardStage(terms=(term,))
    inside, other = (frozenset({Atom(*a)}) for a in (("in", ("apple", "bowl")), ("on", ("a", "b"))))
    still: Any = Still()
    rolling: Any = Still(0.1)
    assert related(stage, inside, still) == (("apple in bowl",), ())
    assert related(stage, other, still) == ((), ("apple is not in or on bowl",))
    assert related(stage, inside, rolling) == ((), ("apple in bowl: apple still moves",))


def test_only_what_the_program_names_and_what_touches_it_moves_in_the_plan() -> None:
    scene = load_scene("blocks")
    world = build_world(scene)
    assert isinstance(world, MujocoWorld)
    start = world.reset(seed=3)
    poses = dict(start.poses)
    items = scene.of_kind("item")
    at = {n: np.array([0.35 + 0.1 * i, 0.0, 0.0225]) for i, n in enumerate(items)}
    at["blue-block"] = at["red-block"] + [0.0, 0.0, 0.045]
    layout = Layout(
        poses={n: type(poses[n])(position=p, quat_wxyz=[1, 0, 0, 0]) for n, p in at.items()},
        openings_m={},
    )
    seen = world.set_layout(layout)
    program = translated("blocks", "lift the red block")
    assert loose(named(program), scene.objects, seen) == {"red-block", "blue-block"}


def test_a_phrase_stands_for_an_object_only_where_it_fits_one() -> None:
    names = spoken(load_scene("kitchen").objects)
    assert names["apple"] == "apple" and names["soda"] == "soda-can"
    assert names["red cup"] == names["red mug"] == "red-cup"
    assert "cup" not in names and "fruit" not in names


def test_what_stands_on_a_thing_is_taken_off_first_and_a_shut_drawer_opened() -> None:
    plain = translated("blocks", "lift the red block")
    facts = ("(on red-block table)", "(on blue-block red-block)", "(on green-block blue-block)")
    covered = translated("blocks", "lift the red block", *facts)
    assert covered.stages[-len(plain.stages) :] == plain.stages
    assert covered.notes == (
        "the green block is taken off the blue block first",
        "the blue block is taken off the red block first",
    )
    shut = translated("kitchen", "put the sponge in the drawer")
    assert shut.notes == ("the drawer is opened first",)
    assert translated("kitchen", "put the sponge in the drawer", "(open drawer)").notes == ()


def test_the_hand_stands_in_the_scenes_of_other_arms() -> None:
    session = opened("fr3-hand", "blocks")
    assert session.about["scene"] == "blocks"
    rig = rig_of(session)
    assert len(rig.arm.robot.joints) == 10
    assert rig.speech.vocabulary.names["places"]
    assert "finger_1" in rig.speech.vocabulary.names["points"]
    session.close()


def test_a_robot_without_a_table_is_refused() -> None:
    with pytest.raises(OptionError, match="does not stand at a table"):
        described("quadruped")


@pytest.mark.parametrize("round_", [True, False])
def test_distance_to_a_footprint(round_: bool) -> None:
    obstacle = Obstacle(
        centre=np.array([0.5, 0.1]),
        half=np.array([0.1, 0.1]),
        yaw=0.4,
        round=round_,
        top_m=0.1,
        fixed=True,
    )
    along = np.array([np.cos(0.4), np.sin(0.4)])
    assert obstacle.distance(obstacle.centre + 0.25 * along) == pytest.approx(0.15)
    assert obstacle.distance(obstacle.centre + 0.04 * along) == pytest.approx(-0.06)
    corner = obstacle.centre + 0.2 * along + 0.2 * np.array([-along[1], along[0]])
    assert obstacle.distance(corner) == pytest.approx(
        np.hypot(0.2, 0.2) - 0.1 if round_ else np.hypot(0.1, 0.1)
    )


def test_a_program_that_cannot_be_carried_out_is_not_reached() -> None:
    session = opened("fr3", "blocks")
    term = RewardTerm(name="joint_fraction", parameters={}, weight=1.0)
    program: Program = RewardProgram(
        robot="fr3", stages=(RewardStage(terms=(term,)),), source="test"
    )
    assert session.route.check(program)  # the scene has no drawer
    session.close()


def test_a_tower_out_of_the_hands_reach_is_not_called_done() -> None:
    session = opened("fr3", "blocks")
    program = RewardProgram(
        robot="fr3",
        stages=(
            RewardStage(
                terms=(
                    RewardTerm(
                        name="resting",
                        parameters={"object": "red-block", "place": "bin"},
                        weight=1.0,
                    ),
                ),
                duration_s=0.2,
            ),
        ),
        source="rules",
    )
    outcome = session.pursue(program)
    assert outcome.exit_code == NOT_REACHED
    assert "red-block is not in or on bin" in outcome.message
    session.close()


def test_things_are_close_to_3_cm_and_the_hand_near_to_6() -> None:
    words = tabletop_speech("fr3", load_scene("kitchen").objects).vocabulary

    def asked(a: str, b: str) -> float | None:
        parameters = {"a": a, "b": b, "distance": 0.1}
        return words.tolerance(RewardTerm(name="distance", parameters=parameters, weight=1.0))

    assert (asked("lime", "sponge"), asked("palm", "sponge")) == (0.03, 0.06)


def test_what_was_put_down_too_far_away_is_taken_again() -> None:
    program = translated("kitchen", "move the lime close to the sponge")
    last = program.stages[-1]
    (distance,) = (t for t in last.terms if t.name == "distance" and t.parameters["a"] == "lime")
    asked = distance.parameters["distance"]
    assert isinstance(asked, float)
    ends = sorted(g.condition.value - asked for g in last.guards)
    assert ends == pytest.approx([-0.03, 0.03])
    assert {len(program.stages) - 1 - g.back for g in last.guards} == {0}


def test_a_thing_moved_close_to_another_ends_within_6_cm_of_it() -> None:
    session = opened("fr3", "workshop", seed=2)
    outcome = session.run("move the ball close to the black box")
    assert outcome.exit_code == REACHED, outcome.message
    seen, objects = session.environment.body.observe(), session.environment.body.spec.objects
    level = np.linalg.norm((seen.poses["ball"].position - seen.poses["black-box"].position)[:2])
    gap = level - sum(max(objects[n].size_m[:2]) / 2 for n in ("ball", "black-box"))
    assert 0.0 < gap < 0.06
    session.close()
