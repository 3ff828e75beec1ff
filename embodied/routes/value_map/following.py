"""Moving along value maps in a closed loop: look, plan, check the arm, move a little, repeat."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from embodied_controllers.trajectory import PathState
from embodied_planners.value_map import Mover, ValueMapPlan, ValueMapStatus

from embodied.routes.value_map.hand_motion import HandMotion, Motion
from embodied.routes.value_map.state import RunState
from embodied.types import Array, ControlStatus, Pose, ValueMapStage

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


class MapFollower:
    """Moves the hand, or what it holds, along the maps of a stage.

    Args:
        state: The run.
        stage: The stage; what moves is the gripper or the thing that it holds.
        anchors: Origins of frames that stay where they were.
        until: Ends the motion early when it says so.
    """

    def __init__(
        self,
        state: RunState,
        stage: ValueMapStage,
        anchors: Mapping[str, Array],
        *,
        until: Callable[[], bool] = lambda: False,
    ) -> None:
        self.s, self.stage, self.anchors, self.until = state, stage, anchors, until
        self.hand = HandMotion(state, stage)
        self.blocked: list[tuple[Array, float]] = []
        self.arrive_wxyz: Array | None = None
        self.arm_reason = ""
        self.others_due_s = 0.0
        self.failing_since: float | None = None
        self.plans: list[ValueMapPlan] = []

    def travel(self) -> MotionResult:
        """Move until the way's end is reached, or until nothing helps any more."""
        s = self.s
        deadline = s.observation.time + s.options.stage_s
        while s.observation.time < deadline:
            cycle = time.perf_counter()
            s.look()
            if self.until():
                self.hand.stop()
                return MotionResult(reached=True, over=True, plan=self._plan_now())
            if self.hand.carrying and s.held != self.stage.moving:
                self.hand.stop()
                lost = f"{self.stage.moving} slipped out of the hand"
                return MotionResult(reached=False, reason=lost, plan=self._plan_now())
            reason = s.blind or self._plan()
            if reason:
                self.hand.stop()
                if self._out_of_patience():
                    return MotionResult(reached=False, reason=reason, plan=self._plan_now())
                s.body.hold(s.options.look_s)
                continue
            self.failing_since = None
            ended = self._move(s.options.look_s)
            s.counts.cycle_s.append(time.perf_counter() - cycle)
            if ended is not None:
                return ended
        self.hand.stop()
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
            if self.hand.now is not None and not self._better(self.hand.now, fresh):
                return ""
            reason, where = self.hand.adopt(fresh)
            if not reason:
                self.plans.append(fresh)
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
        hand, _, lead = self.hand.setpoint()
        mover, start = s.mover(), hand
        if self.hand.carrying and s.held_in_hand is not None:
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

    def _better(self, motion: Motion, fresh: ValueMapPlan) -> bool:
        if float(np.linalg.norm(fresh.path_in_world[-1] - motion.plan.path_in_world[-1])) > (
            SAME_END_M
        ):
            return True
        here = self.hand.setpoint()[0].position
        if self.hand.carrying and self.s.held_in_hand is not None:
            here = (self.hand.setpoint()[0] @ self.s.held_in_hand).position
        path = motion.plan.path_in_world
        nearest = int(np.argmin(np.linalg.norm(path - here, axis=1)))
        left = self.s.setup.planner.cost_of(path[nearest:]) if nearest < len(path) - 1 else 0.0
        if fresh.cost < CHEAPER * left - 0.01:
            return True
        ahead = motion.plan.speeds_m_s[nearest:]
        return float(np.min(fresh.speeds_m_s)) < float(np.min(ahead)) - 0.01

    # ---- moving

    def _move(self, seconds: float) -> MotionResult | None:
        """Follow the present way for a while; how it ended, if it did."""
        s, motion = self.s, self.hand.now
        assert motion is not None
        if motion.event == 0:
            self.hand.stop()
            return self._act(motion.plan, 0)
        if motion.plan.grasp and s.opening < 0.9 and not s.held:
            self.hand.stop()
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
        self.hand.now = None
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

    def _plan_now(self) -> ValueMapPlan | None:
        return self.plans[-1] if self.plans else None

    def _out_of_patience(self) -> bool:
        now = self.s.observation.time
        if self.failing_since is None:
            self.failing_since = now
        return now - self.failing_since > self.s.options.patience_s
