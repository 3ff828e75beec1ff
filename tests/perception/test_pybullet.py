from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("pybullet", reason="the extra [pybullet] is not installed")

from embodied.perception import Perception, look
from embodied.perception.accuracy import compare
from embodied.perception.robot_filter import ModelRobotFilter
from embodied.world.pybullet import build_world
from embodied.world.scene import load_scene

pytestmark = pytest.mark.pybullet


def test_the_same_perception_sees_the_other_simulator_with_the_panda_in_it() -> None:
    world = build_world(load_scene("kitchen"))
    try:
        truth = world.reset(seed=1)
        robot = ModelRobotFilter.of(world.model, world.spec)
        seen = replace(look(world, truth), poses={}, openings_m={})
        percept = Perception(world.spec, robot_filter=robot).update(seen)
    finally:
        world.close()
    objects = {n: o for n, o in world.spec.objects.items() if n != "table"}
    errors, missed = compare(percept, truth.poses, objects)
    assert missed == ()
    assert max(e.position_m for e in errors) < 0.006
    assert np.all(percept.obstacle_points_in_world[:, 2] < 0.2)
