from __future__ import annotations

import pytest

from embodied.protocols import World
from embodied.world.contract import WorldContract
from embodied.world.scene import load_scene

pytest.importorskip("pybullet", reason="the extra [pybullet] is not installed")

pytestmark = pytest.mark.pybullet


class TestPybulletBlocks(WorldContract):
    def make_world(self) -> World:
        from embodied.world.pybullet import build_world

        return build_world(load_scene("blocks"))


class TestPybulletKitchen(WorldContract):
    def make_world(self) -> World:
        from embodied.world.pybullet import build_world

        return build_world(load_scene("kitchen"))
