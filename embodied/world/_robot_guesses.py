# pyright: reportAttributeAccessIssue=false
# (mujoco ships no type stubs)
"""What a bare model does not say, found from its kinematics and shapes.

Which joints are the arm's and which the tool's, where the arm ends, which shapes overlap by
construction, and a rest configuration with the hand down.
"""

from __future__ import annotations

from collections.abc import Sequence

import mujoco
import numpy as np

from embodied.types import Array

TOOL_WORDS = ("grip", "jaw", "finger", "claw", "carriage", "knuckle")
"""Words in the names of joints that move a tool, for tools that go on as the arm's chain does."""

BONE_M, THIN_M, FINGER_BONE_M, FINGER_RADIUS_M = 0.03, 0.02, 0.05, 0.004
"""Of capsules in place of shapes: radius of links and of a hand, length and radius of fingers."""

HINGE, SLIDE = mujoco.mjtJoint.mjJNT_HINGE, mujoco.mjtJoint.mjJNT_SLIDE


def body_name(model: mujoco.MjModel, body: int) -> str:
    """Name of a body."""
    return str(model.body(body).name)


def subtree(model: mujoco.MjModel, root: int) -> list[int]:
    """A body and all that it carries."""
    found = [root]
    for body in range(root + 1, model.nbody):
        if int(model.body_parentid[body]) in found:
            found.append(body)
    return found


def joints_of(model: mujoco.MjModel, bodies: Sequence[int]) -> list[int]:
    """Joints of bodies, in the model's order."""
    return [j for j in range(model.njnt) if int(model.jnt_bodyid[j]) in bodies]


def arm_joints(model: mujoco.MjModel) -> list[int]:
    """Hinges from the base up to where the tool begins: at a branch, a slide or a tool's name."""
    chain: list[int] = []
    here = 0
    while True:
        children = [
            b
            for b in range(1, model.nbody)
            if int(model.body_parentid[b]) == here and joints_of(model, subtree(model, b))
        ]
        if len(children) != 1:
            break
        here = children[0]
        own = joints_of(model, [here])
        if any(model.jnt_type[j] != HINGE or _sounds_like_tool(model, j) for j in own):
            break
        chain += own
    return chain


def _sounds_like_tool(model: mujoco.MjModel, joint: int) -> bool:
    return any(word in model.joint(joint).name.lower() for word in TOOL_WORDS)


def axis_of(model: mujoco.MjModel, data: mujoco.MjData, arm: Sequence[int]) -> tuple[Array, Array]:
    """Anchor and axis of an arm's last joint, (3,) each, in the world."""
    return data.xanchor[arm[-1]].copy(), data.xaxis[arm[-1]].copy()


Bone = tuple[str, Array, Array, float]
"""A capsule: body, start and end in its frame, radius, m."""


def bones(model: mujoco.MjModel, arm: Sequence[int]) -> list[Bone]:
    """Capsules from joint to joint of an arm, and a thinner one towards what it carries."""
    bodies = [int(model.jnt_bodyid[j]) for j in arm]
    chain = [int(model.body_parentid[bodies[0]]), *bodies]
    found: list[Bone] = []
    for here, following in zip(chain[:-1], chain[1:], strict=True):
        step = model.body_pos[following]
        if here and np.linalg.norm(step) > BONE_M:
            found.append((body_name(model, here), np.zeros(3), step, BONE_M))
    last = bodies[-1]
    data = mujoco.MjData(model)
    mujoco.mj_kinematics(model, data)
    carried = data.xpos[subtree(model, last)] - data.xpos[last]
    far = carried[int(np.argmax(np.linalg.norm(carried, axis=1)))]
    length = float(np.linalg.norm(far))
    if length > FINGER_BONE_M + 2 * THIN_M:
        end = data.xmat[last].reshape(3, 3).T @ far * (1 - (FINGER_BONE_M + THIN_M) / length)
        found.append((body_name(model, last), np.zeros(3), end, THIN_M))
    return found


