"""Carries out one action: its skill, and the check of its measured effects."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from embodied.protocols import AnyController, Critic, Skill, Skills
from embodied.route import Run
from embodied.routes.pddl.monitor import Contradiction, Effects, Monitor
from embodied.routes.pddl.tasks import Performed
from embodied.types import (
    Array,
    Atom,
    ControlGoal,
    ControlStatus,
    GroundAction,
    Observation,
    Pose,
    SkillResult,
)

NOWHERE = Pose(position=np.array([0.0, 0.0, -5.0]), quat_wxyz=np.array([1.0, 0.0, 0.0, 0.0]))
"""Where skills are told that something is which was never seen: out of every way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionRecord:
    """One action as it was carried out; times are the world's own.

    Attributes:
        action: What was carried out.
        attempt: Which candidate, from 0.
        ok: Whether its effects were measured.
        reason: Why not.
        started_s: Start.
        ended_s: End.
        chance: Calibrated probability of success that was predicted; None without a critic.
    """

    action: GroundAction
    attempt: int
    ok: bool
    reason: str
    started_s: float
    ended_s: float
    chance: float | None = None


@dataclass(slots=True, kw_only=True, eq=False)
class ActionExecutor:
    """Carries out actions and keeps the memory up to date.

    Attributes:
        run: What may be touched.
        skills: Turn actions into control goals.
        controller: Turns control goals into commands.
        monitor: Judges effects.
        critic: Predicts how likely an action is to succeed, if there is one.
        goal_time_s: Longest time of the world for one control goal.
        records: Everything that was carried out.
    """

    run: Run
    skills: Skills
    controller: AnyController
    monitor: Monitor
    critic: Critic | None = None
    goal_time_s: float
    records: list[ActionRecord] = field(init=False, default_factory=list[ActionRecord])
    _failures: Counter[GroundAction] = field(init=False, default_factory=Counter[GroundAction])
    _places: dict[str, Pose] = field(init=False, default_factory=dict[str, Pose])

    def tried(self, action: GroundAction, failures: int) -> None:
        """Note that an action has failed before: the next attempt takes another candidate."""
        self._failures[action] = failures

    def chance(self, action: GroundAction) -> float | None:
        """Predicted probability that the next attempt succeeds; None without a critic."""
        if self.critic is None:
            return None
        return self.critic.chance(action, self._located(), attempt=self._failures[action])

    def act(self, action: GroundAction) -> Performed:
        """Carry out one action with its next candidate and judge it by its measured effects."""
        attempt = self._failures[action]
        before, started = self.run.perceived(), self._located()
        chance = self.chance(action)
        self.run.say(
            "action", action=str(action), attempt=attempt, time_s=started.time, chance=chance
        )
        earlier = self.run.memory.facts
        with self.run.timed("act"):
            covered = {a.args[0] for a in earlier if a.predicate == "under"}
            lost = [n for n in action.args if started.poses.get(n) is NOWHERE and n not in covered]
            if lost:
                result = SkillResult(ok=False, reason=f"{', '.join(lost)} is not seen")
            else:
                result = self.drive(self.skills.start(action, started, attempt=attempt))
        self.run.memory = predicted = self.run.memory.executed(action, result)
        ended = self.run.measure()
        effects = self.monitor.after(action, earlier, self.run.memory.facts)
        overruled = not result.ok and effects.as_promised
        result = _judged(result, effects)
        contradiction = self.monitor.contradiction(
            self.monitor.expected(action, earlier) if overruled else predicted.facts,
            self.run.memory.facts,
            was=_positions(before),
            now=_positions(ended),
            handled=_handled(action, result.ok, earlier, self.run.memory.facts),
        )
        self._report(action, result, effects, contradiction, ended.time)
        if not result.ok:
            self._failures[action] += 1
        self.records.append(
            ActionRecord(
                action=action,
                attempt=attempt,
                ok=result.ok,
                reason=result.reason,
                started_s=started.time,
                ended_s=ended.time,
                chance=chance,
            )
        )
        return Performed(action=action, result=result, effects=effects, contradiction=contradiction)

    def drive(self, skill: Skill) -> SkillResult:
        """Run a skill: each control goal is computed from what is perceived then."""
        try:
            goal = next(skill)
            while True:
                if self._control(goal) is not ControlStatus.REACHED:
                    skill.close()
                    return SkillResult(ok=False, reason=f"stuck during {goal.label or 'a motion'}")
                goal = skill.send(self._located())
        except StopIteration as end:
            return end.value

    def go_home(self) -> SkillResult:
        """Bring the arm to its rest configuration."""
        return self.drive(self.skills.home(self._located()))

    def rest(self, settle_s: float) -> None:
        """Go home if anything moved, and hold still."""
        if self.records:
            body = self.run.body
            with self.run.timed("rest"):
                self.go_home()
                start = body.observe()
                body.hold_until(start.time + settle_s, start.q)

    def _located(self) -> Observation:
        """What is perceived now, with a place for everything: skills plan around all of it.

        What is lost from sight stays where it was seen last, what was never seen is in no way.
        """
        seen, spec = self.run.perceived(), self.run.body.spec
        self._places.update(seen.poses)
        closed = {n: 0.0 for n, o in spec.objects.items() if o.kind == "drawer"}
        return replace(
            seen,
            poses={**dict.fromkeys(spec.objects, NOWHERE), **self._places},
            openings_m={**closed, **seen.openings_m},
        )

    def _control(self, goal: ControlGoal) -> ControlStatus:
        """Run the controller on one goal."""
        body = self.run.body
        self.run.say(
            "goal", type=type(goal).__name__, label=goal.label, time_s=body.observation.time
        )
        followed = body.follow(self.controller, goal, self.goal_time_s)
        if followed.limited:
            self.run.say("limited", label=goal.label, reasons=list(followed.limited))
        return followed.status

    def _report(
        self,
        action: GroundAction,
        result: SkillResult,
        effects: Effects,
        contradiction: Contradiction,
        time_s: float,
    ) -> None:
        self.run.say(
            "effects",
            action=str(action),
            ok=result.ok,
            reason=result.reason,
            missing=effects.missing,
            surprising=effects.surprising,
            time_s=time_s,
        )
        if contradiction:
            self.report_contradiction(str(action), contradiction, time_s)

    def report_contradiction(self, action: str, found: Contradiction, time_s: float) -> None:
        """Emit a contradiction; ``action`` is what was going on, or ``""``."""
        self.run.say(
            "contradiction",
            action=action,
            believed=found.believed,
            measured=found.measured,
            moved=found.moved,
            time_s=time_s,
        )


