# pyright: reportAttributeAccessIssue=false
# (mujoco ships no type stubs)
"""Poses of the arm's links and their distances to fixed objects.

Only what the operator named takes part: the arm, the fixed things of the scene and the keep-out
boxes. Where things that can be moved are is not known to the supervisor, nor which one the hand
holds; only how long a thing of such a width may be.
"""

from __future__ import annotations

from dataclasses import dataclass

import mujoco
import numpy as np
from numpy.typing import NDArray

from embodied.bridge._chains import Chains, singular_slope
from embodied.bridge._distances import PairDistances
from embodied.bridge.limits import SafetyLimits
from embodied.errors import ConfigurationError
from embodied.types import Array
from embodied.world import robots
from embodied.world.builder import build_spec
from embodied.world.scene import Scene

BUBBLE_M = 0.08
"""Distances are measured up to this far."""

PRESS_M = 0.01
"""Set-points may press what is held this far onto things, beyond the clearance of the hand."""

ALIKE_M = 0.005
"""A thing is as wide as a gap when it differs by so much at most."""

_HELD = "what is held"
_CUTS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Nearest:
    """Two parts and how much nearer to each other they may come, m; negative when too near."""

    first: str
    second: str
    margin_m: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Posture:
    """What follows from one configuration of the arm alone.

    Attributes:
        ee: Position of the end effector in the world, (3,), m.
        jacobian: Velocities in the world of the end effector (first three columns) and of the
            elbow (last three) for a velocity of each joint, (n, 6), m/rad.
        least_singular_value: Of the end effector's Jacobian; 0 at a singularity.
    """

    ee: Array
    jacobian: Array
    least_singular_value: float


_NOTHING_NEAR = Nearest(first="", second="", margin_m=BUBBLE_M)