def mount_frame(
    model: mujoco.MjModel, data: mujoco.MjData, arm: Sequence[int]
) -> tuple[str, Array, Array]:
    """Body, position and turn of a flange: the end of the last link, z along its axis.

    What the last joint carries ends there, be it a body without joints or shapes.
    """
    anchor, axis = axis_of(model, data, arm)
    last = int(model.jnt_bodyid[arm[-1]])
    carried = subtree(model, last)
    before = data.xanchor[arm[-2]] if len(arm) > 1 else data.xpos[int(model.body_parentid[last])]
    points = shape_points(model, data, carried)
    frames = data.xpos[carried]
    middle = (points if len(points) else frames).mean(axis=0)
    out = float((middle - anchor) @ axis) or float((anchor - before) @ axis)
    z = axis if out >= 0 else -axis
    ends = (frames - anchor) @ z
    if float(ends.max()) > 0.005:  # a body that marks the flange
        depth = float(ends.max())
    else:
        depth = float(((points - anchor) @ z).max()) if len(points) else 0.0
    least = np.zeros(3)
    least[int(np.argmin(np.abs(z)))] = 1.0
    x: Array = np.cross(z, least)
    y: Array = np.cross(z, x / float(np.linalg.norm(x)))
    rotation = frame_of(y, z)
    return local_frame(model, data, last, anchor + depth * z, rotation)


def frame_of(y: Array, z: Array) -> Array:
    """Rotation (3, 3) with the given y and z."""
    return np.stack([np.cross(y, z), y, z], axis=1)


def local_frame(
    model: mujoco.MjModel, data: mujoco.MjData, body: int, position: Array, rotation: Array
) -> tuple[str, Array, Array]:
    """A frame in the world as body, position and turn in that body's frame."""
    turn = data.xmat[body].reshape(3, 3)
    quat = np.zeros(4)
    mujoco.mju_mat2Quat(quat, (turn.T @ rotation).ravel())
    return body_name(model, body), turn.T @ (position - data.xpos[body]), quat


def shape_points(model: mujoco.MjModel, data: mujoco.MjData, bodies: Sequence[int]) -> Array:
    """Vertices of meshes and corners of other shapes of bodies, (n, 3), in the world.

    Shapes that touch things count; those that are only drawn where there are no others.
    """
    owned = [g for g in range(model.ngeom) if int(model.geom_bodyid[g]) in bodies]
    touching = [g for g in owned if model.geom_contype[g] or model.geom_conaffinity[g]]
    clouds: list[Array] = [np.zeros((0, 3))]
    for geom in touching or owned:
        if model.geom_type[geom] == mujoco.mjtGeom.mjGEOM_MESH:
            mesh = int(model.geom_dataid[geom])
            start, count = int(model.mesh_vertadr[mesh]), int(model.mesh_vertnum[mesh])
            points = model.mesh_vert[start : start + count].astype(float)
        else:
            box = model.geom_aabb[geom]
            points = box[:3] + np.array(np.meshgrid(*[(-1, 1)] * 3)).reshape(3, -1).T * box[3:]
        clouds.append(data.geom_xpos[geom] + points @ data.geom_xmat[geom].reshape(3, 3).T)
    return np.concatenate(clouds)


def usual_contacts(
    model: mujoco.MjModel, joints: Sequence[str], lower: Array, upper: Array, home: Array
) -> tuple[tuple[str, str], ...]:
    """Pairs of bodies whose shapes overlap at home and in most configurations: by construction."""
    data = mujoco.MjData(model)
    addresses = [int(model.joint(j).qposadr[0]) for j in joints]
    rng = np.random.default_rng(0)
    counts: dict[tuple[str, str], int] = {}
    n = 40
    at_home: set[tuple[str, str]] = set()
    for k in range(n):
        data.qpos[addresses] = home if k == 0 else rng.uniform(lower, upper)
        mujoco.mj_kinematics(model, data)
        mujoco.mj_collision(model, data)
        bodies = model.geom_bodyid[data.contact.geom] if data.ncon else np.zeros((0, 2), dtype=int)
        pairs = {(body_name(model, int(min(r))), body_name(model, int(max(r)))) for r in bodies}
        at_home = pairs if k == 0 else at_home
        for pair in pairs:
            counts[pair] = counts.get(pair, 0) + 1
    return tuple(p for p, count in counts.items() if p in at_home or count > 0.5 * n)


