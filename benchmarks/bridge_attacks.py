"""Ways to get more from a safety filter than it allows, by somebody who knows it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from bridge_proposals import Proposer

from embodied.bridge.approval import CORRIDOR_RAD, STAY_RAD, Gate
from embodied.bridge.filter import SafetyFilter
from embodied.bridge.geometry import ArmGeometry
from embodied.bridge.limits import SafetyLimits
from embodied.bridge.messages import Acknowledgement, ArmState, Setpoint, Verdict
from embodied.bridge.plan import Plan
from embodied.bridge.testing.resting import moved_gap, resting_state
from embodied.types import Array

SAG_RAD = 0.004


class Attack:
    """A filter, and an arm that sags below what it is told.

    Args:
        limits: The limits.
        geometry: Of the filter.
        rng: Source of randomness.
        confirm: Judge what is proposed by a gate too, as in mode confirm.
    """

    def __init__(
        self,
        limits: SafetyLimits,
        geometry: ArmGeometry,
        rng: np.random.Generator,
        *,
        confirm: bool = False,
    ) -> None:
        self.limits, self.geometry, self.rng = limits, geometry, rng
        self.gate = Gate(limits.dt_s) if confirm else None
        self.number, self.now = 0, 1000.0
        self.clock_s = 0.0
        self.sag = np.zeros(len(limits.joints))
        self.gap_m = self.told_m = 0.04
        self.verdicts: dict[str, int] = {}
        self.sent: list[Array] = []
        self.gaps: list[float] = []
        self.runs: list[tuple[Array, Array]] = []
        self.begin()

    def begin(self) -> None:
        """A person puts the arm somewhere and it is taken over."""
        self.end_run()
        self.filter = SafetyFilter(self.limits, self.geometry, lockstep=True)
        self.geometry.hold(self.somewhere(), 0.0)
        self.gap_m = self.told_m = 0.04
        self.start(self.somewhere())
        if self.gate is not None:
            self.gate.release()

    def somewhere(self) -> Array:
        """A random configuration that keeps the limits, often near to things."""
        limits, geometry = self.limits, self.geometry
        geometry.set_gap(0.0, limits.max_width_m)
        while True:
            q = self.rng.uniform(limits.q_lower, limits.q_upper)
            ee, _ = geometry.points(q)
            inside = bool(
                np.all(ee > limits.workspace_lower) and np.all(ee < limits.workspace_upper)
            )
            if not inside or geometry.least_singular_value(q) <= limits.least_singular_value:
                continue
            margin = geometry.nearest(q).margin_m
            if margin > 0.0 and (margin < 0.04 or self.rng.random() < 0.1):
                return q

    def start(self, q: Array) -> bool:
        """Take over at a measured pose; returns whether that was let."""
        self.end_run()
        self.number += 1
        let = self.filter.start(self.state(q)) == ()
        if let:
            self.keep(self.filter.q)
        return let

    def enable(self) -> bool:
        """A planner takes over again."""
        return self.start(self.filter.q + self.sag)

    def keep(self, q: Array) -> None:
        """Note what was sent."""
        self.sent.append(np.array(q))
        self.gaps.append(self.gap_m)

    def end_run(self) -> None:
        """What follows does not continue from what was sent."""
        if self.sent:
            self.runs.append((np.array(self.sent), np.array(self.gaps)))
        self.sent, self.gaps = [], []

    def state(self, q: Array) -> ArmState:
        """What the arm reports at ``q`` (n,)."""
        return resting_state(q, self.number, clock_s=self.clock_s, gap_m=self.gap_m)

    def ask(self, q: Array | None, width: float | None = None, age_s: float = 0.0) -> bool:
        """One period; returns whether it passed."""
        self.number += 1
        self.now += self.limits.dt_s
        proposal = None
        if q is not None:
            proposal = Setpoint(
                sequence=self.number,
                created_s=self.now - age_s,
                q=np.array(q),
                gripper_width_m=width,
            )
        return self.propose(proposal)

    def propose(self, proposal: Setpoint | None) -> bool:
        """One period with this proposal; returns whether it passed."""
        state = self.state(self.filter.q)
        if self.gate is not None:
            decision = self.gate.judge(self.filter, proposal, state, self.now)
        else:
            decision = self.filter.judge(proposal, state, self.now)
        verdict = decision.verdict.value
        self.verdicts[verdict] = self.verdicts.get(verdict, 0) + 1
        if decision.gripper_width_m is not None:
            self.told_m = decision.gripper_width_m
        self.gap_m = moved_gap(self.gap_m, self.told_m)
        self.keep(decision.q)
        if self.filter.latched is not None and self.filter.at_rest:
            self.filter.recover(Acknowledgement(operator="adversary", statement="seen"))
            self.begin()
        return decision.verdict in (Verdict.PASS, Verdict.CLAMP)

    def towards(self, velocity: Array) -> Array:
        """Joint velocity (n,) that moves the hand at ``velocity`` (3,)."""
        jacobian = self.geometry.posture(self.filter.q).jacobian[:, :3].T
        return np.linalg.pinv(jacobian) @ velocity

    def down(self) -> Array:
        """A direction towards things: mostly down, for the hand."""
        velocity = self.rng.normal(size=3) * 0.5 - [0.0, 0.0, 1.0]
        return velocity / np.linalg.norm(velocity)


def creep(attack: Attack, periods: int) -> None:
    """Tiny steps towards things, from rest each."""
    for _ in range(periods // 100):
        step = attack.towards(attack.down()) * 10.0 ** attack.rng.uniform(-6, -3.3)
        for k in range(100):
            attack.ask(attack.filter.q + step * (k % 3 != 2))
    attack.begin()


def resonance(attack: Attack, periods: int) -> None:
    """Set-points that swing, at a few periods each and amplitudes near the limits."""
    for _ in range(periods // 250):
        way = attack.towards(attack.down() * attack.rng.uniform(0.05, 0.5))
        length = attack.rng.integers(2, 40)
        middle = attack.filter.q
        for k in range(250):
            attack.ask(middle + way * 0.2 * np.sin(2 * np.pi * k / length) * min(1.0, k / 50))
    attack.begin()


def graze(attack: Attack, periods: int) -> None:
    """Along things, pressed against them."""
    for _ in range(periods // 500):
        along = attack.rng.normal(size=3) * [1.0, 1.0, 0.1]
        along *= attack.rng.uniform(0.01, 0.15) / np.linalg.norm(along)
        q = attack.filter.q
        for k in range(500):
            press = np.array([0.0, 0.0, -0.02 if k % 7 else 0.005])
            dq = attack.towards(along * min(1.0, k / 30) + press)
            q = q + attack.limits.dt_s * dq
            if not attack.ask(q):
                q = attack.filter.q
        attack.begin()


def fingers(attack: Attack, periods: int) -> None:
    """The gripper opens and closes while the arm rests, or comes down."""
    for k in range(periods):
        width = float(attack.rng.uniform(0.0, 0.09)) if k % 25 == 0 else None
        moves = (k // 200) % 2
        step = 0.0003 * attack.towards(attack.down()) * moves
        attack.ask(attack.filter.q + step, width)
        if k % 1000 == 999:
            attack.begin()


def take_over(attack: Attack, periods: int) -> None:
    """Taken over again and again, with two tiny steps each, on an arm that sags."""
    step = np.zeros(len(attack.limits.joints))
    for k in range(periods // 3):
        if k % 300 == 0:
            attack.begin()
            step = attack.towards(attack.down()) * 1e-5
            sags = (0.0, 0.01, 1.0)[(k // 300) % 3]
            attack.sag = step / max(1e-12, float(np.abs(step).max())) * SAG_RAD * sags
        attack.enable()
        for _ in range(2):
            attack.ask(attack.filter.q + step)
    attack.sag = attack.sag * 0.0


def clocks(attack: Attack, periods: int) -> None:
    """The arm's clock and the planner's stamps step; the rest is as when it creeps."""
    for k in range(periods):
        if attack.rng.random() < 0.01:
            attack.clock_s += float(attack.rng.choice([-3600.0, -0.2, 0.2, 3600.0]))
        age = float(attack.rng.choice([0.0, 0.0, 0.0, 60.0, -60.0, 0.1]))
        step = attack.towards(attack.down()) * 0.0005
        attack.ask(attack.filter.q + step * (k % 50 < 45), age_s=age)


def fuzzed(attack: Attack, periods: int) -> None:
    """Garbage, jumps, drives into things."""
    proposer = Proposer(attack.limits, attack.rng, attack.filter.q, lambda _, v: attack.towards(v))
    for _ in range(periods):
        attack.now += attack.limits.dt_s
        attack.number += 1
        proposal = proposer.draw(attack.filter.q, attack.now)
        if proposal is not None:
            proposal = replace(proposal, sequence=attack.number)
        attack.propose(proposal)


def _plan(attack: Attack, rng: np.random.Generator) -> Plan:
    """A curved motion from where the arm is, some of them as fast as the arm may be."""
    n, start = int(rng.integers(30, 250)), attack.filter.q
    x = np.linspace(0.0, 1.0, n)[:, None]
    way = start + np.zeros((n, 1))
    for _ in range(2):
        begin, turn = rng.uniform(0.0, 0.4), rng.uniform(-1.0, 1.0, len(start))
        part = np.clip((x - begin) / 0.6, 0.0, 1.0)
        way = way + turn * rng.choice([0.05, 0.3]) * part**3 * (10 + part * (6 * part - 15))
    time_s = attack.limits.dt_s * np.arange(n)
    return Plan.of("motion", time_s.tolist(), way.tolist(), None, len(start))


def _dense(way: Array) -> Array:
    """A path (k, n) with eight times as many samples."""
    at = np.arange(0.0, len(way) - 1 + 1e-9, 0.125)
    return np.stack([np.interp(at, np.arange(len(way)), c) for c in way.T], axis=1)


def confirmations(attack: Attack, periods: int) -> float:
    """Plans approved and refused in turn; returns how far beyond the budgets it got, rad.

    Wherever the arm is sent has to be near the path approved last, or, before there was one, near
    the pose at the take-over.
    """
    assert attack.gate is not None
    beyond, rng, dt_s = -np.inf, attack.rng, attack.limits.dt_s
    allowed = path = attack.filter.q[None]
    budget = STAY_RAD
    for k in range(periods // 250):
        if attack.filter.latched is not None or k % 10 == 9:
            attack.begin()
            allowed, budget = attack.filter.q[None], STAY_RAD
        plan, yes = _plan(attack, rng), k % 3 == 2
        attack.gate.propose(plan)
        attack.gate.answer(plan.plan_hash, approve=yes)
        if yes:
            # An arm that is still coming to rest does so on the path approved before.
            path = _dense(plan.q)
            allowed, budget = np.concatenate([allowed, path]), CORRIDOR_RAD
        sent: list[Array] = []
        swerve, follows = rng.uniform(-1, 1, len(plan.q[0])), int(rng.integers(10, 200))
        for i in range(250):
            last, kind = attack.filter.q, (k + i // 50) % 5
            if i < follows or kind == 0:
                q = plan.q[min(i, len(plan.q) - 1)]
            elif kind == 1:
                q = last + rng.uniform(-1, 1, len(last)) * 0.003
            elif kind == 2:
                q = last + 0.002 * np.sign(plan.q[-1] - plan.q[0])
            elif kind == 3:  # on and on as it moves, faster and off the path
                q = last + 1.02 * (last - sent[-2]) + 0.001 * swerve
            else:
                q = last + dt_s * rng.uniform(0.1, 1.0) * attack.limits.dq_max * swerve
            attack.ask(None if rng.random() < 0.01 else q)
            sent.append(attack.filter.q)
            if i % 25 == 24 and attack.filter.at_rest:
                attack.enable()
        off = np.abs(np.array(sent)[:, None] - allowed[None]).max(axis=2).min(axis=1)
        beyond = max(beyond, float(off.max()) - budget)
        if yes and attack.filter.at_rest:
            allowed = path
    return beyond


STRATEGIES: dict[str, Callable[[Attack, int], float | None]] = {
    "creep": creep,
    "resonance": resonance,
    "grazing": graze,
    "fingers": fingers,
    "take-over": take_over,
    "clock steps": clocks,
    "fuzz": fuzzed,
    "confirm": confirmations,
}
