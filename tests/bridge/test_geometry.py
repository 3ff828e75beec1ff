"""The arm's bounds: nothing moves farther, and no singularity comes faster, than they say."""

from __future__ import annotations

from dataclasses import replace

import mujoco
import numpy as np
import pytest

from embodied.bridge.geometry import BUBBLE_M, ArmGeometry
from embodied.bridge.limits import KeepOut, SafetyLimits, load_limits, shipped_limits
from embodied.types import Array
from embodied.world.scene import load_scene

SCENE = load_scene("kitchen")
FR3 = load_limits(shipped_limits("fr3-simulated"))
HOME = np.array([0.0, -np.pi / 4, 0.0, -3 * np.pi / 4, 0.0, np.pi / 2, np.pi / 4])


@pytest.fixture(scope="module", params=["fr3-simulated", "ur5e-emulated"])
def limits(request: pytest.FixtureRequest) -> SafetyLimits:
    return load_limits(shipped_limits(request.param))


@pytest.fixture(scope="module")
def geometry(limits: SafetyLimits) -> ArmGeometry:
    return ArmGeometry(replace(limits, scenes=()), SCENE)


def pairs(limits: SafetyLimits, count: int) -> list[tuple[Array, Array]]:
    """Configurations within the range, and others at a distance from far to near."""
    rng = np.random.default_rng(0)
    found: list[tuple[Array, Array]] = []
    for _ in range(count):
        q = rng.uniform(limits.q_lower, limits.q_upper)
        away = rng.normal(size=len(q)) * 10.0 ** rng.uniform(-3, 0)
        if rng.random() < 0.5:  # one joint alone
            away *= np.eye(len(q))[rng.integers(len(q))]
        found.append((q, np.clip(q + away, limits.q_lower, limits.q_upper)))
    return found


def test_no_part_moves_farther_than_reach_times_angle(
    limits: SafetyLimits, geometry: ArmGeometry
) -> None:
    radius = geometry.model.geom_rbound
    nearest_to_bound = 0.0
    for a, b in pairs(limits, 300):
        turned = np.abs(b - a)
        places: list[Array] = []
        for q in (a, b):
            geometry.place(q)
            at, turn = geometry.data.geom_xpos, geometry.data.geom_xmat.reshape(-1, 3, 3)
            # Six points of the ball around each part, fixed to it.
            offsets = [s * radius[:, None] * turn[:, :, i] for i in range(3) for s in (1, -1)]
            places.append(np.stack([at + offset for offset in offsets]))
        moved = float(np.linalg.norm(places[1] - places[0], axis=2).max())
        bound = float(geometry.reach_m @ turned)
        assert moved <= bound + 1e-9
        nearest_to_bound = max(nearest_to_bound, moved / max(bound, 1e-9))
    assert nearest_to_bound > 0.5  # else the bound would be of no use


def test_hand_and_elbow_keep_to_their_bounds(limits: SafetyLimits, geometry: ArmGeometry) -> None:
    beyond = np.maximum.accumulate(geometry.point_reach_m[::-1])[::-1]
    for a, b in pairs(limits, 300):
        turned = np.abs(b - a)
        here, there = geometry.posture(a), geometry.posture(b)
        moved = np.linalg.norm(np.subtract(geometry.points(a), geometry.points(b)), axis=1)
        assert np.all(moved <= turned @ geometry.point_reach_m + 1e-9)
        change = abs(there.least_singular_value - here.least_singular_value)
        assert change <= geometry.singular_slope @ turned + 1e-9
        dq = np.random.default_rng(len(moved)).normal(size=len(a))
        bend = turned.sum() * (np.abs(dq) @ beyond)
        velocities = (dq @ there.jacobian - dq @ here.jacobian).reshape(2, 3)
        assert np.all(np.linalg.norm(velocities, axis=1) <= bend + 1e-9)


def test_the_jacobian_is_the_derivative_of_the_points(geometry: ArmGeometry) -> None:
    q = np.full(len(geometry.reach_m), 0.7)
    step = 1e-6
    jacobian = geometry.posture(q).jacobian
    for i, unit in enumerate(np.eye(len(q))):
        there, back = geometry.points(q + step * unit), geometry.points(q - step * unit)
        found = (np.concatenate(there) - np.concatenate(back)) / (2 * step)
        np.testing.assert_allclose(found, jacobian[i], atol=1e-6)


def test_distances_are_known_as_far_as_the_bubble_says() -> None:
    """A wall that comes nearer to the hand is seen from the bubble's edge on, wherever it is."""
    ee = ArmGeometry(FR3, SCENE).points(HOME)[0]
    for gap in (0.9 * BUBBLE_M, 0.5 * BUBBLE_M, 0.01):
        lower = ee + [0.15, -0.3, -0.3]
        wall = KeepOut(name="wall", lower=lower, upper=lower + [0.1, 0.6, 0.6])
        geometry = ArmGeometry(replace(FR3, keep_out=(wall,)), SCENE)
        box = int(geometry.model.geom("keep-out wall").id)
        geometry.place(HOME)
        hand = [int(a) for a, b in geometry.pairs if b == box]
        assert len(hand) > 10
        least = min(
            mujoco.mj_geomDistance(geometry.model, geometry.data, g, box, 1.0, None) for g in hand
        )
        geometry.data.geom_xpos[box][0] += gap - least  # it is fixed: nothing computes that again
        found = geometry.nearest(HOME)
        assert found.margin_m <= gap - min(FR3.clearance_m, FR3.hand_clearance_m) + 1e-3
        assert found.margin_m < BUBBLE_M
