"""Arms behind a ROS 2 ``joint_trajectory_controller`` (extra ``[bridge-ros2]``), over Cyclone DDS.

No ROS installation is needed on this machine. Topics are understood by every middleware of ROS 2;
the action needs a controller that runs on ``rmw_cyclonedds_cpp``. Such controllers have neither
brakes nor power to switch: every stop category brakes and holds.
"""

from __future__ import annotations

import math
import random
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from embodied.bridge.driver import DriverLostError, NotSupportedError
from embodied.bridge.drivers.truth import Truth
from embodied.bridge.messages import (
    Acknowledgement,
    ArmMode,
    ArmState,
    Capabilities,
    StopCategory,
    StreamResult,
)
from embodied.errors import HardwareFault
from embodied.types import Array, GripperState, JointTrajectory, readonly

if TYPE_CHECKING:
    from embodied.bridge.drivers.ros2_links import Links

PERIOD_S = 0.01
STOP_RAD_S2 = 10.0
"""Deceleration after a stop, and after the last set-point if no other follows."""
SHORTEST_BRAKING_S = 1e-3
"""A joint that hardly moves would stop in less than the nanosecond that messages resolve, and
controllers refuse trajectories whose times do not grow."""
_FOUND_S = 10.0
_SILENT_S = 1.0
_LOCKSTEP_S = 5.0
_ANSWER_S = 2.0


