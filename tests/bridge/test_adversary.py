"""What somebody who knows the code tries: on the filter, on the geometry, on the supervisor."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import mujoco
import numpy as np
import pytest

from embodied.bridge.filter import SafetyFilter
from embodied.bridge.geometry import ArmGeometry
from embodied.bridge.limits import KeepOut, SafetyLimits, load_limits, shipped_limits
from embodied.bridge.messages import Acknowledgement, Verdict
from embodied.bridge.testing.resting import RestingArm
from embodied.types import Array
from embodied.world.scene import load_scene

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))

from bridge_checker import Checker  # noqa: E402

LIMITS = load_limits(shipped_limits("fr3-simulated"))
SCENE = load_scene("blocks")
GEOMETRY = ArmGeometry(LIMITS, SCENE)
HOME = np.array([0.0, -np.pi / 4, 0.0, -3 * np.pi / 4, 0.0, np.pi / 2, np.pi / 4])
DOWN = np.eye(7)[1]
WAIT_S = 30.0


def arm_at(q: Array, limits: SafetyLimits = LIMITS, geometry: ArmGeometry = GEOMETRY) -> RestingArm:
    """An arm with a gripper that is open by 40 mm."""
    return RestingArm(limits, geometry, q, 0.04)


def just_above(geometry: ArmGeometry, margin_m: float = 0.0, turned: Array = HOME) -> Array:
    """Lowered onto the table until this margin is left."""
    above, below = 0.0, 1.9
    for _ in range(50):
        middle = (above + below) / 2
        near = geometry.nearest(turned + middle * DOWN).margin_m
        above, below = (middle, below) if near > margin_m else (above, middle)
    return turned + above * DOWN


# ---------------------------------------------------------------------- distances


def test_a_pair_that_the_collision_routine_misses_is_seen() -> None:
    """MuJoCo finds a capsule whose axis crosses a flat box apart from it; it is not."""
    limits = replace(load_limits(shipped_limits("ur5e-emulated")), scenes=())
    geometry = ArmGeometry(limits, load_scene("kitchen"))
    model, data = geometry.model, geometry.data
    capsule = int(mujoco.mjtGeom.mjGEOM_CAPSULE)
    table = next(g for g in range(model.ngeom) if model.geom(g).name.startswith("table")
                 or model.body(int(model.geom_bodyid[g])).name == "table")  # fmt: skip
    arms = [int(a) for a, b in geometry.pairs if b == table and model.geom_type[a] == capsule]
    rng, missed, crossed = np.random.default_rng(0), 0, 0
    for _ in range(4000):
        q = rng.uniform(limits.q_lower, limits.q_upper)
        geometry.place(q)
        for a in arms:
            along = np.linspace(-1, 1, 41)[:, None] * model.geom_size[a, 1]
            points = data.geom_xpos[a] + along * data.geom_xmat[a].reshape(3, 3)[:, 2]
            inside = np.abs(points - data.geom_xpos[table]) < model.geom_size[table]
            if not inside.all(axis=1).any():
                continue
            crossed += 1
            missed += mujoco.mj_geomDistance(model, data, a, table, 1.0, None) > -0.01
            assert geometry.nearest(q).margin_m < -0.01
            geometry.place(q)
    assert crossed > 20
    assert missed > 0  # else the second computation would be of no use


@pytest.mark.parametrize("scene", ["blocks", "kitchen"])
def test_distances_agree_with_a_checker_that_shares_no_code(scene: str) -> None:
    checker = Checker(LIMITS, load_scene(scene))
    geometry = ArmGeometry(LIMITS, load_scene(scene))
    geometry.set_gap(0.03, 0.03)
    rng, both = np.random.default_rng(1), 0
    for _ in range(500):
        q = rng.uniform(LIMITS.q_lower, LIMITS.q_upper)
        margin = geometry.nearest(q).margin_m
        depth, which = checker.depth(q[None], np.array([0.03]))
        assert depth == 0.0 or margin < 0.0, f"{which}: {depth} against {margin}"
        if margin < -0.02:
            both += depth > 0.0
    assert both > 20


def test_the_checker_finds_what_it_should() -> None:
    checker = Checker(LIMITS, SCENE)
    low = HOME + 1.7 * DOWN
    depth, which = checker.depth(low[None], np.array([0.04]))
    assert depth > 0.01 and "table" in which
    assert list(checker.motion(np.stack([HOME, HOME + 0.1])))
    assert any("end effector" in f for f in checker.places(np.stack([HOME, HOME + 0.1])))
    assert checker.depth(HOME[None], np.array([0.04])) == (0.0, "")


# ------------------------------------------------------------------------- motion


@pytest.mark.parametrize("sag", [0.0, 2e-5, 1e-3])
def test_taking_over_again_and_again_renews_no_slack(sag: float) -> None:
    """300 times enable and two tiny steps went 3.2 mm into a box."""
    wall = KeepOut(name="wall", lower=np.array([0.2, -0.5, -0.1]), upper=np.array([0.9, 0.5, 0.2]))
    limits = replace(LIMITS, keep_out=(wall,))
    geometry = ArmGeometry(limits, SCENE)
    geometry.set_gap(0.04, 0.04)
    arm = arm_at(just_above(geometry), limits, geometry)
    worst = 0.0
    for _ in range(300):
        arm.number += 1
        arm.filter.start(arm.state(arm.filter.q + sag * DOWN))
        for _ in range(2):
            arm.ask(arm.filter.q + 1e-5 * DOWN)
        worst = min(worst, geometry.nearest(arm.filter.q).margin_m)
    assert worst > -1.1e-3 if sag else worst > -3e-5
    arm.filter.latch_code("emergency_stop")
    arm.filter.recover(Acknowledgement(operator="test", statement="it was moved away"))
    arm.number += 1
    assert arm.filter.start(arm.state(HOME)) == ()  # a person may


def test_an_arm_that_sags_from_take_over_to_take_over_is_given_up() -> None:
    arm, q = arm_at(HOME), HOME.copy()
    for _ in range(1000):
        arm.number += 1
        problems = arm.filter.start(arm.state(arm.filter.q + 0.004 * DOWN))
        if problems:
            break
    assert [p.code for p in problems] == ["drift"]
    assert np.max(np.abs(arm.filter.q - q)) <= LIMITS.tracking_error_rad


def test_a_clock_that_goes_at_another_rate_is_noticed() -> None:
    for rate in (0.3, 3.0):
        safety = SafetyFilter(LIMITS, GEOMETRY)
        found: list[str] = []
        rest = arm_at(HOME).state(HOME)
        assert safety.start(rest) == ()
        for k in range(1, 1000):
            state = replace(
                rest, sequence=k, source_time_s=0.01 * rate * k, receive_time_s=0.01 * k
            )
            found += [r.code for r in safety.judge(None, state, 0.01 * k).reasons]
        assert "clock_jump" in found


# ------------------------------------------------------------------------- gripper


def over_the_rim() -> tuple[ArmGeometry, Array, SafetyLimits]:
    """The fingers beside a wall: open, they would go into it."""
    ee, _ = GEOMETRY.points(HOME)
    wall = KeepOut(name="wall", lower=ee + [-0.1, 0.03, -0.05], upper=ee + [0.1, 0.2, 0.02])
    limits = replace(LIMITS, keep_out=(wall,))
    return ArmGeometry(limits, SCENE), HOME, limits


def test_fingers_do_not_open_into_things() -> None:
    geometry, q, limits = over_the_rim()
    arm = arm_at(q, limits, geometry)
    arm.gap_m = arm.told_m = 0.01
    arm.ask(q)
    for _ in range(100):
        arm.ask(q, 0.08)
        arm.move_fingers()
    assert "collision" in arm.codes
    geometry.set_gap(arm.gap_m, arm.gap_m)
    assert geometry.nearest(q).margin_m > -3e-5
    checker = Checker(limits, SCENE)
    assert checker.depth(q[None], np.array([arm.gap_m]))[0] == 0.0
    assert checker.depth(q[None], np.array([0.08]))[0] > 0.005  # it was asked for


def held_above(plate_m: float, block_m: float, scene: str) -> float:
    """How far the end effector stays above a plate with something between the fingers, m."""
    ee, _ = GEOMETRY.points(HOME)
    top = ee[2] - plate_m
    plate = KeepOut(name="plate", lower=np.array([0.2, -0.5, top - 0.02]),
                    upper=np.array([0.9, 0.5, top]))  # fmt: skip
    limits = replace(LIMITS, keep_out=(plate,), scenes=())
    geometry = ArmGeometry(limits, load_scene(scene))
    arm = arm_at(HOME, limits, geometry)
    arm.gap_m = arm.told_m = 0.08
    for _ in range(60):
        arm.ask(HOME, 0.02)
        arm.move_fingers(block_m)
    for k in range(3000):
        if arm.ask(arm.filter.q + 0.0004 * min(1.0, k / 20) * DOWN).verdict is Verdict.REJECT:
            break
    assert "collision" in arm.codes
    for _ in range(50):
        arm.ask(None)
    return float(geometry.points(arm.filter.q)[0][2]) - top


def test_what_is_held_is_part_of_the_arm() -> None:
    """With a block between the fingers, the hand stays farther from a plate than without."""
    # Half the cube, less what it may be pressed on and what the finger itself reaches below.
    assert held_above(0.15, 0.06, "blocks") - held_above(0.15, 0.0, "blocks") > 0.003


def test_what_is_held_may_be_as_long_as_a_thing_of_that_width() -> None:
    """A brick of the workshop, 45 mm wide, is 90 mm long: whichever way it is held."""
    assert held_above(0.2, 0.045, "workshop") - held_above(0.2, 0.045, "blocks") > 0.02
