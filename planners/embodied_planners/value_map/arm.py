# pyright: reportAttributeAccessIssue=false
# (mujoco ships no type stubs)
"""Whether the whole arm can follow a path of its hand: inverse kinematics and collisions.

The arm is checked against what is *seen*: things with the poses and sizes that perception gives,
put into spare bodies of a model that otherwise holds the robot and its table alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import mujoco
import numpy as np
from numpy.typing import NDArray

from embodied.types import Array, ObjectSpec, Pose, WorldSpec
from embodied_planners.motion import ArmKinematics, Clearance, PlanningScene
from embodied_planners.value_map.geometry import ObjectGeometry

SLOT = "slot-"
"""Spare bodies are named ``slot-0``, ``slot-1`` and so on; each has a free joint and one geom."""

SLOTS = 24

_TYPES = {
    "box": mujoco.mjtGeom.mjGEOM_BOX,
    "cylinder": mujoco.mjtGeom.mjGEOM_CYLINDER,
    "sphere": mujoco.mjtGeom.mjGEOM_SPHERE,
}
_PARKED = Pose(position=np.array([0.0, 0.0, -5.0]), quat_wxyz=np.array([1.0, 0.0, 0.0, 0.0]))

_STEP_M = 0.02  # distance between two configurations along a way
_STEP_RAD = 0.12  # largest turn between them
_JUMP_RAD = 0.35  # largest joint motion between them
_PADDING_M = 0.006  # distance of the arm to things
_GRIP_PADDING_M = 0.0015  # distance of the fingers to things beside what they grasp


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ArmPath:
    """Configurations along a way.

    Attributes:
        q: (m, n), rad.
        at: Sample of the way that each belongs to, (m,).
        failed_at: Sample at which the arm cannot follow; -1 if it can.
        reason: Why not.
    """

    q: Array
    at: NDArray[np.int64]
    failed_at: int = -1
    reason: str = ""

    @property
    def found(self) -> bool:
        """Whether the arm can follow all of it."""
        return self.failed_at < 0


class ArmChecker:
    """Follows ways of the end effector with the whole arm.

    Args:
        model: Robot and table, with ``SLOTS`` spare bodies (see ``SLOT``); copied.
        spec: The robot's joints and limits; its objects are not used.
    """

    def __init__(self, model: mujoco.MjModel, spec: WorldSpec) -> None:
        self.kinematics = ArmKinematics(model, spec)
        self.slots = tuple(f"{SLOT}{i}" for i in range(SLOTS))
        spare = {s: ObjectSpec(name=s, kind="item", category="thing") for s in self.slots}
        self.scene = PlanningScene(model, replace(spec, objects=spare), self.kinematics)
        # sizes change from call to call: boxes of whole bodies, made at compile time, do not
        self.scene.model.opt.disableflags |= int(mujoco.mjtDisableBit.mjDSBL_MIDPHASE)
        self._slot_of: dict[str, str] = {}
        for slot in self.slots:
            self.scene.move(slot, _PARKED)

    def look(self, objects: Mapping[str, ObjectGeometry], gap_m: float, held: str = "") -> None:
        """Take over what is seen and how far the fingers are open.

        Args:
            objects: Things by name; the largest ``SLOTS`` of them count.
            gap_m: Gap between the pads.
            held: Thing that is in the hand; it is not an obstacle.
        """
        names = [n for n, o in objects.items() if o.obstacle and n != held]
        names.sort(key=lambda n: -float(np.prod(objects[n].size_m)))
        self._slot_of = dict(zip(names[:SLOTS], self.slots, strict=False))
        for slot in self.slots[len(self._slot_of) :]:
            self.scene.move(slot, _PARKED)
        for name, slot in self._slot_of.items():
            self._shape(slot, objects[name])
            self.scene.move(slot, objects[name].pose)
        self.scene.set_gap(gap_m)

    def clearance(self, q: Array, *, touch: Iterable[str] = ()) -> Clearance:
        """What the arm keeps from things on a way that starts at ``q``.

        Args:
            q: Configuration at the start: what is closer there already may stay so.
            touch: Things that the hand may touch.
        """
        slots = [self._slot_of[n] for n in touch if n in self._slot_of]
        others = [s for s in self._slot_of.values() if s not in slots]
        near = [(self.scene.fingers, others, _GRIP_PADDING_M)] if slots and others else []
        wanted = self.scene.clearance(
            padding_m=_PADDING_M,
            allow=[(self.scene.hand, slots)] if slots else [],
            near=[*near, (self.scene.fingers, ("table",), 0.001)],
        )
        return self.scene.relaxed(wanted, q)

    def follow(self, path: Array, quats: Array, q: Array, clearance: Clearance | None) -> ArmPath:
        """Configurations along a way of the end effector.

        Args:
            path: Positions of the end effector, (n, 3).
            quats: Its orientations, (n, 4).
            q: Configuration at the start, (nq,).
            clearance: What the arm keeps; None leaves collisions out.
        """
        found, at = [np.array(q)], [0]
        for i in _stops(path, quats):
            last = found[-1]
            pose = Pose(position=path[i], quat_wxyz=quats[i])
            result = self.kinematics.solve(
                pose,
                last,
                rest=last,
                iterations=12,
                position_tolerance_m=1e-3,
                rotation_tolerance_rad=1e-2,
            )
            if not result.found:
                where = "({:.2f}, {:.2f}, {:.2f}) m".format(*path[i])
                away = f"the hand stays {1000 * result.position_error_m:.0f} mm away"
                return self._failed(found, at, i, f"out of reach at {where}: {away}")
            if float(np.max(np.abs(result.q - last))) > _JUMP_RAD:
                return self._failed(found, at, i, "the arm would have to reconfigure")
            if clearance is not None and not self.scene.valid(result.q, clearance):
                return self._failed(found, at, i, self._collision(result.q, clearance))
            found.append(np.array(result.q))
            at.append(i)
        return ArmPath(q=np.array(found), at=np.array(at))

    def _failed(self, found: list[Array], at: list[int], i: int, reason: str) -> ArmPath:
        return ArmPath(q=np.array(found), at=np.array(at), failed_at=i, reason=reason)

    def _collision(self, q: Array, clearance: Clearance) -> str:
        names = {slot: name for name, slot in self._slot_of.items()}
        pairs = self.scene.obstacles(q, clearance)[:2]
        return ", ".join(f"{a} would hit {names.get(b, b)}" for a, b in pairs) or "collision"

    def _shape(self, slot: str, thing: ObjectGeometry) -> None:
        model = self.scene.model
        geom = int(model.body(slot).geomadr[0])
        half = np.array(thing.size_m) / 2
        sizes = {
            "box": half,
            "cylinder": np.array([half[0], half[2], 0.0]),
            "sphere": np.array([half[0], 0.0, 0.0]),
        }
        box = half if thing.shape != "sphere" else np.full(3, half[0])
        model.geom_type[geom] = int(_TYPES[thing.shape])
        model.geom_size[geom] = sizes[thing.shape]
        model.geom_aabb[geom] = np.concatenate([np.zeros(3), box])
        model.geom_rbound[geom] = float(np.linalg.norm(box))


def _stops(path: Array, quats: Array) -> Iterable[int]:
    """Samples of a way at which configurations are wanted; the last one always."""
    moved = turned = 0.0
    for i in range(1, len(path)):
        moved += float(np.linalg.norm(path[i] - path[i - 1]))
        turned += 2 * float(np.arccos(min(1.0, abs(float(quats[i] @ quats[i - 1])))))
        if i + 1 == len(path) or moved >= _STEP_M or turned >= _STEP_RAD:
            moved = turned = 0.0
            yield i
