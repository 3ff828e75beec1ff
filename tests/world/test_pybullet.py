"""The PyBullet world against measurements of its own and against the MuJoCo world."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import mujoco
import numpy as np
import pytest
from embodied_planners.motion.kinematics import ArmKinematics

from embodied.errors import EnvironmentMissingError, WorldError
from embodied.types import Command, Observation, Pose
from embodied.world import pybullet
from embodied.world.grounding import TabletopGrounder
from embodied.world.layout import Layout, LayoutError, yaw_pose
from embodied.world.limits import LimitMonitor
from embodied.world.mujoco import build_world as build_mujoco_world
from embodied.world.pybullet import PybulletWorld
from embodied.world.quaternions import xyzw_from_wxyz
from embodied.world.scene import load_scene

pytest.importorskip("pybullet", reason="the extra [pybullet] is not installed")

pytestmark = pytest.mark.pybullet

BLOCKS, KITCHEN = load_scene("blocks"), load_scene("kitchen")


@pytest.fixture(scope="module")
def blocks() -> Iterator[PybulletWorld]:
    world = pybullet.build_world(BLOCKS, stacks=0.0)
    yield world
    world.close()


@pytest.fixture(scope="module")
def kitchen() -> Iterator[PybulletWorld]:
    world = pybullet.build_world(KITCHEN)
    yield world
    world.close()


def move(
    world: PybulletWorld, q: np.ndarray, duration_s: float, width_m: float | None = None
) -> Observation:
    """Move along a minimum-jerk profile."""
    start = world.observe().q
    n = round(duration_s / world.spec.control_dt_s)
    for k in range(1, n + 1):
        x = k / n
        share = x**3 * (10 - 15 * x + 6 * x * x)
        rate = 30 * x * x * (1 - x) ** 2 / duration_s
        world.step(
            Command(q=start + (q - start) * share, dq=(q - start) * rate, gripper_width_m=width_m)
        )
    return world.observe()


def reach(world: PybulletWorld, seed: np.ndarray, pose_item: Pose, above_m: float) -> np.ndarray:
    """Joint positions that bring the hand over an item, pointing down, fingers along its sides."""
    yaw = 2 * np.arctan2(pose_item.quat_wxyz[3], pose_item.quat_wxyz[0])
    yaw = (yaw + np.pi / 4) % (np.pi / 2) - np.pi / 4
    down = Pose(position=np.zeros(3), quat_wxyz=np.array([0.0, 1.0, 0.0, 0.0]))
    pose = yaw_pose(pose_item.position + [0.0, 0.0, above_m], yaw) @ down
    solved = ArmKinematics(world.model, world.spec).solve(pose, seed)
    assert solved.found
    return solved.q


# ----------------------------------------------------------------- same scene, same arm


@pytest.mark.parametrize("scene", [BLOCKS, KITCHEN], ids=lambda s: s.name)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_equal_seeds_give_the_layouts_of_the_mujoco_world(scene, seed) -> None:  # type: ignore[no-untyped-def]
    ours, theirs = pybullet.build_world(scene), build_mujoco_world(scene)
    a, b = ours.reset(seed=seed), theirs.reset(seed=seed)
    assert a.openings_m == pytest.approx(b.openings_m, abs=1e-3)
    for name, pose in a.poses.items():
        np.testing.assert_allclose(pose.position, b.poses[name].position, atol=2e-3)
    grounder = TabletopGrounder(ours.spec)
    assert grounder.facts(a) == TabletopGrounder(theirs.spec).facts(b)
    ours.close()
    theirs.close()


def test_the_limits_are_those_of_the_panda(blocks: PybulletWorld) -> None:
    spec = blocks.spec
    assert spec.robot == "panda"
    np.testing.assert_allclose(
        spec.q_upper, [2.8973, 1.7628, 2.8973, -0.0698, 2.8973, 3.7525, 2.8973]
    )
    np.testing.assert_allclose(spec.dq_max, [2.175] * 4 + [2.61] * 3)
    np.testing.assert_allclose(spec.tau_max, [87.0] * 4 + [12.0] * 3)
    for name, lower, upper in zip(spec.joint_names, spec.q_lower, spec.q_upper, strict=True):
        np.testing.assert_allclose(blocks.model.joint(name).range, [lower, upper])


def test_planner_and_simulator_agree_on_where_the_hand_is(blocks: PybulletWorld) -> None:
    blocks.reset(seed=0)
    kinematics = ArmKinematics(blocks.model, blocks.spec)
    rng = np.random.default_rng(0)
    for _ in range(50):
        q = rng.uniform(blocks.spec.q_lower, blocks.spec.q_upper)
        blocks._running_arm().reset(q)
        measured, planned = blocks.observe().pose_ee_in_world, kinematics.pose(q)
        np.testing.assert_allclose(measured.position, planned.position, atol=1e-6)
        np.testing.assert_allclose(measured.rotation, planned.rotation, atol=1e-6)


def test_planner_and_simulator_agree_on_what_is_near(kitchen: PybulletWorld) -> None:
    """Distances between the hand and everything else; the planner's may be smaller, not larger."""
    kitchen.reset(seed=1)
    client, arm, model = kitchen._client, kitchen._running_arm(), kitchen.model
    data = mujoco.MjData(model)
    rng = np.random.default_rng(0)
    fromto = np.zeros(6)
    compared = 0
    for _ in range(40):
        q = kitchen.spec.q_home + [0.0, 0.4, 0.0, 0.0, 0.0, 0.0, 0.0] + rng.normal(0, 0.4, 7)
        arm.reset(np.clip(q, kitchen.spec.q_lower, kitchen.spec.q_upper))
        data.qpos[:] = kitchen.qpos
        mujoco.mj_kinematics(model, data)
        for part, link in (("hand", arm._hand), ("left_finger", arm._fingers[0])):
            for name in ("apple", "sponge", "red-cup", "bowl", "table"):
                found = client.getClosestPoints(arm._body, kitchen._bodies[name], 0.3, link, -1)
                if not found:
                    continue
                ours = min(point[8] for point in found)
                theirs = min(
                    mujoco.mj_geomDistance(model, data, a, b, 0.4, fromto)
                    for a in _touching(model, part)
                    for b in _touching(model, name)
                )
                assert -1.5e-3 < ours - theirs < 4e-3
                compared += 1
    assert compared > 50


