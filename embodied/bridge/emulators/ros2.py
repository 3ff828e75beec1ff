"""The topics and the action of an emulated ROS 2 controller, over Cyclone DDS without ROS.

Names are those that ``joint_state_broadcaster`` and two ``joint_trajectory_controller`` have:
``/joint_states``, ``/joint_trajectory_controller/...`` and ``/gripper_controller/...``.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from embodied.bridge.emulators.ros2_controller import PERIOD_S, TrajectoryController
from embodied.bridge.vendors import ros2_messages as ros
from embodied.bridge.vendors.ros2_links import ACTION
from embodied.bridge.vendors.ros2_node import Node

CONTROLLER = "joint_trajectory_controller"
GRIPPER = "gripper_controller"
FINGER = "finger_joint1"
GAP_PER_JOINT = 2.0

_HEARTBEAT_S = 0.05


@dataclass(slots=True)
class _Pursuit:
    """A goal that was accepted."""

    name: ros.Uuid
    stamp: ros.Time
    status: int = ros.EXECUTING
    result: ros.Result | None = None
    asked: Any = None  # the request for its result

    @property
    def info(self) -> ros.GoalInfo:
        return ros.GoalInfo(goal_id=self.name, stamp=self.stamp)


class Ros2Emulator:
    """Serves one emulated arm.

    Args:
        controller: What is behind the topics.
        domain: DDS domain.
    """

    def __init__(self, controller: TrajectoryController, domain: int = 0) -> None:
        self.controller = controller
        node = self._node = Node(domain, local=True)
        base = f"{CONTROLLER}/{ACTION}"
        self._states = node.publisher("joint_states", ros.JointState)
        self._motions = node.subscription(f"{CONTROLLER}/joint_trajectory", ros.JointTrajectory)
        self._grips = node.subscription(f"{GRIPPER}/joint_trajectory", ros.JointTrajectory)
        self._goals = node.server(f"{base}/send_goal", ros.SendGoalRequest, ros.SendGoalReply)
        self._results = node.server(f"{base}/get_result", ros.GetResultRequest, ros.GetResultReply)
        self._cancels = node.server(
            f"{base}/cancel_goal", ros.CancelGoalRequest, ros.CancelGoalReply
        )
        self._status = node.publisher(f"{base}/status", ros.GoalStatusArray, keep=True)
        self._feedback = node.publisher(f"{base}/feedback", ros.FeedbackMessage)
        self._pursuits: dict[bytes, _Pursuit] = {}
        self._active: _Pursuit | None = None
        self._width = controller.plant.gripper_width_m
        self._width_rate = 0.0

    def serve(self, running: Callable[[], bool] = lambda: True) -> None:
        """Answer and let time pass until ``running`` says no."""
        arm = self.controller
        heard = [
            self._motions,
            self._grips,
            self._goals.requests,
            self._results.requests,
            self._cancels.requests,
        ]
        clock, told = arm.clock, time.monotonic()
        while running():
            by_set_points = clock.stepped and self._active is None
            wait = _HEARTBEAT_S if by_set_points else clock.wait_s()
            if wait > 0:
                self._node.wait(heard, wait)
            self._hear()
            moved = False
            if clock.stepped and self._active is None:
                while arm.advance():
                    moved = True
                clock.restart()
            elif clock.wait_s() == 0.0:
                moved = arm.advance(running=True)
                clock.next()
            if moved:
                self._measure_gripper()
                self._pursue()
            if moved or time.monotonic() - told >= _HEARTBEAT_S:
                self._states.send(self._state())
                told = time.monotonic()

    # ------------------------------------------------------------------ private

    def _hear(self) -> None:
        arm = self.controller
        for motion in self._grips.take():
            if list(motion.joint_names) == [FINGER] and motion.points:
                last = motion.points[-1]
                arm.gripper_width_m = last.positions[0] * GAP_PER_JOINT
                arm.gripper_force_n = last.effort[0] if last.effort else 20.0
        for motion in self._motions.take():
            if not arm.take(motion.joint_names, points_of(motion)):
                self._end(ros.CANCELED, 0, "a new trajectory came")
        for request in self._cancels.requests.take():
            self._cancel(request)
        for request in self._goals.requests.take():
            self._start(request)
        for request in self._results.requests.take():
            pursuit = self._pursuits.get(bytes(request.goal_id.uuid))
            if pursuit is None:
                self._results.answer(request, status=0, result=ros.Result())
            else:
                pursuit.asked = request
                self._report(pursuit)

    def _start(self, request: ros.SendGoalRequest) -> None:
        motion = request.goal.trajectory
        stamp = ros.stamped(self.controller.time_s).stamp
        refused = self.controller.take(motion.joint_names, points_of(motion), owes=False)
        self._goals.answer(request, accepted=not refused, stamp=stamp)
        if not refused:
            self._end(ros.CANCELED, 0, "a new goal came")
            self._active = _Pursuit(name=request.goal_id, stamp=stamp)
            self._pursuits[bytes(request.goal_id.uuid)] = self._active
            self._tell_status()

    def _cancel(self, request: ros.CancelGoalRequest) -> None:
        asked = bytes(request.goal_info.goal_id.uuid)
        active = self._active
        if active is None or (any(asked) and asked != bytes(active.name.uuid)):
            self._cancels.answer(request, return_code=1 if any(asked) else 0, goals_canceling=[])
            return
        self._cancels.answer(request, return_code=0, goals_canceling=[active.info])
        self.controller.hold()
        self._end(ros.CANCELED, 0, "cancelled")

    def abort(self, why: str) -> None:
        """Give up the goal, as a controller does that cannot keep its tolerances."""
        self.controller.hold()
        self._end(ros.ABORTED, -4, why)

    def _pursue(self) -> None:
        if self._active is None:
            return
        arm = self.controller
        desired = ros.point(0.0, arm.q.tolist(), arm.dq.tolist())
        actual = ros.point(0.0, arm.plant.q.tolist(), arm.plant.dq.tolist())
        error = ros.point(0.0, (arm.q - arm.plant.q).tolist(), (arm.dq - arm.plant.dq).tolist())
        seen = ros.Feedback(ros.stamped(arm.time_s), list(arm.joints), desired, actual, error)
        self._feedback.send(ros.FeedbackMessage(goal_id=self._active.name, feedback=seen))
        if not arm.moving:
            self._end(ros.SUCCEEDED, 0, "")

    def _end(self, status: int, code: int, why: str) -> None:
        pursuit, self._active = self._active, None
        if pursuit is not None:
            pursuit.status = status
            pursuit.result = ros.Result(error_code=code, error_string=why)
            self._report(pursuit)
            self._tell_status()

    def _report(self, pursuit: _Pursuit) -> None:
        """Answer whoever asked for a result, once there is one."""
        if pursuit.asked is not None and pursuit.result is not None:
            self._results.answer(pursuit.asked, status=pursuit.status, result=pursuit.result)
            pursuit.asked = None

    def _tell_status(self) -> None:
        known = [
            ros.GoalStatus(goal_info=p.info, status=p.status)
            for p in list(self._pursuits.values())[-8:]
        ]
        self._status.send(ros.GoalStatusArray(status_list=known))

    def _measure_gripper(self) -> None:
        width = self.controller.plant.gripper_width_m
        self._width_rate = (width - self._width) / PERIOD_S
        self._width = width

    def _state(self) -> ros.JointState:
        """Joint states; their order is not the controller's, as on many robots."""
        arm = self.controller
        plant = arm.plant
        force = 20.0 if plant.gripper_holds else 0.0
        return ros.JointState(
            header=ros.stamped(arm.time_s),
            name=[FINGER, *reversed(arm.joints)],
            position=[self._width / GAP_PER_JOINT, *np.flip(plant.q).tolist()],
            velocity=[self._width_rate / GAP_PER_JOINT, *np.flip(plant.dq).tolist()],
            effort=[force, *np.flip(plant.tau).tolist()],
        )


def points_of(motion: ros.JointTrajectory) -> list[tuple[float, list[float], list[float]]]:
    """Times, positions and velocities of a motion."""
    return [
        (ros.seconds(p.time_from_start), list(p.positions), list(p.velocities))
        for p in motion.points
    ]
