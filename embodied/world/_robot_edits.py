# pyright: reportAttributeAccessIssue=false
# (mujoco ships no type stubs)
"""Changes that make other people's models usable: servos, tools, pads, drives.

Each takes the model first; the loader keeps them as partial functions and makes them anew for
every copy of the model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import mujoco
import numpy as np

from embodied.types import Array
from embodied.world._robot import Robot, edited, kept_names_are_meant

PREFIX = "tool-"
"""Of the names of a mounted tool where the arm has such names itself."""

PAD_FRICTION = (1.2, 0.02, 0.0002)
CUP_RADIUS_M, CUP_HEIGHT_M, TUBE_M = 0.014, 0.012, 0.07


def clean(spec: mujoco.MjSpec) -> None:
    """Leave the robot alone: no floor, lights, cameras and sensors; every body has a name."""
    for kind in (spec.lights, spec.cameras, spec.sensors, spec.keys):
        for part in list(kind):
            spec.delete(part)
    for geom in list(spec.worldbody.geoms):
        if geom.type == mujoco.mjtGeom.mjGEOM_PLANE:
            spec.delete(geom)
    for site in spec.sites:
        site.group = 4  # marks for people who build models, in group 4 nobody draws them
    for i, body in enumerate(spec.bodies):
        if not body.name:
            body.name = f"part-{i}"
    for texture in list(spec.textures):
        if texture.type == mujoco.mjtTexture.mjTEXTURE_SKYBOX:
            spec.delete(texture)


def place_base(spec: mujoco.MjSpec, position_m: tuple[float, ...], yaw_rad: float) -> None:
    """Move what stands on the world's ground, then turn it about the vertical."""
    turn, quat = np.array([np.cos(yaw_rad / 2), 0.0, 0.0, np.sin(yaw_rad / 2)]), np.zeros(4)
    shift = np.zeros(3)
    for part in [*spec.worldbody.bodies, *spec.worldbody.geoms]:
        mujoco.mju_mulQuat(quat, turn, np.array(part.quat))
        mujoco.mju_rotVecQuat(shift, np.array(part.pos), turn)
        part.pos, part.quat = (shift + position_m).tolist(), quat.tolist()


def add_bones(spec: mujoco.MjSpec, bones: Sequence[tuple[str, Array, Array, float]]) -> None:
    """Capsules for a model without shapes: body, start and end in its frame, radius, m."""
    for body, start, end, radius_m in bones:
        spec.body(body).add_geom(
            type=mujoco.mjtGeom.mjGEOM_CAPSULE,
            size=[radius_m, 0.0, 0.0],
            fromto=[*start, *end],
            mass=0.0,
            contype=1,
            conaffinity=1,
            rgba=[0.55, 0.57, 0.6, 1.0],
        )


def add_servos(
    spec: mujoco.MjSpec,
    joints: tuple[str, ...],
    tau_max: Array,
    kp: Array | None = None,
    kv: Array | None = None,
) -> None:
    """Position servos in place of whatever drives joints.

    Without gains they use the whole torque for an error of 0.02 rad.
    """
    for actuator in list(spec.actuators):
        if actuator.target in joints:
            spec.delete(actuator)
    kp = 50.0 * tau_max if kp is None else kp
    kv = 0.1 * kp if kv is None else kv
    for i, name in enumerate(joints):
        joint = spec.joint(name)
        joint.armature = max(joint.armature, 0.1)
        joint.actfrclimited = True
        joint.actfrcrange = [-tau_max[i], tau_max[i]]
        servo = spec.add_actuator(name=name, target=name, trntype=mujoco.mjtTrn.mjTRN_JOINT)
        servo.set_to_position(kp=kp[i], kv=kv[i])


def compensate_gravity(spec: mujoco.MjSpec) -> None:
    """Ideal gravity compensation, as arms' own controllers have it."""
    for body in spec.bodies:
        body.gravcomp = 1.0
    for joint in spec.joints:
        joint.actgravcomp = True


