"""What the supervisor tells: counts, its status, and the arm's state as a planner gets it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from embodied.bridge.approval import Gate
from embodied.bridge.filter import SafetyFilter
from embodied.bridge.messages import ArmState, Decision, OperationMode, Setpoint, Verdict


@dataclass(slots=True)
class Totals:
    """Counts since the start."""

    periods: int = 0
    overruns: int = 0
    proposals: int = 0
    rejected: int = 0
    clamped: int = 0
    largest_shadow_rad: float = 0.0
    latest_s: float = 0.0

    def begun(self, late_s: float, dt_s: float) -> None:
        """A period of ``dt_s`` begins so much later than it should."""
        self.overruns += late_s > dt_s
        self.latest_s = max(self.latest_s, late_s)

    def count(self, proposal: Setpoint | None, decision: Decision) -> None:
        """One more period."""
        self.periods += 1
        self.proposals += proposal is not None
        self.rejected += decision.verdict is Verdict.REJECT
        self.clamped += decision.verdict is Verdict.CLAMP

    def counts(self) -> dict[str, Any]:
        """As data."""
        return asdict(self)


def status(
    mode: OperationMode, enabled: bool, safety: SafetyFilter, gate: Gate, totals: Totals
) -> dict[str, Any]:
    """The supervisor's status as data."""
    latched = safety.latched
    return {
        "mode": mode.value,
        "enabled": enabled,
        "latched": None if latched is None else latched.code,
        "latched_reason": "" if latched is None else str(latched),
        "at_rest": safety.at_rest,
        "pending": None if gate.pending is None else gate.pending.plan_hash,
        "approved": None if gate.approved is None else gate.approved.plan_hash,
        "refused": gate.refused,
        **totals.counts(),
    }


def reported(state: ArmState) -> dict[str, Any]:
    """The state of the arm as a planner gets it."""
    grip = state.gripper
    return {
        "sequence": state.sequence,
        "source_time_s": state.source_time_s,
        "q": state.q.tolist(),
        "dq": state.dq.tolist(),
        "q_commanded": state.q_commanded.tolist(),
        "tau": state.tau.tolist(),
        "mode": state.mode.value,
        "gripper": None if grip is None else [grip.width_m, grip.speed_m_s, grip.force_n],
        "scene": dict(state.scene),
    }
