from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embodied.perception import shapes
from embodied.types import ObjectSpec, Pose


def thing(shape: str, size: tuple[float, float, float], **more: object) -> ObjectSpec:
    return ObjectSpec(name="thing", kind="item", category="thing", shape=shape, size_m=size, **more)  # pyright: ignore[reportArgumentType]


BOX = thing("box", (0.09, 0.05, 0.04))
CYLINDER = thing("cylinder", (0.06, 0.06, 0.08))
SPHERE = thing("sphere", (0.05, 0.05, 0.05))
BIN = thing("box", (0.2, 0.16, 0.06), inner_size_m=(0.188, 0.148, 0.054))
ALL = (BOX, CYLINDER, SPHERE, BIN)


def surface_points(spec: ObjectSpec, n: int, rng: np.random.Generator) -> np.ndarray:
    """Points on the outer surface but the bottom, in the object's frame."""
    half = np.array(spec.size_m) / 2
    if spec.shape == "sphere":
        p = rng.standard_normal((n, 3))
        p = half[0] * p / np.linalg.norm(p, axis=1)[:, None]
        return p[p[:, 2] > -0.8 * half[0]]
    angle = rng.uniform(0, 2 * math.pi, n)
    z = rng.uniform(-half[2], half[2], n)
    top = rng.random(n) < 0.4
    if spec.shape == "cylinder":
        r = np.where(top, half[0] * np.sqrt(rng.random(n)), half[0])
        z = np.where(top, half[2], z)
        return np.column_stack([r * np.cos(angle), r * np.sin(angle), z])
    p = rng.uniform(-1, 1, (n, 3)) * half
    side = rng.integers(0, 2, n)
    p[np.arange(n), side] = half[side] * rng.choice([-1, 1], n)
    if any(spec.inner_size_m):
        return p
    p[top, :2] = rng.uniform(-1, 1, (top.sum(), 2)) * half[:2]
    p[top, 2] = half[2]
    return p


@pytest.mark.parametrize("spec", ALL, ids=lambda s: f"{s.shape}-{len(s.inner_size_m)}")
def test_distance_is_zero_on_the_surface_and_gradients_have_unit_length(spec: ObjectSpec) -> None:
    points = surface_points(spec, 300, np.random.default_rng(0))
    distance, gradient = shapes.signed_distance(spec, points)
    np.testing.assert_allclose(distance, 0.0, atol=1e-9)
    np.testing.assert_allclose(np.linalg.norm(gradient, axis=1), 1.0, atol=1e-9)


@given(seed=st.integers(0, 10_000), which=st.sampled_from(ALL))
@settings(max_examples=40)
def test_gradient_is_the_slope_of_the_distance(seed: int, which: ObjectSpec) -> None:
    rng = np.random.default_rng(seed)
    points = rng.uniform(-0.15, 0.15, (40, 3))
    distance, gradient = shapes.signed_distance(which, points)
    step = 1e-6
    further, _ = shapes.signed_distance(which, points + step * gradient)
    slope = (further - distance) / step
    # Kinks, where two faces are equally near, are of measure zero.
    assert np.mean(np.abs(slope - 1.0) < 1e-2) > 0.95


def test_distance_is_negative_inside_and_positive_in_the_hollow_of_a_container() -> None:
    inside, _ = shapes.signed_distance(BOX, np.zeros((1, 3)))
    hollow, _ = shapes.signed_distance(BIN, np.zeros((1, 3)))
    assert inside[0] < 0.0 < hollow[0]


@given(seed=st.integers(0, 10_000), which=st.sampled_from(ALL))
@settings(max_examples=30)
def test_fit_recovers_the_pose_from_noisy_points(seed: int, which: ObjectSpec) -> None:
    rng = np.random.default_rng(seed)
    yaw = rng.uniform(-math.pi, math.pi)
    truth = Pose(
        position=rng.uniform([0.3, -0.3, 0.02], [0.6, 0.3, 0.1]),
        quat_wxyz=np.array([math.cos(yaw / 2), 0, 0, math.sin(yaw / 2)]),
    )
    points = truth.apply(surface_points(which, 500, rng))
    points += rng.normal(0.0, 0.001, points.shape)
    fits = [shapes.fit(which, points, start) for start in shapes.starts(which, points)]
    best = min(fits, key=lambda f: f.cost_m)
    assert np.linalg.norm(best.pose.position - truth.position) < 0.002
    assert best.rms_m < 0.002
    assert np.all(best.position_std_m < 0.004)


def test_fit_says_which_direction_it_does_not_know() -> None:
    rng = np.random.default_rng(3)
    p = rng.uniform(-0.5, 0.5, (200, 3)) * np.array(BOX.size_m)
    p[:, 2] = BOX.size_m[2] / 2  # nothing but the middle of the top is seen
    p[:, :2] *= 0.6
    start = Pose(position=np.array([0.004, 0.0, 0.003]), quat_wxyz=np.array([1.0, 0, 0, 0]))
    std = shapes.fit(BOX, p, start).position_std_m
    assert std[2] < 0.002
    assert std[0] > 0.01 and std[1] > 0.01


def test_extents_reach_down_to_the_support() -> None:
    rng = np.random.default_rng(1)
    pose = Pose(position=np.array([0.4, 0.1, 0.02]), quat_wxyz=np.array([1.0, 0, 0, 0]))
    points = pose.apply(surface_points(BOX, 4000, rng))
    points = points[points[:, 2] > 0.006]
    np.testing.assert_allclose(shapes.extents(BOX, pose, points, 0.0), BOX.size_m, atol=0.002)


def test_tightest_rectangle() -> None:
    rng = np.random.default_rng(2)
    yaw = math.radians(33.0)
    turn = np.array([[math.cos(yaw), -math.sin(yaw)], [math.sin(yaw), math.cos(yaw)]])
    xy = (rng.uniform(-0.5, 0.5, (3000, 2)) * [0.1, 0.04]) @ turn.T + [0.5, -0.2]
    center, found, size = shapes.tightest_rectangle(xy)
    np.testing.assert_allclose(center, [0.5, -0.2], atol=0.002)
    assert found == pytest.approx(yaw, abs=math.radians(2.0))
    np.testing.assert_allclose(size, [0.1, 0.04], atol=0.006)