def exclude_contacts(spec: mujoco.MjSpec, pairs: tuple[tuple[str, str], ...]) -> None:
    """Pairs of bodies that never touch."""
    for first, second in pairs:
        spec.add_exclude(bodyname1=first, bodyname2=second)


def add_mount(spec: mujoco.MjSpec, name: str, body: str, pos: Array, quat: Array) -> None:
    """A site to mount a tool on."""
    spec.body(body).add_site(name=name, pos=list(pos), quat=list(quat), group=4)


def mount_hand(spec: mujoco.MjSpec, site: str, hand: Robot, prefix: str) -> None:
    """Mount the hand of another arm on a site, z along the approach; nothing else of that arm."""
    flange = spec.site(site)
    root = attach_subtree(hand, flange, prefix)
    spec.add_exclude(bodyname1=f"{prefix}{root}", bodyname2=flange.parent.name)


def attach_subtree(hand: Robot, flange: mujoco.MjsSite, prefix: str = "") -> str:
    """Attach an arm's hand alone to a site; returns the name of its first body."""
    assert hand.gripper is not None
    source = hand.mjspec()
    for actuator in list(source.actuators):
        if actuator.name != hand.gripper.actuator:
            source.delete(actuator)
    for exclude in list(source.excludes):
        if not {exclude.bodyname1, exclude.bodyname2} <= set(hand.gripper.spec.bodies):
            source.delete(exclude)
    root = source.body(hand.gripper.spec.bodies[0])
    name = str(root.name)
    root.pos = [0.0, 0.0, 0.0]
    with kept_names_are_meant():
        flange.attach_body(root, prefix, "")
    return name


def prefix_for(spec: mujoco.MjSpec, tool: mujoco.MjSpec) -> str:
    """What keeps the names of a tool apart from those of an arm; empty where they differ."""

    def names(of: mujoco.MjSpec) -> set[str]:
        kinds = (of.bodies[1:], of.geoms, of.sites, of.actuators, of.tendons, of.meshes)
        return {part.name for kind in (*kinds, of.materials, of.equalities) for part in kind} - {""}

    return PREFIX if names(spec) & names(tool) else ""


def mount_model(spec: mujoco.MjSpec, site: str, path: str, prefix: str) -> None:
    """Mount the model of a tool, whose first body's frame lies on the site."""
    from pathlib import Path

    tool = edited(Path(path), "", (clean,))
    for root in list(tool.worldbody.bodies):
        with kept_names_are_meant():
            spec.site(site).attach_body(root, prefix, "")


def add_suction_cup(spec: mujoco.MjSpec, site: str, max_force_n: float) -> None:
    """A tube with a cup: MuJoCo's adhesion actuator pulls what touches the cup."""
    at = spec.site(site)
    tool = at.parent.add_body(name="suction", pos=at.pos, quat=at.quat, gravcomp=1.0)
    tool.add_geom(
        name="suction-tube",
        type=mujoco.mjtGeom.mjGEOM_CYLINDER,
        size=[0.009, TUBE_M / 2, 0.0],
        pos=[0.0, 0.0, TUBE_M / 2],
        mass=0.1,
        rgba=[0.45, 0.47, 0.5, 1.0],
    )
    cup = tool.add_body(name="suction-cup", pos=[0.0, 0.0, TUBE_M], gravcomp=1.0)
    cup.add_geom(
        name="suction-cup",
        type=mujoco.mjtGeom.mjGEOM_CYLINDER,
        size=[CUP_RADIUS_M, CUP_HEIGHT_M / 2, 0.0],
        pos=[0.0, 0.0, CUP_HEIGHT_M / 2],
        mass=0.02,
        condim=4,
        priority=1,
        friction=list(PAD_FRICTION),
        solref=[0.004, 1.0],
        rgba=[0.15, 0.15, 0.16, 1.0],
    )
    cup.add_site(name="suction-ee", pos=[0.0, 0.0, CUP_HEIGHT_M], group=4)
    pump = spec.add_actuator(name="suction", target="suction-cup", trntype=mujoco.mjtTrn.mjTRN_BODY)
    pump.ctrllimited = True
    pump.ctrlrange = [0.0, 1.0]
    pump.set_to_adhesion(max_force_n)
    spec.add_exclude(bodyname1="suction", bodyname2=at.parent.name)


