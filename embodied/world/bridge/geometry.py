# pyright: reportAttributeAccessIssue=false
# (mujoco ships no type stubs)
"""Where the arm's parts are and how far they are from what does not move.

Only what the operator named takes part: the arm, the fixed things of the scene and the keep-out
boxes. Things that can be moved are not known to the supervisor, and neither is what the hand holds.
"""

from __future__ import annotations

from dataclasses import dataclass

import mujoco
import numpy as np

from embodied.errors import ConfigurationError
from embodied.types._geometry import Array
from embodied.world import robots
from embodied.world.bridge.limits import SafetyLimits
from embodied.world.builder import build_spec
from embodied.world.scene import Scene

BUBBLE_M = 0.08
"""Distances are measured up to this far."""

_HAND = ("hand", "left_finger", "right_finger")
_FINGERS = ("left_finger", "right_finger")
_FINGER_JOINTS = ("finger_joint1", "finger_joint2")


@dataclass(frozen=True, slots=True, kw_only=True)
class Nearest:
    """Two parts and how much nearer to each other they may come, m; negative when too near."""

    first: str
    second: str
    margin_m: float


class ArmGeometry:
    """Kinematics and distances of one arm among what does not move.

    Args:
        limits: Names the robot, its elbow and the keep-out boxes.
        scene: Its fixed things are obstacles.

    Attributes:
        reach_m: For each joint, how far from its axis any part that it moves can be, (n,), m.
        point_reach_m: The same for end effector and elbow, (n, 2), m; 0 where it does not move.

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
        spec = build_spec(scene, robot)
        for name, thing in scene.objects.items():
            if thing.kind in ("item", "drawer"):
                spec.delete(spec.body(name))
        for box in limits.keep_out:
            spec.worldbody.add_geom(
                name=f"keep-out {box.name}",
                type=mujoco.mjtGeom.mjGEOM_BOX,
                pos=((box.lower + box.upper) / 2).tolist(),
                size=((box.upper - box.lower) / 2).tolist(),
            )
        self.model = robots.compile_model(spec)
        self.data = mujoco.MjData(self.model)
        model = self.model
        if limits.elbow_body not in {model.body(i).name for i in range(model.nbody)}:
            raise ConfigurationError(f"the robot has no body {limits.elbow_body!r} for an elbow")
        self._qpos = np.array([int(model.joint(j).qposadr[0]) for j in limits.joints])
        self._dof = np.array([int(model.joint(j).dofadr[0]) for j in limits.joints])
        names = {model.joint(i).name for i in range(model.njnt)}
        self._fingers = [int(model.joint(j).qposadr[0]) for j in _FINGER_JOINTS if j in names]
        self._site = int(model.site(robot.ee_site or "ee").id)
        self._elbow = int(model.body(limits.elbow_body).id)
        self._ee = self.data.site_xpos[self._site]
        self._elbow_at = self.data.xpos[self._elbow]
        self._jacobian = np.zeros((6, model.nv))
        self.reach_m = self._reach(limits)
        self.point_reach_m = self._point_reach(limits)
        self._required = self._prepare(limits, robot.q_home)

    def place(self, q: Array) -> None:
        """Put the arm at ``q`` (n,); what follows is about this configuration."""
        self.data.qpos[self._qpos] = q
        mujoco.mj_kinematics(self.model, self.data)

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

    def set_gap(self, width_m: float) -> None:
        """Open the fingers to a gap."""
        for address in self._fingers:
            self.data.qpos[address] = width_m / 2

    def nearest(self, q: Array) -> Nearest:
        """The pair that is closest to being too near at ``q``, within ``BUBBLE_M``."""
        self.place(q)
        return self._nearest()

    def around(self, q: Array) -> tuple[Nearest, Array, float]:
        """Nearest parts, the end effector (3,), m, and the least singular value at ``q``."""
        self.place(q)
        return self._nearest(), self._ee.copy(), self._least_singular_value()

    # ----------------------------------------------------------------- private

    def _nearest(self) -> Nearest:
        mujoco.mj_collision(self.model, self.data)
        contact = self.data.contact
        if len(contact.dist) == 0:
            return Nearest(first="", second="", margin_m=BUBBLE_M)
        pairs = contact.geom
        margins = contact.dist - self._required[pairs[:, 0], pairs[:, 1]]
        i = int(np.argmin(margins))
        if margins[i] >= BUBBLE_M:
            return Nearest(first="", second="", margin_m=BUBBLE_M)
        first, second = (self._name(int(g)) for g in pairs[i])
        return Nearest(first=first, second=second, margin_m=float(margins[i]))

    def _least_singular_value(self) -> float:
        mujoco.mj_comPos(self.model, self.data)
        mujoco.mj_jacSite(self.model, self.data, self._jacobian[:3], self._jacobian[3:], self._site)
        J = self._jacobian[:, self._dof]
        square = J @ J.T if J.shape[1] >= 6 else J.T @ J
        return float(np.sqrt(max(np.linalg.eigvalsh(square)[0], 0.0)))

    def _name(self, geom: int) -> str:
        name = self.model.geom(geom).name
        return name if name.startswith("keep-out") else self._body(geom)

    def _body(self, geom: int) -> str:
        return self.model.body(int(self.model.geom_bodyid[geom])).name

    def _touching(self, geom: int) -> bool:
        return bool(self.model.geom_contype[geom] or self.model.geom_conaffinity[geom])

    def _moved_by(self, joint: str) -> list[int]:
        """Bodies that a joint moves."""
        model = self.model
        moved = [int(model.joint(joint).bodyid[0])]
        for body in range(moved[0] + 1, model.nbody):
            if int(model.body_parentid[body]) in moved:
                moved.append(body)
        return moved

    def _reach(self, limits: SafetyLimits) -> Array:
        """Lengths of all links beyond a joint, and the largest extent of a part of them."""
        model = self.model
        reach = np.zeros(len(limits.joints))
        for i, joint in enumerate(limits.joints):
            first, *rest = self._moved_by(joint)
            chain = sum(float(np.linalg.norm(model.body_pos[b])) for b in rest)
            extents = [
                float(model.geom_rbound[g] + np.linalg.norm(model.geom_pos[g]))
                for g in range(model.ngeom)
                if int(model.geom_bodyid[g]) in (first, *rest)
            ]
            reach[i] = chain + max(extents, default=0.0)
        return reach

    def _point_reach(self, limits: SafetyLimits) -> Array:
        """Lengths of the links between a joint and the end effector, and the elbow."""
        model = self.model
        reach = np.zeros((len(limits.joints), 2))
        tip = float(np.linalg.norm(model.site_pos[self._site]))
        ends = ((int(model.site_bodyid[self._site]), tip), (self._elbow, 0.0))
        for k, (body, beyond) in enumerate(ends):
            chain: list[int] = []
            while body != 0:
                chain.append(body)
                body = int(model.body_parentid[body])
            for i, joint in enumerate(limits.joints):
                moved = self._moved_by(joint)
                links = [b for b in chain if b in moved[1:]]
                if set(chain) & set(moved):
                    lengths = [float(np.linalg.norm(model.body_pos[b])) for b in links]
                    reach[i, k] = beyond + sum(lengths)
        return reach

    def _prepare(self, limits: SafetyLimits, q_home: Array) -> Array:
        """Let only pairs with a part of the arm be looked at; returns the distances required."""
        model = self.model
        root = int(model.body_rootid[int(model.joint(limits.joints[0]).bodyid[0])])
        of_arm = [int(model.body_rootid[int(b)]) == root for b in model.geom_bodyid]
        arm = [g for g in range(model.ngeom) if self._touching(g) and of_arm[g]]
        fixed = [g for g in range(model.ngeom) if self._touching(g) and not of_arm[g]]
        model.geom_contype[:] = 0
        model.geom_conaffinity[:] = 0
        model.geom_contype[arm] = 1
        model.geom_conaffinity[[*arm, *fixed]] = 1
        model.geom_gap[:] = 0.0
        model.geom_margin[:] = BUBBLE_M
        model.body_margin[:] = BUBBLE_M
        model.opt.enableflags &= ~int(mujoco.mjtEnableBit.mjENBL_SLEEP)
        required = np.full((model.ngeom, model.ngeom), limits.clearance_m)
        hand = [g for g in arm if self._body(g) in _HAND]
        fingers = [g for g in arm if self._body(g) in _FINGERS]
        required[hand, :] = limits.hand_clearance_m
        required[:, hand] = limits.hand_clearance_m
        required[np.ix_(fingers, fingers)] = -np.inf
        # Neighbours that are close at rest, and the foot on what it stands on, are so by design.
        self.place(q_home)
        mujoco.mj_collision(model, self.data)
        foot = {root, *(b for b in range(model.nbody) if int(model.body_parentid[b]) == root)}
        for (a, b), distance in zip(self.data.contact.geom, self.data.contact.dist, strict=True):
            both = of_arm[a] and of_arm[b]
            stands = any(int(model.geom_bodyid[g]) in foot for g in (a, b))
            if distance - required[a, b] < 0.01 and (both or stands):
                required[a, b] = required[b, a] = -np.inf
        return required
