"""Clouds, colours and camera faults on made-up images: no simulator."""

from __future__ import annotations

import math

import numpy as np
import pytest

from embodied.perception.cameras import SensorFaults, spoil
from embodied.perception.cloud import (
    Fuser,
    one_per_voxel,
    smoothed,
    strongest_plane,
    usable_views,
)
from embodied.perception.colors import color_word, label_colors
from embodied.perception.colour_shape import dbscan
from embodied.types import CameraImage, CameraSpec, Pose
from embodied.world.scene import COLORS

ABOVE = CameraSpec(
    name="above",
    width_px=160,
    height_px=120,
    fovy_rad=math.radians(45),
    pose_camera_in_world=Pose(
        position=np.array([0.4, 0.0, 1.5]), quat_wxyz=np.array([1.0, 0, 0, 0])
    ),
)
LOWER, UPPER = np.array([-0.3, -0.6, -0.05]), np.array([0.9, 0.6, 1.2])


def step_image(height_m: float = 0.1) -> CameraImage:
    """A table at z = 0, the right half of it covered by a step."""
    depth = np.full((120, 160), 1.5, dtype=np.float32)
    depth[:, 80:] -= height_m
    return CameraImage(rgb=np.full((120, 160, 3), 128, dtype=np.uint8), depth=depth)


def test_cloud_lies_where_the_camera_saw_it() -> None:
    views, reasons = usable_views({"above": step_image()}, {"above": ABOVE}, ("above",))
    assert reasons == ()
    fuser = Fuser(LOWER, UPPER)
    plane = fuser.table_plane(views)
    assert plane is not None
    assert plane[0] == pytest.approx(0.0, abs=1e-4)
    cloud = fuser.fuse(
        views, table_height_m=0.0, noise_m=0.0, robot=None, q=np.zeros(0), gripper_width_m=None
    )
    points = cloud.points_in_world
    np.testing.assert_allclose(points[:, 2], 0.1, atol=1e-4)
    assert points[:, 0].min() == pytest.approx(0.4, abs=0.01)  # camera x is world x here
    edge = 1.4 * math.tan(math.radians(22.5)) * 160 / 120
    assert points[:, 0].max() == pytest.approx(min(0.9, 0.4 + edge), abs=0.02)
    pixels, depth = views["above"].project(points)
    np.testing.assert_allclose(depth, 1.4, atol=1e-4)
    np.testing.assert_allclose(
        np.rint(pixels[:, 1]) * 160 + np.rint(pixels[:, 0]), cloud.pixel, atol=0
    )


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        (None, "no image"),
        (
            CameraImage(rgb=np.zeros((4, 4, 3), np.uint8), depth=np.zeros((0, 0), np.float32)),
            "no depth",
        ),
        (
            CameraImage(
                rgb=np.zeros((4, 4, 3), np.uint8), depth=np.full((4, 4), np.nan, np.float32)
            ),
            "unknown in every pixel",
        ),
        (
            CameraImage(rgb=np.zeros((3, 4, 3), np.uint8), depth=np.ones((4, 4), np.float32)),
            "do not fit together",
        ),
    ],
)
def test_bad_images_are_reasons(image: CameraImage | None, reason: str) -> None:
    images = {} if image is None else {"above": image}
    views, reasons = usable_views(images, {"above": ABOVE}, ("above",))
    assert views == {}
    assert len(reasons) == 1 and reason in reasons[0]


def test_unknown_cameras_are_named_with_the_known_ones() -> None:
    _, reasons = usable_views({}, {"above": ABOVE}, ("behind",))
    assert "'behind'" in reasons[0] and "above" in reasons[0]


def test_smoothing_keeps_steps_and_unknown_pixels() -> None:
    rng = np.random.default_rng(0)
    image = step_image(0.1)
    noisy = image.depth + rng.normal(0.0, 0.004, image.depth.shape).astype(np.float32)
    noisy[5, 5] = np.nan
    smooth = smoothed(noisy, np.arange(noisy.size), 0.016).reshape(noisy.shape)
    assert np.isnan(smooth[5, 5]) and np.isnan(smooth).sum() == 1
    error = np.nanstd(smooth - image.depth)
    assert error < 0.5 * 0.004
    middle = smooth[10:110, 76:84] - image.depth[10:110, 76:84]
    assert np.abs(middle).max() < 0.02


