"""What the arm follows now, and how it goes over to another path without a stop."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from embodied_controllers.trajectory import PathState, sample
from embodied_planners.value_map import ValueMapPlan
from embodied_planners.value_map.timing import time_way

from embodied.routes.value_map.state import RunState
from embodied.types import Array, JointTrajectory, PathGoal, Pose, ValueMapStage


@dataclass(slots=True, kw_only=True)
class Motion:
    """A path being followed.

    Attributes:
        plan: The plan that it is from.
        trajectory: The same in joint space, over time.
        started_s: When it was begun, by the world's clock.
        event: Sample at which the fingers move first, -1 for never.
        state: The controller's.
    """

    plan: ValueMapPlan
    trajectory: JointTrajectory
    started_s: float
    event: int
    state: PathState


class HandMotion:
    """The motion of the hand, or of what it holds, in one stage.

    Args:
        state: The run.
        stage: The stage; what moves is the gripper or the thing that it holds.

    Attributes:
        now: What the arm follows; None while it rests.
        carrying: Whether what moves is a thing in the hand.
    """

    def __init__(self, state: RunState, stage: ValueMapStage) -> None:
        self.s, self.stage = state, stage
        self.now: Motion | None = None
        self.carrying = stage.moving == state.held and bool(state.held)

    def adopt(self, plan: ValueMapPlan) -> tuple[str, Array]:
        """Follow another path from now on; why the arm cannot, and where."""
        s = self.s
        hand, speed, _ = self.setpoint()
        q = self.q_now()
        path = self._hand_path(plan)
        event = self._event(plan)
        end = event + 1 if event >= 0 else len(path)
        end = max(end, 2)
        s.setup.arm.look(s.objects, self._gap(plan), held=s.held)
        touch = [n for n in s.objects if _close(s, n, hand.position)]
        if plan.grasp:
            touch.insert(0, plan.grasp)
        clearance = s.setup.arm.clearance(q, touch=tuple(touch))
        arm = s.setup.arm.follow(path[:end], plan.quats_wxyz[:end], q, clearance)
        if not arm.found:
            return arm.reason, plan.path_in_world[arm.failed_at]
        trajectory = s.setup.pace(
            time_way(
                path[:end],
                plan.quats_wxyz[:end],
                plan.speeds_m_s[:end],
                arm,
                s.setup.limits,
                dt=s.setup.spec.control_dt_s,
                speed_now_m_s=speed,
            )
        )
        goal = PathGoal(
            trajectory=trajectory, tolerance_rad=0.01, label=f"{self.stage.moving} along the maps"
        )
        self.now = Motion(
            plan=plan,
            trajectory=trajectory,
            started_s=s.observation.time,
            event=event,
            state=PathState(goal=goal, started_s=s.observation.time),
        )
        s.counts.adopted += 1
        s.say(
            "goal",
            type="PathGoal",
            label=f"{plan.length_m:.3f} m in {trajectory.duration_s:.2f} s",
            cost_m=plan.cost,
            notes=plan.notes,
        )
        return "", path[0]

    def _gap(self, plan: ValueMapPlan) -> float:
        gripper = self.s.observation.gripper
        width = gripper.width_m if gripper is not None else 0.0
        spec = self.s.setup.spec.gripper
        if plan.grasp and spec is not None:
            return spec.max_width_m
        return width

    def _hand_path(self, plan: ValueMapPlan) -> Array:
        """Positions of the end effector for the way of what moves, (n, 3)."""
        if not self.carrying or self.s.held_in_hand is None:
            return plan.path_in_world
        offset = self.s.held_in_hand.position
        rotations = [Pose(position=np.zeros(3), quat_wxyz=q).rotation for q in plan.quats_wxyz]
        return plan.path_in_world - np.array([r @ offset for r in rotations])

    def _event(self, plan: ValueMapPlan) -> int:
        """Sample at which the fingers move first; -1 if they never do.

        On the last stretch they move at its end: a hand closes where it arrives.
        """
        asked = plan.gripper
        n = len(asked)
        differs = ~np.isnan(asked) & (np.abs(asked - self.s.opening) > 0.1)
        if not np.any(differs):
            return -1
        if plan.grasp:
            return n - 1
        first = int(np.argmax(differs))
        if first > 0 and np.all(differs[first:]):
            return n - 1
        return first

    def q_now(self) -> Array:
        """Where the set-points are, or the measured joints when the arm is far from them."""
        s, motion = self.s, self.now
        q = s.body.q_set
        if motion is not None:
            q = sample(motion.trajectory, s.observation.time - motion.started_s)[0]
        return s.unless_pushed(q)

    def setpoint(self) -> tuple[Pose, float, Array | None]:
        """Pose of the hand's set-point, its speed, and the point that it passes next."""
        s, motion = self.s, self.now
        q = self.q_now()
        kinematics = s.setup.arm.kinematics
        pose = kinematics.pose(q)
        if motion is None:
            return pose, 0.0, None
        dq = sample(motion.trajectory, s.observation.time - motion.started_s)[1]
        velocity = kinematics.jacobian(q)[:3] @ dq
        speed = float(np.linalg.norm(velocity))
        if speed < 0.03:
            return pose, speed, None
        ahead = speed**2 / 1.6 + 0.01
        return pose, speed, pose.position + velocity / speed * ahead

    def stop(self) -> None:
        """Come to rest if moving."""
        motion, self.now = self.now, None
        if motion is not None:
            elapsed = self.s.observation.time - motion.started_s
            self.s.body.brake(*sample(motion.trajectory, elapsed))


def _close(state: RunState, name: str, place: Array) -> bool:
    """Whether the hand is at a thing already: it may leave it, touching it."""
    thing = state.objects[name]
    return thing.obstacle and float(thing.distance_to(place[None])[0]) < 0.012
