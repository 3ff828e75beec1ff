"""Arms behind a ROS 2 ``joint_trajectory_controller`` (extra ``[bridge-ros2]``), over Cyclone DDS.

No ROS installation is needed on this machine. Topics are understood by every middleware of ROS 2;
the action needs a controller that runs on ``rmw_cyclonedds_cpp``. Such controllers have neither
brakes nor power to switch: every stop category brakes and holds.
"""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

import numpy as np

from embodied.bridge.driver import DriverEntry, DriverLostError
from embodied.bridge.messages import StopCategory
from embodied.bridge.setpoint_driver import Grip, Report, SetpointDriver
from embodied.errors import HardwareFault
from embodied.types import Array, GripperState, JointTrajectory

if TYPE_CHECKING:
    from embodied.bridge.vendors import ros2_messages as ros
    from embodied.bridge.vendors.ros2_links import Links

SHORTEST_BRAKING_S = 1e-3
"""A joint that hardly moves would stop in less than the nanosecond that messages resolve, and
controllers refuse trajectories whose times do not grow."""
_FOUND_S = 10.0
_SILENT_S = 1.0
_ANSWER_S = 2.0


class Ros2Driver(SetpointDriver["Links"]):
    """One arm on one controller.

    A set-point is sent as a trajectory of two points: the set-point after a period, then rest at
    constant deceleration. An arm that hears nothing more comes to rest by itself.

    Args:
        robot: Robot whose joints the controller has, by name or path.
        joints: Their names in ROS, separated by commas, where they differ.
        controller: Name of the trajectory controller.
        states: Topic of the joint states.
        gripper: Name of the gripper's trajectory controller; ``""`` for none.
        gripper_joint: Joint that the gripper's controller moves.
        gap_per_joint: Gap between the fingers, m, per unit of that joint.
        domain: DDS domain, as in ``ROS_DOMAIN_ID``.
        local: true: stay on this machine's loopback, unless ``CYCLONEDDS_URI`` is set.
        truth: Socket of an emulator that tells where things are; real arms have none.
        lockstep: true: wait for an emulator started with ``--stepped``.
    """

    name, label = "ros2", "the controller's arm"
    executes = True

    def __init__(
        self,
        *,
        robot: str = "fr3",
        joints: str = "",
        controller: str = "joint_trajectory_controller",
        states: str = "joint_states",
        gripper: str = "",
        gripper_joint: str = "finger_joint1",
        gap_per_joint: float = 2.0,
        domain: int = 0,
        local: bool = False,
        truth: str = "",
        lockstep: bool = False,
    ) -> None:
        from embodied.world import robots

        names = robots.load(robot).joints
        super().__init__(names, has_gripper=bool(gripper), lockstep=lockstep, truth=truth)
        self._ros_joints = tuple(j.strip() for j in joints.split(",")) if joints else names
        if len(self._ros_joints) != len(names):
            raise TypeError(f"joints: {robot} has {len(names)}, got {len(self._ros_joints)}")
        self._controller, self._states, self._gripper = controller, states, gripper
        self._finger, self._gap = gripper_joint, gap_per_joint
        self._domain, self._local = domain, local
        self._seen: ros.JointState | None = None
        self._heard_s = 0.0
        self._reports = 0
        self._due_s = -1.0

    def open_link(self) -> Links:
        """Join the domain and wait for the controller's topics."""
        from embodied.bridge.vendors.ros2_links import Links

        links = Links(
            self._domain,
            local=self._local,
            controller=self._controller,
            gripper=self._gripper,
            states=self._states,
        )
        deadline = time.monotonic() + _FOUND_S
        while not (links.found and self._listen(links)):
            if time.monotonic() > deadline:
                links.close()
                raise DriverLostError(
                    f"no controller {self._controller!r} with joint states on"
                    f" {self._states!r} in DDS domain {self._domain}"
                )
            time.sleep(0.01)
        return links

    def close_link(self, link: Links) -> None:
        """Leave the domain."""
        link.close()

    def measure(self, link: Links) -> Report:
        """The newest joint states.

        What the arm was told last is what was sent or, while a whole trajectory is carried out,
        what the controller says.
        """
        self._wait_for_step(link)
        self._listen(link)
        silent_s = time.monotonic() - self._heard_s
        if silent_s > _SILENT_S:
            raise DriverLostError(f"no joint states for {silent_s:.1f} s")
        if self.enabled and link.follow():
            self.goal, self.goal_dq = link.desired(self._ros_joints, self.goal, self.goal_dq)
        if link.aborted:
            self.stopped, self.enabled = True, False
        q, dq, tau = self._vectors()
        return Report(
            sequence=self._reports,
            stamp_s=self._stamp_s,
            q=q,
            dq=dq,
            q_commanded=self.goal if self.enabled else q,
            dq_commanded=self.goal_dq if self.enabled else np.zeros_like(q),
            tau=tau,
            gripper=self._grip_state(),
            receive_s=self._heard_s,
        )

    def switch_on(self, link: Links) -> None:
        """Command the measured pose."""
        self._due_s = -1.0
        self.send(link, self.goal, self.goal_dq, None)

    def send(self, link: Links, q: Array, dq: Array, grip: Grip | None) -> Array:
        """A set-point and the way to rest after it."""
        self._wait_for_step(link)  # for the last one: topics drop what piles up
        if grip is not None and self.has_gripper:
            self.grip(link, grip)
        self._due_s = max(self._due_s, self._stamp_s) + self.period_s
        points = [(self.period_s, q, dq)]
        if np.any(dq):
            braking_s = max(self._braking_s(dq), SHORTEST_BRAKING_S)
            points.append((self.period_s + braking_s, q + dq * braking_s / 2.0, np.zeros_like(q)))
        link.send(self._motion(points))
        return np.array(q)

    def execute(self, trajectory: JointTrajectory) -> None:
        """Ask the controller's ``follow_joint_trajectory`` for a whole motion.

        Raises:
            HardwareFault: It does not accept, or takes no motion.
            DriverLostError: It does not answer.
        """
        times = (trajectory.time - trajectory.time[0]).tolist()
        motion = self._motion(list(zip(times, trajectory.q, trajectory.dq, strict=True)))
        if not self.ready_link().start(motion, random.randbytes(16), _ANSWER_S):
            raise HardwareFault("the controller does not accept the trajectory")

    @property
    def carrying_out(self) -> bool:
        """Whether a whole trajectory is under way, as far as ``read_state`` has heard."""
        return self.link.busy

    def grip(self, link: Links, grip: Grip) -> None:
        """Move the gripper; the force goes along as the point's effort."""
        from embodied.bridge.vendors import ros2_messages as ros

        goal = ros.point(self.period_s, [grip[0] / self._gap], [0.0], [grip[1]])
        link.send_gripper(ros.JointTrajectory(ros.Header(), [self._finger], [goal]))

    def moving(self, link: Links) -> bool:
        """Set-points or a whole trajectory are under way."""
        return link.busy or super().moving(link)

    def brake(self, link: Links) -> None:
        """One trajectory to rest; in lockstep, where time passes with set-points, many."""
        if link.busy:
            self._listen(link)
            self.goal, self.goal_dq, _ = self._vectors()
        if self.lockstep:
            super().brake(link)
            self._wait_for_step(link)
            return
        braking_s = max(self.period_s, self._braking_s(self.goal_dq))
        rest, still = self.goal + self.goal_dq * braking_s / 2.0, np.zeros_like(self.goal)
        link.send(self._motion([(braking_s, rest, still)]))
        self.goal, self.goal_dq = rest, still

    def after_brake(self, link: Links, category: StopCategory) -> None:
        """Cancel what the controller carries out; to take power off is not in its reach."""
        link.cancel()
        self._due_s = -1.0

    def clear(self, link: Links) -> None:
        """Forget that the controller gave up."""
        link.forget()

    # ------------------------------------------------------------------ private

    def _motion(self, points: list[tuple[float, Array, Array]]) -> ros.JointTrajectory:
        from embodied.bridge.vendors import ros2_messages as ros

        knots = [ros.point(t, q.tolist(), dq.tolist()) for t, q, dq in points]
        return ros.JointTrajectory(ros.Header(), list(self._ros_joints), knots)

    def _braking_s(self, dq: Array) -> float:
        return float(np.max(np.abs(dq))) / self.stop_rad_s2

    @property
    def _stamp_s(self) -> float:
        stamp = self.seen.header.stamp
        return stamp.sec + stamp.nanosec * 1e-9

    @property
    def seen(self) -> ros.JointState:
        """The newest joint states that hold all joints."""
        if self._seen is None:
            raise DriverLostError("no joint states yet")
        return self._seen

    def _listen(self, links: Links) -> bool:
        """Take the newest joint states that hold all joints; whether there ever were any."""
        wanted = {*self._ros_joints, *((self._finger,) if self.has_gripper else ())}
        for message in links.states.take():
            if not wanted <= set(message.name) or len(message.position) != len(message.name):
                continue
            self._reports += self._seen is None or message.header.stamp != self._seen.header.stamp
            self._seen = message
            self._heard_s = time.monotonic()
        return self._seen is not None

    def _wait_for_step(self, links: Links) -> None:
        """In lockstep, wait for a report from after the last set-point."""

        def behind() -> bool:
            return self._listen(links) and self._stamp_s < self._due_s - 1e-6

        if self.lockstep:
            self.keep_step(behind, lambda: links.wait(0.1))

    def _vectors(self) -> tuple[Array, Array, Array]:
        """Positions, velocities and efforts in our order; zeros where the arm leaves them out."""
        seen = self.seen
        order = [seen.name.index(j) for j in self._ros_joints]
        fields = (seen.position, seen.velocity, seen.effort)
        full = [v if len(v) == len(seen.name) else [0.0] * len(seen.name) for v in fields]
        q, dq, tau = (np.array([values[i] for i in order]) for values in full)
        return q, dq, tau

    def _grip_state(self) -> GripperState | None:
        if not self.has_gripper:
            return None
        seen, at = self.seen, self.seen.name.index(self._finger)
        speed = seen.velocity[at] if len(seen.velocity) == len(seen.name) else 0.0
        force = seen.effort[at] if len(seen.effort) == len(seen.name) else 0.0
        return GripperState(
            width_m=seen.position[at] * self._gap,
            speed_m_s=speed * self._gap,
            force_n=abs(force),
        )


DRIVER = DriverEntry(
    make=Ros2Driver,
    arms="arms behind a ROS 2 joint_trajectory_controller",
    extra="bridge-ros2",
    package="cyclonedds",
    tested_against="a trajectory controller emulated by this project over Cyclone DDS",
)
