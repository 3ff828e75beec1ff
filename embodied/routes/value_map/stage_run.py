"""Carrying out a value-map program: stage after stage, each judged from measurements."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from embodied_planners.value_map import ObjectGeometry, ValueMapPlan
from embodied_planners.value_map.regions import UnknownFrameError, volume
from numpy.typing import NDArray

from embodied.language.value_map.describe import describe_operation
from embodied.route import Run, StageRun
from embodied.routes.value_map.following import MapFollower, MotionResult
from embodied.routes.value_map.judge import StageJudge, condition_holds, origins
from embodied.routes.value_map.push import Pusher
from embodied.routes.value_map.state import RunState
from embodied.routes.value_map.turning import in_steps
from embodied.types import Array, MapOperation, Region, ValueMapProgram, ValueMapStage
from embodied.verdict import Verdict

LIFT_M = 0.03
"""A target this much higher than a thing means that it is lifted, not pushed."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Snapshot:
    """The maps of one stage at its last plan, for pictures.

    Attributes:
        stage: Number of the stage.
        plan: The last way.
        cost: Cost per unit of length, (nx, ny, nz) float32; infinite where blocked.
        avoidance: The avoidance map's part of it.
        path: What was measured, (n, 3), m.
        speed: Measured speed of the hand, (n,), m/s.
        objects: What was seen.
    """

    stage: int
    plan: ValueMapPlan | None
    cost: NDArray[np.float32]
    avoidance: NDArray[np.float32]
    path: Array
    speed: Array
    objects: Mapping[str, ObjectGeometry]


class Execution:
    """What the stages of one program share.

    Args:
        state: The scene as seen, and the hand.
        program: What is carried out.
        run: What may be touched.
        keep_maps: Keep the maps of every stage for pictures.

    Attributes:
        snapshots: Maps of the stages.
    """

    def __init__(
        self, state: RunState, program: ValueMapProgram, run: Run, *, keep_maps: bool
    ) -> None:
        self.state, self.program, self.run, self.keep_maps = state, program, run, keep_maps
        self.begun_s = state.observation.time
        self.snapshots: list[Snapshot] = []
        state.emit = lambda event: run.say(event.kind, **event.data)
        state.look()


