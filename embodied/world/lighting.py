# pyright: reportAttributeAccessIssue=false
# (mujoco ships no type stubs)
"""What a ray-cast picture is coloured by: lights, materials, textures and the sky of a model."""

from __future__ import annotations

from dataclasses import dataclass

import mujoco
import numpy as np
from numpy.typing import NDArray

from embodied.types import Array

Floats = NDArray[np.float32]

_NO_COLOR = np.array([0.5, 0.5, 0.5, 1.0], dtype=np.float32)
"""MuJoCo's default of a geom: its material's colour counts."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Light:
    """One light of an instant; ``direction`` is where it shines to."""

    position: Array
    direction: Array
    directional: bool
    casts_shadow: bool
    ambient: Floats
    diffuse: Floats
    specular: Floats
    attenuation: Array
    cutoff_rad: float
    exponent: float

    def at(self, points: Array) -> tuple[Floats, Floats]:
        """Unit vectors (n, 3) from points towards the light, and its strength there, (n,)."""
        if self.directional:
            away = np.broadcast_to(-self.direction, points.shape).astype(np.float32)
            return away, np.ones(len(points), dtype=np.float32)
        offset = self.position - points
        distance = np.linalg.norm(offset, axis=1)
        away = (offset / distance[:, None]).astype(np.float32)
        constant, linear, square = self.attenuation
        strength = 1.0 / np.maximum(constant + linear * distance + square * distance**2, 1e-6)
        if self.cutoff_rad < np.pi:
            cosine = np.clip(away @ -self.direction, 0.0, 1.0)
            strength *= np.where(cosine > np.cos(self.cutoff_rad), cosine**self.exponent, 0.0)
        return away, strength.astype(np.float32)

    def source(self, model: mujoco.MjModel) -> Array:
        """Where its rays come from; far outside the scene for a directional light."""
        if not self.directional:
            return self.position
        return model.stat.center - 100.0 * model.stat.extent * self.direction


def lights(
    model: mujoco.MjModel, data: mujoco.MjData, origin: Array, rotation: Array
) -> list[Light]:
    """The headlight of a camera at ``origin`` with axes ``rotation``, and the model's lights."""
    found: list[Light] = []
    head = model.vis.headlight
    if head.active:
        found.append(
            Light(
                position=origin,
                direction=-rotation[:, 2],
                directional=True,
                casts_shadow=False,
                ambient=head.ambient.astype(np.float32),
                diffuse=head.diffuse.astype(np.float32),
                specular=head.specular.astype(np.float32),
                attenuation=np.array([1.0, 0.0, 0.0]),
                cutoff_rad=np.pi,
                exponent=0.0,
            )  # fmt: skip
        )
    kinds = mujoco.mjtLightType
    for i in range(model.nlight):
        kind = model.light_type[i]
        if not model.light_active[i] or kind == kinds.mjLIGHT_IMAGE:
            continue
        spot = kind == kinds.mjLIGHT_SPOT
        found.append(
            Light(
                position=data.light_xpos[i].copy(),
                direction=data.light_xdir[i].copy(),
                directional=kind == kinds.mjLIGHT_DIRECTIONAL,
                casts_shadow=bool(model.light_castshadow[i]),
                ambient=model.light_ambient[i],
                diffuse=model.light_diffuse[i],
                specular=model.light_specular[i],
                attenuation=model.light_attenuation[i],
                cutoff_rad=np.deg2rad(model.light_cutoff[i]) if spot else np.pi,
                exponent=float(model.light_exponent[i]),
            )  # fmt: skip
        )
    return found