TABLE_M = 1.1
"""Arms longer than this rest with the hand over a table as a shorter one does, m."""


def find_home(
    model: mujoco.MjModel, joints: Sequence[str], site: str, lower: Array, upper: Array
) -> Array | None:
    """A configuration with the hand down in front of the base, clear of itself; None: not found.

    Of those that damped least squares finds from random ones, the one with the most room to the
    joint limits, the elbow high.
    """
    data = mujoco.MjData(model)
    ids = [int(model.joint(j).id) for j in joints]
    addresses, dofs = model.jnt_qposadr[ids], model.jnt_dofadr[ids]
    mujoco.mj_kinematics(model, data)
    anchors = np.array([*data.xanchor[ids], data.site(site).xpos])
    length = min(float(np.linalg.norm(np.diff(anchors[1:], axis=0), axis=1).sum()), TABLE_M)
    base = anchors[0]
    margin = np.minimum(0.1, 0.2 * (upper - lower))
    low, high = lower + margin, upper - margin
    rng = np.random.default_rng(0)
    best: tuple[float, Array] | None = None
    jacobian = np.zeros((6, model.nv))
    for _ in range(160):
        reach, height = rng.uniform(0.3, 0.65) * length, rng.uniform(0.15, 0.4) * length
        target = np.array([base[0] + reach, base[1], height])
        q = rng.uniform(low, high)
        yaw = rng.uniform(-np.pi, np.pi)
        side = np.array([np.cos(yaw), np.sin(yaw), 0.0])
        wanted = frame_of(side, np.array([0.0, 0.0, -1.0]))
        error = np.inf
        for _ in range(60):
            data.qpos[addresses] = q
            mujoco.mj_kinematics(model, data)
            mujoco.mj_comPos(model, data)
            at = data.site(site)
            turn = np.array(at.xmat).reshape(3, 3)
            E = wanted @ turn.T
            off = 0.5 * np.array([E[2, 1] - E[1, 2], E[0, 2] - E[2, 0], E[1, 0] - E[0, 1]])
            if float(np.trace(E)) < -0.9:
                off = off + 0.3 * turn[:, 0]
            away = np.concatenate([target - at.xpos, 0.3 * off])
            error = float(np.linalg.norm(away))
            if error < 2e-4:
                break
            mujoco.mj_jacSite(model, data, jacobian[:3], jacobian[3:], at.id)
            J = jacobian[:, dofs] * np.array([1, 1, 1, 0.3, 0.3, 0.3])[:, None]
            step = J.T @ np.linalg.solve(J @ J.T + 1e-5 * np.eye(6), away)
            q = np.clip(q + step * min(1.0, 0.5 / max(float(np.abs(step).max()), 1e-9)), low, high)
        if error > 2e-3:
            continue
        data.qpos[addresses] = q
        mujoco.mj_kinematics(model, data)
        mujoco.mj_collision(model, data)
        beyond = np.abs(2 * (q - lower) / (upper - lower) - 1)
        parts = data.xanchor[ids][1:, 2]
        cost = (
            data.ncon
            + float(np.sum(beyond**4))
            + 0.3 * float(np.abs(beyond[0]))
            + 4.0 * abs(reach / length - 0.48)
            - 0.5 * float(parts.mean()) / length
            + 5.0 * float(parts.min() < 0.4 * parts[0])
        )
        if best is None or cost < best[0]:
            best = (cost, q)
    return None if best is None else best[1]
