# pyright: reportAttributeAccessIssue=false
# (mujoco ships no type stubs)
"""Pictures: RGB, depth and segmentation through OpenGL (EGL, no window needed), or by rays.

Drawing with multisampling and shadows on a software renderer takes ten times as long as without;
``quality`` chooses: ``"fast"`` for videos, ``"fine"`` for single pictures, ``"sensor"`` for the
cameras of perception. Where OpenGL does not work, :func:`open_renderer` casts rays instead.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

import mujoco
import numpy as np
from numpy.typing import NDArray

from embodied.errors import EnvironmentMissingError
from embodied.types import Array, CameraImage
from embodied.world import OPENGL_LIBRARIES, loads
from embodied.world.raycast import (
    HIDDEN_GROUPS,
    Quality,
    RayRenderer,
    camera_index,
    labels_of_geoms,
)

OPENGL_ADVICE = "OpenGL is faster: apt-get install libegl1 libegl-mesa0 libgl1-mesa-dri"
"""For Debian and Ubuntu; the packages are those of Mesa's software renderer."""

_MAX_GEOMS = 2000
_SIDES = {"sensor": (16, None), "fast": (20, 8), "fine": (None, None)}
"""Slices and stacks of round things, by quality; None: as the model says. 16 sides take half the
time of 28, and are 0.6 mm off at a radius of 30."""
_DETAILS = ("offsamples", "shadowsize", "numslices", "numstacks")


