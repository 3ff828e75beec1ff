"""Mode confirm against planners that know how it works."""

from __future__ import annotations

import numpy as np
import pytest

from embodied.bridge.approval import AHEAD_S, CORRIDOR_RAD, STAY_RAD, Gate
from embodied.bridge.plan import Plan
from embodied.types import Array

DT_S = 0.01
HOME = np.array([0.0, -np.pi / 4, 0.0, -3 * np.pi / 4, 0.0, np.pi / 2, np.pi / 4])
AXIS = np.eye(7)[0]


class Attack:
    """A gate, and an arm that goes wherever it lets it go."""

    def __init__(self) -> None:
        self.gate = Gate(DT_S)
        self.gate.take_over(HOME)
        self.q = HOME.copy()

    def ask(self, q: Array, width: float | None = None) -> str:
        why = self.gate.covers_gap(width) or self.gate.covers(np.stack([self.q, q]))
        if why is None:
            self.q = np.array(q)
        self.gate.sent(self.q, width if why is None else None)
        return "" if why is None else why.code

    def creep(self, periods: int = 600, step: float = 0.0026) -> float:
        """Small steps away; returns how far they get."""
        start = self.q.copy()
        for _ in range(periods):
            self.ask(self.q + step * AXIS)
        return float(np.max(np.abs(self.q - start)))

    def decide(self, plan: Plan, *, approve: bool) -> None:
        self.gate.propose(plan)
        assert self.gate.answer(plan.plan_hash, approve=approve)


def plan_of(way: Array, width: float | None = None, dt_s: float = DT_S) -> Plan:
    time_s = dt_s * np.arange(len(way))
    return Plan.of("swing", time_s.tolist(), way.tolist(), width, 7)


def swing(turn: float = 1.0, periods: int = 300) -> Array:
    x = np.linspace(0.0, 1.0, periods)
    return HOME + np.outer(turn * x**3 * (10 + x * (6 * x - 15)), AXIS)


@pytest.mark.parametrize("step", [0.0026, 1e-4, 0.5 * STAY_RAD, STAY_RAD])
def test_small_steps_without_a_plan_get_nowhere(step: float) -> None:
    attack = Attack()
    assert attack.creep(step=step) <= STAY_RAD
    attack.gate.take_over(attack.q)  # taking over again renews nothing
    assert attack.creep(step=-step) <= 2 * STAY_RAD + 1e-12
    assert np.max(np.abs(attack.q - HOME)) <= STAY_RAD


def test_a_refused_plan_lets_nothing_through() -> None:
    attack, way = Attack(), swing()
    attack.decide(plan_of(way), approve=False)
    for row in way:
        attack.ask(row)
    attack.gate.propose(plan_of(way))  # neither does one that waits
    for row in way:
        attack.ask(row)
    assert np.max(np.abs(attack.q - HOME)) <= STAY_RAD


def test_a_plan_that_stays_lets_nothing_else_through() -> None:
    attack = Attack()
    attack.decide(plan_of(np.stack([HOME, HOME])), approve=True)
    attack.creep(900)
    assert np.max(np.abs(attack.q - HOME)) <= STAY_RAD


def test_alternating_plans_do_not_add_up() -> None:
    attack = Attack()
    for k in range(300):
        here = attack.q + STAY_RAD * AXIS
        attack.decide(plan_of(np.stack([attack.q, here + 0.5])), approve=False)
        attack.ask(here)
        if k % 3 == 0:
            attack.decide(plan_of(np.stack([HOME, HOME])), approve=True)
            attack.ask(here)
    assert np.max(np.abs(attack.q - HOME)) <= STAY_RAD


def test_the_approved_motion_passes_and_its_end_is_kept() -> None:
    attack, way = Attack(), swing()
    attack.decide(plan_of(way), approve=True)
    assert {attack.ask(row) for row in way} == {""}
    for _ in range(600):
        attack.ask(attack.q + 0.002 * AXIS)
    assert np.max(np.abs(attack.q - way[-1])) <= CORRIDOR_RAD
    attack.gate.propose(plan_of(swing(-1.0)))
    for _ in range(600):
        attack.ask(attack.q + 0.002 * AXIS)
    assert np.max(np.abs(attack.q - way[-1])) <= CORRIDOR_RAD + 1e-9