def _touching(model: mujoco.MjModel, body: str) -> list[int]:
    first, count = int(model.body(body).geomadr[0]), int(model.body(body).geomnum[0])
    return [g for g in range(first, first + count) if model.geom_contype[g]]


def test_the_recorded_configuration_draws_what_was_measured(kitchen: PybulletWorld) -> None:
    kitchen.reset(seed=2)
    q = kitchen.spec.q_home + np.array([0.3, 0.1, -0.2, 0.1, 0.2, -0.1, 0.4])
    seen = move(kitchen, q, 0.8, 0.03)
    drawn = build_mujoco_world(KITCHEN)  # what the film code draws with
    drawn.data.qpos[:] = kitchen.qpos
    mujoco.mj_kinematics(drawn.model, drawn.data)
    for name, pose in seen.poses.items():
        np.testing.assert_allclose(drawn.data.body(name).xpos, pose.position, atol=1e-6)
        rotation = drawn.data.body(name).xmat.reshape(3, 3)
        np.testing.assert_allclose(rotation, pose.rotation, atol=1e-6)
    np.testing.assert_allclose(
        drawn.data.site("ee").xpos, seen.pose_ee_in_world.position, atol=1e-6
    )
    assert seen.gripper is not None
    gap = sum(drawn.data.joint(f"finger_joint{k}").qpos[0] for k in (1, 2))
    assert gap == pytest.approx(seen.gripper.width_m, abs=1e-4)
    np.testing.assert_array_equal(kitchen.data.qpos, kitchen.qpos)


# ------------------------------------------------------------------------------ physics


def test_the_arm_tracks_and_keeps_its_limits(blocks: PybulletWorld) -> None:
    blocks.reset(seed=0)
    monitor = LimitMonitor(blocks.spec)
    amplitude = np.array([0.8, 0.5, 0.8, 0.6, 0.8, 0.8, 1.0])
    home, period_s, worst = blocks.spec.q_home, 3.0, 0.0
    for k in range(1, 151):
        phase = 2 * np.pi * k * 0.01 / period_s
        q = home + amplitude * (1 - np.cos(phase)) / 2
        dq = amplitude * np.sin(phase) * np.pi / period_s
        result = blocks.step(Command(q=q, dq=dq))
        assert result.reasons == ()
        worst = max(worst, float(np.abs(result.observation.q - q).max()))
        monitor.observe(result.observation)
    assert worst < 0.005
    assert monitor.violations == []
    assert monitor.highest_torque_share > 0.05  # the torques are really measured


