"""Names from colour and shape: the default detector, from pixels alone.

Points are labelled with the colour words of the scene and clustered per word. Of each word the
largest object of the spec takes the cluster that its shape explains best; what it leaves
unexplained is clustered again for the next one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from embodied.perception import shapes
from embodied.perception.colors import label_colors
from embodied.perception.types import (
    CLUSTER_GAP_M,
    EXPLAINED_M,
    FIT_POINTS,
    MIN_POINTS,
    VOXEL_M,
    CameraView,
    Cloud,
    Detection,
)
from embodied.types import Array, ObjectSpec, Pose

MAX_SCORE = 6.0
"""A worse match of object and cluster is none."""

MISFIT_M = 0.003
"""A fit this bad counts one point of the score."""

_FIXED_COVERAGE = 0.3
_ITEM_COVERAGE = 0.1
"""Smallest visible fraction of an object's top; larger for furniture, which nothing hides."""

_PLACE_M = 0.10
_FRAGMENT_M = 0.02

Index = NDArray[np.intp]


class ColourShapeDetector:
    """Names by colour word and known shape.

    Args:
        objects: All objects of the scene: their colours are told apart from one another.
    """

    source = "pixels"

    def __init__(self, objects: Mapping[str, ObjectSpec]) -> None:
        self._words = sorted({o.color for o in objects.values() if o.color})
        self._labelled: tuple[Cloud, NDArray[np.intp]] | None = None

    def detect(
        self,
        cloud: Cloud,
        images: Mapping[str, CameraView],
        objects: Mapping[str, ObjectSpec],
        expected: Mapping[str, Pose],
    ) -> tuple[Detection, ...]:
        """Find objects that have a colour word."""
        colored = [o for o in objects.values() if o.color and o.kind != "drawer"]
        labels = label_colors(cloud.rgb, self._words)
        found: list[Detection] = []
        for word in sorted({o.color for o in colored}):
            index = np.flatnonzero(labels == self._words.index(word))
            mine = [o for o in colored if o.color == word]
            found += self._of_one_color(cloud.points_in_world, index, word, mine, expected)
        return tuple(found)

    def confirm(
        self,
        cloud: Cloud,
        images: Mapping[str, CameraView],
        spec: ObjectSpec,
        index: NDArray[np.intp],
    ) -> NDArray[np.bool_]:
        """Which of the points have the object's colour."""
        if not spec.color:
            return np.ones(len(index), dtype=np.bool_)
        if self._labelled is None or self._labelled[0] is not cloud:
            self._labelled = cloud, label_colors(cloud.rgb, self._words)
        return self._labelled[1][index] == self._words.index(spec.color)

    def _of_one_color(
        self,
        points: Array,
        index: Index,
        word: str,
        objects: Sequence[ObjectSpec],
        expected: Mapping[str, Pose],
    ) -> list[Detection]:
        tallest = max(o.size_m[2] for o in objects)
        found: list[Detection] = []
        clusters = self._clusters(points, index, tallest)
        for spec in sorted(objects, key=lambda o: -float(np.prod(o.size_m))):
            best: tuple[float, int, shapes.Fit] | None = None
            for k, cluster in enumerate(clusters):
                score, fit = self._match(spec, points[cluster], expected.get(spec.name))
                if fit is not None and (best is None or score < best[0]):
                    best = (score, k, fit)
            if best is None or best[0] > MAX_SCORE:
                continue
            _, k, fit = best
            cluster = clusters.pop(k)
            mine = shapes.near(spec, fit.pose, points[cluster], EXPLAINED_M)
            found.append(Detection(name=spec.name, index=cluster[mine], color=word, start=fit.pose))
            clusters += self._clusters(points, cluster[~mine], tallest)
        return found

    def _match(
        self, spec: ObjectSpec, points: Array, expected: Pose | None
    ) -> tuple[float, shapes.Fit | None]:
        """How badly a cluster matches an object, and the shape put there."""
        fit = best_fit(spec, points, expected)
        explained = shapes.near(spec, fit.pose, points, EXPLAINED_M)
        if explained.sum() < MIN_POINTS:
            return np.inf, None
        x, y, _ = spec.size_m
        top = x * y * (1.0 if spec.shape == "box" else np.pi / 4)
        coverage = float(explained.sum()) * VOXEL_M**2 / top
        if coverage < (_FIXED_COVERAGE if spec.kind != "item" else _ITEM_COVERAGE):
            return np.inf, None
        size = shapes.extents(spec, fit.pose, points[explained], 0.0)
        lack = np.clip(1.0 - size / np.array(spec.size_m), 0.0, 1.0)
        score = fit.cost_m / MISFIT_M + 2.0 * float(lack.mean())
        score += 2.0 * (1.0 - float(explained.mean())) + 2.0 * (1.0 - min(1.0, coverage))
        if expected is not None:
            away = float(np.linalg.norm(fit.pose.position - expected.position))
            score += min(1.0, away / _PLACE_M)
        return score, fit

    def _clusters(self, points: Array, index: Index, tallest_m: float) -> list[Index]:
        """Connected groups; those right above one another are one thing with a band around it."""
        groups = connected(points, index, CLUSTER_GAP_M, MIN_POINTS)
        groups.sort(key=len, reverse=True)
        merged: list[Index] = []
        for group in groups:
            for k, other in enumerate(merged):
                both = np.concatenate([other, group])
                apart = points[other, :2].mean(axis=0) - points[group, :2].mean(axis=0)
                height = np.ptp(points[both, 2])
                if np.linalg.norm(apart) < _FRAGMENT_M and height < tallest_m + 0.005:
                    merged[k] = both
                    break
            else:
                merged.append(group)
        return merged


