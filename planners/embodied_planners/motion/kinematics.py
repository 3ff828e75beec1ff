# pyright: reportAttributeAccessIssue=false
"""Forward and inverse kinematics of the arm alone.

The chain (links and joints up to the end-effector site, no geoms, no objects) is copied out of any
MuJoCo model that contains the arm, so that the cost of inverse kinematics does not grow with the
scene.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import mujoco
import numpy as np

from embodied.types import Array, Pose, WorldSpec, readonly
from embodied_planners.motion._ik_step import ik_step, pose_error


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class IkResult:
    """A configuration that reaches a pose, or how close the solver came.

    Attributes:
        q: Best configuration found, (n,), rad; inside the joint limits.
        found: Whether it reaches the pose within the tolerances.
        position_error_m: Distance to the wanted position.
    """

    q: Array
    found: bool
    position_error_m: float


def chain_model(model: mujoco.MjModel, joint_names: Sequence[str], ee_site: str) -> mujoco.MjModel:
    """Copy the chain of bodies from the world to a site, with the named joints only.

    Joints on the chain that are not named stay at their reference position.

    Raises:
        ValueError: The model lacks the site, or a named joint does not move it.
    """
    site = mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_SITE, ee_site)
    if site < 0:
        raise ValueError(f"the model has no site named {ee_site!r}")
    bodies: list[int] = []
    body = int(model.site_bodyid[site])
    while body != 0:
        bodies.insert(0, body)
        body = int(model.body_parentid[body])
    spec = mujoco.MjSpec()
    parent = spec.worldbody
    missing = set(joint_names)
    for body in bodies:
        parent = parent.add_body(
            name=model.body(body).name,
            pos=model.body_pos[body],
            quat=model.body_quat[body],
            mass=1.0,
            inertia=[1.0, 1.0, 1.0],
            explicitinertial=True,
        )
        first = int(model.body_jntadr[body])
        for joint in range(first, first + int(model.body_jntnum[body])):
            name = model.joint(joint).name
            if name not in missing:
                continue
            missing.discard(name)
            parent.add_joint(
                name=name,
                type=model.jnt_type[joint],
                axis=model.jnt_axis[joint],
                pos=model.jnt_pos[joint],
                range=model.jnt_range[joint] if model.jnt_limited[joint] else [-10.0, 10.0],
                limited=True,
            )
    if missing:
        raise ValueError(f"joints {sorted(missing)} do not move the site {ee_site!r}")
    parent.add_site(name=ee_site, pos=model.site_pos[site], quat=model.site_quat[site])
    return spec.compile()


SHORT_TURN_RAD = 0.12
"""Rotation error that counts as none for an arm of fewer than six joints."""


def _about_z(angle: float) -> Array:
    c, s = float(np.cos(angle)), float(np.sin(angle))
    return np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])


class ArmKinematics:
    """Pose, Jacobian and inverse kinematics of the end effector.

    Args:
        model: A MuJoCo model that holds the arm.
        spec: Names and limits of the joints, in the order of every joint vector here.
        limit_margin_rad: Distance that inverse kinematics keeps from the limits of joints that
            turn.

    Attributes:
        turns: Whether the first joint turns the arm; a gantry moves along it instead.
        first_axis: Axis of the first joint in the world, (3,).
        first_anchor: A point of it, (3,), m.
    """

    def __init__(
        self, model: mujoco.MjModel, spec: WorldSpec, *, limit_margin_rad: float = 0.06
    ) -> None:
        self.model = chain_model(model, spec.joint_names, spec.ee_site)
        names = [self.model.joint(i).name for i in range(self.model.njnt)]
        if names != list(spec.joint_names):
            raise ValueError(f"joints are ordered {names} along the chain, not {spec.joint_names}")
        self.n = len(names)
        turning = self.model.jnt_type == mujoco.mjtJoint.mjJNT_HINGE
        self.turns = bool(turning[0])
        margin = np.where(turning, limit_margin_rad, 0.0)
        self.q_lower = spec.q_lower + margin
        self.q_upper = spec.q_upper - margin
        self.q_rest = spec.q_home
        self.model.jnt_range[:] = np.stack([self.q_lower, self.q_upper], axis=1)
        self._data = mujoco.MjData(self.model)
        mujoco.mj_kinematics(self.model, self._data)
        self.first_axis: Array = self._data.xaxis[0].copy()
        self.first_anchor: Array = self._data.xanchor[0].copy()
        self._site = self.model.site(spec.ee_site).id
        self._jacobian = np.zeros((6, self.n))
        self._reaches: dict[float, float] = {}
        # An arm of fewer than six joints cannot turn its hand at will: its place comes first.
        self._short = self.n < 6 and self.turns
        self._turn_cost = 0.02 if self._short else 0.3
        self._weights = np.repeat([1.0, self._turn_cost], 3)

    def matrix(self, q: Array) -> Array:
        """Pose of the end effector in the world as a matrix of shape (4, 4)."""
        self._data.qpos[:] = q
        mujoco.mj_kinematics(self.model, self._data)
        m = np.eye(4)
        m[:3, :3] = self._data.site_xmat[self._site].reshape(3, 3)
        m[:3, 3] = self._data.site_xpos[self._site]
        return m

    def pose(self, q: Array) -> Pose:
        """Pose of the end effector in the world at joint positions ``q`` (n,)."""
        return Pose.from_matrix(self.matrix(q))

    def reach_down_m(self, height_m: float, most_m: float) -> float:
        """Horizontal distance from the first joint at which the hand still works from above.

        Args:
            height_m: Height of the end effector.
            most_m: Farther is not asked for.
        """
        if height_m not in self._reaches:
            half_turn = np.diag([1.0, -1.0, -1.0])
            reach = most_m
            for reach in np.arange(most_m, 0.1, -0.02):
                place = [self.first_anchor[0] + reach, self.first_anchor[1], height_m]
                poses = (
                    Pose.from_rotation(_about_z(k * np.pi / 4) @ half_turn, place) for k in range(4)
                )
                if any(self.solve(pose, self.q_rest).found for pose in poses):
                    break
            self._reaches[height_m] = float(reach)
        return self._reaches[height_m]

    def jacobian(self, q: Array) -> Array:
        """Geometric Jacobian (6, n) in the world frame: linear rows first, then angular."""
        self._data.qpos[:] = q
        mujoco.mj_kinematics(self.model, self._data)
        mujoco.mj_comPos(self.model, self._data)
        mujoco.mj_jacSite(
            self.model, self._data, self._jacobian[:3], self._jacobian[3:], self._site
        )
        return self._jacobian.copy()

    def solve(
        self,
        pose: Pose,
        seed: Array,
        *,
        rest: Array | None = None,
        iterations: int = 40,
        position_tolerance_m: float = 2e-4,
        rotation_tolerance_rad: float = 2e-3,
    ) -> IkResult:
        """Inverse kinematics from one seed.

        Solves a sequence of quadratic programs: reach the pose, stay inside the joint
        limits, and use what freedom is left to stay near ``rest``.

        Args:
            pose: Wanted pose of the end effector in the world.
            seed: Configuration to start from, (n,).
            rest: Configuration to stay near, (n,); the rest configuration if None.
            iterations: Largest number of quadratic programs.
            position_tolerance_m: Largest position error of a solution.
            rotation_tolerance_rad: Largest rotation error of a solution.
        """
        model, data, weights = self.model, self._data, self._weights
        q = np.clip(seed, self.q_lower, self.q_upper)
        rest = self.q_rest if rest is None else rest
        xpos, xmat = data.site_xpos[self._site], data.site_xmat[self._site]
        allowed_turn_rad = max(rotation_tolerance_rad, SHORT_TURN_RAD if self._short else 0.0)
        position_error = previous = np.inf
        found = False
        for iteration in range(iterations + 1):
            data.qpos[:] = q
            mujoco.mj_kinematics(model, data)
            error = pose_error(xpos, xmat, pose.position, pose.quat_wxyz)
            position_error = float(np.linalg.norm(error[:3]))
            rotation_error = float(np.linalg.norm(error[3:]))
            found = position_error < position_tolerance_m and rotation_error < allowed_turn_rad
            if found:
                break
            total = position_error + self._turn_cost * rotation_error
            if iteration == iterations or (iteration > 6 and total > 0.985 * previous):
                break
            previous = total
            # the pull towards the rest configuration fades as the pose is approached
            mujoco.mj_comPos(model, data)
            mujoco.mj_jacSite(model, data, self._jacobian[:3], self._jacobian[3:], self._site)
            to_body = xmat.reshape(3, 3).T
            dq = ik_step(
                error,
                np.vstack([to_body @ self._jacobian[:3], to_body @ self._jacobian[3:]]),
                weights,
                to_rest=rest - q,
                rest_weight=min(0.02, 0.1 * total),
                room=(-0.95 * (q - self.q_lower), 0.95 * (self.q_upper - q)),
            )
            if dq is None:
                break
            longest = float(np.max(np.abs(dq)))
            q = q + dq * min(1.0, 0.6 / max(longest, 1e-9))
        q = readonly(q)
        return IkResult(q=q, found=found, position_error_m=position_error)
