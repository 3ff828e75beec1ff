# pyright: reportAttributeAccessIssue=false
"""The FR3-class arm with the three-finger hand, in a scene with the objects a task needs."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.resources import files
from xml.etree import ElementTree

import mujoco

ITEMS = ("apple", "bowl", "box", "cup")
FIXTURES = {"drawer": "cabinet", "faucet": "tap"}
HANDLES = {"drawer": "drawer_handle", "faucet": "faucet_handle"}
FAUCET_RADIUS_M = 0.105
ARM_HOME = (0.0, -0.45, 0.0, -2.2, 0.0, 1.75, 0.7853981633974483)
ARM_DQ_MAX = {f"joint{i + 1}": v for i, v in enumerate((2.62, 2.62, 2.62, 2.62, 5.26, 4.18, 5.26))}
"""Published speed limits, rad/s."""
HAND_OPEN = (-0.4, -0.4, -0.4)
HOME = {
    **{f"joint{i + 1}": q for i, q in enumerate(ARM_HOME)},
    **{f"finger_{i}_knuckle": -0.4 for i in (1, 2, 3)},
    **{f"finger_{i}_tip": -0.14 for i in (1, 2, 3)},
}


def arm_spec(things: Iterable[str] = ("apple",)) -> mujoco.MjSpec:
    """The simulation model of arm, hand and scene as an `MjSpec`.

    Args:
        things: Names from ``ITEMS`` and ``FIXTURES``.

    Raises:
        ValueError: Unknown thing; the message lists the legal ones.
    """
    wanted = tuple(things)
    for thing in wanted:
        if thing not in (*ITEMS, *FIXTURES):
            raise ValueError(f"unknown thing {thing!r}, legal: {', '.join((*ITEMS, *FIXTURES))}")
    spec = mujoco.MjSpec.from_string(scene_xml(wanted))
    _furnish(spec)
    for thing in wanted:
        if thing in FIXTURES:
            _frame_sensor(spec, HANDLES[thing], "site", HANDLES[thing])
        else:
            _frame_sensor(spec, thing, "body", thing)
            spec.add_sensor(
                name=f"{thing}_up",
                type=mujoco.mjtSensor.mjSENS_FRAMEZAXIS,
                objtype=mujoco.mjtObj.mjOBJ_BODY,
                objname=thing,
            )
    spec.option.timestep = 0.002
    spec.option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    spec.option.cone = mujoco.mjtCone.mjCONE_ELLIPTIC
    spec.option.impratio = 10
    model = spec.compile()
    home = mujoco.MjData(model)
    for name, value in HOME.items():
        home.joint(name).qpos[0] = value
    spec.add_key(name="home", qpos=home.qpos, ctrl=[*ARM_HOME, *HAND_OPEN])
    return spec


def scene_xml(wanted: tuple[str, ...]) -> str:
    """Arm, hand and things merged into one MJCF text (attaching would prefix every name).

    Args:
        wanted: Names from ``ITEMS`` and ``FIXTURES``.
    """
    folder = files("embodied_assets") / "robots"
    arm, hand, things = (
        ElementTree.fromstring((folder / name).read_text(encoding="utf-8"))
        for name in ("fr3/robot.xml", "hand/robot.xml", "hand/objects.xml")
    )
    flange = _found(arm, ".//body[@name='link7']")
    gripper = _found(flange, "./body[@name='hand']")
    mount = {key: gripper.attrib[key] for key in ("pos", "euler") if key in gripper.attrib}
    gone = {body.get("name") for body in gripper.iter("body")}
    flange.remove(gripper)
    for section in ("tendon", "equality"):
        arm.remove(_found(arm, section))
    actuators = _found(arm, "actuator")
    actuators.remove(_found(actuators, "position[@name='gripper']"))
    contacts = _found(arm, "contact")
    for exclude in list(contacts):
        if gone & {exclude.get("body1"), exclude.get("body2")}:
            contacts.remove(exclude)
    palm = _found(hand, "worldbody/body")
    palm.attrib.update(mount)
    flange.append(palm)
    ElementTree.SubElement(contacts, "exclude", body1="link6", body2=str(palm.get("name")))
    keep = {FIXTURES.get(thing, thing) for thing in wanted}
    world = _found(arm, "worldbody")
    for body in _found(things, "worldbody"):
        if body.get("name") in keep:
            world.append(body)
    for other in (hand, things):
        for section in ("default", "contact", "equality", "actuator", "sensor"):
            found = other.find(section)
            if found is None:
                continue
            target = arm.find(section)
            if target is None:
                target = ElementTree.SubElement(arm, section)
            target.extend(list(found))
    sensors = _found(arm, "sensor")
    for thing in wanted:
        if thing in ITEMS:
            ElementTree.SubElement(
                sensors,
                "contact",
                name=f"hand_{thing}",
                subtree1=str(palm.get("name")),
                body2=thing,
                data="found",
                num="1",
            )
    return ElementTree.tostring(arm, encoding="unicode")


def _found(root: ElementTree.Element, path: str) -> ElementTree.Element:
    element = root.find(path)
    if element is None:
        raise ValueError(f"the robot's model has no {path}")
    return element


def _frame_sensor(spec: mujoco.MjSpec, name: str, kind: str, target: str) -> None:
    objtype = mujoco.mjtObj.mjOBJ_SITE if kind == "site" else mujoco.mjtObj.mjOBJ_BODY
    spec.add_sensor(
        name=name, type=mujoco.mjtSensor.mjSENS_FRAMEPOS, objtype=objtype, objname=target
    )


def _furnish(spec: mujoco.MjSpec) -> None:
    """Table top at z = 0; what it looks like is the scene's business."""
    spec.worldbody.add_geom(
        name="table",
        type=mujoco.mjtGeom.mjGEOM_PLANE,
        size=[2, 2, 0.1],
        rgba=[0, 0, 0, 0],
        group=3,
        condim=3,
        friction=[0.9, 0.01, 0.0005],
    )
