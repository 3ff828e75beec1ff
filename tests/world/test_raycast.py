from __future__ import annotations

import mujoco
import numpy as np
import pytest

from embodied.errors import EnvironmentMissingError
from embodied.world.mujoco import MujocoWorld, build_world
from embodied.world.raycast import Quality, RayRenderer
from embodied.world.rendering import Renderer
from embodied.world.scene import load_scene

SIZE = {"width": 160, "height": 120}


@pytest.fixture(scope="module")
def world() -> MujocoWorld:
    world = build_world(load_scene("kitchen"), stacks=0.0)
    world.reset(seed=0)
    return world


def _opengl(model: mujoco.MjModel, quality: Quality) -> Renderer:
    try:
        return Renderer(model, quality=quality, **SIZE)
    except EnvironmentMissingError as error:
        pytest.skip(f"OpenGL does not work here: nothing to compare pictures with ({error})")


@pytest.mark.parametrize("camera", ["main", "top", "wrist"])
def test_rays_and_opengl_see_the_same(world: MujocoWorld, camera: str) -> None:
    names = tuple(world.spec.objects)
    opengl = _opengl(world.model, "fast")
    theirs = opengl.image(world.data, camera, names=names)
    opengl.close()
    ours = RayRenderer(world.model, **SIZE).image(world.data, camera, names=names)
    assert ours.segmentation is not None and theirs.segmentation is not None
    assert np.mean(ours.segmentation != theirs.segmentation) < 0.005
    both = np.isfinite(ours.depth) & np.isfinite(theirs.depth)
    assert np.median(np.abs(ours.depth - theirs.depth)[both]) < 1e-4
    # OpenGL lights the corners of the floor and blends between them.
    shown = ours.segmentation > 0
    assert np.mean(np.abs(ours.rgb.astype(int) - theirs.rgb)[shown] < 12) > 0.97


def test_shadows_fall_where_opengl_puts_them(world: MujocoWorld) -> None:
    opengl = _opengl(world.model, "fine")
    theirs = opengl.rgb(world.data)
    opengl.close()
    ours = RayRenderer(world.model, quality="fine", **SIZE).rgb(world.data)
    assert np.mean(np.abs(ours.astype(int) - theirs) < 16) > 0.95


@pytest.mark.parametrize("quality", ["fast", "fine"])
def test_a_moved_arm_leaves_nothing_behind(world: MujocoWorld, quality: Quality) -> None:
    data = mujoco.MjData(world.model)
    data.qpos[:] = world.qpos
    mujoco.mj_forward(world.model, data)
    renderer = RayRenderer(world.model, quality=quality, **SIZE)
    before = renderer.rgb(data)
    data.qpos[0] += 0.8
    mujoco.mj_forward(world.model, data)
    moved = renderer.rgb(data)
    assert np.abs(before.astype(int) - moved).mean() > 1.0
    fresh = RayRenderer(world.model, quality=quality, **SIZE)
    np.testing.assert_array_equal(moved, fresh.rgb(data))


def test_depth_is_the_distance_along_the_cameras_axis() -> None:
    spec = mujoco.MjSpec()
    spec.worldbody.add_geom(type=mujoco.mjtGeom.mjGEOM_PLANE, size=[9, 9, 0.1])
    spec.worldbody.add_camera(name="down", pos=[0, 0, 2], fovy=60)
    body = spec.worldbody.add_body(name="ball", pos=[0, 0, 0.5])
    body.add_freejoint()
    body.add_geom(type=mujoco.mjtGeom.mjGEOM_SPHERE, size=[0.25, 0, 0])
    model = spec.compile()
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    image = RayRenderer(model, **SIZE).image(data, "down", names=("ball",))
    assert image.segmentation is not None
    on_ball = image.segmentation == 1
    np.testing.assert_allclose(image.depth[~on_ball], 2.0, atol=1e-6)
    assert image.depth[on_ball].min() == pytest.approx(1.25, abs=1e-3)
    # A sphere of radius r at distance d covers a circle of f r / sqrt(d² - r²) pixels.
    focal = 60 / np.tan(np.deg2rad(30))
    radius = focal * 0.25 / np.sqrt(1.5**2 - 0.25**2)
    assert on_ball.sum() == pytest.approx(np.pi * radius**2, rel=0.02)


def test_ghosts_stay_behind_what_is_nearer(world: MujocoWorld) -> None:
    model = world.model
    renderer = RayRenderer(model, **SIZE)
    image = renderer.image(world.data, "main", names=None)
    arm = model.body_rootid[model.geom_bodyid] == model.body("link0").id
    same = renderer.add_ghost(image, world.data, "main", arm, (0.0, 0.0, 1.0, 0.5))
    np.testing.assert_array_equal(same.rgb, image.rgb)  # a ghost inside the arm itself
    moved = mujoco.MjData(model)
    moved.qpos[:] = world.qpos
    moved.qpos[0] += 0.8
    mujoco.mj_forward(model, moved)
    ghost = renderer.add_ghost(image, moved, "main", arm, (0.0, 0.0, 1.0, 0.5))
    changed = (ghost.rgb != image.rgb).any(axis=2)
    assert 0.01 < changed.mean() < 0.3
    more_blue = ghost.rgb[changed].astype(int) - image.rgb[changed]
    assert (more_blue[:, 2] > more_blue[:, 0]).mean() > 0.95
