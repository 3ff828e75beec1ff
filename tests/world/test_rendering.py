from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

from embodied.types import Pose
from embodied.world.builder import build_model
from embodied.world.mujoco import MujocoWorld, build_world
from embodied.world.rendering import Painter, open_renderer
from embodied.world.scene import load_scene

BLOCKS = load_scene("blocks")


@pytest.fixture(scope="module")
def world() -> MujocoWorld:
    world = build_world(BLOCKS, stacks=0.0)
    world.reset(seed=0)
    return world


def _pixel(world: MujocoWorld, camera: str, size: tuple[int, int], point: np.ndarray) -> np.ndarray:
    """Column, row and depth of a world point in a camera's image."""
    spec = world.spec.cameras[camera]
    local = spec.pose_camera_in_world.inverse().apply(point)
    focal = size[1] / 2 / np.tan(spec.fovy_rad / 2)
    depth = -local[2]
    return np.array(
        [size[0] / 2 + focal * local[0] / depth, size[1] / 2 - focal * local[1] / depth, depth]
    )


@pytest.mark.parametrize("camera", ["main", "top"])
def test_segmentation_colour_and_depth_agree_with_the_measured_poses(
    world: MujocoWorld, camera: str
) -> None:
    image = world.render(camera, width=320, height=240)
    names = list(world.spec.objects)
    observation = world.observe()
    assert image.rgb.shape == (240, 320, 3) and image.rgb.dtype == np.uint8
    assert image.depth.shape == (240, 320) and image.depth.dtype == np.float32
    assert image.segmentation is not None
    seen = 0
    for name in BLOCKS.of_kind("item"):
        pose: Pose = observation.poses[name]
        column, row, depth = _pixel(world, camera, (320, 240), pose.position)
        c, r = round(column), round(row)
        if image.segmentation[r, c] != names.index(name) + 1:
            continue  # hidden behind the arm
        seen += 1
        # The visible face is at most half a diagonal nearer than the centre.
        assert 0.0 < depth - image.depth[r, c] < 0.045
        color = image.rgb[r, c].astype(float) / 255
        wanted = np.array(BLOCKS.bodies[name].rgba[:3])
        assert color @ wanted / np.linalg.norm(color) / np.linalg.norm(wanted) > 0.95
    assert seen >= 4


def test_the_fine_quality_casts_shadows(world: MujocoWorld) -> None:
    images = []
    for quality in ("fast", "fine"):
        renderer = open_renderer(world.model, width=160, height=120, quality=quality)
        images.append(renderer.rgb(world.data).astype(int))
        renderer.close()
        renderer.close()
    darker = (images[0].sum(axis=2) - images[1].sum(axis=2)) > 60
    assert darker.mean() > 0.01


def test_frames_follow_the_recorded_configurations(world: MujocoWorld) -> None:
    first = world.qpos
    second = first.copy()
    second[0] += 0.8
    painter = Painter(build_model(BLOCKS), width=160, height=120)
    frames = [painter.draw(qpos) for qpos in (first, second, first)]
    painter.close()
    assert [f.shape for f in frames] == [(120, 160, 3)] * 3
    np.testing.assert_array_equal(frames[0], frames[2])
    assert np.abs(frames[0].astype(int) - frames[1]).mean() > 1.0


def test_two_renderers_live_side_by_side(world: MujocoWorld) -> None:
    a = open_renderer(world.model, width=160, height=120)
    before = a.rgb(world.data)
    b = open_renderer(world.model, width=80, height=60)
    b.rgb(world.data)
    b.close()
    np.testing.assert_array_equal(a.rgb(world.data), before)
    a.close()


def test_an_unknown_camera_names_the_known_ones(world: MujocoWorld) -> None:
    with pytest.raises(ValueError, match="main, top"):
        world.render("behind")


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        # No EGL vendor is found in an empty folder: like a machine without Mesa.
        ({"MUJOCO_GL": "egl", "__EGL_VENDOR_LIBRARY_DIRS": "/nowhere"}, "here"),
        ({"MUJOCO_GL": "disable"}, ""),
    ],
)
def test_without_opengl_rays_draw_and_say_why(settings: dict[str, str], why: str) -> None:
    code = (
        "from embodied.world.mujoco import build_world\n"
        "from embodied.world.rendering import open_renderer\n"
        "from embodied.world.scene import load_scene\n"
        "w = build_world(load_scene('blocks')); w.reset(seed=0)\n"
        "image = w.render(width=64, height=48)\n"
        "assert image.rgb.std() > 10 and 0.5 < image.depth[40, 32] < 3.0\n"
        "print(open_renderer(w.model).note)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, **settings}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "ray-cast" in done.stdout and why in done.stdout
    assert "libegl1 libegl-mesa0 libgl1-mesa-dri" in done.stdout


def test_mujoco_is_importable_whatever_library_is_missing() -> None:
    code = (
        "import ctypes, os\n"
        "class Gone(ctypes.CDLL):\n"
        "    def __init__(self, name, *args, **options):\n"
        "        if 'EGL' in str(name) or 'OSMesa' in str(name):\n"
        "            raise OSError(name)\n"
        "        super().__init__(name, *args, **options)\n"
        "ctypes.CDLL = Gone\n"
        "import embodied.world, mujoco\n"
        "print(os.environ['MUJOCO_GL'], hasattr(mujoco, 'GLContext'))\n"
    )
    for chosen in ("egl", "osmesa"):
        env = {**os.environ, "MUJOCO_GL": chosen}
        done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True)
        assert done.stdout.split() == ["disable", "False"], done.stderr
