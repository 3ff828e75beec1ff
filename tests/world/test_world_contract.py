from __future__ import annotations

import pytest

from embodied.protocols import World
from embodied.world.contract import WorldContract
from embodied.world.fake import FakeWorld
from embodied.world.mujoco import build_world
from embodied.world.scene import load_scene


class TestMujocoBlocks(WorldContract):
    def make_world(self) -> World:
        return build_world(load_scene("blocks"))


class TestMujocoKitchen(WorldContract):
    def make_world(self) -> World:
        return build_world(load_scene("kitchen"))


class TestMujocoUr5e(WorldContract):
    def make_world(self) -> World:
        return build_world(load_scene("blocks"), robot="ur5e")


class TestFake(WorldContract):
    def make_world(self) -> World:
        return FakeWorld(load_scene("workshop"))


def test_the_contract_finds_a_world_that_hides_its_limits() -> None:
    class Silent(FakeWorld):
        def step(self, command):  # type: ignore[no-untyped-def]
            result = super().step(command)
            object.__setattr__(result, "reasons", ())
            return result

    suite = TestFake()
    world = Silent(load_scene("blocks"))
    with pytest.raises(AssertionError):
        suite.test_limits_are_kept_and_explained(world)


def test_the_contract_finds_a_world_that_forgets_its_seed() -> None:
    class Forgetful(FakeWorld):
        resets = 0

        def reset(self, *, seed: int):  # type: ignore[no-untyped-def]
            type(self).resets += 1
            return super().reset(seed=seed + self.resets)

    suite = TestFake()
    suite.make_world = lambda: Forgetful(load_scene("blocks"))  # type: ignore[method-assign]
    with pytest.raises(AssertionError):
        suite.test_equal_seeds_give_equal_episodes(suite.make_world())
