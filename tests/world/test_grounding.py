from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embodied.symbolic.reading import read_domain
from embodied.types import Atom, GripperState, Observation, Pose
from embodied.world.fake import FakeWorld
from embodied.world.grounding import OPEN_FRACTION, TabletopGrounder
from embodied.world.layout import yaw_pose
from embodied.world.scene import load_scene, scene_names

SCENES = {name: load_scene(name) for name in scene_names()}


def _observation(scene: str, seed: int = 0) -> tuple[TabletopGrounder, Observation]:
    world = FakeWorld(SCENES[scene])
    return TabletopGrounder(world.spec), world.reset(seed=seed)


def _moved(observation: Observation, poses: Mapping[str, Pose]) -> Observation:
    return replace(observation, poses={**observation.poses, **poses})


def _places(facts: frozenset[Atom], item: str) -> list[Atom]:
    return [a for a in facts if a.predicate in ("on", "in", "holding") and a.args[0] == item]


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(SCENES)), st.integers(0, 10_000), st.floats(0, 0.003))
def test_every_item_has_exactly_one_place_also_with_noise_of_3_mm(
    scene: str, seed: int, noise_m: float
) -> None:
    world = FakeWorld(SCENES[scene])
    grounder = TabletopGrounder(world.spec)
    observation = world.reset(seed=seed)
    rng = np.random.default_rng(seed)
    noisy = {
        n: Pose(position=p.position + rng.uniform(-noise_m, noise_m, 3), quat_wxyz=p.quat_wxyz)
        for n, p in observation.poses.items()
    }
    facts = grounder.facts(_moved(observation, noisy))
    covered = {a.args[1] for a in facts if a.predicate == "on"}
    for item in SCENES[scene].of_kind("item"):
        assert len(_places(facts, item)) == 1
        assert (Atom("clear", (item,)) in facts) == (item not in covered)
    assert Atom("hand-empty") in facts
    assert facts == grounder.facts(observation)


@pytest.mark.parametrize("name", scene_names())
def test_facts_and_objects_belong_to_the_domain(name: str) -> None:
    grounder, observation = _observation(name)
    domain = read_domain(grounder.domain_text)
    assert set(grounder.objects.values()) <= {*domain.types, "color"}
    predicates = {p for p in domain.predicates}
    for fact in grounder.facts(observation):
        assert fact.predicate in predicates
        assert all(arg in grounder.objects for arg in fact.args)


def test_stacked_and_on_a_tray() -> None:
    grounder, observation = _observation("blocks")
    tray = observation.poses["tray"].position
    scene = {
        "red-block": yaw_pose(tray + [0, 0, 0.006 + 0.0225], 0.3),
        "green-block": yaw_pose(tray + [0.01, 0, 0.006 + 0.0675], 1.0),
    }
    facts = grounder.facts(_moved(observation, scene))
    assert Atom("on", ("red-block", "tray")) in facts
    assert Atom("on", ("green-block", "red-block")) in facts
    assert Atom("clear", ("red-block",)) not in facts
    assert Atom("clear", ("green-block",)) in facts


def test_in_the_bin_and_on_another_in_the_bin() -> None:
    grounder, observation = _observation("blocks")
    x, y, _ = observation.poses["bin"].position
    scene = {
        "red-block": yaw_pose(np.array([x, y, 0.006 + 0.0225]), 0.0),
        "green-block": yaw_pose(np.array([x + 0.005, y, 0.006 + 0.0675]), 0.0),
        "blue-block": yaw_pose(np.array([x + 0.07, y, 0.006 + 0.0225]), 0.0),
    }
    facts = grounder.facts(_moved(observation, scene))
    assert _places(facts, "red-block") == [Atom("in", ("red-block", "bin"))]
    assert _places(facts, "blue-block") == [Atom("in", ("blue-block", "bin"))]
    assert set(_places(facts, "green-block")) == {
        Atom("in", ("green-block", "bin")),
        Atom("on", ("green-block", "red-block")),
    }
    assert Atom("clear", ("red-block",)) not in facts


