"""How an arm's connection behaves while nothing moves: latency, jitter, clock."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from embodied.bridge.driver import Driver
from embodied.bridge.filter import SafetyFilter
from embodied.bridge.messages import ArmState
from embodied.types import Array


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Probe:
    """What was seen.

    Attributes:
        state: The last report.
        latency_s: Duration of each read, (k,), s.
        interval_s: Time between new reports by the arm's clock, (m,), s.
        drift_s_per_s: How much faster the arm's clock goes than ours; 0 where it stands still.
        problems: What speaks against taking the arm over, one line each.
    """

    state: ArmState
    latency_s: Array
    interval_s: Array
    drift_s_per_s: float
    problems: tuple[str, ...]


def probe(driver: Driver, safety: SafetyFilter, *, seconds: float) -> Probe:
    """Read a connected arm for a while; sends it nothing.

    Args:
        driver: Connected.
        safety: Filter with the limits that would apply; nothing is sent through it.
        seconds: For how long.
    """
    period, lockstep = driver.capabilities.period_s, driver.capabilities.lockstep
    latency: list[float] = []
    states: list[ArmState] = []
    started = time.monotonic()
    due = started
    while time.monotonic() - started < seconds:
        before = time.perf_counter()
        state = driver.read_state()
        latency.append(time.perf_counter() - before)
        if not states or state.sequence != states[-1].sequence:
            states.append(state)
        due += period
        time.sleep(max(due - time.monotonic(), 0.0))
    source = np.array([s.source_time_s for s in states])
    received = np.array([s.receive_time_s for s in states])
    drift = 0.0
    if len(states) > 10 and not lockstep:
        drift = float(np.polyfit(received - received[0], source - source[0], 1)[0]) - 1.0
    limits, problems = safety.limits, list[str]()
    if len(driver.capabilities.joint_names) != len(limits.joints):
        problems.append(
            f"the driver has {len(driver.capabilities.joint_names)} joints,"
            f" the limits {len(limits.joints)}"
        )
    else:
        problems += [str(r) for r in safety.start(states[-1])]
        near = safety.geometry.nearest(states[-1].q)
        if near.margin_m < 0.0:
            problems.append(f"{near.first} is too near to {near.second}: {near.margin_m:.4f} m")
    if abs(period - limits.dt_s) > 1e-9:
        problems.append(f"the driver's period is {period:g} s, the limits' {limits.dt_s:g} s")
    if len(states) < 2 and not lockstep:
        problems.append("the arm does not report anew")
    return Probe(
        state=states[-1],
        latency_s=np.array(latency),
        interval_s=np.diff(source),
        drift_s_per_s=drift,
        problems=tuple(problems),
    )
