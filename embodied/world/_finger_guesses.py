# pyright: reportAttributeAccessIssue=false
# (mujoco ships no type stubs)
"""Fingers of other people's models: their inner faces, how they close, what gap they leave."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import mujoco
import numpy as np

from embodied.types import Array
from embodied.world._robot_guesses import (
    FINGER_BONE_M,
    FINGER_RADIUS_M,
    Bone,
    axis_of,
    frame_of,
    local_frame,
    shape_points,
    subtree,
)

TIP_M = 0.015
"""The points of a finger that lie this near to its end are its tip."""

PAD_M = (0.004, 0.018)
"""Thickness and length of a pad."""

PAD_WIDTH_M = (0.012, 0.022)
CUT_M = 0.012
"""Length along the approach of the pieces that a jaw's hulls are made of."""

NOMINAL_HALF_GAP_M = 0.015
"""Of a one-jaw tool: distance of the end effector from the jaw that stands still."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pad:
    """Where a pad lies, in the frame of its body.

    Attributes:
        body: The body.
        pos: Its centre, (3,), m.
        quat: Its turn, wxyz: x across the finger, y along closing, z along the approach.
        width_m: Extent across the finger.
    """

    body: str
    pos: Array
    quat: Array
    width_m: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fingers:
    """A tool that is part of an arm's model.

    Attributes:
        joints: Joints that move it, one or two.
        signs: 1 or -1 for each: to which side it opens.
        opened: Positions when open, closed: when closed.
        closed: Positions when closed.
        pads: The two pads; the first one's body moves.
        ee: Body, position and turn of the end effector.
        jaw: Whether one finger stands still.
    """

    joints: tuple[str, ...]
    signs: tuple[float, ...]
    opened: Array
    closed: Array
    pads: tuple[Pad, Pad]
    ee: tuple[str, Array, Array]
    jaw: bool


def finger_bone(pad: Pad, inner: float) -> Bone:
    """A rod behind a pad, for a finger without shapes; ``inner`` is the side of y it faces."""
    turn = np.zeros(9)
    mujoco.mju_quat2Mat(turn, pad.quat)
    _, y, z = turn.reshape(3, 3).T
    start = pad.pos - inner * (PAD_M[0] / 2 + FINGER_RADIUS_M) * y
    return pad.body, start, start - FINGER_BONE_M * z, FINGER_RADIUS_M


def find_fingers(model: mujoco.MjModel, arm: Sequence[int], joints: Sequence[int]) -> Fingers:
    """How the fingers on one or two joints beyond an arm close.

    Raises:
        ValueError: They are more than two, a linkage, or close nothing.
    """
    data = mujoco.MjData(model)
    mujoco.mj_kinematics(model, data)
    names = ", ".join(model.joint(j).name for j in joints)
    linked = [e for e in range(model.neq) if model.eq_type[e] != mujoco.mjtEq.mjEQ_JOINT]
    if len(joints) > 2 or linked:
        raise ValueError(f"the tool's joints {names} form a linkage or a hand of many fingers")
    movers = [int(model.jnt_bodyid[j]) for j in joints]
    others = movers[1:] or [int(model.body_parentid[movers[0]])]
    anchor, axis = axis_of(model, data, arm)

    def cloud(body: int) -> Array:
        bodies = [b for b in subtree(model, body) if body in movers or b == body]
        points = shape_points(model, data, bodies)
        return points if len(points) else data.xpos[body][None]

    def put(positions: Array) -> None:
        data.qpos[model.jnt_qposadr[joints]] = positions
        mujoco.mj_kinematics(model, data)

    z = axis if float((cloud(movers[0]).mean(axis=0) - anchor) @ axis) > 0 else -axis

    def tip(body: int) -> Array:
        points = cloud(body)
        depth = points @ z
        return points[depth > depth.max() - TIP_M]

    def apart(positions: Array) -> float:
        put(positions)
        return float(np.linalg.norm(tip(movers[0]).mean(axis=0) - tip(others[0]).mean(axis=0)))

    ends = [model.jnt_range[j] for j in joints]
    corners = [np.array(c) for c in np.array(np.meshgrid(*ends)).reshape(len(joints), -1).T]
    closed, opened = min(corners, key=apart), max(corners, key=apart)
    put(closed + 0.05 * (opened - closed))
    first = tip(movers[0]).mean(axis=0)
    put(closed)
    motion = first - tip(movers[0]).mean(axis=0)
    motion -= float(motion @ z) * z
    if float(np.linalg.norm(motion)) < 1e-6:
        raise ValueError(f"the tool's joints {names} move no finger across the hand")
    y = motion / float(np.linalg.norm(motion))
    rotation = frame_of(y, z)
    pads = (
        _pad(model, data, movers[0], tip(movers[0]), rotation, -1.0),
        _pad(model, data, others[0], tip(others[0]), rotation, 1.0),
    )
    jaw = len(movers) == 1
    at = [data.xpos[b] + data.xmat[b].reshape(3, 3) @ p.pos for p, b in _bodies(model, pads)]
    if jaw:  # beside the face of the pad that stands still
        middle = at[1] + (NOMINAL_HALF_GAP_M + PAD_M[0] / 2) * y
        below = others[0]
    else:
        middle = (at[0] + at[1]) / 2
        below = int(model.body_parentid[movers[0]])
    return Fingers(
        joints=tuple(model.joint(j).name for j in joints),
        signs=tuple(float(np.sign(v)) for v in opened - closed),
        opened=opened,
        closed=closed,
        pads=pads,
        ee=local_frame(model, data, below, middle, rotation),
        jaw=jaw,
    )


def _bodies(model: mujoco.MjModel, pads: tuple[Pad, Pad]) -> list[tuple[Pad, int]]:
    return [(pad, int(model.body(pad.body).id)) for pad in pads]


def _pad(
    model: mujoco.MjModel,
    data: mujoco.MjData,
    body: int,
    tip: Array,
    rotation: Array,
    inner: float,
) -> Pad:
    """The pad on the inner face of a finger's tip; ``inner`` is the side of y that it faces."""
    x, y, z = rotation.T
    along = tip @ y * inner
    face = float(along.max())
    near = tip[along > face - 0.006]
    across = near @ x
    width = float(np.clip(np.ptp(across), *PAD_WIDTH_M))
    centre = (
        (across.max() + across.min()) / 2 * x
        + inner * (face + 0.0003 - PAD_M[0] / 2) * y
        + (float((tip @ z).max()) - PAD_M[1] / 2) * z
    )
    name, pos, quat = local_frame(model, data, body, centre, rotation)
    return Pad(body=name, pos=pos, quat=quat, width_m=width)


