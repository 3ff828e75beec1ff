from __future__ import annotations

import numpy as np
import pytest
from embodied_planners.value_map import kernels
from embodied_planners.value_map.search import SearchResult, VoxelSearch, shorten, smooth
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import distance_transform_edt

SIDE = 24
SEARCH = VoxelSearch((SIDE,) * 3)


def cost_of(occupied: np.ndarray) -> np.ndarray:
    cost = np.ones(occupied.shape, np.float32)
    cost[occupied] = np.inf
    return cost


def find(occupied: np.ndarray, start: tuple[int, int, int], *ends: tuple[int, ...]) -> SearchResult:
    return SEARCH.find(cost_of(occupied), np.array(ends), np.zeros(len(ends), np.float32), start)


def nothing() -> np.ndarray:
    return np.zeros((SIDE,) * 3, np.bool_)


@given(seed=st.integers(0, 10_000), share=st.sampled_from([0.0, 0.002, 0.05, 0.4]))
@settings(max_examples=25, deadline=None)
def test_distances_are_the_exact_euclidean_ones_cut_off(seed: int, share: float) -> None:
    occupied = np.random.default_rng(seed).random((SIDE, 17, 9)) < share
    search = VoxelSearch(occupied.shape)
    out = np.empty(occupied.shape, np.float32)
    search.distance(occupied, 7, 0.01, out)
    exact = distance_transform_edt(~occupied) if occupied.any() else np.full(occupied.shape, 99.0)
    np.testing.assert_allclose(out, np.minimum(exact, 7.0) * 0.01, atol=1e-6)


def test_a_reach_that_does_not_fit_a_byte_is_refused() -> None:
    with pytest.raises(ValueError, match="1 to 11"):
        SEARCH.distance(nothing(), 12, 0.01, np.empty((SIDE,) * 3, np.float32))


def test_the_way_through_nothing_is_as_short_as_voxels_allow() -> None:
    result = find(nothing(), (2, 2, 2), (20, 2, 2))
    assert result.cost == pytest.approx(18.0)
    assert result.path[0] == pytest.approx([2.5, 2.5, 2.5])
    assert result.path[-1] == pytest.approx([20.5, 2.5, 2.5])


def test_it_leaves_a_trap_by_its_mouth() -> None:
    occupied = nothing()
    occupied[4:16, 4:20, 4:20] = True
    occupied[4:14, 6:18, 6:18] = False  # open towards -x, the target is behind its back
    result = find(occupied, (10, 12, 12), (21, 12, 12))
    assert result.found
    assert result.path[:, 0].min() < 5.0
    voxels = np.floor(result.path).astype(int)
    assert not occupied[tuple(voxels.T)].any()


def test_it_finds_the_window_in_a_wall() -> None:
    occupied = nothing()
    occupied[11] = True
    occupied[11, 19:21, 3:5] = False
    result = find(occupied, (3, 4, 18), (20, 4, 18))
    through = result.path[np.abs(result.path[:, 0] - 11.5) < 0.1]
    assert result.found
    assert np.all((through[:, 1] > 19) & (through[:, 1] < 21))


def test_unreachable_is_an_answer() -> None:
    occupied = nothing()
    occupied[11] = True
    assert not find(occupied, (3, 4, 18), (20, 4, 18)).found


@pytest.mark.parametrize("seed", range(20))
def test_ways_are_free_and_hardly_dearer_than_the_cheapest(seed: int) -> None:
    # Of such fields, noise with three voxels of ten blocked, 3 in 2,500 pass 1.35, up to 1.50.
    rng = np.random.default_rng(seed)
    cost = np.ones((SIDE,) * 3, np.float32) + 3 * rng.random((SIDE,) * 3).astype(np.float32)
    cost[rng.random((SIDE,) * 3) < 0.3] = np.inf
    start, end = (1, 1, 1), (22, 21, 20)
    cost[start] = cost[end] = 1.0
    result = SEARCH.find(cost, np.array([end]), np.zeros(1, np.float32), start)
    best = dijkstra(cost, start)[end]
    assert result.found == np.isfinite(best)
    if result.found:
        assert result.cost <= 1.35 * best
        steps = np.abs(np.diff(result.path, axis=0)).max(axis=1)
        assert np.all(steps == 1.0)


def dijkstra(cost: np.ndarray, start: tuple[int, int, int]) -> np.ndarray:
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import dijkstra as solve

    index = np.arange(cost.size).reshape(cost.shape)
    rows, columns, weights = [], [], []
    for step in np.ndindex(3, 3, 3):
        d = np.array(step) - 1
        if not d.any():
            continue
        a = tuple(slice(max(0, -k), SIDE - max(0, k)) for k in d)
        b = tuple(slice(max(0, k), SIDE - max(0, -k)) for k in d)
        weight = np.linalg.norm(d) * (cost[a] + cost[b]) / 2
        ok = np.isfinite(weight)
        rows.append(index[a][ok])
        columns.append(index[b][ok])
        weights.append(weight[ok])
    graph = coo_matrix(
        (np.concatenate(weights), (np.concatenate(rows), np.concatenate(columns))),
        shape=(cost.size, cost.size),
    )
    return solve(graph.tocsr(), indices=int(np.ravel_multi_index(start, cost.shape))).reshape(
        cost.shape
    )


def test_the_nearest_of_several_ends_is_taken_unless_it_costs_more() -> None:
    ends = np.array([[6, 2, 2], [12, 2, 2]])
    cost = cost_of(nothing())
    near = SEARCH.find(cost, ends, np.zeros(2, np.float32), (2, 2, 2))
    far = SEARCH.find(cost, ends, np.array([50.0, 0.0], np.float32), (2, 2, 2))
    assert near.path[-1][0] == pytest.approx(6.5)
    assert far.path[-1][0] == pytest.approx(12.5)


def test_shortcuts_and_rounding_stay_free_and_do_not_cost_more() -> None:
    occupied = nothing()
    occupied[10:13, :16, :] = True
    cost = cost_of(occupied)
    result = find(occupied, (3, 3, 12), (20, 3, 12))
    corners = shorten(cost, result.path)
    curve = smooth(corners, lambda p: kernels.polyline_cost(cost, p), spacing=0.5, width=6.0)
    assert len(corners) < len(result.path)
    assert kernels.polyline_cost(cost, corners) <= kernels.polyline_cost(cost, result.path) + 1e-6
    assert np.isfinite(kernels.polyline_cost(cost, curve))
    np.testing.assert_allclose(curve[[0, -1]], result.path[[0, -1]])


def test_warming_up_compiles_everything_that_planning_uses() -> None:
    from embodied_planners.value_map import warm_up

    warm_up()
    compiled = [
        kernels.distance_to_occupied,
        kernels.travel_cost,
        kernels.coarse_grid,
        kernels.coarse_cost_to_go,
        kernels.shortest_path,
        kernels.reachable,
        kernels.skip_corners,
        kernels.polyline_cost,
    ]
    before = [len(k.signatures) for k in compiled]
    assert min(before) >= 1
    occupied = nothing()
    occupied[11] = True
    find(occupied, (3, 4, 18), (20, 4, 18))
    shorten(cost_of(nothing()), find(nothing(), (2, 2, 2), (9, 5, 2)).path)
    assert [len(k.signatures) for k in compiled] == before  # nothing new had to be compiled
