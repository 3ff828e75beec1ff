"""What a driver holds of a ROS 2 trajectory controller: its topics and its action."""

from __future__ import annotations

import gc
import time

import numpy as np

from embodied.bridge.driver import DriverLostError
from embodied.bridge.vendors import ros2_messages as ros
from embodied.bridge.vendors.ros2_node import Node
from embodied.types import Array

ACTION = "follow_joint_trajectory/_action"


class Links:
    """Topics and the ``FollowJointTrajectory`` action of one controller.

    Args:
        domain: DDS domain.
        local: Stay on loopback.
        controller: Name of the arm's controller.
        gripper: Name of the gripper's controller, "" for none.
        states: Topic of the joint states.

    Attributes:
        states: The joint states.
        busy: A goal is being pursued, as far as was heard.
        aborted: The controller gave up a goal by itself.
    """

    def __init__(
        self, domain: int, *, local: bool, controller: str, gripper: str, states: str
    ) -> None:
        node = Node(domain, local=local)
        base = f"{controller}/{ACTION}"
        self.states = node.subscription(states, ros.JointState)
        self.busy = self.aborted = False
        self._node = node
        self._motion = node.publisher(f"{controller}/joint_trajectory", ros.JointTrajectory)
        self._grip = (
            node.publisher(f"{gripper}/joint_trajectory", ros.JointTrajectory) if gripper else None
        )
        self._send_goal = node.client(f"{base}/send_goal", ros.SendGoalRequest, ros.SendGoalReply)
        self._get_result = node.client(
            f"{base}/get_result", ros.GetResultRequest, ros.GetResultReply
        )
        self._cancel = node.client(
            f"{base}/cancel_goal", ros.CancelGoalRequest, ros.CancelGoalReply
        )
        self._status = node.subscription(f"{base}/status", ros.GoalStatusArray, keep=True)
        self._feedback = node.subscription(f"{base}/feedback", ros.FeedbackMessage)
        self._goal = bytes(16)
        self._result = 0
        self._desired: ros.Feedback | None = None

    @property
    def found(self) -> bool:
        """Whether the controllers listen."""
        return self._motion.heard and (self._grip is None or self._grip.heard)

    def send(self, motion: ros.JointTrajectory) -> None:
        """Hand over a motion on the topic; it takes the place of what the controller does."""
        self._motion.send(motion)
        self.busy = False

    def send_gripper(self, motion: ros.JointTrajectory) -> None:
        """The same for the gripper."""
        assert self._grip is not None
        self._grip.send(motion)

    def start(self, motion: ros.JointTrajectory, goal: bytes, timeout_s: float) -> bool:
        """Send a goal; whether the controller accepts it. Raises DriverLostError."""
        deadline = time.monotonic() + timeout_s
        while not (self._send_goal.ready and self._get_result.ready and self._cancel.ready):
            self._keep_waiting(deadline)
        name = ros.Uuid(uuid=list(goal))
        number = self._send_goal.call(goal_id=name, goal=ros.Goal(trajectory=motion))
        while (reply := self._send_goal.reply(number)) is None:
            self._keep_waiting(deadline)
        if reply.accepted:
            self._goal, self._desired = goal, None
            self._result = self._get_result.call(goal_id=name)
            self.busy, self.aborted = True, False
        return reply.accepted

    def follow(self) -> bool:
        """Take in feedback, status and result of the goal; whether feedback came for it."""
        fresh = False
        for message in self._feedback.take():
            if bytes(message.goal_id.uuid) == self._goal:
                self._desired, fresh = message.feedback, self.busy
        if not self.busy:
            return False
        ends = [
            s.status
            for a in self._status.take()
            for s in a.status_list
            if bytes(s.goal_info.goal_id.uuid) == self._goal
        ]
        if (reply := self._get_result.reply(self._result)) is not None:
            ends.append(reply.status)
        if ends and ends[-1] in (ros.SUCCEEDED, ros.CANCELED, ros.ABORTED):
            self.busy = False
            self.aborted = ends[-1] == ros.ABORTED
        return fresh

    def desired(self, joints: tuple[str, ...], q: Array, dq: Array) -> tuple[Array, Array]:
        """Where the controller says it wants the joints; else the given values."""
        if self._desired is None:
            return q, dq
        order = [self._desired.joint_names.index(j) for j in joints]
        goal = self._desired.desired
        return (
            np.array([goal.positions[i] for i in order]),
            np.array([goal.velocities[i] for i in order]),
        )

    def cancel(self) -> None:
        """Ask the controller to give up every goal; does not wait, and asks only if it is there."""
        if self._cancel.ready:
            everything = ros.GoalInfo(goal_id=ros.Uuid(uuid=[0] * 16), stamp=ros.Time())
            self._cancel.call(goal_info=everything)
        self.busy = False

    def forget(self) -> None:
        """Forget that the controller gave up."""
        self.aborted = False

    def wait(self, timeout_s: float) -> None:
        """Wait for joint states."""
        self._node.wait([self.states], timeout_s)

    def close(self) -> None:
        """Leave the domain."""
        kept = self.states
        for name in list(vars(self)):
            if name not in ("busy", "aborted"):
                delattr(self, name)
        del kept
        gc.collect()  # the client deletes its entities when nothing refers to them

    def _keep_waiting(self, deadline: float) -> None:
        if time.monotonic() > deadline:
            raise DriverLostError("the controller's follow_joint_trajectory does not answer")
        time.sleep(0.005)