def gap_table(
    model: mujoco.MjModel, fingers: Fingers, pads: tuple[str, str], rows: int = 41
) -> tuple[Array, Array]:
    """Gaps (k,), ascending from 0, and the joints' positions (k, n) at them."""
    data = mujoco.MjData(model)
    addresses = [int(model.joint(j).qposadr[0]) for j in fingers.joints]
    a, b = (model.geom(p).id for p in pads)
    root, across = int(model.body(fingers.ee[0]).id), np.zeros(3)
    shares = np.linspace(0.0, 1.0, rows)
    positions = fingers.closed + shares[:, None] * (fingers.opened - fingers.closed)
    gaps = np.empty(rows)
    for i, row in enumerate(positions):
        data.qpos[addresses] = row
        mujoco.mj_kinematics(model, data)
        gaps[i] = mujoco.mj_geomDistance(model, data, a, b, 1.0, np.zeros(6))
        mujoco.mju_rotVecQuat(across, np.array([0.0, 1.0, 0.0]), fingers.ee[2])
        mujoco.mju_rotVecQuat(across, across.copy(), data.xquat[root])
        if float((data.geom_xpos[a] - data.geom_xpos[b]) @ across) < 0.0:
            gaps[i] = -abs(gaps[i])  # the fingers have crossed
    last = int(np.argmax(gaps))
    keep = np.flatnonzero((gaps > 0.0) & (np.arange(rows) <= last))
    start = int(keep[0]) if len(keep) else 0
    gaps, positions = gaps[start : last + 1], positions[start : last + 1]
    if start:  # where the pads just meet
        slope = (positions[1] - positions[0]) / (gaps[1] - gaps[0])
        positions = np.concatenate([[positions[0] - gaps[0] * slope], positions])
        gaps = np.concatenate([[0.0], gaps])
    rising = np.concatenate([[True], np.diff(gaps) > 1e-6])
    return gaps[rising], positions[rising]


def slices(model: mujoco.MjModel, pad: Pad) -> dict[int, list[Array]]:
    """Shapes of a jaw cut across the approach, so that hulls of the pieces leave the inside free.

    Returns:
        For each mesh of the pad's body that touches things, by its number among the body's geoms:
        points (n, 3) of the pieces in the body's frame.
    """
    body = int(model.body(pad.body).id)
    first = int(model.body_geomadr[body])
    turn = np.zeros(9)
    mujoco.mju_quat2Mat(turn, pad.quat)
    approach = turn.reshape(3, 3)[:, 2]
    found: dict[int, list[Array]] = {}
    for k in range(int(model.body_geomnum[body])):
        geom = first + k
        touches = model.geom_contype[geom] or model.geom_conaffinity[geom]
        if not touches or model.geom_type[geom] != mujoco.mjtGeom.mjGEOM_MESH:
            continue
        mesh = int(model.geom_dataid[geom])
        start, count = int(model.mesh_vertadr[mesh]), int(model.mesh_vertnum[mesh])
        mujoco.mju_quat2Mat(turn, model.geom_quat[geom])
        points = model.mesh_vert[start : start + count].astype(float) @ turn.reshape(3, 3).T
        points += model.geom_pos[geom]
        start, count = int(model.mesh_faceadr[mesh]), int(model.mesh_facenum[mesh])
        faces = model.mesh_face[start : start + count]
        edges = points[np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])]
        heights = edges @ approach
        cuts = np.linspace(heights.min(), heights.max(), max(2, 1 + round(np.ptp(heights) / CUT_M)))
        pieces = [_between(edges, heights, *c) for c in zip(cuts[:-1], cuts[1:], strict=True)]
        found[k] = [p for p in pieces if len(p) > 3 and np.linalg.matrix_rank(p - p[0], 1e-4) == 3]
    return found


def _between(edges: Array, heights: Array, low: float, high: float) -> Array:
    """Ends of edges (n, 2, 3) between two heights, and where edges cross them."""
    inside = edges[(heights >= low) & (heights <= high)]
    crossings = [inside]
    rise = heights[:, 1] - heights[:, 0]
    for level in (low, high):
        crossed = (heights.min(axis=1) < level) & (heights.max(axis=1) > level)
        share = (level - heights[crossed, 0]) / rise[crossed]
        ends = edges[crossed]
        crossings.append(ends[:, 0] + share[:, None] * (ends[:, 1] - ends[:, 0]))
    return np.unique(np.concatenate(crossings).round(6), axis=0)