class Renderer:
    """Draws states of one model; holds an OpenGL context until closed.

    Args:
        model: The model.
        width: Image width in pixels.
        height: Image height in pixels.
        quality: ``"fast"``: no multisampling, no shadows; ``"fine"``: both; ``"sensor"``: as fast,
            and round things are drawn with few sides.

    Raises:
        EnvironmentMissingError: OpenGL does not work here.
    """

    note = ""
    """What to know about pictures drawn so; empty here."""

    def __init__(
        self,
        model: mujoco.MjModel,
        *,
        width: int = 640,
        height: int = 480,
        quality: Quality = "fast",
    ) -> None:
        self.model = model
        self.size = (width, height)
        self.quality: Quality = quality
        self._context = None
        self._mjr = None
        # A buffer larger than the image costs time on a software renderer.
        offscreen = (model.vis.global_.offwidth, model.vis.global_.offheight)
        detail = model.vis.quality
        saved = [getattr(detail, name) for name in _DETAILS]
        model.vis.global_.offwidth, model.vis.global_.offheight = width, height
        detail.offsamples = 4 if quality == "fine" else 0
        detail.shadowsize = detail.shadowsize if quality == "fine" else 0
        slices, stacks = _SIDES[quality]
        detail.numslices, detail.numstacks = slices or detail.numslices, stacks or detail.numstacks
        try:
            from mujoco.gl_context import GLContext

            self._context = GLContext(width, height)
            self._context.make_current()
            self._mjr = mujoco.MjrContext(model, mujoco.mjtFontScale.mjFONTSCALE_100)
        except Exception as error:  # OpenGL fails in as many ways as there are drivers
            self.close()
            raise EnvironmentMissingError(_reason(error)) from error
        finally:
            model.vis.global_.offwidth, model.vis.global_.offheight = offscreen
            for name, value in zip(_DETAILS, saved, strict=True):
                setattr(detail, name, value)
        mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN, self._mjr)
        self._mjr.readDepthMap = mujoco.mjtDepthMap.mjDEPTH_ZEROFAR  # the more exact one
        self._scene = mujoco.MjvScene(model, maxgeom=_MAX_GEOMS)
        shadows = quality == "fine"
        self._scene.flags[mujoco.mjtRndFlag.mjRND_SHADOW] = shadows
        self._scene.flags[mujoco.mjtRndFlag.mjRND_REFLECTION] = shadows
        self._option = mujoco.MjvOption()
        for group in range(6):
            self._option.geomgroup[group] = group not in HIDDEN_GROUPS
            self._option.sitegroup[group] = 0
        self._rect = mujoco.MjrRect(0, 0, width, height)
        self._camera_at = b""
        self._still: tuple[NDArray[np.uint8], NDArray[np.float32]] | None = None

    def rgb(self, data: mujoco.MjData, camera: str = "main") -> NDArray[np.uint8]:
        """Draw a state as seen by a camera of the model; returns (height, width, 3) uint8.

        Raises:
            ValueError: There is no such camera; the message names those that exist.
        """
        self._update(data, camera)
        rgb = np.empty((self.size[1], self.size[0], 3), dtype=np.uint8)
        mujoco.mjr_render(self._rect, self._scene, self._mjr)
        mujoco.mjr_readPixels(rgb, None, self._rect, self._mjr)  # with depth it takes 3 ms more
        return np.flipud(rgb).copy()

    def film(self, data: mujoco.MjData, camera: str = "main") -> NDArray[np.uint8]:
        """As ``rgb``, at half the price while the camera stays and nothing of the model changes.

        What cannot move is drawn once, and what can is put in front of it where it is nearer. Where
        shadows are drawn, or a part is transparent, the whole picture is.

        Raises:
            ValueError: There is no such camera; the message names those that exist.
        """
        index = camera_index(self.model, camera)
        stays = data.cam_xpos[index].tobytes() + data.cam_xmat[index].tobytes()
        if self.quality == "fine" or stays != self._camera_at or self._transparent():
            self._camera_at, self._still = stays, None
            return self.rgb(data, camera)
        if self._still is None:
            self._update(data, camera, mujoco.mjtCatBit.mjCAT_STATIC)
            rgb, depth = self._read()
            self._still = np.flipud(rgb).copy(), np.flipud(depth).copy()  # as OpenGL orders them
        self._update(data, camera, mujoco.mjtCatBit.mjCAT_DYNAMIC)
        self._scene.flags[mujoco.mjtRndFlag.mjRND_SKYBOX] = 0
        moving, picture = np.empty_like(self._still[0]), self._still[0].copy()
        mujoco.mjr_render(self._rect, self._scene, self._mjr)
        mujoco.mjr_readPixels(moving, None, self._rect, self._mjr)
        self._scene.flags[mujoco.mjtRndFlag.mjRND_SKYBOX] = 1
        rows = np.flatnonzero(np.bitwise_or.reduce(moving.reshape(len(moving), -1), axis=1))
        if len(rows):
            top, bottom = int(rows[-1]) + 1, int(rows[0])
            columns = np.flatnonzero(np.bitwise_or.reduce(moving[bottom:top]).any(axis=1))
            left, right = int(columns[0]), int(columns[-1]) + 1
            depth = np.empty((top - bottom, right - left), dtype=np.float32)
            part = mujoco.MjrRect(left, bottom, right - left, top - bottom)
            mujoco.mjr_readPixels(None, depth, part, self._mjr)
            there = np.s_[bottom:top, left:right]
            nearer = (depth > self._still[1][there])[..., None]
            np.copyto(picture[there], moving[there], where=nearer)
        return np.flipud(picture)

    def _transparent(self) -> bool:
        model = self.model
        material = model.geom_matid
        own = np.where(material < 0, model.geom_rgba[:, 3], 1.0)
        alpha = own * model.mat_rgba[material, 3] if model.nmat else model.geom_rgba[:, 3]
        shown = np.isin(model.geom_group, list(HIDDEN_GROUPS), invert=True)
        return bool(np.any(shown & (alpha > 0.0) & (alpha < 1.0)))

    def image(
        self, data: mujoco.MjData, camera: str = "main", *, names: Sequence[str] | None = ()
    ) -> CameraImage:
        """Take an RGB-D image with segmentation.

        Args:
            data: The state.
            camera: A camera of the model.
            names: Objects by name; pixel value i + 1 in the segmentation is ``names[i]``, 0 is
                anything else (robot, housing, background). Parts of an object's body count as it.
                None draws no segmentation, in half the time.

        Raises:
            ValueError: There is no such camera.
        """
        self._update(data, camera)
        rgb, raw = self._read()
        near = float(self.model.vis.map.znear * self.model.stat.extent)
        far = float(self.model.vis.map.zfar * self.model.stat.extent)
        # OpenGL's depth buffer d in [0, 1] of a perspective with planes n and f, read
        # such that 1 is near: z = n f / (n + d (f - n)).
        depth = near * far / (near + raw.astype(np.float64) * (far - near))
        depth[raw <= 0.0] = np.nan
        return CameraImage(
            rgb=rgb,
            depth=depth.astype(np.float32),
            segmentation=None if names is None else self._segment(names),
        )

    def close(self) -> None:
        """Release the OpenGL context; may be called twice."""
        if self._context is None:
            return
        if self._mjr is not None:
            # Its buffers belong to this context: freed in another, they would take others' away.
            self._context.make_current()
            self._mjr.free()
            self._mjr = None
        self._context.free()
        self._context = None

    def _update(
        self, data: mujoco.MjData, camera: str, parts: int = mujoco.mjtCatBit.mjCAT_ALL
    ) -> None:
        index = camera_index(self.model, camera)
        assert self._context is not None, "the renderer is closed"
        self._context.make_current()
        view = mujoco.MjvCamera()
        view.type = mujoco.mjtCamera.mjCAMERA_FIXED
        view.fixedcamid = index
        mujoco.mjv_updateScene(
            self.model,
            data,
            self._option,
            mujoco.MjvPerturb(),
            view,
            parts,
            self._scene,
        )

    def _read(self) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        width, height = self.size
        rgb = np.empty((height, width, 3), dtype=np.uint8)
        depth = np.empty((height, width), dtype=np.float32)
        mujoco.mjr_render(self._rect, self._scene, self._mjr)
        mujoco.mjr_readPixels(rgb, depth, self._rect, self._mjr)
        return np.flipud(rgb).copy(), np.flipud(depth).copy()

    def _segment(self, names: Sequence[str]) -> NDArray[np.int32]:
        flags = self._scene.flags
        flags[mujoco.mjtRndFlag.mjRND_SEGMENT] = 1
        flags[mujoco.mjtRndFlag.mjRND_IDCOLOR] = 1
        rgb, _ = self._read()
        flags[mujoco.mjtRndFlag.mjRND_SEGMENT] = 0
        flags[mujoco.mjtRndFlag.mjRND_IDCOLOR] = 0
        pixels = rgb.astype(np.int32)
        segment = pixels[..., 0] + (pixels[..., 1] << 8) + (pixels[..., 2] << 16)
        labels = labels_of_geoms(self.model, names)
        table = np.zeros(self._scene.ngeom + 1, dtype=np.int32)
        for i in range(self._scene.ngeom):
            geom = self._scene.geoms[i]
            if geom.segid >= 0 and geom.objtype == mujoco.mjtObj.mjOBJ_GEOM:
                table[geom.segid + 1] = labels[geom.objid]
        return table[np.clip(segment, 0, self._scene.ngeom)]