def _judged(result: SkillResult, effects: Effects) -> SkillResult:
    """What a skill claims, overruled by what was measured."""
    if result.ok and not effects.as_promised:
        missing = ", ".join(effects.missing)
        return SkillResult(ok=False, reason=f"expected {missing}, not measured")
    if not result.ok and effects.as_promised:
        return SkillResult(ok=True, reason=f"effects measured although: {result.reason}")
    return result


def _positions(observation: Observation) -> Mapping[str, Array]:
    return {n: p.position for n, p in observation.poses.items()}


def _handled(
    action: GroundAction, ok: bool, earlier: frozenset[Atom], later: frozenset[Atom]
) -> frozenset[str]:
    """Objects that an action was meant to move: its arguments and what they carry.

    After a failure only what was in the hand at some time counts as handled: a thing that a grasp
    missed should still be where it was.
    """
    facts = earlier | later
    if not ok:
        names = {a.args[0] for a in facts if len(a.args) == 1 and a.predicate == "holding"}
    else:
        names = set(action.args)
    grown = True
    while grown:
        carried = {a.args[0] for a in facts if len(a.args) == 2 and a.args[1] in names}
        moving = carried - names if ok and len(action.args) == 1 else set[str]()
        names |= moving
        grown = bool(moving)
    return frozenset(names)
