# pyright: reportAttributeAccessIssue=false
# (mujoco ships no type stubs)
"""Which points belong to the robot: its model at the measured joint positions."""

from __future__ import annotations

from collections.abc import Iterable

import mujoco
import numpy as np
from numpy.typing import NDArray

from embodied.types import Array, GripperSpec, WorldSpec

MARGIN_M = 0.010
"""Points this close to the robot's model are the robot."""

_GEOM = mujoco.mjtGeom


class ModelRobotFilter:
    """Forward kinematics of a MuJoCo model and the distance of points to its shapes.

    Needs joint positions and the gripper's width, nothing that a simulator alone would know.

    Args:
        model: A model that holds the robot; may hold more.
        joint_names: The joints that ``q`` is about.
        bodies: Names of the robot's bodies.
        gripper: Says where its finger joints are at a width.
    """

    def __init__(
        self,
        model: mujoco.MjModel,
        *,
        joint_names: Iterable[str],
        bodies: Iterable[str],
        gripper: GripperSpec | None = None,
    ) -> None:
        self._model = model
        self._data = mujoco.MjData(model)
        self._qpos = np.array([int(model.joint(n).qposadr[0]) for n in joint_names])
        self._gripper = gripper
        fingers = () if gripper is None else gripper.joints
        self._fingers = np.array([int(model.joint(n).qposadr[0]) for n in fingers], dtype=np.intp)
        parts: dict[int, list[int]] = {model.body(n).id: [] for n in bodies}
        for i in range(model.ngeom):
            if int(model.geom_bodyid[i]) in parts:
                parts[int(model.geom_bodyid[i])].append(i)
        self._parts = [_Part(model, geoms) for geoms in parts.values() if geoms]
        self._hulls = {
            i: _hull_planes(model, i)
            for geoms in parts.values()
            for i in geoms
            if model.geom_type[i] == _GEOM.mjGEOM_MESH
        }

    @staticmethod
    def of(model: mujoco.MjModel, spec: WorldSpec) -> ModelRobotFilter:
        """The robot of a scene's model: every body that is no object of the spec."""
        fixed = {"world"} | set(spec.objects) | {f"{n}-cabinet" for n in spec.objects}
        names = [model.body(i).name for i in range(model.nbody)]
        return ModelRobotFilter(
            model,
            joint_names=spec.joint_names,
            bodies=[n for n in names if n not in fixed],
            gripper=spec.gripper,
        )

    def mask(
        self, points_in_world: NDArray[np.floating], q: Array, gripper_width_m: float | None
    ) -> NDArray[np.bool_]:
        """Whether each of the points (n, 3) belongs to the robot at joint positions ``q``."""
        model, data = self._model, self._data
        data.qpos[self._qpos] = q
        if self._gripper is not None and gripper_width_m is not None:
            data.qpos[self._fingers] = self._gripper.joint_positions(gripper_width_m)
        mujoco.mj_kinematics(model, data)
        points = np.ascontiguousarray(points_in_world.T, dtype=np.float32)  # columns are faster
        taken = np.zeros(points.shape[1], dtype=np.bool_)
        for part in self._parts:
            center = data.xpos[part.body] + data.xmat[part.body].reshape(3, 3) @ part.center
            near = np.flatnonzero(_within(points, center, part.radius_m + MARGIN_M))
            for geom in part.geoms:
                if not len(near):
                    break
                some = points[:, near]
                reach = float(model.geom_rbound[geom]) + MARGIN_M
                close = _within(some, data.geom_xpos[geom], reach)
                offset = some[:, close] - data.geom_xpos[geom].astype(np.float32)[:, None]
                axes = data.geom_xmat[geom].reshape(3, 3).astype(np.float32)
                mine = self._distance(geom, offset.T @ axes) < MARGIN_M
                close[close] = mine
                taken[near[close]] = True
                near = near[~close]
        return taken

    def _distance(self, geom: int, local: NDArray[np.float32]) -> NDArray[np.float32]:
        """Signed distance of points in the frame of a shape, at least its sign and near it."""
        kind, size = self._model.geom_type[geom], self._model.geom_size[geom]
        if kind == _GEOM.mjGEOM_SPHERE:
            return np.linalg.norm(local, axis=1) - size[0]
        if kind == _GEOM.mjGEOM_CAPSULE:
            local = local.copy()
            local[:, 2] -= np.clip(local[:, 2], -size[1], size[1])
            return np.linalg.norm(local, axis=1) - size[0]
        if kind == _GEOM.mjGEOM_CYLINDER:
            radial = np.hypot(local[:, 0], local[:, 1]) - size[0]
            return np.maximum(radial, np.abs(local[:, 2]) - size[1])
        if kind == _GEOM.mjGEOM_ELLIPSOID:
            return (np.linalg.norm(local / size, axis=1) - 1.0) * size.min()
        if kind == _GEOM.mjGEOM_MESH:
            planes = self._hulls[geom]
            return (local @ planes[:, :3].T + planes[:, 3]).max(axis=1)
        return (np.abs(local) - size).max(axis=1)


class _Part:
    """The shapes of one body and a sphere around them in its frame."""

    def __init__(self, model: mujoco.MjModel, geoms: list[int]) -> None:
        self.body = int(model.geom_bodyid[geoms[0]])
        self.geoms = geoms
        centers, radii = model.geom_pos[geoms], model.geom_rbound[geoms]
        self.center = centers.mean(axis=0)
        self.radius_m = float((np.linalg.norm(centers - self.center, axis=1) + radii).max())


def _within(points: NDArray[np.float32], center: Array, radius_m: float) -> NDArray[np.bool_]:
    """Which points (3, n) lie in a sphere."""
    x, y, z = (points[k] - np.float32(center[k]) for k in range(3))
    return x * x + y * y + z * z < np.float32(radius_m**2)


def _hull_planes(model: mujoco.MjModel, geom: int) -> NDArray[np.float32]:
    """Outward planes (m, 4) of a mesh's convex hull."""
    from scipy.spatial import ConvexHull

    mesh = int(model.geom_dataid[geom])
    start, count = int(model.mesh_vertadr[mesh]), int(model.mesh_vertnum[mesh])
    vertices = np.array(model.mesh_vert[start : start + count], np.float64)
    if np.linalg.matrix_rank(vertices - vertices[0], tol=1e-6) < 3:  # flat, as labels are
        corners = np.stack(np.meshgrid(*[[-1e-4, 1e-4]] * 3), axis=-1).reshape(1, 8, 3)
        vertices = (vertices[:, None] + corners).reshape(-1, 3)
    return ConvexHull(vertices).equations.astype(np.float32)
