from __future__ import annotations

import numpy as np
import pytest
from embodied_planners.motion.search import interpolate, line_is_valid, rrt_connect, shortcut

LOW, HIGH = np.array([-1.0, -1.0]), np.array([1.0, 1.0])
START, GOAL = np.array([-0.9, -0.5]), np.array([0.9, -0.5])


def around_wall(q: np.ndarray) -> bool:
    """A wall at x = 0 with a way round it at y > 0.8."""
    return not (abs(q[0]) < 0.1 and q[1] < 0.8)


def closed_wall(q: np.ndarray) -> bool:
    return abs(q[0]) > 0.1


def search(valid, seed: int = 3, **options):
    return rrt_connect(START, GOAL, valid, lower=LOW, upper=HIGH, seed=seed, **options)


def test_interpolate_keeps_the_step_and_both_ends():
    points = interpolate(np.zeros(2), np.array([1.0, 0.25]), 0.1)
    assert np.allclose(points[0], 0.0)
    assert np.allclose(points[-1], [1.0, 0.25])
    assert np.max(np.abs(np.diff(points, axis=0))) <= 0.1 + 1e-12


def test_line_sees_a_thin_wall():
    assert line_is_valid(START, GOAL, lambda q: True, 0.01)
    assert not line_is_valid(START, GOAL, lambda q: abs(q[0]) > 0.006, 0.01)


def test_line_checks_every_interior_point_once():
    seen: list[float] = []
    assert line_is_valid(START, GOAL, lambda q: not seen.append(q[0]), 0.1)
    expected = interpolate(START, GOAL, 0.1)[1:-1, 0]
    assert sorted(seen) == pytest.approx(expected)


@pytest.mark.parametrize("seed", range(5))
def test_path_around_a_wall_is_valid_along_its_edges(seed: int):
    result = search(around_wall, seed)
    assert result.found
    assert np.allclose(result.path[0], START)
    assert np.allclose(result.path[-1], GOAL, atol=1e-6)
    for a, b in zip(result.path[:-1], result.path[1:], strict=True):
        assert line_is_valid(a, b, around_wall, 0.03)


def test_equal_seeds_give_equal_paths_and_others_differ():
    first, again, other = search(around_wall), search(around_wall), search(around_wall, seed=4)
    assert np.array_equal(first.path, again.path)
    assert first.checks == again.checks
    assert first.path.shape != other.path.shape or not np.allclose(first.path, other.path)


def test_no_path_is_a_value():
    result = search(closed_wall, max_checks=500)
    assert not result.found
    assert result.path.shape == (0, 2)


def test_shortcut_shortens_and_stays_valid():
    path = search(around_wall).path
    short = shortcut(path, around_wall, np.random.default_rng(0), step=0.03)

    def length(points: np.ndarray) -> float:
        return float(np.linalg.norm(np.diff(points, axis=0), axis=1).sum())

    assert length(short) < length(path)
    assert np.allclose(short[0], START)
    assert np.allclose(short[-1], GOAL, atol=1e-6)
    for a, b in zip(short[:-1], short[1:], strict=True):
        assert line_is_valid(a, b, around_wall, 0.03)


def test_shortcut_of_a_detour_in_free_space_is_the_straight_line():
    path = np.array([[0.0, 0.0], [0.2, 1.0], [1.0, 0.0]])
    short = shortcut(path, lambda q: True, np.random.default_rng(0))
    assert np.allclose(short, path[[0, -1]])
