"""Carrying out a value-map program: stage after stage, each judged from measurements."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from embodied_planners.value_map import ObjectGeometry, ValueMapPlan
from embodied_planners.value_map.regions import UnknownFrameError, volume
from numpy.typing import NDArray

from embodied.language.value_map.describe import describe_condition, describe_operation
from embodied.recovery import RecoveryStep
from embodied.route import Run, StageRun
from embodied.routes.value_map.following import MapFollower, MotionResult
from embodied.routes.value_map.judge import StageJudge, condition_holds, origins
from embodied.routes.value_map.push import Pusher
from embodied.routes.value_map.relations import aimed_at, relations_of, things, without_release
from embodied.routes.value_map.setting_down import let_go, lift, lower, slowest_m_s, spot_on
from embodied.routes.value_map.state import RunState
from embodied.routes.value_map.touching import rest, touch
from embodied.routes.value_map.turning import in_steps
from embodied.types import Array, Atom, MapOperation, Region, ValueMapProgram, ValueMapStage
from embodied.verdict import Verdict

LIFT_M = 0.03
"""A target this much higher than a thing means that it is lifted, not pushed."""

PUT_AGAIN = 2
"""How often a thing that does not lie where it was put is taken and put there again."""


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
        relations: The fact that each stage is to make true, where it means one.
    """

    def __init__(
        self, state: RunState, program: ValueMapProgram, run: Run, *, keep_maps: bool
    ) -> None:
        self.state, self.program, self.run, self.keep_maps = state, program, run, keep_maps
        self.relations = relations_of(program, state.setup.spec.objects, state.held)
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
        self.fact = execution.relations[number]
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
        judge = StageJudge(s, stage, anchors, self.fact)
        until = _Until(s, stage, anchors)
        s.body.watchers.append(judge.watch)
        try:
            ended = MotionResult(reached=True)
            for part in earlier:
                ended = self._move(part, anchors, lambda: False)
                if not ended.reached:
                    break
            else:
                ended = self._carry_out(stage, anchors, until)
        finally:
            s.body.watchers.remove(judge.watch)
        s.body.hold(s.options.settle_s)
        stayed = rest(s, stage.rest_s) if ended.reached and stage.rest_s else None
        s.look()
        reason = "" if ended.reached else ended.reason
        verdict = judge.report(text, reason, over=ended.over and until.is_target)
        if stayed is not None:
            verdict = stayed.added_to(verdict)
        if stage.until is not None:
            words = f"until {describe_condition(stage.until)}"
            if ended.over or until():
                verdict = replace(verdict, holds=(*verdict.holds, words), reason="")
            else:
                verdict = replace(verdict, unmet=(*verdict.unmet, words))
        if self.execution.keep_maps:
            self._keep(judge, ended)
        return verdict

    def review(self, verdict: Verdict) -> Verdict:
        """What was put down is judged again at rest, unless a later stage took hold of it."""
        s, fact = self.s, self.fact
        if fact is None or fact.predicate == "holding" or str(fact) not in verdict.holds:
            return verdict
        if fact in s.facts():
            return verdict
        later = self.execution.relations[self.number + 1 :]
        if any(things(f) == things(fact) for f in later):
            holds = tuple(part for part in verdict.holds if part != str(fact))
            return replace(verdict, holds=holds, held=(*verdict.held, str(fact)))
        return verdict.without({str(fact)})

    def _carry_out(
        self, stage: ValueMapStage, anchors: Mapping[str, Array], until: Callable[[], bool]
    ) -> MotionResult:
        """Move; a thing that is to be put somewhere is put there until it is measured to be."""
        fact = self.fact
        if stage.until is not None and stage.until.what == "touching":
            ended = self._move(stage, anchors, until)
            return touch(self.s, stage, ended) if ended.reached else ended
        if fact is None or fact.predicate == "holding":
            return self._move(stage, anchors, until)
        ended = self._put(stage, anchors, fact, until)
        for _ in range(PUT_AGAIN):
            s = self.s
            s.body.hold(s.options.settle_s)
            s.look()
            if fact in s.facts():
                return replace(ended, reached=True, reason="")
            if ended.over or things(fact) not in s.objects:
                break
            reason = ended.reason or f"{fact} is not measured"
            self.execution.run.escalate(RecoveryStep.RETRY, reason, self._verdict.text)
            ended = self._put(stage, anchors, fact, until)
        return ended

    def _put(
        self,
        stage: ValueMapStage,
        anchors: Mapping[str, Array],
        fact: Atom,
        until: Callable[[], bool],
    ) -> MotionResult:
        """Take hold of a thing if it is not in the hand, bring it over its place, set it down."""
        s = self.s
        missing = self._missing()
        if missing:
            return MotionResult(reached=False, reason=missing)
        thing, where = fact.args
        if thing not in s.objects or where not in s.objects:
            return MotionResult(reached=False, reason=f"{thing} or {where} is not seen")
        if s.held != thing:
            taken = self._travel(_grasping(replace(stage, moving=thing)), anchors, lambda: False)
            if not taken.reached:
                return taken
        asked = [o.region for o in stage.operations if o.map == "affordance"][-1]
        over = aimed_at(without_release(stage), thing, spot_on(s, fact, asked))
        limit_m_s = slowest_m_s(stage)
        lift(s, thing, where, limit_m_s)
        ended = self._travel(over, self._anchors(over), until)
        if not ended.reached or ended.over:
            return ended
        reason = lower(s, fact, limit_m_s)
        let_go(s, limit_m_s)
        return replace(ended, reached=not reason, reason=reason)

    def _move(
        self, stage: ValueMapStage, anchors: Mapping[str, Array], until: Callable[[], bool]
    ) -> MotionResult:
        s, moving = self.s, stage.moving
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


class _Until:
    """Whether a stage's condition has come true since it began: what held before ends nothing.

    Args:
        state: The run.
        stage: The stage.
        anchors: Origins of frames that stay where they were when it began.

    Attributes:
        is_target: Whether the condition is where the thing that the stage moves is to be; any other
            ends the motion, but its targets still count.
    """

    def __init__(self, state: RunState, stage: ValueMapStage, anchors: Mapping[str, Array]) -> None:
        self.s, self.condition, self.anchors = state, stage.until, anchors
        places = ("inside", "outside", "opening", "closed")
        asked = stage.until
        self.is_target = asked is not None and (
            asked.what in places and asked.subject == stage.moving or asked.what == "touching"
        )
        self._was = self._holds()

    def __call__(self) -> bool:
        """Whether it holds now and did not when the stage began."""
        holds = self._holds()
        self._was = self._was and holds
        return holds and not self._was

    def _holds(self) -> bool:
        return self.condition is not None and condition_holds(self.s, self.condition, self.anchors)


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
    condition = "" if stage.when is None else f" if {describe_condition(stage.when)}"
    end = "" if stage.until is None else f"; until {describe_condition(stage.until)}"
    end += f"; then stay for {stage.rest_s:g} s" if stage.rest_s else ""
    return f"stage {number + 1}{condition}, move {stage.moving}: {parts}{end}"