def add_pad(
    spec: mujoco.MjSpec, name: str, body: str, pos: Array, quat: Array, size_m: Array
) -> None:
    """A rubber pad on a finger: its friction and stiffness decide about a grasp (priority)."""
    spec.body(body).add_geom(
        name=name,
        type=mujoco.mjtGeom.mjGEOM_BOX,
        pos=list(pos),
        quat=list(quat),
        size=[s / 2 for s in size_m],
        mass=0.0,
        group=3,
        contype=1,
        conaffinity=1,
        condim=4,
        priority=1,
        friction=list(PAD_FRICTION),
        solref=[0.004, 1.0],
        solimp=[0.95, 0.99, 0.001, 0.5, 2.0],
        rgba=[0.15, 0.15, 0.16, 1.0],
    )


def add_pieces(spec: mujoco.MjSpec, body: str, pieces: Mapping[int, Sequence[Array]]) -> None:
    """Pieces touch things in place of shapes of a body, given by their numbers."""
    target = spec.body(body)
    geoms = list(target.geoms)
    for number, parts in pieces.items():
        whole = geoms[number]
        whole.contype = whole.conaffinity = 0
        for i, points in enumerate(parts):
            name = f"{body}-piece-{number}-{i}"
            mesh = spec.add_mesh(name=name, uservert=points.ravel().tolist())
            mesh.inertia = mujoco.mjtMeshInertia.mjMESH_INERTIA_CONVEX
            mesh.scale = [1.0, 1.0, 1.0]
            target.add_geom(
                type=mujoco.mjtGeom.mjGEOM_MESH,
                meshname=name,
                group=3,
                mass=0.0,
                contype=1,
                conaffinity=1,
            )


def add_drive(
    spec: mujoco.MjSpec,
    name: str,
    joints: tuple[str, ...],
    signs: tuple[float, ...],
    follow: tuple[float, float],
    lever_m: float,
    max_force_n: float,
) -> None:
    """One position actuator for all finger joints, in place of what the model has for them.

    Args:
        spec: The model.
        name: Name of the actuator and of its tendon.
        joints: The finger joints, one or two.
        signs: To which side each opens.
        follow: Where the second joint is when the first is at 0, and its motion for a unit of it.
        lever_m: Change of the gap for a unit of the actuator: 1 for slides, m/rad for hinges.
        max_force_n: Largest force on what is between the pads.
    """
    wires = [t for t in spec.tendons if any(w.target in joints for w in t.path)]
    driven = {*joints, *(t.name for t in wires)}
    for part in [a for a in spec.actuators if a.target in driven]:
        spec.delete(part)
    for part in [e for e in spec.equalities if {e.name1, e.name2} & driven]:
        spec.delete(part)
    for part in wires:
        spec.delete(part)
    square = lever_m**2
    tendon = spec.add_tendon(name=name)
    for joint_name, sign in zip(joints, signs, strict=True):
        joint = spec.joint(joint_name)
        joint.armature = max(joint.armature, 0.4 * square)
        joint.damping = [2.0 * square, 0.0, 0.0]  # what a gearbox loses is not the gripper's force
        joint.frictionloss = 0.0
        tendon.wrap_joint(joint_name, sign)
    if len(joints) == 2:
        belt = spec.add_equality(
            name=f"{name}-belt",
            type=mujoco.mjtEq.mjEQ_JOINT,
            objtype=mujoco.mjtObj.mjOBJ_JOINT,
            name1=joints[1],
            name2=joints[0],
            solref=[0.004, 1.0],
            solimp=[0.95, 0.99, 0.001, 0.5, 2.0],
        )
        belt.data[:5] = [*follow, 0.0, 0.0, 0.0]
    servo = spec.add_actuator(name=name, target=name, trntype=mujoco.mjtTrn.mjTRN_TENDON)
    servo.set_to_position(kp=4000.0 * square, kv=90.0 * square)
    servo.forcelimited = True
    servo.forcerange = [-max_force_n * lever_m, max_force_n * lever_m]