def test_gravity_is_compensated_at_rest(blocks: PybulletWorld) -> None:
    observation = blocks.reset(seed=0)
    np.testing.assert_allclose(observation.q, blocks.spec.q_home, atol=1e-4)
    assert observation.tau[3] > 10.0  # holding up the forearm takes torque


def test_torques_stay_within_their_limits_when_pushing_the_table(blocks: PybulletWorld) -> None:
    blocks.reset(seed=0)
    q, highest = np.array(blocks.spec.q_home), np.zeros(7)
    for _ in range(200):
        q[1] += 0.02  # lean into the table
        q[3] += 0.005
        seen = blocks.step(Command(q=np.minimum(q, blocks.spec.q_upper))).observation
        highest = np.maximum(highest, np.abs(seen.tau))
    assert np.all(highest <= blocks.spec.tau_max * 1.001)
    assert np.max(highest / blocks.spec.tau_max) > 0.95  # the limit was reached and held
    assert seen.pose_ee_in_world.position[2] > -0.01  # and the table was not passed through


def test_a_block_is_held_by_friction_lifted_and_put_back(blocks: PybulletWorld) -> None:
    start = blocks.reset(seed=0)
    pose = start.poses["red-block"]
    above = reach(blocks, blocks.spec.q_home, pose, 0.12)
    at = reach(blocks, above, pose, 0.0)
    move(blocks, above, 1.5)
    move(blocks, at, 1.0)
    constraints = blocks._client.getNumConstraints()
    move(blocks, at, 0.8, 0.0)
    lifted = move(blocks, above, 0.8)
    assert blocks._client.getNumConstraints() == constraints == 1  # the fingers' belt, no glue
    assert lifted.poses["red-block"].position[2] > pose.position[2] + 0.1
    assert lifted.gripper is not None
    assert lifted.gripper.width_m == pytest.approx(0.045, abs=0.002)
    assert lifted.gripper.force_n == pytest.approx(20.0, abs=3.0)
    grounder = TabletopGrounder(blocks.spec)
    facts = {str(a) for a in grounder.facts(lifted)}
    assert "(holding red-block)" in facts and "(hand-empty)" not in facts
    for _ in range(200):  # it does not creep out of the fingers
        held = blocks.step(Command(q=above)).observation
    np.testing.assert_allclose(
        held.poses["red-block"].position, lifted.poses["red-block"].position, atol=1e-3
    )
    move(blocks, at, 1.0)
    end = move(blocks, at, 0.6, 0.08)
    assert {"(on red-block table)", "(hand-empty)"} <= {str(a) for a in grounder.facts(end)}


def test_a_held_block_survives_shaking_at_the_limits(blocks: PybulletWorld) -> None:
    spec, rng, t = blocks.spec, np.random.default_rng(0), 0.0
    pose = blocks.reset(seed=0).poses["red-block"]
    above = reach(blocks, spec.q_home, pose, 0.12)
    at = reach(blocks, above, pose, 0.0)
    move(blocks, above, 1.5)
    move(blocks, at, 1.0)
    move(blocks, at, 0.8, 0.0)
    move(blocks, above, 0.8)
    seen = move(blocks, spec.q_home, 1.5)  # high above the table
    before = seen.pose_ee_in_world.inverse() @ seen.poses["red-block"]
    while t < 5.0:
        frequency_hz = rng.uniform(0.5, 3.0)
        omega = 2 * np.pi * frequency_hz
        amplitude = np.minimum(0.9 * spec.ddq_max / omega**2, 0.9 * spec.dq_max / omega)
        swing = rng.choice([-1, 1], 7) * np.minimum(amplitude, 0.3)
        start, n = seen.q, round(100 / frequency_hz)
        for k in range(1, n + 1):
            phase = 2 * np.pi * k / n
            dq = swing * np.sin(phase) * np.pi / (n * spec.control_dt_s)
            command = Command(q=start + swing * (1 - np.cos(phase)) / 2, dq=dq)
            seen = blocks.step(command).observation
        t += n * spec.control_dt_s
    after = seen.pose_ee_in_world.inverse() @ seen.poses["red-block"]
    assert np.linalg.norm(after.position - before.position) < 0.006


