"""Carrying out a value-map program: stage after stage, each judged from measurements."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from embodied_planners.value_map import ValueMapPlan
from embodied_planners.value_map.regions import UnknownFrameError, volume
from numpy.typing import NDArray

from embodied.language.value_map import check
from embodied.language.value_map.describe import describe_operation
from embodied.protocols import Emit, World
from embodied.routes.value_map.following import Ended, Traveller
from embodied.routes.value_map.judge import StageJudge, StageReport, condition_holds, origins
from embodied.routes.value_map.push import Pusher
from embodied.routes.value_map.setup import ValueMapRig
from embodied.routes.value_map.state import EachStep, LoopOptions, RunState
from embodied.types import Array, MapOperation, Region, ValueMapProgram, ValueMapStage

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
        distance: Distance to the nearest obstacle.
        path: What was measured, (n, 3), m.
        speed: Measured speed of the hand, (n,), m/s.
        objects: What was seen.
        anchors: Origins that stayed where they were.
    """

    stage: int
    plan: ValueMapPlan | None
    cost: NDArray[np.float32]
    avoidance: NDArray[np.float32]
    distance: NDArray[np.float32]
    path: Array
    speed: Array
    objects: Mapping[str, Any]
    anchors: Mapping[str, Array]


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueMapOutcome:
    """How a program ended, judged from measurements.

    Attributes:
        stages: One report for each stage that was begun.
        message: One line for a person.
        finished: Whether all stages were begun and none ended early.
        numbers: Counts and wall times of looking, planning and whole cycles.
        snapshots: Maps of the stages, for pictures; empty unless asked for.
    """

    stages: tuple[StageReport, ...]
    message: str
    finished: bool
    numbers: Mapping[str, float] = field(default_factory=dict[str, float])
    snapshots: tuple[Snapshot, ...] = ()

    @property
    def reached(self) -> bool:
        """Whether every stage was measured to hold."""
        return self.finished and all(s.reached for s in self.stages)


def run_value_map(
    program: ValueMapProgram,
    world: World,
    rig: ValueMapRig,
    *,
    emit: Emit = lambda event: None,
    options: LoopOptions | None = None,
    each_step: EachStep | None = None,
    keep_maps: bool = False,
) -> ValueMapOutcome:
    """Carry out a program in a world that has been reset.

    Args:
        program: The program.
        world: The world.
        rig: Eyes, planner, arm check and controller of that world.
        emit: Receives every event.
        options: Rates and patience.
        each_step: Called after every control period.
        keep_maps: Keep the maps for pictures.

    Raises:
        WorldError: The simulator or the robot failed.
    """
    state = RunState(world, rig, emit=emit, options=options or LoopOptions(), each_step=each_step)
    return ProgramRun(state, keep_maps=keep_maps).run(program)