class Ros2Driver:
    """One arm on one controller; implements ``Driver``.

    A set-point is sent as a trajectory of two points: the set-point after a period, then rest at
    constant deceleration. An arm that hears nothing more comes to rest by itself.

    Args:
        robot: Robot whose joints the controller has, by name or path.
        joints: Their names in ROS, separated by commas; "" takes the robot's own.
        controller: Name of the trajectory controller.
        states: Topic of the measured joints.
        gripper: Name of a second trajectory controller that moves the gripper; "" for none.
        gripper_joint: Joint that the gripper's controller moves.
        gap_per_joint: Gap between the fingers, m, per unit of that joint.
        domain: DDS domain, as in ``ROS_DOMAIN_ID``.
        local: Stay on this machine's loopback, unless ``CYCLONEDDS_URI`` is set.
        truth: Socket of an emulator that tells where things are; real arms have none.
        lockstep: The emulator was started with ``--stepped``.
    """

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
        self._joints = tuple(j.strip() for j in joints.split(",")) if joints else names
        if len(self._joints) != len(names):
            raise TypeError(f"joints: {robot} has {len(names)}, got {len(self._joints)}")
        self._names = names
        self._controller, self._states, self._gripper = controller, states, gripper
        self._finger, self._gap = gripper_joint, gap_per_joint
        self._domain, self._local = domain, local
        self._truth = Truth(truth)
        self._lockstep = lockstep
        self._links: Links | None = None
        self._enabled = self._stopped = False
        self._seen: Any = None
        self._heard_s = 0.0
        self._due_s = -1.0
        self._sequence = 0
        self._goal = np.zeros(len(names))
        self._goal_dq = np.zeros(len(names))
        self._order: list[int] = []

    @property
    def capabilities(self) -> Capabilities:
        """What this arm can do."""
        return Capabilities(
            name="ros2",
            joint_names=self._names,
            period_s=PERIOD_S,
            executes=True,
            has_gripper=bool(self._gripper),
            measures_torque=True,
            lockstep=self._lockstep,
            tested_against="a trajectory controller emulated by this project over Cyclone DDS",
        )

    def connect(self) -> None:
        """Join the domain and wait for the controller's topics; raises DriverLostError."""
        from embodied.bridge.drivers.ros2_links import Links

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
        self._truth.open()
        self._links = links
        self._goal = self._vector("position")

    def read_state(self) -> ArmState:
        """The latest report of the arm.

        What it was told last is what was sent or, while a whole trajectory is carried out, what
        the controller says.
        """
        links = self._connected()
        self._wait_for_step(links)
        self._listen(links)
        now = time.monotonic()
        if now - self._heard_s > _SILENT_S:
            raise DriverLostError(f"no joint states for {now - self._heard_s:.1f} s")
        if self._enabled and links.follow():
            self._goal, self._goal_dq = links.desired(self._joints, self._goal, self._goal_dq)
        if links.aborted:
            self._stopped, self._enabled = True, False
        q = self._vector("position")
        mode = ArmMode.RUNNING if self._enabled else ArmMode.IDLE
        return ArmState(
            sequence=self._sequence,
            source_time_s=_stamp_s(self._seen),
            receive_time_s=self._heard_s,
            q=q,
            dq=self._vector("velocity"),
            q_commanded=self._goal if self._enabled else q,
            dq_commanded=self._goal_dq if self._enabled else np.zeros_like(q),
            tau=self._vector("effort"),
            mode=ArmMode.PROTECTIVE_STOP if self._stopped else mode,
            protective_stop=self._stopped,
            gripper=self._grip(),
            scene=self._truth.scene(),
        )

    def enable(self) -> None:
        """Command the measured pose; raises HardwareFault while stopped."""
        state = self.read_state()
        if self._stopped:
            raise HardwareFault("the controller was stopped")
        self._goal, self._goal_dq = state.q, np.zeros_like(state.q)
        self._due_s = -1.0
        self._send(self._goal, self._goal_dq)
        self._enabled = True

    def stream(
        self,
        q: Array,
        dq: Array,
        *,
        gripper_width_m: float | None = None,
        gripper_force_n: float = 0.0,
    ) -> StreamResult:
        """Send one set-point; raises HardwareFault when the arm takes no motion."""
        self._refuse_when_idle()
        self._wait_for_step(self._connected())  # for the last one: topics drop what piles up
        if self._gripper and gripper_width_m is not None:
            self.gripper(gripper_width_m, gripper_force_n)
        self._send(q, dq)
        self._goal, self._goal_dq = np.array(q), np.array(dq)
        return StreamResult(requested=readonly(q), sent=readonly(q))

    def execute(self, trajectory: JointTrajectory) -> None:
        """Ask the controller's ``follow_joint_trajectory`` for a whole motion.

        Raises:
            HardwareFault: It does not accept, or takes no motion.
            DriverLostError: It does not answer.
        """
        from embodied.bridge.drivers import ros2_messages as ros

        self._refuse_when_idle()
        points = [
            ros.point(float(t), q.tolist(), dq.tolist())
            for t, q, dq in zip(
                trajectory.time - trajectory.time[0], trajectory.q, trajectory.dq, strict=True
            )
        ]
        goal = ros.JointTrajectory(ros.Header(), list(self._joints), points)
        if not self._connected().start(goal, random.randbytes(16), _ANSWER_S):
            raise HardwareFault("the controller does not accept the trajectory")

    @property
    def carrying_out(self) -> bool:
        """Whether a whole trajectory is under way, as far as ``read_state`` has heard."""
        return self._links is not None and self._links.busy

    def gripper(self, width_m: float, force_n: float) -> None:
        """Move the gripper; the force goes along as the point's effort."""
        from embodied.bridge.drivers import ros2_messages as ros

        if not self._gripper:
            raise NotSupportedError("no controller of a gripper was named: option gripper")
        goal = ros.point(PERIOD_S, [width_m / self._gap], [0.0], [force_n])
        self._connected().send_gripper(ros.JointTrajectory(ros.Header(), [self._finger], [goal]))

    def stop(self, category: StopCategory) -> None:
        """Brake and hold, and cancel what the controller carries out.

        The same for each category: to take power off is not in the controller's reach.
        """
        del category
        links = self._connected()
        if self._enabled:
            if links.busy:
                state = self.read_state()
                self._goal, self._goal_dq = state.q, state.dq
            self._brake()
        links.cancel()
        self._stopped, self._enabled = True, False
        self._due_s = -1.0

    def recover(self, acknowledgement: Acknowledgement) -> None:
        """Take motion again."""
        del acknowledgement
        links = self._connected()
        links.forget()
        self._stopped = False

    def disconnect(self) -> None:
        """Brake if moving and leave the domain; may be called twice."""
        links = self._links
        if links is not None:
            try:
                if self._enabled and (links.busy or np.any(self._goal_dq)):
                    self.stop(StopCategory.HOLD)
            except DriverLostError:
                pass  # there is nobody to brake any more
            self._links = None
            links.close()
        self._enabled = False
        self._truth.close()

    # ------------------------------------------------------------------ private

    def _connected(self) -> Links:
        if self._links is None:
            raise DriverLostError("the controller is not connected")
        return self._links

    def _refuse_when_idle(self) -> None:
        self._connected()
        if not self._enabled or self._stopped:
            raise HardwareFault("the controller takes no motion: stopped, or not enabled")

    def _send(self, q: Array, dq: Array) -> None:
        """A set-point and the way to rest after it."""
        from embodied.bridge.drivers import ros2_messages as ros

        self._due_s = max(self._due_s, _stamp_s(self._seen)) + PERIOD_S
        points = [ros.point(PERIOD_S, q.tolist(), dq.tolist())]
        if np.any(dq):
            braking_s = max(_braking_s(dq), SHORTEST_BRAKING_S)
            rest = q + dq * braking_s / 2.0
            points.append(ros.point(PERIOD_S + braking_s, rest.tolist(), [0.0] * len(q)))
        self._connected().send(ros.JointTrajectory(ros.Header(), list(self._joints), points))

    def _brake(self) -> None:
        """One trajectory from the last set-point to rest."""
        from embodied.bridge.drivers import ros2_messages as ros

        if self._lockstep:
            self._brake_by_set_points()
            return
        braking_s = max(PERIOD_S, _braking_s(self._goal_dq))
        rest = self._goal + self._goal_dq * braking_s / 2.0
        points = [ros.point(braking_s, rest.tolist(), [0.0] * len(rest))]
        links = self._connected()
        links.send(ros.JointTrajectory(ros.Header(), list(self._joints), points))
        self._goal, self._goal_dq = rest, np.zeros_like(rest)

    def _brake_by_set_points(self) -> None:
        """The same where time passes with set-points only."""
        periods = max(1, math.ceil(_braking_s(self._goal_dq) / PERIOD_S))
        q, dq = self._goal, self._goal_dq
        for k in range(1, periods + 1):
            self._wait_for_step(self._connected())
            q = q + dq * (1.0 - (k - 0.5) / periods) * PERIOD_S
            self._send(q, dq * (1.0 - k / periods))
        self._wait_for_step(self._connected())
        self._goal, self._goal_dq = q, np.zeros_like(q)
        self._send(self._goal, self._goal_dq)
        self._wait_for_step(self._connected())

    def _listen(self, links: Links) -> bool:
        """Take the newest joint states that hold all joints; whether there ever were any."""
        wanted = {*self._joints, *((self._finger,) if self._gripper else ())}
        for message in links.states.take():
            if not wanted <= set(message.name) or len(message.position) != len(message.name):
                continue
            if self._seen is None or _stamp_s(message) != _stamp_s(self._seen):
                self._sequence += 1
            self._seen = message
            self._order = [message.name.index(j) for j in self._joints]
            self._heard_s = time.monotonic()
        return self._seen is not None

    def _wait_for_step(self, links: Links) -> None:
        """In lockstep, wait for a report from after the last set-point."""
        if not self._lockstep:
            return
        deadline = time.monotonic() + _LOCKSTEP_S
        while self._listen(links) and _stamp_s(self._seen) < self._due_s - 1e-6:
            if time.monotonic() > deadline:
                raise DriverLostError("the emulated controller does not keep step")
            links.wait(0.1)

    def _vector(self, field: str) -> Array:
        """One field of the joint states in our order; zeros where the arm leaves it out."""
        values = getattr(self._seen, field)
        if len(values) != len(self._seen.name):
            return np.zeros(len(self._joints))
        return np.array([values[i] for i in self._order])

    def _grip(self) -> GripperState | None:
        if not self._gripper:
            return None
        seen, at = self._seen, self._seen.name.index(self._finger)
        speed = seen.velocity[at] if len(seen.velocity) == len(seen.name) else 0.0
        force = seen.effort[at] if len(seen.effort) == len(seen.name) else 0.0
        return GripperState(
            width_m=seen.position[at] * self._gap,
            speed_m_s=speed * self._gap,
            force_n=abs(force),
        )


def _braking_s(dq: Array) -> float:
    return float(np.max(np.abs(dq))) / STOP_RAD_S2


def _stamp_s(message: Any) -> float:
    return message.header.stamp.sec + message.header.stamp.nanosec * 1e-9