def test_open_fingers_let_go(kitchen: PybulletWorld) -> None:
    """A light sponge that was squeezed hard and moved drops, and does not cling to one finger."""
    kitchen.reset(seed=1)
    arm, client, body = kitchen._running_arm(), kitchen._client, kitchen._bodies["sponge"]
    ee = kitchen.observe().pose_ee_in_world
    turn = Pose(position=np.zeros(3), quat_wxyz=np.array([np.sqrt(0.5), 0.0, 0.0, np.sqrt(0.5)]))
    upright = yaw_pose(ee.position, 0.0)
    sponge = upright if abs(ee.rotation[1, 1]) > 0.9 else upright @ turn
    client.resetBasePositionAndOrientation(
        body, sponge.position.tolist(), xyzw_from_wxyz(sponge.quat_wxyz).tolist()
    )
    arm.told(0.0, 30.0)
    for finger in arm._fingers:
        client.resetJointState(arm._body, finger, 0.0255)
    home = kitchen.spec.q_home
    for _ in range(30):
        held = kitchen.step(Command(q=home, gripper_width_m=0.0, gripper_force_n=30.0)).observation
    assert held.poses["sponge"].position[2] > ee.position[2] - 0.02
    move(kitchen, home + [0.3, 0.1, 0.0, 0.1, 0.0, 0.0, 0.4], 0.8)
    for _ in range(50):
        end = kitchen.step(
            Command(q=kitchen.observe().q, gripper_width_m=0.08, gripper_force_n=30.0)
        ).observation
    assert end.gripper is not None and end.gripper.width_m > 0.075
    assert end.poses["sponge"].position[2] < ee.position[2] - 0.15


def test_without_force_nothing_is_lifted(blocks: PybulletWorld) -> None:
    pose = blocks.reset(seed=0).poses["red-block"]
    above = reach(blocks, blocks.spec.q_home, pose, 0.12)
    at = reach(blocks, above, pose, 0.0)
    move(blocks, above, 1.5)
    move(blocks, at, 1.0)
    for _ in range(80):
        blocks.step(Command(q=at, gripper_width_m=0.0, gripper_force_n=0.0))
    end = move(blocks, above, 0.8)
    assert end.poses["red-block"].position[2] < pose.position[2] + 0.01


def test_containers_hold_what_is_let_go_in_them(blocks: PybulletWorld) -> None:
    start = blocks.reset(seed=0)
    poses = dict(start.poses)
    layout = {n: poses[n] for n in BLOCKS.of_kind("item")}
    bin_at = poses["bin"].position
    layout["red-block"] = yaw_pose(bin_at + [0.06, 0.0, 0.15], 0.4)
    end = blocks.set_layout(Layout(poses=layout))
    facts = {str(a) for a in TabletopGrounder(blocks.spec).facts(end)}
    assert "(in red-block bin)" in facts
    bottom = bin_at[2] - BLOCKS.objects["bin"].size_m[2] / 2 + BLOCKS.bodies["bin"].wall_m
    low = end.poses["red-block"].position[2] - 0.0225
    assert low == pytest.approx(bottom, abs=2e-3)


def test_a_drawer_slides_against_friction_between_its_stops(kitchen: PybulletWorld) -> None:
    kitchen.reset(seed=0)
    body, client = kitchen._bodies["drawer"], kitchen._client
    travel = KITCHEN.objects["drawer"].travel_m
    stay = Command(q=kitchen.spec.q_home)
    client.resetJointState(body, 0, 0.05, targetVelocity=0.5)
    slid = [kitchen.step(stay).observation.openings_m["drawer"] for _ in range(150)]
    assert 0.06 < slid[-1] < travel  # friction stopped it on the way
    assert slid[-1] == pytest.approx(slid[-20], abs=1e-4)
    client.resetJointState(body, 0, 0.05, targetVelocity=2.0)
    thrown = [kitchen.step(stay).observation for _ in range(150)]
    assert max(o.openings_m["drawer"] for o in thrown) < travel + 0.004
    opened = thrown[-1].poses["drawer"].position - kitchen.reset(seed=0).poses["drawer"].position
    along = np.array(KITCHEN.objects["drawer"].opens_along)
    np.testing.assert_allclose(opened, along * thrown[-1].openings_m["drawer"], atol=1e-3)


