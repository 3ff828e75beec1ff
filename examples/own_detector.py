"""A detector of your own: what gives names to the points that the cameras see.

This one goes by hue alone, which is enough where every item has a colour of its own. Fitting
shapes, tracking and uncertainty stay those of ``Perception``.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from embodied.perception import Perception, look
from embodied.perception.robot_filter import ModelRobotFilter
from embodied.perception.types import CameraView, Cloud, Detection
from embodied.types import ObjectSpec, Pose
from embodied.world.mujoco import build_world
from embodied.world.scene import load_scene

HUES_DEG = {"red": 0, "orange": 30, "yellow": 50, "green": 130, "blue": 220, "purple": 275}


def hue_deg(rgb: NDArray[np.uint8]) -> NDArray[np.floating]:
    """Hue of each colour, (n,), degrees; NaN for greys."""
    r, g, b = (rgb.astype(float) / 255.0).T
    vivid = np.ptp(rgb.astype(int), axis=1) > 60
    hue = np.degrees(np.arctan2(np.sqrt(3) * (g - b), 2 * r - g - b)) % 360
    return np.where(vivid, hue, np.nan)


class HueDetector:
    """Each point belongs to the item whose colour has the nearest hue."""

    source = "pixels"

    def detect(
        self,
        cloud: Cloud,
        images: Mapping[str, CameraView],
        objects: Mapping[str, ObjectSpec],
        expected: Mapping[str, Pose],
    ) -> tuple[Detection, ...]:
        """Points of each item with a hue; see ``Detector.detect``."""
        del images, expected
        found = ((n, o, np.flatnonzero(self._like(cloud.rgb, o))) for n, o in objects.items())
        return tuple(
            Detection(name=name, index=index, color=spec.color)
            for name, spec, index in found
            if len(index) > 20
        )

    def confirm(
        self,
        cloud: Cloud,
        images: Mapping[str, CameraView],
        spec: ObjectSpec,
        index: NDArray[np.intp],
    ) -> NDArray[np.bool_]:
        """Which points look like the object, (m,); see ``Detector.confirm``."""
        del images
        return self._like(cloud.rgb[index], spec)

    def _like(self, rgb: NDArray[np.uint8], spec: ObjectSpec) -> NDArray[np.bool_]:
        if spec.kind != "item" or spec.color not in HUES_DEG:
            return np.zeros(len(rgb), dtype=bool)
        hue = hue_deg(rgb)[:, None]
        off = np.abs((hue - np.array(list(HUES_DEG.values())) + 180) % 360 - 180)
        near = np.where(np.isnan(off), np.inf, off)
        mine = list(HUES_DEG).index(spec.color)
        return (near.argmin(axis=1) == mine) & (near[:, mine] < 15)


world = build_world(load_scene("blocks"))
observation = world.reset(seed=4)
robot = ModelRobotFilter.of(world.model, world.spec)
perception = Perception(world.spec, detector=HueDetector(), robot_filter=robot)
percept = perception.update(look(world, observation))
blocks = [n for n, o in world.spec.objects.items() if o.kind == "item"]
for name in blocks:
    off = percept.objects[name].pose.position - observation.poses[name].position
    print(f"{name}: {1000 * np.linalg.norm(off):.1f} mm off")
    assert np.linalg.norm(off) < 0.005
world.close()
