from __future__ import annotations

import mujoco
import numpy as np
import pytest

from embodied.errors import ConfigurationError, WorldError
from embodied.types import Command, Observation, Pose
from embodied.world.grounding import TabletopGrounder
from embodied.world.layout import Layout, LayoutError, yaw_pose
from embodied.world.limits import LimitMonitor
from embodied.world.mujoco import MujocoWorld, build_world, planning_model
from embodied.world.scene import load_scene, scene_names


def penetrations(
    world: MujocoWorld, *, least_m: float = 0.0, of_robot: bool = True
) -> tuple[tuple[str, str, float], ...]:
    """Pairs of geoms that overlap now, with the depth in metres, deepest first.

    Args:
        world: The world.
        least_m: Shallower overlaps are left out.
        of_robot: Only pairs with a part of the robot in them; its finger pads squeeze what they
            hold and are left out too.
    """
    model = world.model
    scene = set(world.spec.objects) | {f"{n}-cabinet" for n in world.spec.objects} | {"world"}
    pads = world.robot.gripper.pads if world.robot.gripper else ()
    found: list[tuple[str, str, float]] = []
    for contact in world.data.contact:
        pair = [model.geom(int(g)) for g in contact.geom]
        names = [g.name or f"geom {g.id}" for g in pair]
        bodies = [model.body(int(g.bodyid[0])).name for g in pair]
        if of_robot and (all(b in scene for b in bodies) or any(n in pads for n in names)):
            continue
        depth = -float(contact.dist)
        if depth > least_m:
            found.append((names[0], names[1], depth))
    return tuple(sorted(found, key=lambda f: -f[2]))


BLOCKS = load_scene("blocks")


def reach(world: MujocoWorld, q0: np.ndarray, position: np.ndarray, yaw: float) -> np.ndarray:
    """Joint positions that bring the hand to a position, pointing down (damped least squares)."""
    model = planning_model(BLOCKS)
    data = mujoco.MjData(model)
    site = model.site("ee").id
    c, s = np.cos(yaw), np.sin(yaw)
    target = np.array([[c, s, 0], [s, -c, 0], [0, 0, -1.0]])
    jacobian = np.zeros((6, model.nv))
    q = q0.copy()
    for _ in range(300):
        data.qpos[:7] = q
        mujoco.mj_kinematics(model, data)
        mujoco.mj_comPos(model, data)
        rotation = data.site_xmat[site].reshape(3, 3)
        turn = 0.5 * sum(np.cross(rotation[:, i], target[:, i]) for i in range(3))
        error = np.concatenate([position - data.site_xpos[site], turn])
        if np.linalg.norm(error) < 1e-4:
            return q
        mujoco.mj_jacSite(model, data, jacobian[:3], jacobian[3:], site)
        J = jacobian[:, :7]
        step = J.T @ np.linalg.solve(J @ J.T + 1e-3 * np.eye(6), error)
        q = np.clip(q + 0.5 * step, world.spec.q_lower, world.spec.q_upper)
    raise AssertionError("the test's inverse kinematics did not converge")


def move(
    world: MujocoWorld, q: np.ndarray, duration_s: float, width_m: float | None = None
) -> Observation:
    """Move along a minimum-jerk profile."""
    start = world.observe().q
    n = round(duration_s / world.spec.control_dt_s)
    for k in range(1, n + 1):
        x = k / n
        share = x**3 * (10 - 15 * x + 6 * x * x)
        rate = 30 * x * x * (1 - x) ** 2 / duration_s
        command = Command(
            q=start + (q - start) * share, dq=(q - start) * rate, gripper_width_m=width_m
        )
        world.step(command)
    return world.observe()


def _yaw(pose: Pose) -> float:
    yaw = 2 * np.arctan2(pose.quat_wxyz[3], pose.quat_wxyz[0])
    return float((yaw + np.pi / 4) % (np.pi / 2) - np.pi / 4)


def _lifted(world: MujocoWorld, item: str) -> Observation:
    """Take an item off the table by contact and friction alone."""
    pose = world.observe().poses[item]
    above = reach(world, world.spec.q_home, pose.position + [0, 0, 0.12], _yaw(pose))
    at = reach(world, above, pose.position, _yaw(pose))
    move(world, above, 1.5)
    move(world, at, 1.0)
    move(world, at, 0.8, 0.0)
    return move(world, above, 0.8)