def test_divergence_is_reported_and_reset_mends_it(blocks: PybulletWorld) -> None:
    blocks.reset(seed=0)
    blocks._client.resetBasePositionAndOrientation(
        blocks._bodies["red-block"], [float("nan"), 0.0, 0.0], [0.0, 0.0, 0.0, 1.0]
    )
    with pytest.raises(WorldError, match="diverged"):
        blocks.step(Command(q=blocks.spec.q_home))
    with pytest.raises(WorldError, match="call reset"):
        blocks.step(Command(q=blocks.spec.q_home))
    blocks.reset(seed=0)
    blocks.step(Command(q=blocks.spec.q_home))


def test_a_layout_must_place_exactly_the_items(blocks: PybulletWorld) -> None:
    with pytest.raises(LayoutError, match="red-block"):
        blocks.set_layout(Layout(poses={}))


# ------------------------------------------------------------------------------ cameras


@pytest.mark.parametrize("camera", ["main", "top"])
def test_pictures_agree_with_the_measured_poses(blocks: PybulletWorld, camera: str) -> None:
    observation = blocks.reset(seed=0)
    image = blocks.render(camera, width=320, height=240)
    spec, names = blocks.spec.cameras[camera], list(blocks.spec.objects)
    assert image.rgb.shape == (240, 320, 3) and image.rgb.dtype == np.uint8
    assert image.depth.shape == (240, 320) and image.depth.dtype == np.float32
    assert image.segmentation is not None and image.segmentation.dtype == np.int32
    focal = 120 / np.tan(spec.fovy_rad / 2)
    seen = 0
    for name in BLOCKS.of_kind("item"):
        x, y, z = spec.pose_camera_in_world.inverse().apply(observation.poses[name].position)
        column, row = round(160 + focal * x / -z), round(120 - focal * y / -z)
        if image.segmentation[row, column] != names.index(name) + 1:
            continue  # hidden behind the arm
        seen += 1
        assert 0.0 < -z - image.depth[row, column] < 0.045
        color = image.rgb[row, column].astype(float) / 255
        wanted = np.array(BLOCKS.bodies[name].rgba[:3])
        assert color @ wanted / np.linalg.norm(color) / np.linalg.norm(wanted) > 0.95
    assert seen >= 4
    np.testing.assert_array_equal(blocks.render(camera, width=320, height=240).rgb, image.rgb)


def test_both_simulators_see_the_same(kitchen: PybulletWorld) -> None:
    other = build_mujoco_world(KITCHEN)
    kitchen.reset(seed=1)
    other.reset(seed=1)
    ours = kitchen.render("main", width=320, height=240)
    theirs = other.render("main", width=320, height=240)
    other.close()
    assert ours.segmentation is not None and theirs.segmentation is not None
    same = ours.segmentation == theirs.segmentation
    assert same.mean() > 0.99
    things = same & (ours.segmentation > 0)
    assert np.nanmedian(np.abs(ours.depth - theirs.depth)[things]) < 1e-3


def test_an_unknown_camera_names_the_known_ones(blocks: PybulletWorld) -> None:
    blocks.reset(seed=0)
    with pytest.raises(ValueError, match="main"):
        blocks.render("nowhere")


# -------------------------------------------------------------------------- environment


def test_a_missing_extra_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pybullet_data", None)
    with pytest.raises(EnvironmentMissingError, match=r"embodied-stack\[pybullet\]"):
        pybullet.build_world(BLOCKS)


def test_its_banners_stay_out_of_the_output() -> None:
    code = (
        "from embodied.world.pybullet import build_world\n"
        "from embodied.world.scene import load_scene\n"
        "w = build_world(load_scene('blocks')); w.reset(seed=0); w.close()\n"
        "print('done')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ
    )
    assert (done.stdout, done.stderr) == ("done\n", "")
