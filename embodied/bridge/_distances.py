# pyright: reportAttributeAccessIssue=false
# (mujoco ships no type stubs)
"""Distances between convex shapes that no solver's mistake can make too large.

For any unit vector n from shape A to shape B, ``n . (c_B - c_A) - h_A(n) - h_B(-n)`` is at most
their signed distance, where h is a shape's support function about its centre. MuJoCo's solvers only
suggest n; where they are wrong, distances come out too small, never too large. A direction that
separated a pair before still does so, or nearly so, after a small motion.
"""

from __future__ import annotations

from collections.abc import Sequence

import mujoco
import numpy as np
from numpy.typing import NDArray

from embodied.types import Array

Indices = NDArray[np.intp]

_FAR_M = 10.0
_WRONG_M = 1e-4
_DEEP_M = 0.01
_TRIES = 100

_TYPES = mujoco.mjtGeom
_LEGAL = (
    int(_TYPES.mjGEOM_PLANE),
    int(_TYPES.mjGEOM_SPHERE),
    int(_TYPES.mjGEOM_CAPSULE),
    int(_TYPES.mjGEOM_ELLIPSOID),
    int(_TYPES.mjGEOM_CYLINDER),
    int(_TYPES.mjGEOM_BOX),
    int(_TYPES.mjGEOM_MESH),
)


