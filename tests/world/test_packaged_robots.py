"""The arms of benchmarks/other_robots.toml as their packages bring them (extra [robots])."""

from __future__ import annotations

import tomllib
from pathlib import Path

import numpy as np
import pytest

from embodied.errors import EnvironmentMissingError
from embodied.types import Command
from embodied.world import robots
from embodied.world.mujoco import build_world
from embodied.world.scene import load_scene

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
ARMS = tomllib.loads((BENCHMARKS / "other_robots.toml").read_text("utf-8"))["arm"]


def _path(name: str) -> str:
    return str(BENCHMARKS / name) if name.endswith(".toml") else name


@pytest.mark.parametrize("arm", ARMS, ids=[arm["name"] for arm in ARMS])
def test_it_stands_with_its_hand_down_and_holds_still(arm: dict[str, str]) -> None:
    try:
        robot = robots.load(_path(arm["robot"]))
    except EnvironmentMissingError:
        pytest.skip("the extra [robots] is not installed")
    world = build_world(load_scene(_path(arm["scene"])), robot)
    seen = world.reset(seed=0)
    for width in (0.0, 0.025):
        for _ in range(80):
            seen = world.step(Command(q=robot.q_home, gripper_width_m=width)).observation
    np.testing.assert_allclose(seen.q, robot.q_home, atol=0.005)
    np.testing.assert_allclose(seen.pose_ee_in_world.rotation[:, 2], [0, 0, -1], atol=0.02)
    assert robot.gripper is not None and seen.gripper is not None
    expected = min(0.025, robot.gripper.spec.max_width_m)
    assert seen.gripper.width_m == pytest.approx(expected, abs=2e-3)
