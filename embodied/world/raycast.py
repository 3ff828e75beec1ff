# pyright: reportAttributeAccessIssue=false
# (mujoco ships no type stubs)
"""Pictures without OpenGL: MuJoCo's own rays, lit as its OpenGL renderer lights.

Exact depth and segmentation on any CPU, from the physics library alone. Boxes and cylinders cost
about what Mesa's software OpenGL costs, for two reasons: what is fixed to the world is cast once
per camera, and moving bodies only where their bounding spheres project to.

Left out: tendons, skins, flexes, reflections, and textures other than the sky and those on planes
(other textured geoms get their texture's mean colour).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import mujoco
import numpy as np
from numpy.typing import NDArray

from embodied.types import Array, CameraImage
from embodied.world.lighting import Light, Surfaces, lights, unit

Quality = Literal["fast", "fine", "sensor"]

HIDDEN_GROUPS = (3, 4, 5)
"""Groups of geoms that no picture shows."""

_EDGE_NORMAL = 0.8
"""Neighbours whose normals have a smaller dot product are on two sides of an edge."""

_SUBPIXELS = ((-0.25, -0.25), (0.25, -0.25), (-0.25, 0.25), (0.25, 0.25))
_SHADOW_BIAS_M = 1e-3


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _View:
    """A camera at an instant: ``rays`` (n, 3) in the world frame, per metre of depth."""

    index: int
    origin: Array
    rotation: Array
    rays: Array


@dataclass(slots=True, kw_only=True, eq=False)
class _Hits:
    """What rays met: geom (-1: nothing), depth (NaN: nothing) and outward normal."""

    geom: NDArray[np.int32]
    depth: Array
    normal: Array


class RayRenderer:
    """Draws states of one model by casting rays; as :class:`~embodied.world.rendering.Renderer`.

    Each light adds, with normal n, directions l to the light and h halfway to the camera, colour c
    and shininess s of the surface, and v = 0 in its shadow, else 1:

        c (ambient + v diffuse max(0, n·l)) + v specular max(0, n·h)ˢ

    Args:
        model: The model.
        width: Image width in pixels.
        height: Image height in pixels.
        quality: ``"fine"`` adds shadows and smooth edges; the others do without.
        note: Why rays draw, for people.
    """

    def __init__(
        self,
        model: mujoco.MjModel,
        *,
        width: int = 640,
        height: int = 480,
        quality: Quality = "fast",
        note: str = "",
    ) -> None:
        self.model = model
        self.note = note
        self.size = (width, height)
        self.quality: Quality = quality
        visible = ~np.isin(model.geom_group, HIDDEN_GROUPS)
        self._groups = np.array([g not in HIDDEN_GROUPS for g in range(6)], dtype=np.uint8)
        fixed = model.body_weldid[model.geom_bodyid] == 0
        self._fixed = np.flatnonzero(visible & fixed)
        self._moving = np.flatnonzero(visible & ~fixed)
        self._far_m = float(model.vis.map.zfar * model.stat.extent)
        self._surface = Surfaces(model)
        self._background: dict[int, tuple[bytes, _Hits, NDArray[np.uint8] | None]] = {}

    def rgb(self, data: mujoco.MjData, camera: str = "main") -> NDArray[np.uint8]:
        """Draw a state as seen by a camera of the model; returns (height, width, 3) uint8.

        Raises:
            ValueError: There is no such camera; the message names those that exist.
        """
        return self._draw(data, self._view(data, camera))[0]

    def image(
        self, data: mujoco.MjData, camera: str = "main", *, names: Sequence[str] | None = ()
    ) -> CameraImage:
        """Take an RGB-D image with segmentation; arguments as of the OpenGL renderer.

        Raises:
            ValueError: There is no such camera.
        """
        rgb, hits = self._draw(data, self._view(data, camera))
        segmentation = None
        if names is not None:
            labels = labels_of_geoms(self.model, names)
            segmentation = labels[hits.geom].reshape(rgb.shape[:2])  # the last label is nothing's
        depth = hits.depth.astype(np.float32).reshape(rgb.shape[:2])
        return CameraImage(rgb=rgb, depth=depth, segmentation=segmentation)

    def add_ghost(
        self,
        image: CameraImage,
        data: mujoco.MjData,
        camera: str,
        geoms: NDArray[np.bool_],
        rgba: tuple[float, float, float, float],
    ) -> CameraImage:
        """The image with some geoms of another state drawn over it, half transparent.

        Args:
            image: An image by this renderer's camera.
            data: The other state.
            camera: The camera.
            geoms: Which geoms are drawn, (ngeom,).
            rgba: Their colour and opacity.

        Raises:
            ValueError: There is no such camera.
        """
        view = self._view(data, camera)
        where = self._where_moving(data, view)
        hits = self._cast(data, view.origin, view.rays[where], fixed=False)
        before = ~(hits.depth >= image.depth.reshape(-1)[where] - _SHADOW_BIAS_M)
        shown = (hits.geom >= 0) & geoms[hits.geom] & before
        facing = np.einsum("ij,ij->i", hits.normal[shown], -unit(view.rays[where[shown]]))
        color = 255.0 * np.array(rgba[:3]) * (0.4 + 0.6 * np.abs(facing))[:, None]
        rgb = image.rgb.reshape(-1, 3).copy()
        rgb[where[shown]] = (1.0 - rgba[3]) * rgb[where[shown]] + rgba[3] * color
        return replace(image, rgb=rgb.reshape(image.rgb.shape))

    def close(self) -> None:
        """Nothing is held; there for the sake of the OpenGL renderer's interface."""

    # ------------------------------------------------------------------- casting

    def _view(self, data: mujoco.MjData, camera: str) -> _View:
        index = camera_index(self.model, camera)
        rotation = data.cam_xmat[index].reshape(3, 3).copy()
        view = _View(
            index=index, origin=data.cam_xpos[index].copy(), rotation=rotation, rays=np.empty(0)
        )
        width, height = self.size
        rows, columns = np.divmod(np.arange(width * height), width)
        return self._through(view, columns + 0.5, rows + 0.5)

    def _through(self, view: _View, columns: Array, rows: Array) -> _View:
        """The same camera with rays through these points of the image."""
        width, height = self.size
        focal = self._focal_px(view.index)
        x, y = (columns - width / 2) / focal, (height / 2 - rows) / focal
        rays = np.stack([x, y, np.full(len(x), -1.0)], axis=1) @ view.rotation.T
        return replace(view, rays=rays)

    def _focal_px(self, camera: int) -> float:
        return self.size[1] / 2 / np.tan(np.deg2rad(self.model.cam_fovy[camera]) / 2)

    def _draw(self, data: mujoco.MjData, view: _View) -> tuple[NDArray[np.uint8], _Hits]:
        shown = (view.origin, view.rotation, data.geom_xpos[self._fixed])
        key = b"".join(a.tobytes() for a in (*shown, data.geom_xmat[self._fixed]))
        known = self._background.get(view.index)
        if known is None or known[0] != key:
            groups = self.model.geom_group[self._moving].copy()
            self.model.geom_group[self._moving] = HIDDEN_GROUPS[0]  # rays leave nothing else out
            try:
                hits = self._cast(data, view.origin, view.rays)
            finally:
                self.model.geom_group[self._moving] = groups
            known = (key, hits, None)
        _, behind, paint = known
        hits = _Hits(
            geom=behind.geom.copy(), depth=behind.depth.copy(), normal=behind.normal.copy()
        )
        where = self._where_moving(data, view)
        new = self._cast(data, view.origin, view.rays[where], fixed=False)
        nearer = (new.geom >= 0) & ~(new.depth >= behind.depth[where])
        changed = where[nearer]
        hits.geom[changed], hits.depth[changed] = new.geom[nearer], new.depth[nearer]
        hits.normal[changed] = new.normal[nearer]
        if self.quality == "fine":  # shadows move with what casts them
            rgb = self._shade(data, view, hits)
            self._smooth_edges(data, view, hits, rgb)
        else:
            if paint is None:
                paint = self._shade(data, view, behind)
            rgb = paint.copy()
            some = replace(view, rays=view.rays[changed])
            mine = _Hits(
                geom=hits.geom[changed], depth=hits.depth[changed], normal=hits.normal[changed]
            )
            rgb[changed] = self._shade(data, some, mine)
        self._background[view.index] = (key, behind, paint)
        width, height = self.size
        return rgb.reshape(height, width, 3), hits

    def _cast(
        self, data: mujoco.MjData, origin: Array, rays: Array, *, fixed: bool = True
    ) -> _Hits:
        """Nearest visible surfaces along rays (n, 3); ``fixed``: also of what never moves."""
        n = len(rays)
        hits = _Hits(
            geom=np.full(n, -1, dtype=np.int32), depth=np.full(n, np.nan), normal=np.zeros((n, 3))
        )
        if not n:
            return hits
        mujoco.mj_multiRay(
            self.model, data, origin, rays.reshape(-1), self._groups, fixed, -1,
            hits.geom, hits.depth, hits.normal.reshape(-1), n, mujoco.mjMAXVAL,
        )  # fmt: skip
        lost = (hits.geom < 0) | (hits.depth > self._far_m)
        hits.geom[lost], hits.depth[lost] = -1, np.nan
        return hits

    def _where_moving(self, data: mujoco.MjData, view: _View) -> NDArray[np.intp]:
        """Pixels that bounding spheres of moving geoms project to."""
        width, height = self.size
        focal = self._focal_px(view.index)
        centers = (data.geom_xpos[self._moving] - view.origin) @ view.rotation
        mask = np.zeros((height, width), dtype=np.bool_)
        for center, radius in zip(centers, self.model.geom_rbound[self._moving], strict=True):
            depth = -center[2]
            if radius <= 0.0 or depth < radius + 1e-6:
                if radius > 0.0 and depth < -radius:
                    continue  # behind the camera
                return np.arange(width * height)
            # Tangents of the sphere from the camera in the planes of columns and rows.
            spans: list[tuple[int, int]] = []
            for offset, middle in ((center[0], width / 2), (-center[1], height / 2)):
                angle = np.arctan2(offset, depth)
                half = np.arcsin(min(1.0, radius / np.hypot(offset, depth)))
                low, high = np.tan(angle - half), np.tan(angle + half)
                spans.append((int(middle + focal * low) - 1, int(middle + focal * high) + 2))
            (left, right), (top, bottom) = spans
            mask[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)] = True
        return np.flatnonzero(mask)

    # ------------------------------------------------------------------- shading

    def _shade(self, data: mujoco.MjData, view: _View, hits: _Hits) -> NDArray[np.uint8]:
        """Colours (n, 3) of what the rays of a view met."""
        surface, model = self._surface, self.model
        rgb = surface.sky(view.rays)
        met = np.flatnonzero(hits.geom >= 0)
        if len(met):
            geom, rays = hits.geom[met], view.rays[met]
            points = view.origin + hits.depth[met, None] * rays
            normal = hits.normal[met].astype(np.float32)
            to_camera = unit(-rays)
            color = surface.rgb[geom]
            for g in surface.textured_planes:
                mine = geom == g
                if mine.any():
                    local = (points[mine] - data.geom_xpos[g]) @ data.geom_xmat[g].reshape(3, 3)
                    slant = np.abs(np.einsum("ij,ij->i", normal[mine], to_camera[mine]))
                    pixel_m = hits.depth[met[mine]] / self._focal_px(view.index)
                    pixel_m /= np.maximum(slant, 1e-6)
                    color[mine] *= surface.on_plane(g, local, pixel_m)
            total = color * surface.emission[geom, None]
            for light in lights(model, data, view.origin, view.rotation):
                away, fading = light.at(points)
                lit = fading[:, None] * np.ones(1, dtype=np.float32)
                if self.quality == "fine" and light.casts_shadow:
                    facing = np.einsum("ij,ij->i", normal, away) > 0.0
                    dark = np.flatnonzero(facing)
                    dark = dark[self._in_shadow(data, points[dark], light)]
                    lit[dark] = 0.0
                cosine = np.maximum(np.einsum("ij,ij->i", normal, away), 0.0)
                half = unit(away + to_camera)
                gleam = np.maximum(np.einsum("ij,ij->i", normal, half), 0.0)
                gleam = np.where(cosine > 0.0, gleam ** surface.shininess[geom], 0.0)
                total += color * (light.ambient + lit * light.diffuse * cosine[:, None])
                total += lit * light.specular * (surface.specular[geom] * gleam)[:, None]
            rgb[met] = total
        return (255.0 * np.clip(rgb, 0.0, 1.0) + 0.5).astype(np.uint8)

    def _in_shadow(self, data: mujoco.MjData, points: Array, light: Light) -> NDArray[np.bool_]:
        """Which points (n, 3) something hides from a light."""
        if not len(points):
            return np.zeros(0, dtype=np.bool_)
        source = light.source(self.model)
        hits = self._cast(data, source, points - source)
        # One is the point itself; rays of a far light are as long as it is away.
        bias = _SHADOW_BIAS_M / np.linalg.norm(points - source, axis=1)
        return hits.depth < 1.0 - bias

    def _smooth_edges(
        self, data: mujoco.MjData, view: _View, hits: _Hits, rgb: NDArray[np.uint8]
    ) -> None:
        """Draw pixels on edges again from four rays each."""
        width, height = self.size
        geom = hits.geom.reshape(height, width)
        normal = hits.normal.reshape(height, width, 3)
        edge = np.zeros((height, width), dtype=np.bool_)
        for one, other in (
            (np.s_[:, :-1], np.s_[:, 1:]), (np.s_[:-1, :], np.s_[1:, :]),
        ):  # fmt: skip
            apart = geom[one] != geom[other]
            apart |= np.einsum("ijk,ijk->ij", normal[one], normal[other]) < _EDGE_NORMAL
            apart &= (geom[one] >= 0) | (geom[other] >= 0)
            edge[one] |= apart
            edge[other] |= apart
        index = np.flatnonzero(edge)
        rows, columns = np.divmod(index, width)
        total = np.zeros((len(index), 3))
        for right, down in _SUBPIXELS:
            finer = self._through(view, columns + 0.5 + right, rows + 0.5 + down)
            seen = self._cast(data, finer.origin, finer.rays)
            total += self._shade(data, finer, seen)
        rgb[index] = (total / len(_SUBPIXELS) + 0.5).astype(np.uint8)


def camera_index(model: mujoco.MjModel, camera: str) -> int:
    """Index of a camera by name.

    Raises:
        ValueError: There is no such camera; the message names those that exist.
    """
    index = mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_CAMERA, camera)
    if index < 0:
        known = [model.camera(i).name for i in range(model.ncam)]
        raise ValueError(f"no camera {camera!r}; there are: {', '.join(known)}")
    return index


def labels_of_geoms(model: mujoco.MjModel, names: Sequence[str]) -> NDArray[np.int32]:
    """Label of each geom, (ngeom + 1,): i + 1 for parts of the body ``names[i]``, else 0."""
    labels = np.zeros(model.ngeom + 1, dtype=np.int32)
    for i, name in enumerate(names):
        labels[:-1][model.geom_bodyid == model.body(name).id] = i + 1
    return labels
