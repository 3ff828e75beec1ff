from __future__ import annotations

import numpy as np

from embodied.types import Atom, Command, Observation
from embodied.world.fake import FakeWorld
from embodied.world.grounding import TabletopGrounder
from embodied.world.scene import load_scene


def _go(world: FakeWorld, q: np.ndarray, width_m: float | None = None) -> Observation:
    for _ in range(150):
        result = world.step(Command(q=q, gripper_width_m=width_m))
    return result.observation


def test_pick_and_put_into_the_bin() -> None:
    world = FakeWorld(load_scene("blocks"))
    start = world.reset(seed=1)
    grounder = TabletopGrounder(world.spec)
    facts = grounder.facts(start)
    item = next(
        n
        for n in world.scene.of_kind("item")
        if Atom("on", (n, "table")) in facts and Atom("clear", (n,)) in facts
    )
    pose = start.poses[item]
    yaw = 2 * np.arctan2(pose.quat_wxyz[3], pose.quat_wxyz[0])
    at = np.array([*pose.position, (yaw + np.pi / 4) % (np.pi / 2) - np.pi / 4])
    _go(world, at)
    held = _go(world, at, 0.0)
    assert Atom("holding", (item,)) in grounder.facts(held)
    up = at + [0, 0, 0.2, 0]
    assert Atom("holding", (item,)) in grounder.facts(_go(world, up))
    over = np.array([*start.poses["bin"].position[:2], 0.2, 0.0])
    _go(world, over)
    end = _go(world, over, 0.08)
    assert Atom("in", (item, "bin")) in grounder.facts(end)
    assert Atom("hand-empty") in grounder.facts(end)


def test_closing_on_nothing_holds_nothing() -> None:
    world = FakeWorld(load_scene("blocks"))
    world.reset(seed=0)
    end = _go(world, world.spec.q_home, 0.0)
    assert end.gripper is not None and end.gripper.width_m == 0.0
    assert Atom("hand-empty") in TabletopGrounder(world.spec).facts(end)