class ValueMapStageRun(StageRun):
    """A stage of a value-map program: its motion, and what was measured of it on the way.

    Args:
        execution: What the stages of the program share.
        number: Which stage.
        done: It was measured to be reached before an interruption.
    """

    def __init__(self, execution: Execution, number: int, *, done: bool = False) -> None:
        self.execution, self.number = execution, number
        self.s = execution.state
        self.stage = execution.program.stages[number]
        text = stage_text(number, self.stage)
        self._verdict = Verdict(text=text, reason="not begun")
        if done:
            self._verdict = Verdict(text=text, holds=("reached before the interruption",))

    def advance(self) -> str:
        """Move along the maps until the stage is over; see ``StageRun.advance``."""
        s = self.s
        s.say("stage", part="move", state="started", stage=self.number)
        with self.execution.run.timed("move", silent=True):
            self._verdict = verdict = self._carried_out(self._verdict.text)
        s.say(
            "effects",
            action=verdict.text,
            ok=verdict.reached,
            reason=verdict.reason,
            missing=verdict.unmet,
            surprising=(),
        )
        if verdict.reached:
            return ""
        return f"stage {self.number + 1}: {verdict.reason or '; '.join(verdict.unmet)}"

    def verdict(self) -> Verdict:
        """What was measured when the stage ended."""
        return self._verdict

    def missing(self) -> tuple[str, ...]:
        """What the stage speaks of and is not seen."""
        return self._unseen()

    # ---- one stage

    def _carried_out(self, text: str) -> Verdict:
        s = self.s
        s.look()
        *earlier, stage = in_steps(self.stage, s.observation.pose_ee_in_world)
        anchors = self._anchors(stage)
        if stage.when is not None and not condition_holds(s, stage.when, anchors):
            return Verdict(text=text, skipped=True, holds=("not needed",))
        judge = StageJudge(s, stage, anchors)
        s.body.watchers.append(judge.watch)
        try:
            ended = MotionResult(reached=True)
            for part in (*earlier, stage):
                ended = self._move(part, anchors)
                if not ended.reached:
                    break
        finally:
            s.body.watchers.remove(judge.watch)
        s.body.hold(s.options.settle_s)
        s.look()
        reason = "" if ended.reached else ended.reason
        verdict = judge.report(text, reason, over=ended.over)
        if stage.until is not None:
            met = ended.over or condition_holds(s, stage.until, anchors)
            words = f"until {stage.until.what} {stage.until.subject}"
            if met:
                verdict = replace(verdict, holds=(*verdict.holds, words), reason="")
            else:
                verdict = replace(verdict, unmet=(*verdict.unmet, words))
        if self.execution.keep_maps:
            self._keep(judge, ended)
        return verdict

    def _move(self, stage: ValueMapStage, anchors: Mapping[str, Array]) -> MotionResult:
        s, moving = self.s, stage.moving

        def until() -> bool:
            return stage.until is not None and condition_holds(s, stage.until, anchors)

        missing = self._missing()
        if missing:
            return MotionResult(reached=False, reason=missing)
        if moving == "gripper" or (moving == s.held and s.held):
            return self._travel(stage, anchors, until)
        if moving not in s.objects:
            return MotionResult(reached=False, reason=f"{moving} is not seen")
        if not self._lifted(stage, anchors):
            return Pusher(s, stage, anchors, until).push()
        taken = self._travel(_grasping(stage), anchors, lambda: False)
        if not taken.reached:
            return taken
        if s.held != moving:
            return MotionResult(
                reached=False, reason=f"{moving} is not in the hand", plan=taken.plan
            )
        return self._travel(stage, anchors, until)

    def _travel(
        self, stage: ValueMapStage, anchors: Mapping[str, Array], until: Callable[[], bool]
    ) -> MotionResult:
        """Travel; a grasp that closed on nothing is tried again from a fresh look."""
        s = self.s
        ended = MotionResult(reached=False, reason="not tried")
        for _ in range(s.options.attempts):
            ended = MapFollower(s, stage, anchors, until=until).travel()
            if ended.reached or "was not between the fingers" not in ended.reason:
                return ended
        return ended

    def _missing(self) -> str:
        """What the stage speaks of and is not seen, after some patience."""
        s = self.s
        end = s.observation.time + s.options.patience_s
        while True:
            gone = self._unseen()
            if not gone:
                return ""
            if s.observation.time >= end:
                seen = ", ".join(sorted(s.objects)) or "nothing"
                return f"{', '.join(gone)} is not seen; seen are: {seen}"
            s.body.hold(s.options.look_s)
            s.look()

    def _unseen(self) -> tuple[str, ...]:
        frames = {o.region.frame for o in self.stage.operations} - {"world", "gripper"}
        return tuple(sorted(f for f in frames if f not in self.s.objects))

    def _anchors(self, stage: ValueMapStage) -> dict[str, Array]:
        """Frames of what moves stay where they were when the stage began."""
        s = self.s
        places = origins(s, {})
        found = {"gripper": places["gripper"]}
        if stage.moving in places:
            found[stage.moving] = places[stage.moving]
        for operation in stage.operations:  # "to the left of" a thing in the hand
            if operation.region.frame == s.held and s.held in places:
                found[s.held] = places[s.held]
        return found

    def _lifted(self, stage: ValueMapStage, anchors: Mapping[str, Array]) -> bool:
        """Whether the target of a thing is somewhere that it cannot be pushed to."""
        s = self.s
        if s.setup.spec.objects[stage.moving].kind != "item":
            return False
        here = s.objects[stage.moving].pose.position
        for operation in stage.operations:
            if operation.map == "gripper" and operation.value == 1.0:
                return True
            if operation.map != "affordance":
                continue
            try:
                region = volume(operation.region, s.objects, origins(s, anchors))
            except UnknownFrameError:
                continue
            if region.place is not None and float(region.place[2] - here[2]) > LIFT_M:
                return True
        return False

    def _keep(self, judge: StageJudge, ended: MotionResult) -> None:
        planner = self.s.setup.planner
        self.execution.snapshots.append(
            Snapshot(
                stage=self.number,
                plan=ended.plan,
                cost=planner.cost.copy(),
                avoidance=planner.avoidance.cost.copy(),
                path=np.array(judge.path).reshape(-1, 3),
                speed=np.array(judge.speed),
                objects=dict(self.s.objects),
            )
        )


def _grasping(stage: ValueMapStage) -> ValueMapStage:
    """The sub-task of taking hold of what a stage moves, under the same conditions."""
    here = Region(shape="point", frame=stage.moving, parameters={"x": 0.0, "y": 0.0, "z": 0.0})
    kept = [o for o in stage.operations if o.map in ("velocity", "avoidance")]
    return ValueMapStage(
        moving="gripper",
        operations=(
            MapOperation(map="affordance", region=here, value=1.0),
            MapOperation(map="gripper", region=here, value=0.0),
            *kept,
        ),
    )


def stage_text(number: int, stage: ValueMapStage) -> str:
    """A stage in words."""
    parts = "; ".join(describe_operation(o) for o in stage.operations)
    return f"stage {number + 1}, move {stage.moving}: {parts}"
