# pyright: reportAttributeAccessIssue=false
# (mujoco ships no type stubs)
"""A MuJoCo model in viser: bodies of the robot and the scene, alive, as a ghost, or replayed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

import mujoco
import numpy as np
import trimesh

from embodied.types import Array

if TYPE_CHECKING:
    from mujoco import MjModel  # pyright: ignore  # no stubs
    from viser import SceneApi

GHOST = (60, 120, 255)
_SHOWN_GROUPS = 3
_SEEN_ALPHA = 0.05
_CHANGED = 1e-5
_APART = 1e-3

_Rgba: TypeAlias = tuple[int, int, int, int]


class ModelView:
    """The bodies of a model under one name of viser's scene tree.

    Args:
        scene: Where they are shown.
        name: Name of their root.
        model: The model.
        color: One colour for all instead of their own.
        opacity: None for opaque.
        bodies: Which of them; None for all.
        offset: Where the root is, (3,), m.
    """

    def __init__(
        self,
        scene: SceneApi,
        name: str,
        model: MjModel,
        *,
        color: tuple[int, int, int] | None = None,
        opacity: float | None = None,
        bodies: Collection[int] | None = None,
        offset: tuple[float, float, float] = (0.0, 0.0, 0.0),
    ) -> None:
        self.model, self._data = model, mujoco.MjData(model)
        self._root = scene.add_frame(name, show_axes=False, position=offset)
        self._frames: dict[int, Any] = {}
        self._at: dict[int, Array] = {}
        for body, parts in _meshes(model).items():
            if bodies is not None and body not in bodies:
                continue
            path = f"{name}/{body}"
            self._frames[body] = scene.add_frame(path, show_axes=False)
            for number, (own, (vertices, faces)) in enumerate(parts.items()):
                alpha = own[3] / 255 if opacity is None else opacity
                scene.add_mesh_simple(
                    f"{path}/{number}",
                    vertices.astype(np.float32),
                    faces.astype(np.uint32),
                    color=color or own[:3],
                    opacity=None if alpha >= 1.0 else alpha,
                    flat_shading=False,
                    side="double" if opacity is None else "front",
                    cast_shadow=False,
                    receive_shadow=False,
                )

    def show(self, qpos: Array) -> None:
        """Put the bodies where a configuration (nq,) has them."""
        self._data.qpos[:] = qpos
        mujoco.mj_kinematics(self.model, self._data)
        for body, frame in self._frames.items():
            at = np.concatenate([self._data.xpos[body], self._data.xquat[body]])
            if body in self._at and np.abs(at - self._at[body]).max() < _CHANGED:
                continue
            self._at[body] = at
            frame.position, frame.wxyz = at[:3], at[3:]

    def remove(self) -> None:
        """Take them away."""
        self._root.remove()


def _meshes(model: MjModel) -> Mapping[int, Mapping[_Rgba, tuple[Array, Array]]]:
    """Vertices (n, 3), m, and faces (m, 3) of what is seen, by body and colour (RGBA, 0 to 255)."""
    found: dict[int, dict[_Rgba, list[trimesh.Trimesh]]] = {}
    for geom in range(model.ngeom):
        material = model.geom_matid[geom]
        rgba = model.mat_rgba[material] if material >= 0 else model.geom_rgba[geom]
        if model.geom_group[geom] >= _SHOWN_GROUPS or rgba[3] < _SEEN_ALPHA:
            continue
        shape = _shape(model, geom)
        if shape is None:
            continue
        placed = np.eye(4)
        mujoco.mju_quat2Mat(turn := np.zeros(9), model.geom_quat[geom])
        placed[:3, :3], placed[:3, 3] = turn.reshape(3, 3), model.geom_pos[geom]
        shape.apply_transform(placed)
        red, green, blue, alpha = (round(255 * float(c)) for c in rgba)
        own = (red, green, blue, alpha)
        found.setdefault(int(model.geom_bodyid[geom]), {}).setdefault(own, []).append(shape)
    return {
        body: {own: _joined(shapes) for own, shapes in parts.items()}
        for body, parts in found.items()
    }


def _joined(shapes: list[trimesh.Trimesh]) -> tuple[Array, Array]:
    """Several shapes as one; corners are sharp where faces meet at an angle."""
    vertices: list[Array] = []
    faces: list[Array] = []
    count = 0
    for shape in shapes:
        smooth: Any = trimesh.graph.smooth_shade(shape, angle=0.6)
        vertices.append(np.array(smooth.vertices))
        faces.append(np.array(smooth.faces) + count)
        count += len(smooth.vertices)
    return np.concatenate(vertices), np.concatenate(faces)


def _shape(model: MjModel, geom: int) -> trimesh.Trimesh | None:
    """A geom in its own frame; None for planes and height fields."""
    size = model.geom_size[geom]
    make: Any = trimesh.creation
    match mujoco.mjtGeom(model.geom_type[geom]):
        case mujoco.mjtGeom.mjGEOM_BOX:
            return make.box(extents=2 * size)
        case mujoco.mjtGeom.mjGEOM_SPHERE:
            return make.icosphere(subdivisions=3, radius=size[0])
        case mujoco.mjtGeom.mjGEOM_ELLIPSOID:
            return make.icosphere(subdivisions=3, radius=1.0).apply_scale(size)
        case mujoco.mjtGeom.mjGEOM_CAPSULE:
            shape = make.capsule(height=2 * size[1], radius=size[0], count=[16, 16])
            return shape.apply_translation([0, 0, -shape.bounds.mean(axis=0)[2]])
        case mujoco.mjtGeom.mjGEOM_CYLINDER:
            return make.cylinder(radius=size[0], height=2 * size[1], sections=32)
        case mujoco.mjtGeom.mjGEOM_MESH:
            mesh = model.geom_dataid[geom]
            first, count = model.mesh_vertadr[mesh], model.mesh_vertnum[mesh]
            start, faces = model.mesh_faceadr[mesh], model.mesh_facenum[mesh]
            return trimesh.Trimesh(
                vertices=np.array(model.mesh_vert[first : first + count]),
                faces=np.array(model.mesh_face[start : start + faces]),
                process=False,
            )
        case _:
            return None


def floor_z(model: MjModel) -> float:
    """Height of the lowest plane, 0 where there is none, m."""
    planes = np.flatnonzero(model.geom_type == mujoco.mjtGeom.mjGEOM_PLANE)
    return float(model.geom_pos[planes, 2].min()) if planes.size else 0.0


def moved_bodies(model: MjModel, qpos: Array) -> frozenset[int]:
    """Bodies that are not everywhere the same in configurations (n, nq)."""
    data = mujoco.MjData(model)
    places: list[Array] = []
    for row in (qpos[0], qpos[len(qpos) // 2], qpos[-1]):
        data.qpos[:] = row
        mujoco.mj_kinematics(model, data)
        places.append(np.concatenate([data.xpos, data.xquat], axis=1))
    apart = np.ptp(np.array(places), axis=0).max(axis=1)
    return frozenset(np.flatnonzero(apart > _APART).tolist())
