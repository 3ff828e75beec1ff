from __future__ import annotations

import numpy as np
import pytest

from embodied.world.layout import LayoutError, fits, footprint_radius, sample_layout
from embodied.world.scene import load_scene, parse_scene, scene_names

TWO = """
name = "two"
[[item]]
name = "a"
category = "block"
size_m = [0.05, 0.05, 0.04]
[[item]]
name = "b"
category = "block"
size_m = [0.04, 0.04, 0.04]
[[container]]
name = "bin"
category = "bin"
size_m = [0.2, 0.2, 0.08]
position_m = [0.4, 0.45]
"""


@pytest.mark.parametrize("name", scene_names())
def test_items_on_the_table_keep_their_clearance(name: str) -> None:
    scene = load_scene(name)
    for seed in range(30):
        layout = sample_layout(scene, np.random.default_rng(seed))
        assert set(layout.poses) == set(scene.of_kind("item"))
        low = [
            (n, p)
            for n, p in layout.poses.items()
            if abs(p.position[2] - scene.objects[n].size_m[2] / 2) < 0.002
        ]
        for i, (a, pa) in enumerate(low):
            for b, pb in low[i + 1 :]:
                gap = np.linalg.norm(pa.position[:2] - pb.position[:2])
                gap -= footprint_radius(scene.objects[a]) + footprint_radius(scene.objects[b])
                assert gap >= scene.layout.clearance_m - 1e-9


def test_equal_seeds_give_equal_layouts() -> None:
    scene = load_scene("blocks")
    a, b, c = (sample_layout(scene, np.random.default_rng(s)) for s in (5, 5, 6))
    assert all(np.array_equal(a.poses[n].matrix, b.poses[n].matrix) for n in a.poses)
    assert not all(np.array_equal(a.poses[n].matrix, c.poses[n].matrix) for n in a.poses)


def test_stacks_come_when_asked_for() -> None:
    scene = load_scene("blocks")
    for seed in range(10):
        none = sample_layout(scene, np.random.default_rng(seed), stack_probability=0.0)
        assert max(p.position[2] for p in none.poses.values()) < 0.03
        many = sample_layout(scene, np.random.default_rng(seed), stack_probability=1.0)
        assert max(p.position[2] for p in many.poses.values()) > 0.06


def test_what_the_scene_places_stays_put_whatever_the_seed() -> None:
    scene = parse_scene(
        TWO
        + """
[layout.initial.a]
on = "table"
position_m = [0.5, 0.1]
yaw_deg = 90
[layout.initial.b]
on = "a"
yaw_deg = 0
"""
    )
    for seed in range(3):
        layout = sample_layout(scene, np.random.default_rng(seed))
        np.testing.assert_allclose(layout.poses["a"].position[:2], [0.5, 0.1])
        np.testing.assert_allclose(layout.poses["b"].position[:2], [0.5, 0.1])
        assert layout.poses["b"].position[2] == pytest.approx(0.06, abs=0.002)


def test_an_item_may_start_in_a_container() -> None:
    scene = parse_scene(TWO + '[layout.initial.b]\nin = "bin"')
    layout = sample_layout(scene, np.random.default_rng(0))
    assert np.all(np.abs(layout.poses["b"].position[:2] - [0.4, 0.45]) < 0.08)
    assert layout.poses["b"].position[2] < 0.04


def test_no_room_is_an_error_that_says_what_to_change() -> None:
    scene = parse_scene(
        TWO
        + "[layout]\nstack_probability = 0\nregion_lower_m = [0.4, 0]\n"
        + "region_upper_m = [0.41, 0.01]"
    )
    with pytest.raises(LayoutError, match=r"clearance_m smaller than 0\.03"):
        sample_layout(scene, np.random.default_rng(0))


def test_what_fits_where() -> None:
    kitchen = load_scene("kitchen").objects
    assert fits(kitchen["sponge"], kitchen["drawer"])
    assert not fits(kitchen["soda-can"], kitchen["drawer"])  # it would not close
    assert fits(kitchen["apple"], kitchen["bowl"])