class ArmGeometry:
    """Kinematics and distances of one arm among what does not move.

    Args:
        limits: Names the robot, its elbow and the keep-out boxes.
        scene: Its fixed things are obstacles.

    Attributes:
        reach_m: For each joint, how far from its axis any part that it moves can be, (n,), m.
        point_reach_m: The same for end effector and elbow, (n, 2), m; 0 where it does not move.
        singular_slope: For each joint, how much the least singular value of the end effector's
            Jacobian changes at most while it turns, (n,), 1/rad.

    Raises:
        ConfigurationError: The limits name a robot, joints or an elbow that do not exist, or are
            not signed off for the scene.
    """

    def __init__(self, limits: SafetyLimits, scene: Scene) -> None:
        if limits.scenes and scene.name not in limits.scenes:
            raise ConfigurationError(
                f"limits {limits.name!r} are signed off for {', '.join(limits.scenes)}, not for"
                f" the scene {scene.name!r}"
            )
        robot = robots.load(limits.robot)
        if tuple(robot.joints) != limits.joints:
            raise ConfigurationError(
                f"limits {limits.name!r} name the joints {', '.join(limits.joints)}; the robot"
                f" {limits.robot!r} has {', '.join(robot.joints)}"
            )
        self._grip = None if robot.gripper is None else robot.gripper.spec
        fingers = () if self._grip is None else self._grip.fingers
        spec = build_spec(scene, robot)
        for name, thing in scene.objects.items():
            if thing.kind in ("item", "drawer"):
                spec.delete(spec.body(name))
        if len(fingers) == 2:
            spec.add_exclude(bodyname1=fingers[0], bodyname2=fingers[1])
        for box in limits.keep_out:
            spec.worldbody.add_geom(
                name=f"keep-out {box.name}",
                type=mujoco.mjtGeom.mjGEOM_BOX,
                pos=((box.lower + box.upper) / 2).tolist(),
                size=((box.upper - box.lower) / 2).tolist(),
            )
        self._items = [t.size_m for t in scene.objects.values() if t.kind == "item"]
        if limits.max_width_m > 0.0 and fingers:
            site = spec.site(robot.ee_site)
            site.parent.add_geom(
                name=_HELD,
                type=mujoco.mjtGeom.mjGEOM_BOX,
                pos=site.pos,
                quat=site.quat,
                size=[max([limits.max_width_m, *map(max, self._items)]) / 2] * 3,
                density=0.0,
            )
        self.model = robots.compile_model(spec)
        self.data = mujoco.MjData(self.model)
        model = self.model
        if limits.elbow_body not in {model.body(i).name for i in range(model.nbody)}:
            raise ConfigurationError(f"the robot has no body {limits.elbow_body!r} for an elbow")
        self._qpos = np.array([int(model.joint(j).qposadr[0]) for j in limits.joints])
        self._dof = np.array([int(model.joint(j).dofadr[0]) for j in limits.joints])
        self._hand_clearance_m = limits.hand_clearance_m
        self._swing_m = 0.0
        self._swung = [
            (g, int(model.joint(joint).id))
            for joint in (() if self._grip is None else self._grip.joints)
            for g in range(model.ngeom)
            if int(model.geom_bodyid[g]) == int(model.joint(joint).bodyid[0]) and self._touching(g)
        ]
        names_of_geoms = [model.geom(g).name for g in range(model.ngeom)]
        self._held = names_of_geoms.index(_HELD) if _HELD in names_of_geoms else None
        if self._held is not None:
            model.geom_sameframe[self._held] = 0
        self._fingers = [
            int(model.joint(j).qposadr[0]) for j in (self._grip.joints if self._grip else ())
        ]
        self._site = int(model.site(robot.ee_site).id)
        self._elbow = int(model.body(limits.elbow_body).id)
        self._ee = self.data.site_xpos[self._site]
        self._elbow_at = self.data.xpos[self._elbow]
        self._of_ee = np.zeros((6, model.nv))
        self._of_elbow = np.zeros((3, model.nv))
        mujoco.mj_kinematics(model, self.data)
        self._closes = self._closing_axis()
        chains = Chains(model, self.data, limits.joints)
        self.reach_m = chains.reach_of_parts()
        points = ((int(model.site_bodyid[self._site]), self._ee), (self._elbow, self._elbow_at))
        self.point_reach_m = np.stack([chains.reach(b, at, 0.0) for b, at in points], axis=1)
        self.singular_slope = singular_slope(self.point_reach_m[:, 0])
        self._distances, self._required = self._prepare(limits, robot.q_home)

    @property
    def pairs(self) -> NDArray[np.intp]:
        """Geoms whose distances count, (m, 2); the first of each is a part of the arm."""
        return self._distances.pairs[np.isfinite(self._required)]

    def place(self, q: Array) -> None:
        """Put the arm at ``q`` (n,); what follows is about this configuration."""
        self.data.qpos[self._qpos] = q
        mujoco.mj_kinematics(self.model, self.data)
        for geom, joint in self._swung if self._swing_m > 0.0 else ():
            self._distances.sweep(geom, self._swing_m * self.data.xaxis[joint])

    def points(self, q: Array) -> tuple[Array, Array]:
        """Positions of end effector and elbow in the world at ``q``, each (3,), m."""
        self.place(q)
        return self.data.site_xpos[self._site].copy(), self.data.xpos[self._elbow].copy()

    def paths(self, q: Array) -> Array:
        """Positions of end effector and elbow at each row of ``q`` (k, n): (2, k, 3), m."""
        data, model, at = self.data, self.model, self._qpos
        kinematics, ee, elbow = mujoco.mj_kinematics, self._ee, self._elbow_at
        points = np.empty((2, len(q), 3))
        of_ee, of_elbow = points
        for i, row in enumerate(q):
            data.qpos[at] = row
            kinematics(model, data)
            of_ee[i] = ee
            of_elbow[i] = elbow
        return points

    def least_singular_value(self, q: Array) -> float:
        """Of the end effector's Jacobian at ``q``; 0 at a singularity."""
        self.place(q)
        return self._least_singular_value()

    def set_gap(self, narrowest_m: float, widest_m: float) -> None:
        """The fingers may be anywhere between two gaps."""
        if self._grip is not None:
            self.data.qpos[self._fingers] = self._grip.joint_positions(narrowest_m)
        self._swing_m = (widest_m - narrowest_m) / 2
        for geom, _ in self._swung:
            self._distances.sweep(geom, np.zeros(3))

    def hold(self, q: Array, gap_m: float) -> float:
        """What is between the fingers is part of the arm from now on.

        It counts as a box about the end effector: as wide as the gap where the fingers close, in
        other directions as long as the longest thing of the scene that has such a width, a cube
        where there is none. What it would have in fixed things where it was gripped is cut off:
        first at its end away from the hand, then all around.

        Args:
            q: Where it is gripped, (n,), rad.
            gap_m: The gap; 0 holds nothing.

        Returns:
            Its half length away from the hand, m.
        """
        if self._held is None:
            return 0.0
        rows = np.flatnonzero((self._distances.pairs == self._held).any(axis=1))
        alike = [s for s in self._items if min(abs(x - gap_m) for x in s) <= ALIKE_M]
        half = max([gap_m, *map(max, alike)]) / 2
        held = gap_m > 0.0
        self._required[rows] = self._hand_clearance_m if held else -np.inf
        size = np.where(self._closes, gap_m / 2, half)
        deep = half
        self._size_held(size, deep)
        others = self._required.copy()
        self._required[:] = -np.inf
        self._required[rows] = others[rows]
        for _ in range(_CUTS if held else 0):
            if self.nearest(q).margin_m >= 0.0:
                break
            if deep > 0.2 * half:
                deep *= 0.8
            else:
                size *= 0.8
            self._size_held(size, deep)
        self._required = others
        if held:
            self._required[rows] -= PRESS_M
        return deep

    def nearest(self, q: Array) -> Nearest:
        """The pair that is closest to being too near at ``q``, within ``BUBBLE_M``."""
        self.place(q)
        return self._nearest()

    def posture(self, q: Array) -> Posture:
        """What follows from ``q`` (n,) without looking at distances."""
        self.place(q)
        least = self._least_singular_value()
        mujoco.mj_jacBody(self.model, self.data, self._of_elbow, None, self._elbow)
        both = np.concatenate([self._of_ee[:3, self._dof], self._of_elbow[:, self._dof]])
        return Posture(ee=self._ee.copy(), jacobian=both.T, least_singular_value=least)

    # ----------------------------------------------------------------- private

    def _closing_axis(self) -> NDArray[np.bool_]:
        """Which axis of the end effector the fingers close along, (3,); none is of no use here."""
        for _, joint in self._swung:
            along = self.data.site_xmat[self._site].reshape(3, 3).T @ self.data.xaxis[joint]
            if np.abs(along).max() > 0.999 and int(np.abs(along).argmax()) != 2:
                return np.abs(along) > 0.999
        return np.zeros(3, dtype=np.bool_)

    def _size_held(self, half: Array, deep: float) -> None:
        """Half sizes about the end effector, (3,), m; ``deep`` is the one away from the hand."""
        model, held = self.model, self._held
        assert held is not None
        model.geom_size[held] = *half[:2], (half[2] + deep) / 2
        model.geom_rbound[held] = float(np.linalg.norm(model.geom_size[held]))
        axis = np.zeros(3)
        mujoco.mju_rotVecQuat(axis, np.array([0.0, 0.0, 1.0]), model.site_quat[self._site])
        model.geom_pos[held] = model.site_pos[self._site] + axis * (deep - half[2]) / 2
        self._distances.take_shape(held)

    def _nearest(self) -> Nearest:
        """Only the pair that decides is looked at more closely, again and again."""
        margins = self._distances.bounds(self._required + BUBBLE_M) - self._required
        known: set[int] = set()
        while True:
            i = int(np.argmin(margins))
            if margins[i] >= BUBBLE_M:
                return _NOTHING_NEAR
            if i in known:
                break
            margins[i] = self._distances.refine(i) - self._required[i]
            known.add(i)
        first, second = (self._name(int(g)) for g in self._distances.pairs[i])
        return Nearest(first=first, second=second, margin_m=float(margins[i]))

    def _least_singular_value(self) -> float:
        mujoco.mj_comPos(self.model, self.data)
        mujoco.mj_jacSite(self.model, self.data, self._of_ee[:3], self._of_ee[3:], self._site)
        J = self._of_ee[:, self._dof]
        square = J @ J.T if J.shape[1] >= 6 else J.T @ J
        return float(np.sqrt(max(np.linalg.eigvalsh(square)[0], 0.0)))

    def _name(self, geom: int) -> str:
        name = self.model.geom(geom).name
        return name if name.startswith("keep-out") or geom == self._held else self._body(geom)

    def _body(self, geom: int) -> str:
        return self.model.body(int(self.model.geom_bodyid[geom])).name

    def _touching(self, geom: int) -> bool:
        return bool(self.model.geom_contype[geom] or self.model.geom_conaffinity[geom])

    def _prepare(self, limits: SafetyLimits, q_home: Array) -> tuple[PairDistances, Array]:
        """The pairs with a part of the arm that may not touch, and the distances required."""
        model = self.model
        root = int(model.body_rootid[int(model.joint(limits.joints[0]).bodyid[0])])
        of_arm = [int(model.body_rootid[int(b)]) == root for b in model.geom_bodyid]
        arm = [g for g in range(model.ngeom) if self._touching(g) and of_arm[g]]
        fixed = [g for g in range(model.ngeom) if self._touching(g) and not of_arm[g]]
        later = {g: [*arm[i + 1 :], *fixed] for i, g in enumerate(arm)}
        pairs = [(a, b) for a in arm for b in later[a] if self._may_meet(a, b)]
        distances = PairDistances(model, self.data, pairs)
        bodies = () if self._grip is None else self._grip.bodies
        hand = [g for g in arm if self._body(g) in bodies]
        required = np.where(
            np.isin(distances.pairs, hand).any(axis=1), limits.hand_clearance_m, limits.clearance_m
        )
        # Neighbours that are close at rest, and the foot on what it stands on, are so by design.
        self.place(q_home)
        distances.begin()
        foot = {root, *(b for b in range(model.nbody) if int(model.body_parentid[b]) == root)}
        for i, (a, b) in enumerate(pairs):
            stands = any(int(model.geom_bodyid[g]) in foot for g in (a, b))
            near = distances.refine(i) - required[i] < 0.01
            if (near and (stands or (of_arm[a] and of_arm[b]))) or self._held in (a, b):
                required[i] = -np.inf
        return distances, required

    def _may_meet(self, a: int, b: int) -> bool:
        """Parts of one body, neighbours and what the model excludes never do."""
        model = self.model
        bodies = sorted(int(model.geom_bodyid[g]) for g in (a, b))
        welds = [int(model.body_weldid[body]) for body in bodies]
        parents = [int(model.body_weldid[int(model.body_parentid[w])]) for w in welds]
        neighbours = 0 not in welds and (parents[0] == welds[1] or parents[1] == welds[0])
        excluded = (bodies[0] << 16) + bodies[1] in model.exclude_signature
        return welds[0] != welds[1] and not neighbours and not excluded
