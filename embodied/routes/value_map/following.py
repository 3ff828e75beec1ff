"""Moving along value maps in a closed loop: look, plan, check the arm, move a little, repeat."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from embodied_controllers.trajectory import PathState, sample
from embodied_planners.value_map import Mover, ValueMapPlan, ValueMapStatus
from embodied_planners.value_map.timing import time_way

from embodied.routes.value_map.state import PUSHED_RAD, RunState
from embodied.types import Array, ControlStatus, JointTrajectory, PathGoal, Pose, ValueMapStage

SAME_END_M = 0.004
CHEAPER = 0.85
"""Another way is taken only when it costs less than this share of the present one."""

ARM_TRIES, OTHER_TRIES, OTHERS_EVERY_S = 5, 2, 1.0
BALL_M = 0.03


@dataclass(frozen=True, slots=True, kw_only=True)
class MotionResult:
    """How a motion ended.

    Attributes:
        reached: Whether the end of the way was reached, fingers included.
        reason: Why not.
        plan: The last plan.
        over: Whether it ended early because the stage's condition was met.
    """

    reached: bool
    reason: str = ""
    plan: ValueMapPlan | None = None
    over: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ApproachVariant:
    """How a way is gone where the program leaves it open.

    Attributes:
        turn_rad: Turn of the hand about its approach axis on the way.
        rise_m: It rises so far first.
    """

    turn_rad: float = 0.0
    rise_m: float = 0.0


OTHER_VARIANTS = tuple(
    ApproachVariant(turn_rad=turn, rise_m=rise)
    for turn in (0.0, np.pi / 2, np.pi / 4, -np.pi / 4)
    for rise in (0.0, 0.06)
)[1:]
"""Tried in this order where the arm cannot follow any way that is gone straight on."""


@dataclass(slots=True, kw_only=True)
class _Motion:
    """What the arm is following."""

    plan: ValueMapPlan
    hand: Array
    trajectory: JointTrajectory
    started_s: float
    event: int
    state: PathState


class MapFollower:
    """Moves the hand, or what it holds, along the maps of a stage.

    Args:
        state: The run.
        stage: The stage; what moves is the gripper or the thing that it holds.
        anchors: Origins of frames that stay where they were.
        touch: Things that the hand may touch on the way.
        until: Ends the motion early when it says so.
    """

    def __init__(
        self,
        state: RunState,
        stage: ValueMapStage,
        anchors: Mapping[str, Array],
        *,
        touch: Sequence[str] = (),
        until: Callable[[], bool] = lambda: False,
    ) -> None:
        self.s = state
        self.stage = stage
        self.anchors = anchors
        self.touch = tuple(touch)
        self.until = until
        self.motion: _Motion | None = None
        self.blocked: list[tuple[Array, float]] = []
        self.arrive_wxyz: Array | None = None
        self.arm_reason = ""
        self.others_due_s = 0.0
        self.failing_since: float | None = None
        self.carrying = stage.moving == state.held and bool(state.held)
        self.plans: list[ValueMapPlan] = []

    def travel(self) -> MotionResult:
        """Move until the way's end is reached, or until nothing helps any more."""
        s = self.s
        deadline = s.observation.time + s.options.stage_s
        while s.observation.time < deadline:
            cycle = time.perf_counter()
            s.look()
            if self.until():
                self._stop()
                return MotionResult(reached=True, over=True, plan=self._plan_now())
            reason = s.blind or self._plan()
            if reason:
                self._stop()
                if self._out_of_patience():
                    return MotionResult(reached=False, reason=reason, plan=self._plan_now())
                s.body.hold(s.options.look_s)
                continue
            self.failing_since = None
            ended = self._move(s.options.look_s)
            s.counts.cycle_s.append(time.perf_counter() - cycle)
            if ended is not None:
                return ended
        self._stop()
        return MotionResult(
            reached=False, reason=f"not there after {s.options.stage_s:g} s", plan=self._plan_now()
        )

    # ---- planning

    def _plan(self) -> str:
        """Plan from what is seen now and take the way if it is better; why there is none."""
        s = self.s
        started = time.perf_counter()
        reason = self._plan_as(ApproachVariant(), ARM_TRIES)
        if reason and self.arm_reason and s.observation.time >= self.others_due_s:
            self.others_due_s = s.observation.time + OTHERS_EVERY_S
            manners = (*((m, False) for m in OTHER_VARIANTS), (ApproachVariant(), True))
            for manner, give_way in manners:
                tries = ARM_TRIES if give_way else OTHER_TRIES
                reason = self._plan_as(manner, tries, give_way=give_way)
                if not reason:
                    break
        s.counts.plan_s.append(time.perf_counter() - started)
        return reason

    def _plan_as(self, manner: ApproachVariant, tries: int, *, give_way: bool = False) -> str:
        """Plan in one manner; why there is no way.

        Args:
            manner: How to go.
            tries: Ways that the arm may fail to follow.
            give_way: Whether to end beside the target where the arm cannot be there.
        """
        s = self.s
        blocked = self.blocked
        for _ in range(tries):
            fresh = self._planned(manner, blocked)
            s.counts.plans += 1
            if not fresh.found:
                # Where the arm could not go before counts as blocked: then that is the reason.
                by_arm = bool(blocked) and bool(self.arm_reason)
                why = self.arm_reason if by_arm else fresh.reason or fresh.status.value
                status = ValueMapStatus.ARM_BLOCKED if by_arm else fresh.status
                self.plans.append(replace(fresh, status=status))
                return f"{status.value} ({why})"
            if self.motion is not None and not self._better(self.motion, fresh):
                return ""
            reason, where = self._adopt(fresh)
            if not reason:
                self.arm_reason, self.blocked = "", blocked
                if manner.turn_rad:
                    self.arrive_wxyz = fresh.quats_wxyz[-1]
                return ""
            self.arm_reason = reason
            if not give_way and float(np.linalg.norm(where - fresh.path_in_world[-1])) < BALL_M:
                break
            blocked = [*blocked[-7:], (where, BALL_M)]
            if manner == ApproachVariant():
                self.blocked = blocked
        return f"{ValueMapStatus.ARM_BLOCKED.value} ({self.arm_reason})"

    def _planned(
        self,
        manner: ApproachVariant = ApproachVariant(),
        blocked: Sequence[tuple[Array, float]] | None = None,
    ) -> ValueMapPlan:
        s = self.s
        hand, _, lead = self._setpoint()
        mover, start = s.mover(), hand
        if self.carrying and s.held_in_hand is not None:
            start = hand @ s.held_in_hand
            spec, gripper = s.setup.spec.gripper, s.observation.gripper
            assert spec is not None and gripper is not None
            mover = Mover.hand(spec, gripper.width_m).carrying(s.objects[s.held], s.held_in_hand)
            lead = None if lead is None else lead + start.position - hand.position
        if lead is None and manner.rise_m:
            lead = start.position + np.array([0.0, 0.0, manner.rise_m])
        arrive = self.arrive_wxyz
        if manner.turn_rad:
            half = manner.turn_rad / 2
            turn = Pose(
                position=np.zeros(3), quat_wxyz=np.array([np.cos(half), 0.0, 0.0, np.sin(half)])
            )
            arrive = (hand @ turn).quat_wxyz
        return s.setup.planner.plan(
            self.stage,
            s.objects,
            start,
            mover=mover,
            hand_in_world=hand,
            anchors=self.anchors,
            table_height_m=s.table_height_m,
            obstacle_points_in_world=s.points,
            opening=0.0 if s.held else 1.0,
            blocked_in_world=self.blocked if blocked is None else blocked,
            lead_in_world=lead,
            arrive_wxyz=arrive,
        )

    def _better(self, motion: _Motion, fresh: ValueMapPlan) -> bool:
        if float(np.linalg.norm(fresh.path_in_world[-1] - motion.plan.path_in_world[-1])) > (
            SAME_END_M
        ):
            return True
        here = self._setpoint()[0].position
        if self.carrying and self.s.held_in_hand is not None:
            here = (self._setpoint()[0] @ self.s.held_in_hand).position
        path = motion.plan.path_in_world
        nearest = int(np.argmin(np.linalg.norm(path - here, axis=1)))
        left = self.s.setup.planner.cost_of(path[nearest:]) if nearest < len(path) - 1 else 0.0
        if fresh.cost < CHEAPER * left - 0.01:
            return True
        ahead = motion.plan.speeds_m_s[nearest:]
        return float(np.min(fresh.speeds_m_s)) < float(np.min(ahead)) - 0.01

    def _adopt(self, plan: ValueMapPlan) -> tuple[str, Array]:
        """Follow another way from now on; why the arm cannot, and where."""
        s = self.s
        hand, speed, _ = self._setpoint()
        q = self._q_now()
        path = self._hand_path(plan)
        event = self._event(plan)
        end = event + 1 if event >= 0 else len(path)
        end = max(end, 2)
        s.setup.arm.look(s.objects, self._gap(plan), held=s.held)
        touch = (*self.touch, *((plan.grasp,) if plan.grasp else ()))
        near = [n for n in s.objects if _close(s, n, hand.position)]
        clearance = s.setup.arm.clearance(q, touch=(*touch, *near))
        arm = s.setup.arm.follow(path[:end], plan.quats_wxyz[:end], q, clearance)
        if not arm.found:
            return arm.reason, plan.path_in_world[arm.failed_at]
        trajectory = time_way(
            path[:end],
            plan.quats_wxyz[:end],
            plan.speeds_m_s[:end],
            arm,
            s.setup.limits,
            dt=s.setup.spec.control_dt_s,
            speed_now_m_s=speed,
        )
        goal = PathGoal(
            trajectory=trajectory, tolerance_rad=0.01, label=f"{self.stage.moving} along the maps"
        )
        self.motion = _Motion(
            plan=plan,
            hand=path,
            trajectory=trajectory,
            started_s=s.observation.time,
            event=event,
            state=PathState(goal=goal, started_s=s.observation.time),
        )
        self.plans.append(plan)
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

    # ---- moving

    def _move(self, seconds: float) -> MotionResult | None:
        """Follow the present way for a while; how it ended, if it did."""
        s, motion = self.s, self.motion
        assert motion is not None
        if motion.event == 0:
            self._stop()
            return self._act(motion.plan, 0)
        if motion.plan.grasp and s.opening < 0.9 and not s.held:
            self._stop()
            s.fingers(1.0)
            return None
        end = s.observation.time + seconds - 1e-9
        status = ControlStatus.RUNNING
        while s.observation.time < end and status is ControlStatus.RUNNING:
            command, state, status = s.setup.controller.step(motion.state, s.observation)
            assert isinstance(state, PathState)
            motion.state = state
            s.body.step(command)
        if status is ControlStatus.RUNNING:
            return None
        self.motion = None
        if status is ControlStatus.STUCK:
            s.counts.pushed += 1
            s.say("replan", reason="the arm was held back or pushed away")
            if s.counts.pushed > 12:
                return MotionResult(reached=False, reason="the arm is held back", plan=motion.plan)
            s.body.accept_position()
            s.body.hold(0.1)
            return None
        if motion.event > 0:
            return self._act(motion.plan, motion.event)
        s.look()
        again = self._planned()
        moved = again.found and float(
            np.linalg.norm(again.path_in_world[-1] - motion.plan.path_in_world[-1])
        )
        if moved and moved > 2 * SAME_END_M:
            return None
        return MotionResult(reached=True, plan=motion.plan)

    def _act(self, plan: ValueMapPlan, event: int) -> MotionResult | None:
        """Move the fingers as asked at a sample; the motion goes on unless that was its end."""
        s = self.s
        opening = float(plan.gripper[event])
        holds = s.fingers(opening)
        if opening < 0.5 and plan.grasp:
            if not holds:
                s.say("replan", reason=f"the fingers closed on nothing where {plan.grasp} was seen")
                s.fingers(1.0)
                return MotionResult(
                    reached=False, reason=f"{plan.grasp} was not between the fingers", plan=plan
                )
            s.take(plan.grasp)
        last = event >= len(plan.gripper) - 1
        still = plan.length_m < 1e-6
        return MotionResult(reached=True, plan=plan) if last or still else None

    def _stop(self) -> None:
        """Come to rest if moving."""
        motion, self.motion = self.motion, None
        if motion is not None:
            elapsed = self.s.observation.time - motion.started_s
            self.s.body.brake(*sample(motion.trajectory, elapsed))

    # ---- where the arm is

    def _q_now(self) -> Array:
        """Where the set-points are, or the measured joints when the arm is far from them."""
        s, motion = self.s, self.motion
        q = s.body.q_set
        if motion is not None:
            q = sample(motion.trajectory, s.observation.time - motion.started_s)[0]
        if float(np.max(np.abs(q - s.observation.q))) > PUSHED_RAD:
            return np.array(s.observation.q)
        return q

    def _setpoint(self) -> tuple[Pose, float, Array | None]:
        """Pose of the hand's set-point, its speed, and the point that it passes next."""
        s, motion = self.s, self.motion
        q = self._q_now()
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

    def _plan_now(self) -> ValueMapPlan | None:
        return self.plans[-1] if self.plans else None

    def _out_of_patience(self) -> bool:
        now = self.s.observation.time
        if self.failing_since is None:
            self.failing_since = now
        return now - self.failing_since > self.s.options.patience_s


def _close(state: RunState, name: str, place: Array) -> bool:
    """Whether the hand is at a thing already: it may leave it, touching it."""
    thing = state.objects[name]
    return thing.obstacle and float(thing.distance_to(place[None])[0]) < 0.012