def connected(points: Array, index: Index, gap_m: float, min_points: int) -> list[Index]:
    """Groups of at least ``min_points`` of the points ``index`` with gaps below ``gap_m``."""
    if len(index) < min_points:
        return []
    labels = dbscan(points[index], gap_m, 3)
    groups = [index[labels == k] for k in np.unique(labels[labels >= 0])]
    return [g for g in groups if len(g) >= min_points]


def dbscan(points: Array, gap_m: float, neighbours: int) -> NDArray[np.intp]:
    """Label (n,) of each point's cluster, -1 for noise (Ester et al. 1996).

    Args:
        points: (n, 3), n > 0.
        gap_m: Points this near are neighbours.
        neighbours: A point with so many, itself among them, is in the core of a cluster.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components
    from scipy.spatial import KDTree

    n = len(points)
    a, b = KDTree(points).query_pairs(gap_m, output_type="ndarray").T
    core = np.bincount(a, minlength=n) + np.bincount(b, minlength=n) >= neighbours - 1
    both = core[a] & core[b]
    graph = coo_array((np.ones(both.sum(), dtype=np.bool_), (a[both], b[both])), shape=(n, n))
    _, labels = connected_components(graph, directed=False)
    labels[~core] = -1
    for edge, inner in ((a, b), (b, a)):  # what is near a core belongs to it
        near = (labels[edge] < 0) & core[inner]
        labels[edge[near]] = labels[inner[near]]
    return labels


def best_fit(spec: ObjectSpec, points: Array, expected: Pose | None) -> shapes.Fit:
    """Fit from where the object was, where that does not do from the points, then lying down."""
    sample = points[thin(len(points), FIT_POINTS)]
    if expected is not None:
        reach = 0.5 * float(np.linalg.norm(spec.size_m)) + 0.03
        near = np.linalg.norm(np.median(sample, axis=0) - expected.position) < reach
        tracked = shapes.fit(spec, sample, expected) if near else None
        if tracked is not None and tracked.cost_m < 0.8 * MISFIT_M:
            return tracked
    fits = [shapes.fit(spec, sample, start) for start in shapes.starts(spec, points)]
    best = min(fits, key=lambda f: f.cost_m)
    if best.cost_m > MISFIT_M and spec.kind == "item":
        for start in shapes.starts(spec, points):
            fits += [shapes.fit(spec, sample, s) for s in shapes.lying(spec, start)]
        best = min(fits, key=lambda f: f.cost_m)
    return best


def thin(n: int, most: int) -> Index:
    """Evenly spread indices, at most ``most`` of ``n``."""
    return np.arange(n) if n <= most else np.linspace(0, n - 1, most).astype(np.intp)