def test_beside_the_bin_is_not_in_it() -> None:
    grounder, observation = _observation("blocks")
    x, y, _ = observation.poses["bin"].position
    beside = yaw_pose(np.array([x, y - 0.14, 0.0225]), 0.0)
    facts = grounder.facts(_moved(observation, {"red-block": beside}))
    assert _places(facts, "red-block") == [Atom("on", ("red-block", "table"))]


def test_in_mid_air_and_on_the_floor_is_nowhere() -> None:
    grounder, observation = _observation("blocks")
    for position in ([0.45, 0.0, 0.3], [1.4, 0.0, -0.72]):
        pose = yaw_pose(np.array(position), 0.0)
        assert _places(grounder.facts(_moved(observation, {"red-block": pose})), "red-block") == []


def _grasped(observation: Observation, width_m: float, force_n: float) -> Observation:
    ee = Pose(position=np.array([0.5, 0.1, 0.2]), quat_wxyz=np.array([0.0, 1, 0, 0]))
    return replace(
        _moved(observation, {"red-block": yaw_pose(np.array([0.502, 0.1, 0.203]), 0.05)}),
        pose_ee_in_world=ee,
        gripper=GripperState(width_m=width_m, force_n=force_n),
    )


def test_holding_needs_width_force_and_an_item_between_the_pads() -> None:
    grounder, observation = _observation("blocks")
    facts = grounder.facts(_grasped(observation, 0.045, 20.0))
    assert _places(facts, "red-block") == [Atom("holding", ("red-block",))]
    assert Atom("hand-empty") not in facts
    assert Atom("clear", ("red-block",)) not in facts
    for width_m, force_n in ((0.0, 20.0), (0.045, 0.0), (0.08, 20.0)):
        facts = grounder.facts(_grasped(observation, width_m, force_n))
        assert Atom("hand-empty") in facts
        assert Atom("holding", ("red-block",)) not in facts


@pytest.mark.parametrize(("above_m", "held"), [(0.0, False), (0.025, True), (0.036, False)])
def test_a_ball_held_by_its_top_is_as_wide_as_the_pads_find_it(above_m: float, held: bool) -> None:
    """A lime of 48 mm is 36 mm wide where pads end 9 mm below a point 25 mm above its middle."""
    grounder, observation = _observation("kitchen")
    ee = Pose(position=np.array([0.5, 0.1, 0.2]), quat_wxyz=np.array([0.0, 1, 0, 0]))
    lime = yaw_pose(np.array([0.5, 0.1, 0.2 - above_m]), 0.3)
    grasped = replace(
        _moved(observation, {"lime": lime}),
        pose_ee_in_world=ee,
        gripper=GripperState(width_m=0.0355, force_n=7.0),
    )
    assert (Atom("holding", ("lime",)) in grounder.facts(grasped)) == held


@pytest.mark.parametrize(
    ("share", "is_open"), [(0.0, False), (OPEN_FRACTION - 0.05, False), (0.5, True), (1.0, True)]
)
def test_drawers_open_and_shut(share: float, is_open: bool) -> None:
    grounder, observation = _observation("kitchen")
    travel = SCENES["kitchen"].objects["drawer"].travel_m
    facts = grounder.facts(replace(observation, openings_m={"drawer": share * travel}))
    assert (Atom("open", ("drawer",)) in facts) == is_open
    assert Atom("open", ("basket",)) in facts


def test_static_facts() -> None:
    grounder, observation = _observation("kitchen")
    for text in ("(has-color red-cup red)", "(fits sponge drawer)", "(stackable sponge)"):
        assert Atom.parse(text) in grounder.static_facts
    for text in ("(stackable apple)", "(stackable red-cup)", "(fits soda-can drawer)"):
        assert Atom.parse(text) not in grounder.static_facts
    assert grounder.static_facts <= grounder.facts(observation)