def test_a_path_is_not_taken_backwards_or_twice() -> None:
    attack, way = Attack(), swing()
    attack.decide(plan_of(way), approve=True)
    for row in way:
        assert attack.ask(row) == ""
    reached = attack.q.copy()
    for row in way[::-1]:
        attack.ask(row)
    assert np.max(np.abs(attack.q - reached)) <= CORRIDOR_RAD


def test_a_path_is_not_hurried_along() -> None:
    attack, way = Attack(), swing()
    attack.decide(plan_of(way), approve=True)
    for _ in range(1000):  # waiting earns no more than AHEAD_S
        assert attack.ask(HOME) == ""
    periods, k = 0, 0
    while k < len(way) - 1 and periods < 2 * len(way):
        periods += 1
        k = min(k + 5, len(way) - 1)
        if attack.ask(way[k]):
            k -= 5
    slow = int(np.sum(np.abs(way - way[0]).max(axis=1) <= CORRIDOR_RAD))  # at either end
    assert periods >= len(way) - AHEAD_S / DT_S - 2 * slow


def test_a_pause_on_the_way_is_no_trap() -> None:
    way = np.concatenate(
        [swing(0.5), np.repeat(swing(0.5)[-1:], 200, axis=0), swing(0.5) + 0.5 * AXIS]
    )
    attack = Attack()
    attack.decide(plan_of(way), approve=True)
    assert {attack.ask(row) for row in way} == {""}


def test_a_plan_from_elsewhere_moves_nothing() -> None:
    attack, way = Attack(), swing() + 0.1
    attack.decide(plan_of(way), approve=True)
    for row in way:
        assert attack.ask(row) == "off_plan"
    assert np.array_equal(attack.q, HOME)


def test_an_approval_ends_with_the_planner_and_with_a_recovery() -> None:
    for end in ("revoke", "release"):
        attack, way = Attack(), swing()
        attack.decide(plan_of(way), approve=True)
        getattr(attack.gate, end)()
        attack.gate.take_over(attack.q)
        for row in way:
            attack.ask(row)
        assert np.max(np.abs(attack.q - HOME)) <= STAY_RAD


def test_a_gap_is_approved_for_its_plan_alone() -> None:
    attack = Attack()
    assert attack.ask(HOME, 0.04) == "not_approved"
    attack.decide(plan_of(np.stack([HOME, HOME]), 0.04), approve=True)
    attack.decide(plan_of(np.stack([HOME, HOME]), 0.02), approve=True)
    assert attack.ask(HOME, 0.04) == "not_approved"  # it was never begun
    assert attack.ask(HOME, 0.02) == ""
    attack.decide(plan_of(np.stack([HOME, HOME])), approve=True)
    assert attack.ask(HOME, 0.02) == ""  # where the fingers are told to be anyway


@pytest.mark.parametrize("seed", range(5))
def test_whatever_is_proposed_stays_in_the_corridor(seed: int) -> None:
    rng, way = np.random.default_rng(seed), swing()
    attack = Attack()
    attack.decide(plan_of(way), approve=True)
    for _ in range(2000):
        kind = rng.integers(4)
        if kind == 0:
            q = attack.q + rng.normal(0.0, 0.02, 7)
        elif kind == 1:
            q = way[rng.integers(len(way))] + rng.uniform(-1, 1, 7) * CORRIDOR_RAD
        else:
            q = attack.q + rng.uniform(-1, 1, 7) * 0.005
        attack.ask(q)
        assert np.min(np.max(np.abs(way - attack.q), axis=1)) <= CORRIDOR_RAD + 1e-6


def test_plans_that_cannot_be_are_refused() -> None:
    good = plan_of(swing())
    for changes in ({"time": [0.0, 0.0]}, {"label": "x" * 5000}, {"width": np.inf}):
        with pytest.raises(ValueError, match="plan"):
            Plan.of(
                changes.get("label", "swing"),
                changes.get("time", [0.0, 1.0]),
                [HOME.tolist(), HOME.tolist()],
                changes.get("width"),
                7,
            )
    assert Plan.of("\ud800", [0.0], [HOME.tolist()], None, 7).plan_hash != good.plan_hash
