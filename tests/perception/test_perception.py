"""The whole pipeline on images of the simulator; truth is only compared with, never given."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from embodied.perception import (
    Percept,
    Perception,
    SegmentationDetector,
    SensorFaults,
    look,
    with_perceived_poses,
)
from embodied.perception.robot_filter import ModelRobotFilter
from embodied.types import CameraImage, GripperState, Observation, Pose
from embodied.world.layout import Layout
from embodied.world.mujoco import MujocoWorld, build_world
from embodied.world.scene import load_scene


def world_of(scene: str) -> Iterator[MujocoWorld]:
    world = build_world(load_scene(scene))
    yield world
    world.close()


@pytest.fixture(scope="module")
def blocks() -> Iterator[MujocoWorld]:
    yield from world_of("blocks")


@pytest.fixture(scope="module")
def kitchen() -> Iterator[MujocoWorld]:
    yield from world_of("kitchen")


@pytest.fixture(scope="module")
def workshop() -> Iterator[MujocoWorld]:
    yield from world_of("workshop")


def perception_of(world: MujocoWorld, **more: object) -> Perception:
    robot = ModelRobotFilter.of(world.model, world.spec)
    return Perception(world.spec, robot_filter=robot, **more)  # pyright: ignore[reportArgumentType]


def seen(world: MujocoWorld, observation: Observation, **more: object) -> Observation:
    """An observation with images and without the simulator's own poses."""
    with_images = look(world, observation, **more)  # pyright: ignore[reportArgumentType]
    return replace(with_images, poses={}, openings_m={})


def errors(percept: Percept, truth: Observation) -> dict[str, float]:
    return {
        n: float(np.linalg.norm(o.pose.position - truth.poses[n].position))
        for n, o in percept.objects.items()
    }


@pytest.mark.parametrize("scene", ["blocks", "kitchen", "workshop"])
def test_every_object_is_found_where_it_is(scene: str, request: pytest.FixtureRequest) -> None:
    world: MujocoWorld = request.getfixturevalue(scene)
    truth = world.reset(seed=3)
    percept = perception_of(world).update(seen(world, truth))
    assert set(percept.objects) == set(world.spec.objects) - {"table"}
    assert percept.reasons == ()
    assert percept.table_height_m == pytest.approx(0.0, abs=1e-3)
    found = errors(percept, truth)
    assert max(found.values()) < 0.006, found
    for name, one in percept.objects.items():
        spec = world.spec.objects[name]
        assert one.shape == spec.shape and one.color == spec.color and one.source == "pixels"
        assert one.seen and one.last_seen_s == truth.time
        np.testing.assert_allclose(one.size_m, spec.size_m, atol=0.016)


def test_following_is_as_good_as_searching_and_equal_inputs_give_equal_percepts(
    blocks: MujocoWorld,
) -> None:
    truth = blocks.reset(seed=5)
    image = seen(blocks, truth)
    one, other = perception_of(blocks), perception_of(blocks)
    for _ in range(3):
        first, second = one.update(image), other.update(image)
    assert max(errors(first, truth).values()) < 0.003
    for name in first.objects:
        np.testing.assert_array_equal(
            first.objects[name].pose.position, second.objects[name].pose.position
        )


def test_noise_and_dropout_cost_millimetres(workshop: MujocoWorld) -> None:
    truth = workshop.reset(seed=1)
    faults = SensorFaults(noise_std_m=0.001, dropout=0.1, patches=3)
    rng = np.random.default_rng(0)
    perception = perception_of(workshop)
    for _ in range(2):
        percept = perception.update(seen(workshop, truth, faults=faults, rng=rng))
    found = errors(percept, truth)
    assert len(found) == len(workshop.spec.objects) - 1
    assert np.median(list(found.values())) < 0.002
    assert max(found.values()) < 0.015, found


def test_one_camera_is_enough_for_most(blocks: MujocoWorld) -> None:
    truth = blocks.reset(seed=2)
    lost = SensorFaults(lost=("front-left", "front-right", "rear-right"))
    percept = perception_of(blocks).update(seen(blocks, truth, faults=lost))
    assert sum("no image" in r for r in percept.reasons) == 3
    visible = errors(percept, truth)
    assert len(visible) >= 5
    assert np.median(list(visible.values())) < 0.01


def broken(image: CameraImage, how: str) -> CameraImage:
    if how == "all unknown":
        return replace(image, depth=np.full_like(image.depth, np.nan))
    if how == "no depth":
        return replace(image, depth=np.zeros((0, 0), dtype=np.float32))
    if how == "negative":
        return replace(image, depth=-image.depth)
    if how == "infinite":
        return replace(image, depth=np.full_like(image.depth, np.inf))
    noise = np.random.default_rng(0).uniform(-5.0, 5.0, image.depth.shape)
    return replace(image, depth=noise.astype(np.float32))


@pytest.mark.parametrize("how", ["all unknown", "no depth", "negative", "infinite", "garbage"])
def test_bad_pixels_are_reasons_and_nothing_is_lost(blocks: MujocoWorld, how: str) -> None:
    truth = blocks.reset(seed=0)
    good = seen(blocks, truth)
    perception = perception_of(blocks)
    before = perception.update(good)
    bad = replace(
        good,
        time=good.time + 1.0,
        images={n: broken(i, how) for n, i in good.images.items()},
    )
    percept = perception.update(bad)
    assert percept.reasons
    assert set(percept.objects) == set(before.objects)
    assert np.all([np.isfinite(o.pose.position).all() for o in percept.objects.values()])
    again = perception.update(replace(good, time=good.time + 2.0))
    assert max(errors(again, truth).values()) < 0.006