def test_tracking_error_is_below_5_mrad_at_moderate_speed() -> None:
    world = build_world(BLOCKS)
    world.reset(seed=0)
    monitor = LimitMonitor(world.spec)
    amplitude = np.array([0.8, 0.5, 0.8, 0.6, 0.8, 0.8, 1.0])
    home, period_s, worst = world.spec.q_home, 3.0, 0.0
    for k in range(1, 301):
        phase = 2 * np.pi * k * 0.01 / period_s
        q = home + amplitude * (1 - np.cos(phase)) / 2
        dq = amplitude * np.sin(phase) * np.pi / period_s
        result = world.step(Command(q=q, dq=dq))
        assert result.reasons == ()
        worst = max(worst, float(np.abs(result.observation.q - q).max()))
        monitor.observe(result.observation)
    assert worst < 0.005
    assert monitor.violations == []
    assert monitor.highest_torque_share > 0.05  # the torques are really measured


def test_gravity_is_compensated_at_rest() -> None:
    world = build_world(BLOCKS)
    observation = world.reset(seed=0)
    np.testing.assert_allclose(observation.q, world.spec.q_home, atol=1e-6)
    assert abs(observation.tau[3]) > 5.0  # holding up the forearm takes torque


def test_torques_stay_within_the_published_limits_even_when_pushing_the_table() -> None:
    world = build_world(BLOCKS, stacks=0.0)
    world.reset(seed=0)
    monitor = LimitMonitor(world.spec)
    q = np.array(world.spec.q_home)
    for _ in range(300):
        q[1] += 0.02  # lean into the table
        result = world.step(Command(q=np.minimum(q, world.spec.q_upper)))
        monitor.observe(result.observation)
    assert [v for v in monitor.violations if v.quantity == "torque"] == []
    assert monitor.highest_torque_share > 0.95  # the limit was reached and held


def test_a_block_is_held_by_friction_lifted_and_put_back() -> None:
    world = build_world(BLOCKS, stacks=0.0)
    start = world.reset(seed=0)
    grounder = TabletopGrounder(world.spec)
    lifted = _lifted(world, "red-block")
    assert lifted.poses["red-block"].position[2] > start.poses["red-block"].position[2] + 0.1
    assert lifted.gripper is not None
    assert lifted.gripper.width_m == pytest.approx(0.045, abs=0.002)
    assert lifted.gripper.force_n == pytest.approx(20.0, abs=2.0)
    facts = {str(a) for a in grounder.facts(lifted)}
    assert "(holding red-block)" in facts and "(hand-empty)" not in facts
    assert penetrations(world) == ()
    down = reach(world, lifted.q, start.poses["red-block"].position, _yaw(start.poses["red-block"]))
    move(world, down, 1.0)
    end = move(world, down, 0.6, 0.08)
    assert {"(on red-block table)", "(hand-empty)"} <= {str(a) for a in grounder.facts(end)}


def test_no_force_no_grasp() -> None:
    world = build_world(BLOCKS, stacks=0.0)
    start = world.reset(seed=0)
    pose = start.poses["red-block"]
    at = reach(world, world.spec.q_home, pose.position, _yaw(pose))
    above = reach(world, world.spec.q_home, pose.position + [0, 0, 0.12], _yaw(pose))
    move(world, above, 1.5)
    move(world, at, 1.0)
    move(world, at, 0.8, 0.05)  # closes to 50 mm around a block of 45 mm
    end = move(world, above, 0.8)
    np.testing.assert_allclose(end.poses["red-block"].position, pose.position, atol=0.003)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_a_held_block_survives_ten_seconds_of_shaking_at_the_limits(seed: int) -> None:
    world = build_world(BLOCKS, stacks=0.0)
    world.reset(seed=seed)
    _lifted(world, "red-block")
    lifted = move(world, world.spec.q_home, 1.5)  # high above the table
    before = lifted.pose_ee_in_world.inverse() @ lifted.poses["red-block"]
    spec, rng, t = world.spec, np.random.default_rng(seed), 0.0
    while t < 10.0:
        frequency_hz = rng.uniform(0.5, 3.0)
        omega = 2 * np.pi * frequency_hz
        amplitude = np.minimum(0.9 * spec.ddq_max / omega**2, 0.9 * spec.dq_max / omega)
        swing = rng.choice([-1, 1], 7) * np.minimum(amplitude, 0.3)
        start, n = world.observe().q, round(100 / frequency_hz)
        for k in range(1, n + 1):
            phase = 2 * np.pi * k / n
            dq = swing * np.sin(phase) * np.pi / (n * spec.control_dt_s)
            end = world.step(Command(q=start + swing * (1 - np.cos(phase)) / 2, dq=dq))
        t += n * spec.control_dt_s
    observation = end.observation
    after = observation.pose_ee_in_world.inverse() @ observation.poses["red-block"]
    assert np.linalg.norm(after.position - before.position) < 0.006
    assert observation.gripper is not None and observation.gripper.force_n > 15.0


