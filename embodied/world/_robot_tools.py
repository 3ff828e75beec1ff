# pyright: reportAttributeAccessIssue=false
# (mujoco ships no type stubs)
"""Tools of arms: ready-made, a mounted hand, fingers of the model's own, a suction cup."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Annotated

import mujoco
import numpy as np

from embodied.tables import OneOf
from embodied.types import GripperSpec
from embodied.world import _finger_guesses as fingers_of
from embodied.world import _robot_edits as edits
from embodied.world import _robot_guesses as guesses
from embodied.world._robot import Edit, Gripper, Robot

SUCTION_N = 30.0
SUCTION_STROKE_M = 0.02
FINGER_N = 40.0
"""Largest force of fingers whose actuators state none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolTable:
    """``[tool]``: what the arm takes things with."""

    kind: Annotated[str, OneOf(("parallel", "jaw", "suction", "none"))] = ""
    mount: str = ""
    model: str = ""
    actuator: str = ""
    joints: tuple[str, ...] = ()
    pads: tuple[str, ...] = ()
    bodies: tuple[str, ...] = ("hand", "left_finger", "right_finger")
    fingers: tuple[str, ...] = ("left_finger", "right_finger")
    max_width_m: float = 0.0
    max_force_n: float = 0.0
    speed_m_s: float = 0.1
    pad_size_m: tuple[float, float, float] = (0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedTool:
    """A tool, the site between its pads, and how it comes to the model."""

    gripper: Gripper | None = None
    ee_site: str = ""
    edits: tuple[Edit, ...] = ()


NO_TOOL = FittedTool()


def ready_made(table: ToolTable, ee_site: str) -> FittedTool:
    """A parallel gripper that the model drives by a gap in metres."""
    if not table.actuator:
        return NO_TOOL
    spec = GripperSpec(
        max_width_m=table.max_width_m,
        max_force_n=table.max_force_n,
        pad_size_m=table.pad_size_m,
        joints=table.joints,
        bodies=table.bodies,
        fingers=table.fingers,
    )
    gripper = Gripper(
        spec=spec,
        actuator=table.actuator,
        pads=table.pads,
        speed_m_s=table.speed_m_s,
        signs=(1.0,) * len(table.joints),
    )
    return FittedTool(gripper=gripper, ee_site=ee_site)


def hand_on(site: str, hand: Robot, prefix: str) -> FittedTool:
    """The hand of another arm on a site."""
    grip = hand.gripper
    assert grip is not None

    def named(names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(f"{prefix}{n}" for n in names)

    spec = replace(
        grip.spec,
        bodies=named(grip.spec.bodies),
        fingers=named(grip.spec.fingers),
        joints=named(grip.spec.joints),
    )
    mounted = replace(grip, spec=spec, actuator=f"{prefix}{grip.actuator}", pads=named(grip.pads))
    return FittedTool(
        gripper=mounted,
        ee_site=f"{prefix}{hand.ee_site}",
        edits=(partial(edits.mount_hand, site=site, hand=hand, prefix=prefix),),
    )


def suction_on(site: str, max_force_n: float) -> FittedTool:
    """A suction cup on a site."""
    force = max_force_n or SUCTION_N
    spec = GripperSpec(
        max_width_m=SUCTION_STROKE_M,
        max_force_n=force,
        pad_size_m=(2 * edits.CUP_RADIUS_M, 2 * edits.CUP_RADIUS_M, edits.CUP_HEIGHT_M),
        kind="suction",
        bodies=("suction", "suction-cup"),
        fingers=("suction-cup",),
        joints=(),
    )
    gripper = Gripper(spec=spec, actuator="suction", pads=("suction-cup",), speed_m_s=0.1, signs=())
    cup = partial(edits.add_suction_cup, site=site, max_force_n=force)
    return FittedTool(gripper=gripper, ee_site="suction-ee", edits=(cup,))


def own_fingers(
    compiled: Callable[[tuple[Edit, ...]], mujoco.MjModel],
    arm: Sequence[str],
    joints: Sequence[str],
    table: ToolTable,
    notes: list[str],
) -> FittedTool:
    """Fingers that are part of the model: pads, a drive and an end effector are added.

    Args:
        compiled: The model with further changes.
        arm: The arm's joints.
        joints: Joints of the fingers.
        table: What the description says of them.
        notes: Receives what was assumed.

    Raises:
        ValueError: They are a linkage or more than two.
    """
    model = compiled(())
    arm_ids = [int(model.joint(n).id) for n in arm]
    found = fingers_of.find_fingers(model, arm_ids, [int(model.joint(n).id) for n in joints])
    names = ("tool-pad-1", "tool-pad-2")
    thick, long = fingers_of.PAD_M
    width = min(pad.width_m for pad in found.pads)
    added: list[Edit] = [
        partial(edits.add_pieces, body=pad.body, pieces=fingers_of.slices(model, pad))
        for pad in (found.pads if found.jaw else ())
    ]
    added += [
        partial(
            edits.add_pad,
            name=name,
            body=pad.body,
            pos=pad.pos,
            quat=pad.quat,
            size_m=np.array([width, thick, long]),
        )
        for name, pad in zip(names, found.pads, strict=True)
    ]
    rods = [
        fingers_of.finger_bone(pad, inner)
        for pad, inner in zip(found.pads, (-1.0, 1.0), strict=True)
        if not model.body_geomnum[model.body(pad.body).id]
    ]
    added.append(partial(edits.add_bones, bones=rods))
    body, pos, quat = found.ee
    added.append(partial(edits.add_mount, name="tool-ee", body=body, pos=pos, quat=quat))
    gaps, positions = fingers_of.gap_table(compiled(tuple(added)), found, names)
    lengths = positions @ np.array(found.signs)
    lever = float((gaps[-1] - gaps[0]) / (lengths[-1] - lengths[0]))
    force = table.max_force_n or _force(model, found.joints, lever)
    follow = (0.0, 1.0)
    if len(found.joints) == 2:
        ratio = (found.opened - found.closed)[1] / (found.opened - found.closed)[0]
        follow = (float(found.closed[1] - ratio * found.closed[0]), float(ratio))
    added.append(
        partial(
            edits.add_drive,
            name="tool-gap",
            joints=found.joints,
            signs=found.signs,
            follow=follow,
            lever_m=lever,
            max_force_n=force,
        )
    )
    movers = [int(model.joint(n).bodyid[0]) for n in found.joints]
    parent = int(model.body_parentid[movers[0]])
    carried = [b for m in movers for b in guesses.subtree(model, m)]
    fingers = tuple(guesses.body_name(model, b) for b in carried)
    hand = guesses.body_name(model, parent)
    notes.append(f"rubber pads were added to the tips of {', '.join(p.body for p in found.pads)}")
    spec = GripperSpec(
        max_width_m=table.max_width_m or float(gaps[-1]),
        max_force_n=force,
        pad_size_m=(thick, width, long),
        kind="jaw" if found.jaw else "parallel",
        bodies=(hand, *fingers),
        fingers=(hand, *fingers) if found.jaw else fingers,
        joints=found.joints,
        fixed_side_m=fingers_of.NOMINAL_HALF_GAP_M if found.jaw else 0.0,
        gaps_m=tuple(map(float, gaps)),
        positions=tuple(tuple(map(float, row)) for row in positions),
    )
    gripper = Gripper(
        spec=spec,
        actuator="tool-gap",
        pads=names,
        speed_m_s=table.speed_m_s,
        signs=found.signs,
    )
    return FittedTool(gripper=gripper, ee_site="tool-ee", edits=tuple(added))


def _force(model: mujoco.MjModel, joints: Sequence[str], lever: float) -> float:
    """Largest force on the pads that the model's own actuators of the fingers state."""
    ids = {int(model.joint(n).id) for n in joints}
    for i in range(model.nu):
        on_joint = model.actuator_trntype[i] == mujoco.mjtTrn.mjTRN_JOINT
        if on_joint and int(model.actuator_trnid[i, 0]) in ids and model.actuator_forcelimited[i]:
            return float(np.clip(model.actuator_forcerange[i, 1] / lever, 5.0, 70.0))
    return FINGER_N