class Surfaces:
    """Colours and materials of all geoms, and the sky."""

    def __init__(self, model: mujoco.MjModel) -> None:
        self._model = model
        material = model.geom_matid
        own = material >= 0
        default = (model.geom_rgba == _NO_COLOR).all(axis=1)
        rgba = model.geom_rgba.copy()
        rgba[own & default] = model.mat_rgba[material[own & default]]
        self.rgb: Floats = rgba[:, :3].copy()
        self.emission = _of_material(model.mat_emission, material, 0.0)
        self.specular = _of_material(model.mat_specular, material, 0.5)
        self.shininess = 128.0 * _of_material(model.mat_shininess, material, 0.5)
        self.textured_planes: list[int] = []
        self._textures: dict[int, Floats] = {}
        rgb_role = int(mujoco.mjtTextureRole.mjTEXROLE_RGB)
        for g in np.flatnonzero(own):
            texture = int(model.mat_texid[material[g], rgb_role])
            if texture < 0:
                continue
            pixels = self._texture(texture)
            if model.geom_type[g] == mujoco.mjtGeom.mjGEOM_PLANE and (
                model.tex_type[texture] == mujoco.mjtTexture.mjTEXTURE_2D
            ):
                self.textured_planes.append(int(g))
            else:
                self.rgb[g] *= pixels.reshape(-1, pixels.shape[-1])[:, :3].mean(axis=0)
        boxes = np.flatnonzero(model.tex_type == int(mujoco.mjtTexture.mjTEXTURE_SKYBOX))
        self._sky = self._texture(int(boxes[0])) if len(boxes) else None

    def on_plane(self, geom: int, local: Array, pixel_m: Array) -> Floats:
        """Texture colours (n, 3) at points of a plane's own frame.

        They fade to the mean where a pixel covers (``pixel_m``) more than a quarter of the pattern.
        """
        model = self._model
        material = int(model.geom_matid[geom])
        texture = int(model.mat_texid[material, int(mujoco.mjtTextureRole.mjTEXROLE_RGB)])
        pixels = self._texture(texture)
        scale = model.mat_texrepeat[material].astype(np.float64)
        if not model.mat_texuniform[material]:
            scale = scale / np.where(model.geom_size[geom, :2] > 0, model.geom_size[geom, :2], 1.0)
        height, width = pixels.shape[:2]
        u = np.floor((0.5 * scale[0] * local[:, 0] - 0.5) % 1.0 * width).astype(np.intp)
        v = np.floor((-0.5 * scale[1] * local[:, 1] - 0.5) % 1.0 * height).astype(np.intp)
        sharp = pixels[np.minimum(v, height - 1), np.minimum(u, width - 1), :3]
        blur = np.clip(2.0 * pixel_m * scale.max() - 0.5, 0.0, 1.0)[:, None].astype(np.float32)
        return sharp + blur * (pixels[..., :3].mean(axis=(0, 1)) - sharp)

    def sky(self, rays: Array) -> Floats:
        """Colours (n, 3) of the skybox along rays of the world frame; black without one."""
        rgb = np.zeros((len(rays), 3), dtype=np.float32)
        if self._sky is None:
            return rgb
        # Six square faces one above the other: right, left, up, down, front, back; y is up in
        # the cube, which is z in the world.
        side = self._sky.shape[1]
        x, y, z = rays[:, 0], rays[:, 2], -rays[:, 1]
        ax, ay, az = np.abs(x), np.abs(y), np.abs(z)
        choices = [
            (x > 0) & (ax >= ay) & (ax >= az), (ax >= ay) & (ax >= az),
            (y > 0) & (ay >= az), ay >= az, z > 0,
        ]  # fmt: skip
        face = np.select(choices, [0, 1, 2, 3, 4], 5)
        largest = np.maximum(np.maximum(ax, ay), az)
        s = np.select([face == 0, face == 1, face == 5], [-z, z, -x], x) / largest
        t = np.select([face == 2, face == 3], [z, -z], -y) / largest
        column = np.clip(((s + 1) / 2 * side).astype(np.intp), 0, side - 1)
        row = np.clip(((t + 1) / 2 * side).astype(np.intp), 0, side - 1)
        return self._sky[face * side + row, column, :3]

    def _texture(self, index: int) -> Floats:
        if index not in self._textures:
            model = self._model
            height, width = int(model.tex_height[index]), int(model.tex_width[index])
            channels, start = int(model.tex_nchannel[index]), int(model.tex_adr[index])
            raw = model.tex_data[start : start + height * width * channels]
            pixels = raw.reshape(height, width, channels).astype(np.float32) / 255.0
            self._textures[index] = (
                np.broadcast_to(pixels, (height, width, max(3, channels)))
                if channels == 1
                else pixels
            )
        return self._textures[index]


def _of_material(values: Floats, material: NDArray[np.int32], default: float) -> Floats:
    chosen = np.full(len(material), default, dtype=np.float32)
    chosen[material >= 0] = values[material[material >= 0]]
    return chosen


def unit(vectors: NDArray[np.floating]) -> Floats:
    """The vectors (n, 3) at length 1."""
    length = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))
    return (vectors / np.maximum(length, 1e-12)[:, None]).astype(np.float32)
