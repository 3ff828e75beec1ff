"""Codes of reasons, and a hint for each; the language layer reads both."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from embodied.bridge.messages import Reason

CODES: Mapping[str, str] = MappingProxyType(
    {
        # 1. schema, finiteness, age, sequence
        "schema": "send one finite position per joint of the arm",
        "not_finite": "send one finite position per joint of the arm",
        "stale": "send the set-point within its period; plan before moving, not while moving",
        "from_the_future": "stamp set-points with this machine's monotonic clock",
        "sequence": "number set-points upwards, each once",
        "missing": "send a set-point every period until the arm is at rest",
        "heartbeat": "send heartbeats while planning",
        "holding": "wait until the arm is at rest, then start from the pose it holds",
        "corrupt": "send frames with a valid checksum",
        # 2. mode and latched stops
        "not_enabled": "enable the arm first",
        "latched": "an operator must acknowledge the stop",
        "emergency_stop": "an operator must release the emergency stop and acknowledge it",
        "protective_stop": "an operator must clear the protective stop and acknowledge it",
        "arm_fault": "an operator must clear the fault on the arm and acknowledge it",
        "not_approved": "show the plan to the operator and wait for approval of its hash",
        "off_plan": "follow the trajectory that was approved",
        # 3. joint limits
        "position_limit": "stay within the joint's range",
        # 4. velocity, acceleration, jerk
        "jump": "continue from the last set-point sent",
        "velocity_limit": "move more slowly",
        "acceleration_limit": "change speed more gently",
        "jerk_limit": "change acceleration more gently",
        # 5. Cartesian speed
        "ee_speed_limit": "slow the whole motion down by the ratio of both speeds",
        "elbow_speed_limit": "slow the whole motion down by the ratio of both speeds",
        # 6. workspace, keep-outs
        "workspace": "keep the hand inside the workspace box",
        # 7. collision
        "collision": "plan a path around it, or approach it more slowly",
        # 8. singularity
        "singularity": "bend the arm; take another configuration for the same pose",
        # 9. tracking, torque, stall, and the health of the reports
        "tracking_error": "look for what holds the arm back",
        "torque_limit": "look for what the arm pushes on; push less",
        "stall": "look for what holds the arm back",
        "state_frozen": "look at the connection to the arm",
        "clock_jump": "look at the clock of the arm",
        "wrong_joint_count": "the arm reports another number of joints than the limits file names",
        "state_not_finite": "the arm reports values that are not finite",
        "driver_lost": "the connection to the arm was lost",
        "late": "the supervisor was kept waiting; give it a processor of its own",
        "drift": "the arm left its set-points again and again; look at it, then acknowledge it",
        "suspended": "the machine slept while the arm went on; look at it, then acknowledge it",
        "no_record": "the journal cannot be written; make room, then acknowledge it",
        # gripper
        "gripper_width": "ask for a gap that the gripper has",
        "gripper_force": "ask for a force that is allowed",
    }
)
"""Hint for every code."""


def reason(
    code: str, joint: str = "", value: float = 0.0, limit: float = 0.0, unit: str = ""
) -> Reason:
    """A reason with the hint of its code.

    Raises:
        KeyError: There is no such code.
    """
    return Reason(
        code=code,
        joint=joint,
        value=float(value),
        limit=float(limit),
        unit=unit,
        hint=CODES[code],
    )
