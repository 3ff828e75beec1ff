from __future__ import annotations

import numpy as np
import pytest
from embodied_controllers.trajectory import TrajectoryController, sample

from embodied.types import (
    Command,
    ControlStatus,
    GripperGoal,
    GripperState,
    JointTrajectory,
    Observation,
    PathGoal,
    Pose,
    RewardGoal,
    RewardProgram,
    WorldSpec,
)

IDENTITY = np.array([1.0, 0.0, 0.0, 0.0])


def planar_spec(n: int = 2) -> WorldSpec:
    return WorldSpec(
        name="toy",
        robot="gantry",
        joint_names=tuple(f"j{i}" for i in range(n)),
        q_lower=-2 * np.ones(n),
        q_upper=2 * np.ones(n),
        dq_max=np.ones(n),
        ddq_max=10 * np.ones(n),
        dddq_max=1000 * np.ones(n),
        tau_max=np.ones(n),
        q_home=np.zeros(n),
        control_dt_s=0.01,
    )


class Gantry:
    """Joints that follow their set-points with a lag, a wall, and fingers that an object stops."""

    def __init__(self, spec: WorldSpec, wall: float = np.inf, object_width: float = 0.0) -> None:
        self.spec, self.wall, self.object_width = spec, wall, object_width
        self.q = np.zeros(len(spec.joint_names))
        self.dq = np.zeros_like(self.q)
        self.width, self.speed, self.time = 0.08, 0.0, 0.0
        self.target = self.width

    def observe(self) -> Observation:
        position = np.zeros(3)
        position[: min(3, len(self.q))] = self.q[:3]
        return Observation(
            time=self.time,
            q=self.q,
            dq=self.dq,
            tau=np.zeros_like(self.q),
            pose_ee_in_world=Pose(position=position, quat_wxyz=IDENTITY),
            gripper=GripperState(width_m=self.width, speed_m_s=self.speed),
        )

    def step(self, command: Command) -> Observation:
        dt = self.spec.control_dt_s
        q = self.q + 0.9 * (command.q - self.q)
        q[0] = min(q[0], self.wall)
        self.dq, self.q = (q - self.q) / dt, q
        if command.gripper_width_m is not None:
            self.target = command.gripper_width_m
        wanted = max(self.target, self.object_width)
        width = self.width + float(np.clip(wanted - self.width, -0.001, 0.001))
        self.speed, self.width = (width - self.width) / dt, width
        self.time += dt
        return self.observe()


def run(controller: TrajectoryController, world: Gantry, goal, limit_s: float = 20.0):
    state = controller.init(goal, world.observe())
    seen = [world.observe()]
    while world.time < limit_s:
        command, state, status = controller.step(state, seen[-1])
        seen.append(world.step(command))
        if status is not ControlStatus.RUNNING:
            return status, seen
    raise AssertionError("the controller never ended")


def ramp(length: float = 0.5, duration: float = 1.0, n: int = 2) -> JointTrajectory:
    """Quintic from rest to rest in the first joint."""
    x = np.linspace(0.0, 1.0, 101)
    q, dq, ddq = (np.zeros((101, n)) for _ in range(3))
    q[:, 0] = length * x**3 * (10 - 15 * x + 6 * x**2)
    dq[:, 0] = length / duration * 30 * x**2 * (1 - x) ** 2
    ddq[:, 0] = length / duration**2 * 60 * x * (1 - x) * (1 - 2 * x)
    return JointTrajectory(time=duration * x, q=q, dq=dq, ddq=ddq)


def test_sample_interpolates_between_samples_and_holds_the_ends():
    fine = ramp()
    coarse = JointTrajectory(time=fine.time[::5], q=fine.q[::5], dq=fine.dq[::5], ddq=fine.ddq[::5])
    for k, t in enumerate(fine.time):
        q, dq = sample(coarse, float(t))
        assert q == pytest.approx(fine.q[k], abs=1e-5)
        assert dq == pytest.approx(fine.dq[k], abs=2e-3)
    assert sample(fine, -1.0)[0] == pytest.approx(fine.q[0])
    assert sample(fine, 9.0)[0] == pytest.approx(fine.q[-1])
    assert sample(fine, 9.0)[1] == pytest.approx(np.zeros(2))


