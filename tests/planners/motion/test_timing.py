from __future__ import annotations

import numpy as np
import pytest
from embodied_planners.motion.timing import (
    JointLimits,
    resample,
    round_corners,
    time_parametrise,
)
from hypothesis import example, given, settings
from hypothesis import strategies as st

LIMITS = JointLimits(
    dq=np.array([1.8, 2.0, 3.0]),
    ddq=np.array([6.0, 5.0, 7.0]),
    dddq=np.array([500.0, 400.0, 500.0]),
)


def trajectory(path: np.ndarray, half_width: int = 20, **options):
    s, points = resample(path, LIMITS.dq, 150)
    return time_parametrise(s, round_corners(points, half_width), LIMITS, dt=0.01, **options)


def test_resample_is_even_in_the_time_of_the_fastest_joint():
    path = np.array([[0.0, 0.0, 0.0], [1.8, 0.0, 0.0], [1.8, 4.0, 0.0]])
    s, points = resample(path, LIMITS.dq, 31)
    assert s[-1] == pytest.approx(1.0 + 2.0)
    assert np.allclose(np.diff(s), 0.1)
    assert np.allclose(points[10], [1.8, 0.0, 0.0])


def test_rounding_keeps_ends_and_straight_lines():
    line = np.linspace(np.zeros(3), np.array([1.0, 2.0, 3.0]), 60)
    assert np.allclose(round_corners(line, 15), line)
    corner = np.vstack([line, line[-1] + line[1:] * [1.0, -1.0, 0.0]])
    rounded = round_corners(corner, 15)
    assert np.allclose(rounded[[0, -1]], corner[[0, -1]])
    assert np.allclose(rounded[:40], corner[:40])
    turn = np.diff(corner, n=2, axis=0)
    assert np.max(np.abs(np.diff(rounded, n=2, axis=0))) < 0.2 * np.max(np.abs(turn))


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(*[st.floats(-1.5, 1.5)] * 3), min_size=2, max_size=5),
    st.floats(0.2, 1.0),
)
@example(corners=[(0.0, 0.0, 0.0), (1.5, 0.0, 0.0), (-1.5, 0.0, 0.0), (1.0, 0.0, 0.0)], speed=1.0)
def test_limits_hold_on_any_path(corners: list[tuple[float, float, float]], speed: float):
    path = np.array(corners)
    if np.max(np.abs(np.diff(path, axis=0))) < 1e-3:
        return
    result = trajectory(path, speed=speed)
    assert np.allclose(result.q[0], path[0])
    assert np.allclose(result.q[-1], path[-1])
    assert np.all(np.abs(result.dq) <= 1.03 * speed * LIMITS.dq)
    assert np.all(np.abs(result.ddq) <= 1.05 * LIMITS.ddq)
    assert np.allclose(result.dq[[0, -1]], 0.0)


def test_velocity_is_the_derivative_of_position():
    result = trajectory(np.array([[0.0, 0.0, 0.0], [1.0, -0.5, 0.2], [0.3, 0.4, 0.9]]))
    middle = (result.q[2:] - result.q[:-2]) / (result.time[2:] - result.time[:-2])[:, None]
    assert np.max(np.abs(middle - result.dq[1:-1])) < 0.02


def test_a_long_straight_line_reaches_the_velocity_limit():
    result = trajectory(np.array([[0.0, 0.0, 0.0], [3.0, 0.0, 0.0]]))
    assert np.max(result.dq[:, 0]) == pytest.approx(LIMITS.dq[0], rel=0.01)
    # cruise at the limit plus one acceleration phase is the least there is
    assert result.duration_s < 3.0 / 1.8 + 1.8 / 6.0 + 0.1


def test_speed_scales_the_duration():
    path = np.array([[0.0, 0.0, 0.0], [1.0, 1.0, -1.0]])
    fast, slow = trajectory(path), trajectory(path, speed=0.5)
    assert slow.duration_s == pytest.approx(2 * fast.duration_s, rel=0.02)
    with pytest.raises(ValueError, match="speed"):
        trajectory(path, speed=0.0)


def test_no_motion_is_one_sample():
    path = np.zeros((2, 3))
    s, points = resample(path, LIMITS.dq, 50)
    result = time_parametrise(s, points, LIMITS, dt=0.01)
    assert result.duration_s == 0.0
    assert result.q.shape == (1, 3)