class ProgramRun:
    """Runs programs one after the other on one state."""

    def __init__(self, state: RunState, *, keep_maps: bool = False) -> None:
        self.s = state
        self.keep_maps = keep_maps
        self.snapshots: list[Snapshot] = []

    def run(self, program: ValueMapProgram) -> ValueMapOutcome:
        """Carry out a program; raises WorldError."""
        s = self.s
        s.look()
        known = tuple(s.rig.spec.objects)
        wrong = check(program, known)
        if wrong:
            return self._outcome((), "; ".join(str(d) for d in wrong), finished=False)
        reports: list[StageReport] = []
        for number, stage in enumerate(program.stages):
            s.say("stage", part="move", state="started", stage=number)
            report = self._stage(number, stage)
            reports.append(report)
            s.say(
                "effects",
                action=report.text,
                ok=report.reached,
                reason=report.reason,
                missing=report.unmet,
                surprising=(),
            )
            if not report.reached:
                message = report.reason or "; ".join(report.unmet)
                return self._outcome(reports, f"stage {number + 1}: {message}", finished=False)
        return self._outcome(reports, "every stage was measured to hold", finished=True)

    # ---- one stage

    def _stage(self, number: int, stage: ValueMapStage) -> StageReport:
        s = self.s
        text = stage_text(number, stage)
        s.look()
        anchors = self._anchors(stage)
        if stage.when is not None and not condition_holds(s, stage.when, anchors):
            return StageReport(text=text, skipped=True, holds=("not needed",))
        judge = StageJudge(s, stage, anchors)
        s.watchers.append(judge.watch)
        try:
            ended = self._move(stage, anchors)
        finally:
            s.watchers.remove(judge.watch)
        s.hold(s.options.settle_s)
        s.look()
        reason = "" if ended.reached else ended.reason
        report = judge.report(text, reason, over=ended.over)
        if stage.until is not None:
            met = ended.over or condition_holds(s, stage.until, anchors)
            words = f"until {stage.until.what} {stage.until.subject}"
            if met:
                report = replace(report, holds=(*report.holds, words), reason="")
            else:
                report = replace(report, unmet=(*report.unmet, words))
        if self.keep_maps:
            self._keep(number, judge, ended, anchors)
        return report

    def _move(self, stage: ValueMapStage, anchors: Mapping[str, Array]) -> Ended:
        s, moving = self.s, stage.moving

        def until() -> bool:
            return stage.until is not None and condition_holds(s, stage.until, anchors)

        missing = self._missing(stage)
        if missing:
            return Ended(reached=False, reason=missing)
        if moving == "gripper" or (moving == s.held and s.held):
            return self._travel(stage, anchors, until)
        if moving not in s.objects:
            return Ended(reached=False, reason=f"{moving} is not seen")
        if not self._lifted(stage, anchors):
            return Pusher(s, stage, anchors, until).push()
        taken = self._travel(_grasping(stage), anchors, lambda: False)
        if not taken.reached:
            return taken
        if s.held != moving:
            return Ended(reached=False, reason=f"{moving} is not in the hand", plan=taken.plan)
        return self._travel(stage, anchors, until)

    def _travel(self, stage: ValueMapStage, anchors: Mapping[str, Array], until: Any) -> Ended:
        """Travel; a grasp that closed on nothing is tried again from a fresh look."""
        s = self.s
        ended = Ended(reached=False, reason="not tried")
        for _ in range(s.options.attempts):
            ended = Traveller(s, stage, anchors, until=until).travel()
            if ended.reached or "was not between the fingers" not in ended.reason:
                return ended
        return ended

    def _missing(self, stage: ValueMapStage) -> str:
        """What the stage speaks of and is not seen, after some patience."""
        s = self.s
        frames = {o.region.frame for o in stage.operations} - {"world", "gripper"}
        end = s.observation.time + s.options.patience_s
        while True:
            gone = sorted(f for f in frames if f not in s.objects)
            if not gone:
                return ""
            if s.observation.time >= end:
                seen = ", ".join(sorted(s.objects)) or "nothing"
                return f"{', '.join(gone)} is not seen; seen are: {seen}"
            s.hold(s.options.look_s)
            s.look()

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
        if s.rig.spec.objects[stage.moving].kind != "item":
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

    # ---- the end

    def _keep(
        self, number: int, judge: StageJudge, ended: Ended, anchors: Mapping[str, Array]
    ) -> None:
        planner = self.s.rig.planner
        self.snapshots.append(
            Snapshot(
                stage=number,
                plan=ended.plan,
                cost=planner.cost.copy(),
                avoidance=planner.avoidance.cost.copy(),
                distance=planner.obstacles.distance.copy(),
                path=np.array(judge.path).reshape(-1, 3),
                speed=np.array(judge.speed),
                objects=dict(self.s.objects),
                anchors=dict(anchors),
            )
        )

    def _outcome(
        self, reports: list[StageReport] | tuple[()], message: str, *, finished: bool
    ) -> ValueMapOutcome:
        counts = self.s.counts
        numbers: dict[str, float] = {
            "looks": counts.looks,
            "plans": counts.plans,
            "ways_adopted": counts.adopted,
            "arm_held_back": counts.pushed,
        }
        for name, values in (
            ("look", counts.look_s),
            ("plan", counts.plan_s),
            ("cycle", counts.cycle_s),
        ):
            if values:
                numbers[f"{name}_median_ms"] = round(1e3 * float(np.median(values)), 2)
                numbers[f"{name}_p90_ms"] = round(1e3 * float(np.quantile(values, 0.9)), 2)
        return ValueMapOutcome(
            stages=tuple(reports),
            message=message,
            finished=finished,
            numbers=numbers,
            snapshots=tuple(self.snapshots),
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