def test_without_images_from_the_start_nothing_is_invented(blocks: MujocoWorld) -> None:
    percept = perception_of(blocks).update(replace(blocks.reset(seed=0), images={}))
    assert percept.objects == {}
    assert any("no usable camera" in r for r in percept.reasons)
    assert any("never seen" in r for r in percept.reasons)
    assert len(percept.obstacle_points_in_world) == 0


def move(world: MujocoWorld, name: str, position: np.ndarray) -> Observation:
    """Put an item somewhere else, as a person would between two images."""
    before = world.observe()
    items = {n: before.poses[n] for n in world.scene.of_kind("item")}  # pyright: ignore[reportOptionalMemberAccess]
    items[name] = replace(items[name], position=position)
    return world.set_layout(Layout(poses=items, openings_m=before.openings_m))


def test_a_moved_object_is_found_again(blocks: MujocoWorld) -> None:
    truth = blocks.reset(seed=4)
    perception = perception_of(blocks)
    perception.update(seen(blocks, truth))
    free = np.array([0.60, 0.28, 0.0235])
    truth = move(blocks, "red-block", free)
    percept = perception.update(replace(seen(blocks, truth), time=0.2))
    assert errors(percept, truth)["red-block"] < 0.005
    assert percept.objects["red-block"].seen


def test_two_exchanged_blocks_are_not_confused(blocks: MujocoWorld) -> None:
    truth = blocks.reset(seed=4)
    perception = perception_of(blocks)
    perception.update(seen(blocks, truth))
    items = {n: truth.poses[n] for n in truth.poses if n.endswith("-block")}
    items["red-block"], items["blue-block"] = items["blue-block"], items["red-block"]
    truth = blocks.set_layout(Layout(poses=items))
    percept = perception.update(replace(seen(blocks, truth), time=0.2))
    assert max(errors(percept, truth).values()) < 0.006


@pytest.mark.parametrize("opening", [0.0, 0.06, 0.15])
def test_opening_of_a_drawer_is_seen(kitchen: MujocoWorld, opening: float) -> None:
    before = kitchen.reset(seed=0)
    items = {n: before.poses[n] for n in kitchen.scene.of_kind("item")}  # pyright: ignore[reportOptionalMemberAccess]
    truth = kitchen.set_layout(Layout(poses=items, openings_m={"drawer": opening}))
    percept = perception_of(kitchen).update(seen(kitchen, truth))
    assert percept.openings_m["drawer"] == pytest.approx(truth.openings_m["drawer"], abs=0.004)
    assert errors(percept, truth)["drawer"] < 0.006
    assert errors(percept, truth)["shelf"] < 0.006


def reaching(world: MujocoWorld, q: np.ndarray) -> Observation:
    """The arm somewhere else at once, everything in its place."""
    import mujoco

    observation = world.observe()
    for name, value in zip(world.spec.joint_names, q, strict=True):
        world.data.qpos[int(world.model.joint(name).qposadr[0])] = value
    mujoco.mj_forward(world.model, world.data)
    return replace(observation, q=q)


@pytest.mark.parametrize("seed", range(3))
def test_the_robot_is_taken_out_wherever_it_is(blocks: MujocoWorld, seed: int) -> None:
    rng = np.random.default_rng(seed)
    blocks.reset(seed=0)
    q = blocks.spec.q_home + rng.uniform(-0.5, 0.5, 7)
    observation = reaching(blocks, q)
    percept = perception_of(blocks).update(seen(blocks, observation))
    high = percept.obstacle_points_in_world[percept.obstacle_points_in_world[:, 2] > 0.16]
    assert len(high) == 0  # nothing of the scene is as high as that


def test_what_the_hand_holds_is_believed_to_follow_it(blocks: MujocoWorld) -> None:
    truth = blocks.reset(seed=1)
    perception = perception_of(blocks)
    perception.update(seen(blocks, truth))
    at = truth.poses["red-block"]
    grip = GripperState(width_m=0.045, force_n=20.0)
    image = seen(blocks, truth)
    perception.update(replace(image, time=0.1, gripper=grip, pose_ee_in_world=replace(at)))
    raised = Pose(position=at.position + [0.0, 0.0, 0.2], quat_wxyz=at.quat_wxyz)
    dark = replace(image, time=0.2, gripper=grip, pose_ee_in_world=raised, images={})
    percept = perception.update(dark)
    block = percept.objects["red-block"]
    assert block.held and not block.seen
    np.testing.assert_allclose(block.pose.position, raised.position, atol=0.004)


def test_ground_truth_names_are_labelled(kitchen: MujocoWorld) -> None:
    truth = kitchen.reset(seed=2)
    perception = perception_of(kitchen, detector=SegmentationDetector(kitchen.spec.objects))
    percept = perception.update(seen(kitchen, truth, segmentation=True))
    named = {n: o for n, o in percept.objects.items() if n not in ("drawer", "shelf")}
    assert len(named) == len(kitchen.spec.objects) - 3
    assert {o.source for o in named.values()} == {"ground truth"}
    assert max(errors(percept, truth).values()) < 0.01
    blind = perception_of(kitchen, detector=SegmentationDetector(kitchen.spec.objects))
    assert set(blind.update(seen(kitchen, truth)).objects) <= {"drawer", "shelf"}


def test_perceived_poses_stand_in_for_the_simulators_own(blocks: MujocoWorld) -> None:
    truth = blocks.reset(seed=6)
    percept = perception_of(blocks).update(seen(blocks, truth))
    observation = with_perceived_poses(truth, percept)
    assert set(observation.poses) == {*percept.objects, "table"}
    np.testing.assert_array_equal(
        observation.poses["tray"].position, percept.objects["tray"].pose.position
    )
