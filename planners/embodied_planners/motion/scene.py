# pyright: reportAttributeAccessIssue=false
"""Collision checking on a planning model: kinematics and ``mj_collision``, no dynamics.

The planning model mirrors the last observation. Collision checks only look at pairs that involve
the robot or what it holds; each pair of geoms has a smallest allowed distance, collected in a
matrix (:class:`Clearance`), so that padding, allowed contacts and relaxed pairs cost nothing extra.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Iterable
from dataclasses import dataclass, replace

import mujoco
import numpy as np
from numpy.typing import NDArray

from embodied.types import Array, Observation, Pose, WorldSpec
from embodied_planners.motion.kinematics import ArmKinematics

MAX_PADDING_M = 0.04
_IN_NO_WAY_M = -5.0
_LATTICE = np.array([p for p in itertools.product((-1.0, 0.0, 1.0), repeat=3) if any(p)])
"""Corners and middles of the edges and faces of a cube, (26, 3)."""


@dataclass(frozen=True, slots=True, eq=False)
class Clearance:
    """What configurations keep.

    Attributes:
        distance: Smallest allowed distance for every pair of geoms, (ngeom, ngeom), m; minus
            infinity for pairs that may touch at will.
        apart: Bodies that the hand and what it holds keep further away from, and how far, m.
        tilt_rad: Largest tilt of what is held from how it was taken.
    """

    distance: Array
    apart: tuple[tuple[str, float], ...] = ()
    tilt_rad: float = np.pi


class PlanningScene:
    """The robot and its surroundings as last observed, for collision queries.

    Args:
        model: Model of the scene with the arm, the hand and every object of ``spec``; copied.
        spec: The world that the model stands for.
        kinematics: Kinematics of the same arm; made from ``model`` if None.

    Attributes:
        hand: Bodies of the tool: they may touch what is held.
        fingers: Those of them that close on it.
        held: Name of the item that moves with the hand, ``""`` if none.
        apart: Bodies that the hand keeps away from while it holds something, and how far, m.
        tilt_rad: Largest tilt of what is held from how it was taken.
    """

    def __init__(
        self, model: mujoco.MjModel, spec: WorldSpec, kinematics: ArmKinematics | None = None
    ) -> None:
        self.spec = spec
        self.kinematics = kinematics or ArmKinematics(model, spec)
        self.model = copy.copy(model)
        self.data = mujoco.MjData(self.model)
        self.held = ""
        self.apart: tuple[tuple[str, float], ...] = ()
        self.tilt_rad = np.pi
        self._held_in_ee: Array = np.eye(4)
        self._held_up: Array = np.array([0.0, 0.0, 1.0])
        self._arm_qpos = np.array([self._qpos_address(n) for n in spec.joint_names])
        grip = spec.gripper
        bodies = () if grip is None else grip.bodies
        self.hand: tuple[str, ...] = tuple(n for n in bodies if self._has_body(n))
        self.fingers = () if grip is None else tuple(n for n in grip.fingers if n in self.hand)
        joints = () if grip is None else grip.joints
        self._finger_qpos = [self._qpos_address(n) for n in joints if self._has_joint(n)]
        self._free_qpos = {n: self._qpos_address(n) for n in spec.objects if self._is_free(n)}
        self._slide_qpos = {
            n: self._qpos_address(n)
            for n in spec.objects
            if self._has_joint(n) and not self._is_free(n)
        }
        self._robot_root = self.model.body(self.kinematics.model.body(1).name).id
        self.robot_geoms = self._touching(self._subtree(self._robot_root))
        self._robot_geom_set = set(self.robot_geoms)
        others = sorted(set(range(self.model.nbody)) - set(self._subtree(self._robot_root)))
        self.other_geoms = self._touching(others)
        self._geoms_by_body: dict[str, list[int]] = {}
        for geom in sorted({*self.robot_geoms, *self.other_geoms}):
            self._geoms_by_body.setdefault(self._body_name(geom), []).append(geom)
        self.model.geom_gap[:] = 0.0
        # the broad phase looks at the margins of bodies, the narrow one at those of geoms
        self.model.geom_margin[:] = MAX_PADDING_M
        self.model.body_margin[:] = MAX_PADDING_M
        self.model.opt.disableflags &= ~int(mujoco.mjtDisableBit.mjDSBL_CONTACT)
        self._set_filters()
        self._always_allowed = self._touching_at_home()

    # ---- the state that the model mirrors

    def update(self, observation: Observation) -> None:
        """Take over objects, openings, arm and gripper from a measurement; nothing is held.

        Items without a pose are in no way; drawers without an opening are closed.
        """
        self.hold("")
        for name, address in self._free_qpos.items():
            pose = observation.poses.get(name)
            self.data.qpos[address + 2] = _IN_NO_WAY_M
            if pose is not None:
                self.data.qpos[address : address + 3] = pose.position
                self.data.qpos[address + 3 : address + 7] = pose.quat_wxyz
        for name, address in self._slide_qpos.items():
            self.data.qpos[address] = observation.openings_m.get(name, 0.0)
        if observation.gripper is not None:
            self.set_gap(observation.gripper.width_m)
        self.data.qpos[self._arm_qpos] = observation.q

    def set_gap(self, width_m: float) -> None:
        """Open the fingers of the planning model to a gap between the pads."""
        if self._finger_qpos and self.spec.gripper is not None:
            positions = self.spec.gripper.joint_positions(max(width_m, 0.0))
            self.data.qpos[self._finger_qpos] = positions

    def hold(self, name: str, pose_item_in_ee: Pose | None = None) -> None:
        """Make an item move with the hand from now on; ``""`` for none."""
        self.held = name
        if name:
            if pose_item_in_ee is None or name not in self._free_qpos:
                raise ValueError(
                    f"{name!r} cannot be held: movable items are {sorted(self._free_qpos)}, "
                    "and their pose in the hand must be given"
                )
            self._held_in_ee = pose_item_in_ee.matrix
            self._held_up = self._held_in_ee[:3, :3].T @ self._ee_up()
        self._set_filters()

    def move(self, name: str, pose: Pose) -> None:
        """Put a movable item somewhere else in the planning model."""
        address = self._free_qpos[name]
        self.data.qpos[address : address + 3] = pose.position
        self.data.qpos[address + 3 : address + 7] = pose.quat_wxyz

    # ---- clearances

    def clearance(
        self,
        *,
        padding_m: float,
        allow: Iterable[tuple[Iterable[str], Iterable[str]]] = (),
        near: Iterable[tuple[Iterable[str], Iterable[str], float]] = (),
    ) -> Clearance:
        """Smallest allowed distances.

        Args:
            padding_m: Between the robot (and what it holds) and everything else.
            allow: Pairs of groups of bodies that may touch.
            near: Pairs of groups of bodies with a distance of their own, m.
        """
        if padding_m > MAX_PADDING_M:
            raise ValueError(f"padding_m is at most {MAX_PADDING_M}, got {padding_m}")
        d = np.full((self.model.ngeom, self.model.ngeom), padding_m)
        d[np.ix_(self.robot_geoms, self.robot_geoms)] = min(padding_m, 0.002)
        d[self._always_allowed[:, 0], self._always_allowed[:, 1]] = -np.inf
        d[self._always_allowed[:, 1], self._always_allowed[:, 0]] = -np.inf
        pairs = [(self.fingers, self.fingers, -np.inf), *((a, b, -np.inf) for a, b in allow), *near]
        if self.held:
            pairs.append((self.hand, (self.held,), -np.inf))
        for first, second, distance in pairs:
            i, j = self._geoms_of(first), self._geoms_of(second)
            d[np.ix_(i, j)] = distance
            d[np.ix_(j, i)] = distance
        return Clearance(d, self.apart if self.held else (), self.tilt_rad)

    def relaxed(self, clearance: Clearance, *configurations: Array) -> Clearance:
        """Lower the distance of pairs that are closer than allowed at given configurations.

        Used where the arm already is, and where it must go: a lifted item starts on its support.
        Pairs that interpenetrate by more than 4 mm stay forbidden.
        """
        d = clearance.distance.copy()
        apart = dict(clearance.apart)
        for q in configurations:
            pairs, distance = self._contacts(q)
            for (a, b), value in zip(pairs, distance, strict=True):
                if value < d[a, b]:
                    d[a, b] = d[b, a] = max(value - 0.0015, -0.004)
            for name in apart:
                apart[name] = min(apart[name], self.hand_distance(name) - 0.0015)
        return replace(clearance, distance=d, apart=tuple(apart.items()))

    # ---- queries

    def place_robot(self, q: Array) -> None:
        """Put the arm (and what it holds) at ``q`` and compute all geom poses."""
        self.data.qpos[self._arm_qpos] = q
        if self.held:
            pose = Pose.from_matrix(self.kinematics.matrix(q) @ self._held_in_ee)
            self.move(self.held, pose)
        mujoco.mj_kinematics(self.model, self.data)

    def valid(self, q: Array, clearance: Clearance) -> bool:
        """Whether every pair keeps its distance at ``q``."""
        pairs, distance = self._contacts(q)
        if distance.size and np.any(distance < clearance.distance[pairs[:, 0], pairs[:, 1]]):
            return False
        if self.held and clearance.tilt_rad < np.pi and self._tilt(q) > clearance.tilt_rad:
            return False
        return all(self.hand_distance(name) >= d for name, d in clearance.apart)

    def hand_distance(self, name: str) -> float:
        """Distance between the boxes around the hand, what it holds and a body, m.

        Every geom is taken as its bounding box, so that curved shapes count as larger than they
        are. Exact where a corner, the middle of an edge or of a face is nearest; elsewhere too
        large by at most the offset to the nearest such point. 0 where boxes overlap.
        """
        ours = self._geoms_of((*self.hand, self.held) if self.held else self.hand)
        theirs = self._geoms_of((name,))
        return min(self._boxes_apart(ours, theirs), self._boxes_apart(theirs, ours))

    def _boxes_apart(self, first: list[int], second: list[int]) -> float:
        """Smallest distance of the lattice points of some geoms' boxes to the boxes of others."""
        centre, half = self.model.geom_aabb[:, :3], self.model.geom_aabb[:, 3:]
        turn, origin = self.data.geom_xmat.reshape(-1, 3, 3), self.data.geom_xpos
        local = centre[first, None] + half[first, None] * _LATTICE
        points = np.einsum("gij,gkj->gki", turn[first], local) + origin[first, None]
        away = points.reshape(1, -1, 3) - origin[second, None]
        inside = np.einsum("gji,gkj->gki", turn[second], away) - centre[second, None]
        beyond = np.maximum(np.abs(inside) - half[second, None], 0.0)
        return float(np.sqrt(np.min(np.sum(beyond**2, axis=-1))))

    def obstacles(self, q: Array, clearance: Clearance) -> tuple[tuple[str, str], ...]:
        """Pairs of bodies (robot part or held item first) that are too close at ``q``."""
        pairs, distance = self._contacts(q)
        found: dict[tuple[str, str], None] = {}
        robot = self._robot_geom_set
        for (a, b), value in zip(pairs, distance, strict=True):
            if value < clearance.distance[a, b]:
                first, second = self._body_name(a), self._body_name(b)
                if a not in robot and first != self.held:
                    first, second = second, first
                found[first, second] = None
        for name, d in clearance.apart:
            if self.hand_distance(name) < d:
                found[self.held or self.hand[0], name] = None
        return tuple(found)

    def finger_distances(self, pose_ee: Pose, gap_m: float, ignore: Iterable[str]) -> Array:
        """Distances from the open hand, put at a pose without the arm, to what is around it.

        Args:
            pose_ee: Pose of the end effector in the world.
            gap_m: Gap between the pads.
            ignore: Bodies that do not count (the item to be grasped).

        Returns:
            Distance of the nearest geom to each geom of hand and fingers, (k,), m, at most
            ``MAX_PADDING_M``; negative where they overlap.
        """
        geoms = self._geoms_of(self.hand)
        self.place_robot(self.spec.q_home)
        ee = self.kinematics.matrix(self.spec.q_home)
        self.set_gap(gap_m)
        mujoco.mj_kinematics(self.model, self.data)
        change = pose_ee.matrix @ np.linalg.inv(ee)
        ignored = set(self._geoms_of(ignore))
        centres = self.data.geom_xpos
        result = np.full(len(geoms), MAX_PADDING_M)
        fromto = np.zeros(6)
        for k, geom in enumerate(geoms):
            rotation = change[:3, :3] @ self.data.geom_xmat[geom].reshape(3, 3)
            centre = change[:3, :3] @ self.data.geom_xpos[geom] + change[:3, 3]
            self.data.geom_xpos[geom] = centre
            self.data.geom_xmat[geom] = rotation.ravel()
            reach = self.model.geom_rbound[geom] + MAX_PADDING_M
            for other in self.other_geoms:
                bound = self.model.geom_rbound[other]
                if other in ignored or (
                    bound > 0 and np.linalg.norm(centres[other] - centre) > reach + bound
                ):
                    continue
                distance = mujoco.mj_geomDistance(
                    self.model, self.data, geom, other, MAX_PADDING_M, fromto
                )
                result[k] = min(result[k], distance)
        return result

    # ---- internals

    def _contacts(self, q: Array) -> tuple[NDArray[np.int32], Array]:
        self.place_robot(q)
        mujoco.mj_collision(self.model, self.data)
        contact = self.data.contact
        return contact.geom, contact.dist

    def _ee_up(self) -> Array:
        """The vertical in the frame of the end effector, where the arm is now."""
        matrix = self.kinematics.matrix(self.data.qpos[self._arm_qpos])
        return matrix[2, :3].copy()

    def _tilt(self, q: Array) -> float:
        """Tilt of what is held from how it was taken, rad."""
        up = self.kinematics.matrix(q)[:3, :3] @ self._held_in_ee[:3, :3] @ self._held_up
        return float(np.arccos(np.clip(up[2], -1.0, 1.0)))

    def _set_filters(self) -> None:
        """Let only pairs collide that involve the robot or the held item."""
        self.model.geom_contype[self.robot_geoms] = 1
        self.model.geom_conaffinity[self.robot_geoms] = 1
        self.model.geom_contype[self.other_geoms] = 0
        self.model.geom_conaffinity[self.other_geoms] = 1
        if self.held:
            self.model.geom_contype[self._geoms_of((self.held,))] = 1

    def _touching_at_home(self) -> NDArray[np.intp]:
        """Pairs that overlap by construction: seen in the rest configuration."""
        self.set_gap(self.spec.gripper.max_width_m if self.spec.gripper else 0.0)
        pairs, distance = self._contacts(self.spec.q_home)
        robot = self._robot_geom_set
        fixed = [
            (int(a), int(b))
            for (a, b), value in zip(pairs, distance, strict=True)
            if value < 0.002 and ((a in robot and b in robot) or self._is_base(a, b))
        ]
        return np.array(fixed, dtype=np.intp).reshape(-1, 2)

    def _is_base(self, a: int, b: int) -> bool:
        """Whether one geom belongs to the first two links and the other does not move."""
        root = self._robot_root
        base = {root, *np.flatnonzero(self.model.body_parentid == root).tolist()}
        fixed = self.model.body_weldid
        bodies = self.model.geom_bodyid
        return any(bodies[x] in base and fixed[bodies[y]] == 0 for x, y in ((a, b), (b, a)))

    def _subtree(self, root: int) -> list[int]:
        bodies = [root]
        for body in range(root + 1, self.model.nbody):
            if int(self.model.body_parentid[body]) in bodies:
                bodies.append(body)
        return bodies

    def _touching(self, bodies: Iterable[int]) -> list[int]:
        wanted = set(bodies)
        return [
            g
            for g in range(self.model.ngeom)
            if int(self.model.geom_bodyid[g]) in wanted
            and (self.model.geom_contype[g] or self.model.geom_conaffinity[g])
        ]

    def _geoms_of(self, bodies: Iterable[str]) -> list[int]:
        """Touching geoms of bodies and of their descendants' fixed parts."""
        geoms: list[int] = []
        for name in bodies:
            own = self._geoms_by_body.get(name)
            if own is not None:
                geoms += own
            elif mujoco.mj_name2id(self.model, mujoco.mjtObj.mjOBJ_BODY, name) < 0:
                raise ValueError(f"the planning model has no body named {name!r}")
        return sorted(geoms)

    def _body_name(self, geom: int) -> str:
        return self.model.body(int(self.model.geom_bodyid[geom])).name

    def _has_body(self, name: str) -> bool:
        return mujoco.mj_name2id(self.model, mujoco.mjtObj.mjOBJ_BODY, name) >= 0

    def _has_joint(self, name: str) -> bool:
        return mujoco.mj_name2id(self.model, mujoco.mjtObj.mjOBJ_JOINT, name) >= 0

    def _is_free(self, name: str) -> bool:
        joint = mujoco.mj_name2id(self.model, mujoco.mjtObj.mjOBJ_JOINT, name)
        return joint >= 0 and self.model.jnt_type[joint] == mujoco.mjtJoint.mjJNT_FREE

    def _qpos_address(self, name: str) -> int:
        return int(self.model.joint(name).qposadr[0])
