"""Names from the simulator's own segmentation: ground truth, labelled so wherever it is used."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from embodied.perception.types import CameraView, Cloud, Detection
from embodied.types import ObjectSpec, Pose


class SegmentationDetector:
    """Reads names off the segmentation images: no perception of names at all.

    For telling errors of naming from errors of geometry. What it names carries
    ``source = "ground truth"`` into the percept.

    Args:
        objects: All objects of the spec, in its order: pixel value i + 1 is the i-th.
    """

    source = "ground truth"

    def __init__(self, objects: Mapping[str, ObjectSpec]) -> None:
        self._values = {name: i + 1 for i, name in enumerate(objects)}

    def detect(
        self,
        cloud: Cloud,
        images: Mapping[str, CameraView],
        objects: Mapping[str, ObjectSpec],
        expected: Mapping[str, Pose],
    ) -> tuple[Detection, ...]:
        """Points by the name under their pixel; nothing where the images hold no segmentation."""
        values = _values_at(cloud, images, np.arange(len(cloud)))
        found: list[Detection] = []
        for name, spec in objects.items():
            index = np.flatnonzero(values == self._values[name])
            if len(index):
                found.append(Detection(name=name, index=index, color=spec.color))
        return tuple(found)

    def confirm(
        self,
        cloud: Cloud,
        images: Mapping[str, CameraView],
        spec: ObjectSpec,
        index: NDArray[np.intp],
    ) -> NDArray[np.bool_]:
        """Which of the points are the object's."""
        return _values_at(cloud, images, index) == self._values[spec.name]


def _values_at(
    cloud: Cloud, images: Mapping[str, CameraView], index: NDArray[np.intp]
) -> NDArray[np.int32]:
    values = np.zeros(len(index), dtype=np.int32)
    for k, name in enumerate(cloud.views):
        segmentation = images[name].segmentation
        if segmentation is not None:
            mine = cloud.view[index] == k
            values[mine] = segmentation.reshape(-1)[cloud.pixel[index[mine]]]
    return values
