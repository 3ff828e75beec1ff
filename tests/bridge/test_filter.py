"""The safety filter: what it lets through, what it changes, what it refuses and why."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embodied.bridge._motion_checks import MotionChecks
from embodied.bridge.geometry import ArmGeometry
from embodied.bridge.limits import KeepOut, load_limits, shipped_limits
from embodied.bridge.messages import (
    Acknowledgement,
    ArmMode,
    ArmState,
    Decision,
    Verdict,
)
from embodied.bridge.reasons import CODES
from embodied.bridge.testing.resting import RestingArm
from embodied.world.scene import load_scene

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))

from bridge_proposals import Look, fuzz  # noqa: E402

LIMITS = load_limits(shipped_limits("fr3-simulated"))
FULL = load_limits(shipped_limits("fr3-simulated-full"))
SCENE = load_scene("blocks")
GEOMETRY = ArmGeometry(LIMITS, SCENE)
LOOK = Look(LIMITS, SCENE)
HOME = np.array([0.0, -np.pi / 4, 0.0, -3 * np.pi / 4, 0.0, np.pi / 2, np.pi / 4])


class Arm(RestingArm):
    """An arm without a gripper; ``change`` falsifies what it reports."""

    def __init__(self, limits=LIMITS, geometry=GEOMETRY, q=HOME) -> None:  # type: ignore[no-untyped-def]
        self.change = lambda state: state
        super().__init__(limits, geometry, q)

    def state(self, q: np.ndarray | None = None) -> ArmState:
        return self.change(super().state(q))

    def move(self, direction: np.ndarray, speed: float, periods: int) -> Decision:
        """Accelerate gently to a joint speed along a direction; stops at the first refusal."""
        q, decision = self.q.copy(), None
        for k in range(periods):
            q = q + 0.01 * speed * min(1.0, (k + 1) / 20) * direction
            decision = self.ask(q)
            if decision.verdict in (Verdict.REJECT, Verdict.STOP):
                break
        assert decision is not None
        return decision

    def come_to_rest(self) -> None:
        for _ in range(200):
            if self.filter.at_rest:
                return
            self.ask(None)
        raise AssertionError("the arm does not come to rest")


def unit(joint: int, sign: float = 1.0) -> np.ndarray:
    direction = np.zeros(7)
    direction[joint] = sign
    return direction


def codes(decision: Decision) -> list[str]:
    return [r.code for r in decision.reasons]


def test_a_gentle_motion_passes_as_it_is() -> None:
    arm = Arm()
    for k in range(1, 200):
        q = HOME + 0.05 * (1 - np.cos(0.03 * k))
        decision = arm.ask(q)
        assert decision.verdict is Verdict.PASS
        np.testing.assert_allclose(decision.q, q, atol=1e-12)


def test_the_first_set_point_is_the_measured_pose() -> None:
    arm = Arm(q=HOME + 0.1)
    np.testing.assert_array_equal(arm.filter.q, HOME + 0.1)
    decision = arm.ask(None)
    np.testing.assert_array_equal(decision.q, HOME + 0.1)


@pytest.mark.parametrize(
    ("q", "changes", "code"),
    [
        (np.zeros(6), {}, "schema"),
        (np.full(7, np.nan), {}, "not_finite"),
        (HOME, {"gripper_width_m": np.inf}, "not_finite"),
        (HOME, {"created_s": -60.0}, "stale"),
        (HOME, {"created_s": 60.0}, "from_the_future"),
        (HOME, {"sequence": 0}, "sequence"),
        (HOME + 1.0, {}, "jump"),
        (np.full(7, 1e300), {}, "position_limit"),
    ],
)
def test_bad_proposals_are_refused_with_a_reason(q, changes, code) -> None:  # type: ignore[no-untyped-def]
    arm = Arm()
    arm.ask(HOME)
    decision = arm.ask(q, **changes)
    assert decision.verdict is Verdict.REJECT
    assert codes(decision) == [code]
    np.testing.assert_array_equal(decision.q, HOME)
    assert arm.ask(HOME).verdict is Verdict.PASS  # nothing is latched


def test_positions_just_beyond_the_range_are_clamped() -> None:
    arm = Arm(q=np.array([LIMITS.q_upper[0] - 1e-6, *HOME[1:]]))
    over = arm.q.copy()
    over[0] = LIMITS.q_upper[0] + 5e-4
    decision = arm.ask(over)
    assert decision.verdict is Verdict.CLAMP
    assert decision.reasons[0].code == "position_limit"
    assert decision.q[0] <= LIMITS.q_upper[0] + 1e-12


def test_a_rejection_brakes_and_proposals_are_taken_again_from_rest() -> None:
    arm = Arm()
    assert arm.move(unit(6), 0.5, 40).verdict is Verdict.PASS
    assert codes(arm.ask(np.zeros(3))) == ["schema"]
    assert codes(arm.ask(arm.q)) == ["holding"]
    arm.come_to_rest()
    assert arm.ask(arm.q).verdict is Verdict.PASS


def test_a_late_set_point_is_bridged_for_a_moment_only() -> None:
    arm = Arm()
    arm.move(unit(6), 0.5, 40)
    verdicts = [arm.ask(None).verdict for _ in range(6)]
    assert verdicts[0] is Verdict.CLAMP
    assert verdicts[-1] is Verdict.REJECT
    arm.come_to_rest()


def test_a_set_point_a_little_off_is_caught_up_with() -> None:
    arm = Arm()
    decision = arm.ask(HOME + 0.02)
    assert decision.verdict is Verdict.CLAMP
    assert "acceleration_limit" in codes(decision) or "velocity_limit" in codes(decision)
    for _ in range(100):
        arm.ask(HOME + 0.02)
    np.testing.assert_allclose(arm.q, HOME + 0.02, atol=1e-6)


@pytest.mark.parametrize(
    ("direction", "speed", "expected"),
    [
        (unit(0), 1.0, "ee_speed_limit"),
        (unit(1), 0.25, "collision"),
        (unit(6), 0.8, "position_limit"),
    ],
)
def test_motions_end_before_what_they_would_break(direction, speed, expected) -> None:  # type: ignore[no-untyped-def]
    arm = Arm()
    decision = arm.move(direction, speed, 1000)
    assert decision.verdict is Verdict.REJECT
    assert codes(decision) == [expected]
    arm.come_to_rest()
    assert GEOMETRY.nearest(arm.q).margin_m > 0.0
    assert arm.move(-direction, 0.1, 30).verdict is Verdict.PASS  # and back again


def test_the_way_to_rest_is_looked_at_not_only_the_set_point() -> None:
    """Fast towards the table, the refusal comes while there is still room to brake."""
    geometry = ArmGeometry(FULL, SCENE)
    arm = Arm(FULL, geometry)
    decision = arm.move(unit(1), 1.5, 500)
    assert codes(decision) == ["collision"]
    at_refusal = geometry.nearest(arm.q).margin_m
    arm.come_to_rest()
    assert 0.0 < geometry.nearest(arm.q).margin_m < at_refusal


def test_keep_outs_are_for_every_part_of_the_arm() -> None:
    wall = KeepOut(name="wall", lower=np.array([0.2, 0.25, 0.0]), upper=np.array([0.8, 0.3, 1.0]))
    limits = replace(LIMITS, keep_out=(wall,))
    arm = Arm(limits, ArmGeometry(limits, SCENE))
    decision = arm.move(unit(0), 0.3, 1000)
    assert codes(decision) == ["collision"]
    assert "keep-out wall" in decision.reasons[0].joint


def test_the_workspace_bounds_the_hand() -> None:
    limits = replace(LIMITS, workspace_lower=np.array([0.0, -0.1, 0.0]))
    arm = Arm(limits, ArmGeometry(limits, SCENE))
    assert codes(arm.move(unit(0, -1.0), 0.3, 1000)) == ["workspace"]


def test_singular_configurations_are_not_entered() -> None:
    limits = replace(LIMITS, least_singular_value=0.15)
    arm = Arm(limits, ArmGeometry(limits, SCENE))
    decision = arm.move(unit(3), 0.2, 1000)
    assert codes(decision) == ["singularity"]


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (lambda s: replace(s, tau=np.full(7, 500.0)), "torque_limit"),
        (lambda s: replace(s, q=s.q + 0.5), "tracking_error"),
        (lambda s: replace(s, q=s.q[:6]), "wrong_joint_count"),
        (lambda s: replace(s, dq=np.full(7, np.nan)), "state_not_finite"),
        (lambda s: replace(s, protective_stop=True), "protective_stop"),
        (lambda s: replace(s, emergency_stop=True), "emergency_stop"),
        (lambda s: replace(s, mode=ArmMode.FAULT), "arm_fault"),
        (lambda s: replace(s, source_time_s=s.source_time_s + 9.0), "clock_jump"),
    ],
)
def test_faults_of_the_arm_stop_and_stay(fault, code) -> None:  # type: ignore[no-untyped-def]
    arm = Arm()
    arm.move(unit(6), 0.4, 40)
    arm.change = fault
    decision = arm.ask(arm.q)
    assert decision.verdict is Verdict.STOP
    assert codes(decision) == [code]
    arm.change = lambda state: state
    arm.come_to_rest()
    assert arm.ask(arm.q).verdict is Verdict.STOP
    assert [r.code for r in arm.filter.start(arm.state())] == ["latched"]
    arm.filter.recover(Acknowledgement(operator="somebody", statement="it was a test"))
    assert arm.filter.start(arm.state()) == ()
    assert arm.ask(arm.q).verdict is Verdict.PASS


def test_a_frozen_report_is_noticed() -> None:
    arm = Arm()
    frozen = arm.state()
    arm.change = lambda state: frozen
    found = [codes(arm.ask(HOME)) for _ in range(15)]
    assert ["state_frozen"] in found


def test_an_arm_that_does_not_follow_has_stalled() -> None:
    arm = Arm()
    start = arm.state()
    arm.change = lambda state: replace(state, q=start.q)
    q = HOME.copy()
    for _ in range(300):
        q = q + (0.0005 if q[6] - HOME[6] < 0.1 else 0.0) * unit(6)
        decision = arm.ask(q)
        if decision.verdict is Verdict.STOP:
            break
    assert codes(decision) == ["stall"]


def test_a_moving_arm_is_not_taken_over() -> None:
    arm = Arm()
    moving = replace(arm.state(), dq=np.full(7, 0.5))
    assert [r.code for r in arm.filter.start(moving)] == ["velocity_limit"]


def test_an_acknowledgement_needs_a_name_and_a_statement() -> None:
    with pytest.raises(ValueError, match="operator"):
        Acknowledgement(operator=" ", statement="fine")


def test_gripper_requests_are_clamped() -> None:
    arm = Arm()
    decision = arm.ask(HOME, gripper_width_m=0.5, gripper_force_n=500.0)
    assert decision.verdict is Verdict.CLAMP
    assert codes(decision) == ["gripper_width", "gripper_force"]
    assert decision.gripper_width_m == LIMITS.max_width_m
    assert decision.gripper_force_n == LIMITS.max_force_n


def test_reasons_read_as_diagnostics() -> None:
    arm = Arm()
    reason = arm.move(unit(0), 1.0, 1000).reasons[0]
    diagnostic = reason.diagnostic()
    assert "allowed 0.25 m/s" in diagnostic.problem
    assert diagnostic.hint == CODES["ee_speed_limit"]


@settings(max_examples=5)
@given(seed=st.integers(0, 2**32 - 1))
def test_nothing_that_is_sent_breaks_a_limit(seed: int) -> None:
    result = fuzz(LIMITS, SCENE, count=200, seed=seed, geometry=GEOMETRY, look=LOOK)
    assert result.violations == []


@pytest.mark.parametrize(("seed", "count"), [(228, 1560), (244, 460)])
def test_slack_for_rounding_does_not_add_up_while_parts_touch(seed: int, count: int) -> None:
    scene = load_scene("kitchen")
    geometry, look = ArmGeometry(LIMITS, scene), Look(LIMITS, scene)
    assert (
        fuzz(LIMITS, scene, count=count, seed=seed, geometry=geometry, look=look).violations == []
    )


def test_fingers_that_open_and_close_renew_no_slack() -> None:
    """The arm comes down on the table in steps smaller than the slack; the fingers wriggle."""
    motion = MotionChecks(LIMITS, GEOMETRY)

    def margin_m(lowered: float) -> float:
        return GEOMETRY.nearest(HOME + lowered * unit(1)).margin_m

    above, below = 0.0, 1.9
    for _ in range(40):
        middle = (above + below) / 2
        above, below = (middle, below) if margin_m(middle) > 0.0 else (above, middle)
    q = HOME + above * unit(1)
    motion.start(q.tolist(), known=True)
    for k in range(200):
        motion.fingers(*[0.02 + 0.02 * (k % 2)] * 2, q.tolist())
        step = 1e-5 * unit(1)
        if motion.check(q.tolist(), [(step / LIMITS.dt_s).tolist(), [0.0] * 7]) is None:
            q = q + step
    assert q[1] - HOME[1] > above
    assert GEOMETRY.nearest(q).margin_m > -1.5e-5
    assert motion.check(q.tolist(), [(-step / LIMITS.dt_s).tolist(), [0.0] * 7]) is None


@given(q=st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=9))
@settings(max_examples=50)
def test_any_vector_gets_a_decision(q: list[float]) -> None:
    arm = Arm()
    decision = arm.ask(np.array(q))
    assert np.max(np.abs(decision.q - HOME)) < 0.01
    assert decision.verdict is Verdict.PASS or decision.reasons


def test_the_independent_look_finds_what_it_should() -> None:
    jump = np.stack([HOME, HOME, HOME, HOME + 0.1])
    assert any("velocity" in f for f in LOOK.motion(jump, 0))
    assert any("end effector" in f for f in LOOK.places(HOME, HOME + 0.1, 0))
    low = HOME.copy()
    low[1] = 1.2
    assert list(LOOK.contacts(low, 0))