@pytest.mark.parametrize("name", scene_names())
def test_layouts_settle_without_overlap_and_equal_seeds_repeat(name: str) -> None:
    world = build_world(load_scene(name))
    grounder = TabletopGrounder(world.spec)
    for seed in range(8):
        observation = world.reset(seed=seed)
        facts = grounder.facts(observation)
        for item in world.scene.of_kind("item") if world.scene else ():
            places = [a for a in facts if a.predicate in ("on", "in") and a.args[0] == item]
            assert len(places) == 1
        assert penetrations(world, of_robot=False, least_m=1e-3) == ()


def test_penetrations_are_found() -> None:
    world = build_world(BLOCKS)
    world.reset(seed=0)
    world.data.qpos[1] = 1.6  # the arm lies in the table
    mujoco.mj_forward(world.model, world.data)
    found = penetrations(world, least_m=0.01)
    assert any("table" in pair[:2] for pair in found)
    assert list(found) == sorted(found, key=lambda f: -f[2])


def test_a_layout_can_be_given() -> None:
    world = build_world(BLOCKS)
    poses = {
        n: yaw_pose(np.array([0.35 + 0.07 * i, 0.0, 0.0226]), 0.0)
        for i, n in enumerate(BLOCKS.of_kind("item"))
    }
    observation = world.set_layout(Layout(poses=poses))
    for name, pose in poses.items():
        np.testing.assert_allclose(observation.poses[name].position, pose.position, atol=1e-3)
    with pytest.raises(LayoutError, match="green-block"):
        world.set_layout(Layout(poses={n: p for n, p in poses.items() if n != "green-block"}))


def test_a_divergence_is_an_error_and_reset_repairs_it() -> None:
    world = build_world(BLOCKS)
    world.reset(seed=0)
    world.data.qvel[:] = np.nan
    with pytest.raises(WorldError, match="diverged"):
        world.step(Command(q=world.spec.q_home))
    with pytest.raises(WorldError, match="call reset"):
        world.step(Command(q=world.spec.q_home))
    world.reset(seed=0)
    world.step(Command(q=world.spec.q_home))


def test_the_planning_model_has_the_worlds_geometry() -> None:
    world, model = build_world(BLOCKS), planning_model(BLOCKS)
    assert model.nq == world.model.nq and model.ngeom == world.model.ngeom
    np.testing.assert_array_equal(model.geom_size, world.model.geom_size)
    assert not model.opt.enableflags & int(mujoco.mjtEnableBit.mjENBL_SLEEP)


def test_names_that_planners_rely_on() -> None:
    scene = load_scene("kitchen")
    model = planning_model(scene)
    for body in [*(f"link{i}" for i in range(8)), "hand", "left_finger", "right_finger"]:
        assert model.body(body).id > 0
    for joint in [*(f"joint{i}" for i in range(1, 8)), "finger_joint1", "finger_joint2"]:
        assert model.joint(joint).id >= 0
    for name, thing in scene.objects.items():
        assert model.body(name).id > 0
        if thing.kind == "item":
            assert model.joint(name).type[0] == mujoco.mjtJoint.mjJNT_FREE
        if thing.kind == "drawer":
            assert model.joint(name).type[0] == mujoco.mjtJoint.mjJNT_SLIDE
            assert model.site(f"{name}-handle").id >= 0
    assert model.site("ee").id >= 0


def test_object_poses_and_sizes_describe_the_geometry() -> None:
    """The measured pose is the centre of the extents that the spec states."""
    scene = load_scene("kitchen")
    world = build_world(scene)
    observation = world.reset(seed=0)
    model, data = world.model, world.data
    for name in ("plate", "bowl", "basket", "drawer", "shelf", "sponge", "soda-can"):
        body = model.body(name).id
        geoms = [
            g
            for g in range(model.ngeom)
            if model.geom_bodyid[g] == body
            and model.geom_contype[g]
            and "handle" not in model.geom(g).name
        ]
        if scene.objects[name].kind == "drawer":  # leave out the rods of the handle
            geoms = [g for g in geoms if model.geom_type[g] == mujoco.mjtGeom.mjGEOM_BOX]
        low = min(data.geom_xpos[g][2] - model.geom_aabb[g][5] for g in geoms)
        high = max(data.geom_xpos[g][2] + model.geom_aabb[g][5] for g in geoms)
        size, z = scene.objects[name].size_m[2], observation.poses[name].position[2]
        assert high - low == pytest.approx(size, abs=1e-3), name
        assert (high + low) / 2 == pytest.approx(z, abs=1e-3), name


def test_an_unknown_robot_names_the_known_ones() -> None:
    with pytest.raises(ConfigurationError, match="fr3"):
        build_world(BLOCKS, robot="no-such-robot")