def test_path_is_followed_and_reached_at_rest():
    spec = planar_spec()
    world = Gantry(spec)
    status, seen = run(TrajectoryController(spec), world, PathGoal(trajectory=ramp()))
    assert status is ControlStatus.REACHED
    assert world.q[0] == pytest.approx(0.5, abs=0.005)
    assert np.max(np.abs(seen[-1].dq)) < 0.05
    assert world.time < 1.3
    for observation in seen[1:]:
        wanted, _ = sample(ramp(), observation.time)
        assert observation.q == pytest.approx(wanted, abs=0.01)


def test_path_opens_the_fingers_on_the_way():
    spec = planar_spec()
    world = Gantry(spec)
    run(TrajectoryController(spec), world, PathGoal(trajectory=ramp(), gripper_width_m=0.03))
    assert world.width == pytest.approx(0.03)


def test_blocked_path_is_stuck_and_stops_pushing():
    spec = planar_spec()
    world = Gantry(spec, wall=0.2)
    controller = TrajectoryController(spec)
    state = controller.init(PathGoal(trajectory=ramp()), world.observe())
    status = ControlStatus.RUNNING
    while status is ControlStatus.RUNNING:
        command, state, status = controller.step(state, world.observe())
        world.step(command)
    assert status is ControlStatus.STUCK
    assert world.time < 1.5
    assert command.q == pytest.approx([0.2, 0.0], abs=1e-3)


def test_contact_ends_a_path_that_looks_for_it():
    spec = planar_spec()
    world = Gantry(spec, wall=0.2)
    goal = PathGoal(trajectory=ramp(duration=2.0), stop_on_contact=True)
    status, _ = run(TrajectoryController(spec), world, goal)
    assert status is ControlStatus.REACHED
    assert world.q[0] == pytest.approx(0.2)
    assert world.time < 1.5


def test_bad_goals_are_refused_with_a_reason():
    spec = planar_spec()
    world, controller = Gantry(spec), TrajectoryController(spec)
    with pytest.raises(ValueError, match="from the measured joints"):
        world.q[0] = 1.0
        controller.init(PathGoal(trajectory=ramp()), world.observe())
    with pytest.raises(ValueError, match="joint limits"):
        controller.init(PathGoal(trajectory=ramp(length=3.0)), Gantry(spec).observe())
    with pytest.raises(ValueError, match="trajectory of 3 joints"):
        controller.init(PathGoal(trajectory=ramp(n=3)), Gantry(spec).observe())
    with pytest.raises(ValueError, match="PathGoal and GripperGoal"):
        program = RewardProgram(robot="toy", stages=(), source="test")
        controller.init(RewardGoal(program=program), world.observe())


@pytest.mark.parametrize("object_width", [0.0, 0.045])
def test_fingers_end_at_rest_on_an_object_or_closed(object_width: float):
    spec = planar_spec()
    world = Gantry(spec, object_width=object_width)
    status, _ = run(TrajectoryController(spec), world, GripperGoal(width_m=0.0))
    assert status is ControlStatus.REACHED
    assert world.width == pytest.approx(object_width, abs=1e-6)
    assert world.q == pytest.approx(np.zeros(2))


def test_fingers_that_tremble_on_an_object_are_at_rest():
    spec = planar_spec()
    controller, world = TrajectoryController(spec), Gantry(spec, object_width=0.04)
    state = controller.init(GripperGoal(width_m=0.0), world.observe())
    status, k = ControlStatus.RUNNING, 0
    while status is ControlStatus.RUNNING:
        command, state, status = controller.step(state, world.observe())
        world.step(command)
        k += 1
        if world.width < 0.0405:
            world.width = 0.04 + 0.0001 * (k % 2)
    assert status is ControlStatus.REACHED


def test_fingers_that_never_rest_are_stuck():
    spec = planar_spec()
    controller, world = TrajectoryController(spec), Gantry(spec)
    state = controller.init(GripperGoal(width_m=0.0), world.observe())
    status, k = ControlStatus.RUNNING, 0
    while status is ControlStatus.RUNNING:
        command, state, status = controller.step(state, world.observe())
        world.step(command)
        k += 1
        world.width = 0.02 + 0.01 * (k % 2)
    assert status is ControlStatus.STUCK
    assert world.time > 2.9