def test_noise_is_measured_and_none_of_it_becomes_points() -> None:
    faults = SensorFaults(noise_std_m=0.002)
    flat = CameraImage(rgb=step_image().rgb, depth=np.full((120, 160), 1.5, np.float32))
    image = spoil(flat, faults, np.random.default_rng(0))
    views, _ = usable_views({"above": image}, {"above": ABOVE}, ("above",))
    fuser = Fuser(LOWER, UPPER)
    plane = fuser.table_plane(views)
    assert plane is not None
    height, noise = plane
    assert abs(height) < 0.003
    assert noise == pytest.approx(0.002 * 1.5**2, rel=0.25)
    cloud = fuser.fuse(
        views, table_height_m=height, noise_m=noise, robot=None, q=np.zeros(0), gripper_width_m=None
    )
    assert len(cloud) < 0.01 * 120 * 160


def test_faults_of_cameras_are_as_large_as_told() -> None:
    image, rng = step_image(), np.random.default_rng(0)
    noisy = spoil(image, SensorFaults(noise_std_m=0.002), rng)
    assert np.std(noisy.depth - image.depth) == pytest.approx(0.002 * 1.45**2, rel=0.1)
    dropped = spoil(image, SensorFaults(dropout=0.3), rng)
    assert np.isnan(dropped.depth).mean() == pytest.approx(0.3, abs=0.02)
    patched = spoil(image, SensorFaults(patches=2, patch_px=20), rng)
    assert 0 < np.isnan(patched.depth).sum() <= 800
    assert np.isfinite(image.depth).all()


def test_colour_words_do_not_depend_on_shading() -> None:
    words = tuple(COLORS)
    chromatic = ("red", "green", "blue", "yellow", "orange", "purple", "pink", "cyan")
    for word in chromatic:
        for light in (0.55, 0.8, 1.0):
            rgb = np.clip(np.array(COLORS[word][:3]) * light * 255, 0, 255).astype(np.uint8)
            assert words[label_colors(rgb[None], words)[0]] == word
            assert color_word(np.repeat(rgb[None], 5, axis=0)) == word


def test_colours_that_are_none_of_the_words() -> None:
    rgb = np.array([[30, 200, 60]], dtype=np.uint8)
    assert label_colors(rgb, ("red", "purple"))[0] == -1
    assert len(label_colors(np.zeros((0, 3), np.uint8), ("red",))) == 0
    with pytest.raises(ValueError, match="there are: red"):
        label_colors(rgb, ("mauve",))


def test_one_point_per_voxel_is_the_first_of_each() -> None:
    rng = np.random.default_rng(0)
    points = rng.uniform(-0.1, 0.1, (3, 5000)).astype(np.float32)
    first: dict[tuple[int, ...], int] = {}
    for i, cell in enumerate(np.floor(points / np.float32(0.01)).astype(int).T):
        first.setdefault(tuple(cell), i)
    assert sorted(one_per_voxel(points, 0.01)) == sorted(first.values())
    assert len(one_per_voxel(points[:, :0], 0.01)) == 0


def test_the_level_plane_is_found_beside_a_stronger_wall() -> None:
    rng = np.random.default_rng(1)
    table = np.column_stack([rng.uniform(0, 1, (400, 2)), rng.normal(0.3, 0.001, 400)])
    wall = np.column_stack([rng.normal(0.9, 0.001, 900), rng.uniform(0, 1, (900, 2))])
    inliers = strongest_plane(np.concatenate([wall, table]))
    assert inliers[900:].mean() > 0.98
    assert inliers[:900].mean() < 0.05
    assert not strongest_plane(wall[:, [0, 2, 1]] + 0.0).any()


def _by_definition(points: np.ndarray, gap: float, neighbours: int) -> list[set[int]]:
    """DBSCAN as the paper defines it; without what lies between two clusters."""
    near = np.linalg.norm(points[:, None] - points, axis=2) <= gap
    core = near.sum(axis=1) >= neighbours
    clusters: list[set[int]] = []
    for start in np.flatnonzero(core):
        if any(start in c for c in clusters):
            continue
        reached, todo = {int(start)}, [int(start)]
        while todo:
            for j in np.flatnonzero(near[todo.pop()]):
                if int(j) not in reached:
                    reached.add(int(j))
                    if core[j]:
                        todo.append(int(j))
        clusters.append(reached)
    return clusters


@pytest.mark.parametrize("seed", range(5))
def test_clusters_are_those_of_dbscan(seed: int) -> None:
    rng = np.random.default_rng(seed)
    points = rng.uniform(0, 0.12, (220, 3))
    labels = dbscan(points, 0.016, 3)
    wanted = _by_definition(points, 0.016, 3)
    assert len(wanted) > 3
    noise = set(range(220)) - set().union(*wanted)
    assert set(np.flatnonzero(labels < 0)) == noise
    for cluster in wanted:
        alone = cluster - set().union(*(c for c in wanted if c is not cluster))
        assert len({int(labels[i]) for i in alone}) == 1
    assert len(set(labels[labels >= 0])) == len(wanted)
