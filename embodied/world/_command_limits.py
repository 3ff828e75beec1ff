"""How a world limits a command before it applies it."""

from __future__ import annotations

from math import inf, isfinite

import numpy as np
from numpy.typing import NDArray

from embodied.types import Array, Command, WorldSpec


def limit_command(
    spec: WorldSpec, command: Command, q_set: Array
) -> tuple[Command, tuple[str, ...]]:
    """Cut a command down to the limits of a robot.

    Args:
        spec: Whose limits count.
        command: What was asked for.
        q_set: Last set-points, (n,), rad; the velocity limit counts from them.

    Returns:
        The command as it may be applied, with ``dq`` filled in, and a line for each thing changed.

    Raises:
        ValueError: The command has the wrong shape or is not finite.
    """
    n = len(spec.joint_names)
    if command.q.shape != (n,):
        raise ValueError(f"command.q must have shape ({n},), got {command.q.shape}")
    reach = spec.dq_max * spec.control_dt_s
    if _allowed(spec, command, q_set, reach):
        return command, ()
    reasons = list[str]()
    dq_given = np.zeros(n) if command.dq is None else command.dq
    if not (np.isfinite(command.q).all() and np.isfinite(dq_given).all()):
        raise ValueError("the command holds values that are not finite")
    q = np.minimum(np.maximum(command.q, spec.q_lower), spec.q_upper)
    _explain(reasons, spec, q != command.q, "position limit", command.q)
    slowed = np.minimum(np.maximum(q, q_set - reach), q_set + reach)
    _explain(reasons, spec, np.abs(slowed - q) > 1e-9, "velocity limit", command.q)
    dq = np.minimum(np.maximum(dq_given, -spec.dq_max), spec.dq_max)
    _explain(reasons, spec, dq != dq_given, "velocity limit of the feed-forward", dq_given)
    width, force = command.gripper_width_m, command.gripper_force_n
    if not (isfinite(0.0 if width is None else width) and isfinite(force)):
        raise ValueError("the command holds values that are not finite")
    if spec.gripper is not None:
        if width is not None and not 0.0 <= width <= spec.gripper.max_width_m:
            width = min(max(width, 0.0), spec.gripper.max_width_m)
            reasons.append(f"gripper: width limited to {width} m")
        if not 0.0 <= force <= spec.gripper.max_force_n:
            force = min(max(force, 0.0), spec.gripper.max_force_n)
            reasons.append(f"gripper: force limited to {force} N")
    applied = Command(q=slowed, dq=dq, gripper_width_m=width, gripper_force_n=force)
    return applied, tuple(reasons)


def _allowed(spec: WorldSpec, command: Command, q_set: Array, reach: Array) -> bool:
    """Whether all of a command, with a feed-forward, is within the limits; most are."""
    q, dq, width, force = command.q, command.dq, command.gripper_width_m, command.gripper_force_n
    if dq is None or not 0.0 <= force < inf:
        return False
    if spec.gripper is None:
        fits = width is None or isfinite(width)
    else:
        fits = force <= spec.gripper.max_force_n and (
            width is None or 0.0 <= width <= spec.gripper.max_width_m
        )
    inside = (q >= spec.q_lower) & (q <= spec.q_upper) & (np.abs(dq) <= spec.dq_max)
    inside &= (q >= q_set - reach) & (q <= q_set + reach)
    return fits and bool(inside.all())


def _explain(
    reasons: list[str], spec: WorldSpec, where: NDArray[np.bool_], limit: str, asked: Array
) -> None:
    for i in where.nonzero()[0]:
        reasons.append(f"{spec.joint_names[i]}: {limit} (asked for {asked[i]:.4f})")