def open_renderer(
    model: mujoco.MjModel, *, width: int = 640, height: int = 480, quality: Quality = "fast"
) -> Renderer | RayRenderer:
    """A renderer that works here: OpenGL, else rays, whose ``note`` says why and how to change it.

    ``MUJOCO_GL=disable`` asks for rays.
    """
    try:
        return Renderer(model, width=width, height=height, quality=quality)
    except EnvironmentMissingError as error:
        note = f"ray-cast, {error}; {OPENGL_ADVICE}"
        return RayRenderer(model, width=width, height=height, quality=quality, note=note)


def _reason(error: Exception) -> str:
    """Why OpenGL did not open, in few words."""
    if not hasattr(mujoco, "GLContext"):
        if not any(loads(library) for library in OPENGL_LIBRARIES.values()):
            return f"no {' or '.join(OPENGL_LIBRARIES.values())} here"
        return f"as MUJOCO_GL={os.environ.get('MUJOCO_GL', '')}"
    if "platform library" in str(error):
        return (
            "as mujoco was imported before MUJOCO_GL was set (set MUJOCO_GL=egl in the environment,"
            " or import embodied.world before mujoco)"
        )
    return f"no working OpenGL here ({type(error).__name__}: {error})"


class Painter:
    """Draws configurations of a model, for videos made from recorded ``qpos``.

    Args:
        model: The compiled model.
        width: Image width in pixels.
        height: Image height in pixels.
        quality: See :class:`Renderer`.
    """

    def __init__(
        self,
        model: mujoco.MjModel,
        *,
        width: int = 640,
        height: int = 480,
        quality: Quality = "fast",
    ) -> None:
        self._model = model
        self._data = mujoco.MjData(model)
        self._renderer = open_renderer(model, width=width, height=height, quality=quality)

    @property
    def note(self) -> str:
        """What to know about the pictures; empty where OpenGL draws them."""
        return self._renderer.note

    def draw(self, qpos: Array) -> NDArray[np.uint8]:
        """Draw a configuration (nq,); returns (height, width, 3) uint8.

        Raises:
            ValueError: ``qpos`` is of another model.
        """
        if np.shape(qpos) != (self._model.nq,):
            raise ValueError(f"qpos must have shape ({self._model.nq},), got {np.shape(qpos)}")
        self._data.qpos[:] = qpos
        mujoco.mj_kinematics(self._model, self._data)
        mujoco.mj_comPos(self._model, self._data)  # cameras that follow look at it
        mujoco.mj_camlight(self._model, self._data)
        renderer = self._renderer
        return (renderer.film if isinstance(renderer, Renderer) else renderer.rgb)(self._data)

    def close(self) -> None:
        """Release the OpenGL context; may be called twice."""
        self._renderer.close()