class PairDistances:
    """Signed distances of pairs of geoms of a model.

    Args:
        model: The model; planes are half-spaces, meshes their convex hulls.
        data: Holds where the geoms are.
        pairs: Geoms, (m, 2); the second may be a plane.

    Raises:
        ValueError: A geom has a type without a support function.
    """

    def __init__(
        self, model: mujoco.MjModel, data: mujoco.MjData, pairs: Sequence[tuple[int, int]]
    ) -> None:
        self._model, self._data = model, data
        self.pairs = np.array(pairs, dtype=np.intp).reshape(-1, 2)
        self._first, self._second = self.pairs.T
        self._sweep = np.zeros((model.ngeom, 3))
        self._swept = False
        self._balls = np.zeros(model.ngeom)
        self._shapes = np.zeros((model.ngeom, 5))  # ball, box (3), disc
        for geom in {*self.pairs.ravel().tolist()}:
            self.take_shape(geom)
        kinds = model.geom_type[self._second]
        self._plane = np.flatnonzero(kinds == int(_TYPES.mjGEOM_PLANE))
        self._curved = self._of_curved()
        self._normals = np.zeros((len(self.pairs), 3))
        self._normals[:, 2] = -1.0

    def take_shape(self, geom: int) -> None:
        """Read the size of a geom from the model."""
        kind, (x, y, z) = int(self._model.geom_type[geom]), self._model.geom_size[geom]
        if kind not in _LEGAL:
            raise ValueError(f"the geom {self._model.geom(geom).name!r} is of no convex shape")
        self._shapes[geom] = {
            int(_TYPES.mjGEOM_SPHERE): (x, 0.0, 0.0, 0.0, 0.0),
            int(_TYPES.mjGEOM_CAPSULE): (x, 0.0, 0.0, y, 0.0),
            int(_TYPES.mjGEOM_CYLINDER): (0.0, 0.0, 0.0, y, x),
            int(_TYPES.mjGEOM_BOX): (0.0, x, y, z, 0.0),
        }.get(kind, (0.0,) * 5)
        self._balls[geom] = self._model.geom_rbound[geom]

    def sweep(self, geom: int, along: Array) -> None:
        """A geom may be anywhere from where ``data`` has it to ``along`` (3,), world frame, m."""
        self._sweep[geom] = along
        self._balls[geom] = self._model.geom_rbound[geom] + float(np.linalg.norm(along))
        self._swept = bool(self._sweep.any())

    def begin(self) -> None:
        """Take the directions between centres, once the geoms are somewhere."""
        at = self._data.geom_xpos
        between = at[self._second] - at[self._first]
        lengths = np.linalg.norm(between, axis=1)
        ok = lengths > 1e-9
        self._normals[ok] = between[ok] / lengths[ok, None]
        turned = self._data.geom_xmat[self._second[self._plane]].reshape(-1, 3, 3)
        self._normals[self._plane] = -turned[:, :, 2]

    def bounds(self, within: Array) -> Array:
        """Lower bounds of all distances by the directions known, (m,), m.

        Args:
            within: Distances beyond these, (m,), m, are given as infinite.
        """
        at = self._data.geom_xpos
        between = at[self._second] - at[self._first]
        balls = self._balls[self._first] + self._balls[self._second]
        near = np.einsum("ki,ki->k", between, between) < np.maximum(balls + within, 0.0) ** 2
        near[self._plane] = True
        rows = np.flatnonzero(near)
        gaps = np.full(len(self.pairs), np.inf)
        gaps[rows] = self._gaps(rows, self._normals[rows])
        return gaps

    def refine(self, pair: int) -> float:
        """A lower bound of one distance, as good as the solvers allow, m."""
        if pair in self._plane:
            return float(self._gaps(np.array([pair]), self._normals[[pair]])[0])
        candidates, least = self._suggested(pair)
        best, gap = self._best(pair, candidates)
        if gap < least - _WRONG_M and least > -_DEEP_M:
            best, gap = self._climb(pair, best, gap)
        self._normals[pair] = best
        return gap

    # ----------------------------------------------------------------- private

    def _of_curved(self) -> dict[int, Array]:
        """Corners of meshes and radii of ellipsoids, in their own frames."""
        model, found = self._model, dict[int, Array]()
        for geom in {*self.pairs.ravel().tolist()}:
            kind = int(model.geom_type[geom])
            if kind == int(_TYPES.mjGEOM_ELLIPSOID):
                found[geom] = np.array(model.geom_size[geom])
            elif kind == int(_TYPES.mjGEOM_MESH):
                mesh = int(model.geom_dataid[geom])
                first = int(model.mesh_vertadr[mesh])
                found[geom] = model.mesh_vert[first : first + int(model.mesh_vertnum[mesh])].copy()
        return found

    def _gaps(self, rows: Indices, normals: Array) -> Array:
        """Separation of pairs along unit vectors from the first to the second geom, (k,), m."""
        geoms = self.pairs[rows].T.ravel()
        at = self._data.geom_xpos[geoms]
        count = len(rows)
        gaps = np.einsum("ki,ki->k", normals, at[count:] - at[:count])
        support = self._support(geoms, np.concatenate([normals, -normals]))
        return gaps - support[:count] - support[count:]

    def _support(self, geoms: Indices, normals: Array) -> Array:
        shapes = self._shapes[geoms]
        turned = self._data.geom_xmat[geoms].reshape(-1, 3, 3)
        local = np.einsum("kji,kj->ki", turned, normals)
        size = np.abs(local)
        support = np.einsum("ki,ki->k", shapes[:, 1:4], size)
        support += shapes[:, 0] + shapes[:, 4] * np.hypot(size[:, 0], size[:, 1])
        if self._swept:
            along = np.einsum("ki,ki->k", normals, self._sweep[geoms])
            support += np.maximum(along, 0.0)
        for geom, corners in self._curved.items():
            mine = np.flatnonzero(geoms == geom)
            if len(mine) and corners.ndim == 1:
                support[mine] += np.linalg.norm(local[mine] * corners, axis=1)
            elif len(mine):
                support[mine] += (local[mine] @ corners.T).max(axis=1)
        return support

    def _suggested(self, pair: int) -> tuple[list[Array], float]:
        """Directions by MuJoCo at both ends and the middle of a sweep, and its least distance."""
        first, second = (int(g) for g in self.pairs[pair])
        at, ends = self._data.geom_xpos, np.zeros(6)
        before = at[first].copy(), at[second].copy()
        sweeps = self._sweep[first], self._sweep[second]
        swept = any(s.any() for s in sweeps)
        candidates, least = [self._normals[pair]], _FAR_M
        for share in (0.0, 0.5, 1.0) if swept else (0.0,):
            for geom, start, along in zip((first, second), before, sweeps, strict=True):
                at[geom] = start + share * along
            distance = mujoco.mj_geomDistance(self._model, self._data, first, second, _FAR_M, ends)
            least = min(least, float(distance))
            way = ends[3:] - ends[:3]
            length = float(np.linalg.norm(way))
            if length > 1e-9:
                candidates += [way / length, -way / length]
        for geom, start in zip((first, second), before, strict=True):
            at[geom] = start
        return candidates, least

    def _best(self, pair: int, candidates: Sequence[Array]) -> tuple[Array, float]:
        normals = np.array(candidates)
        gaps = self._gaps(np.full(len(normals), pair), normals)
        i = int(np.argmax(gaps))
        return normals[i], float(gaps[i])

    def _climb(self, pair: int, normal: Array, gap: float) -> tuple[Array, float]:
        """The gap is concave along directions: turn them for a while to where it is larger."""
        frame, step = np.concatenate([np.eye(3), -np.eye(3)]), 0.3
        for _ in range(_TRIES):
            turned = normal + step * frame
            turned /= np.linalg.norm(turned, axis=1, keepdims=True)
            better, larger = self._best(pair, list(turned))
            if larger > gap:
                normal, gap = better, larger
            else:
                step *= 0.6
                if step < 1e-6:
                    break
        return normal, gap
