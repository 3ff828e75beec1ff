# pyright: reportMissingImports=false, reportUnknownVariableType=false
# (torch and transformers are optional)
"""Names from words: an open-vocabulary detector of the OWL-ViT class (arXiv 2205.06230).

The model draws boxes for phrases such as "a red cup" into every view; a point collects the scores
of the boxes that its own pixel lies in, and the connected points with the highest mean score are
the object. Weights come from the user; none are part of this project.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embodied.errors import ConfigurationError, EnvironmentMissingError
from embodied.perception.colors import color_word
from embodied.perception.colour_shape import connected
from embodied.perception.types import CLUSTER_GAP_M, MIN_POINTS, CameraView, Cloud, Detection
from embodied.types import Array, ObjectSpec, Pose

THRESHOLD = 0.1
"""Boxes with a lower score are no detections."""


class OpenVocabularyDetector:
    """Finds objects by phrases.

    Args:
        weights: Folder with an OWL-ViT or OWLv2 model and its processor, as ``transformers``
            saves them.
        phrases: What to look for by object name; without, colour word and category of the spec.

    Raises:
        EnvironmentMissingError: ``torch`` or ``transformers`` is not installed.
        ConfigurationError: The folder holds no such model.
    """

    source = "pixels"

    def __init__(self, weights: Path | str, *, phrases: Mapping[str, str] | None = None) -> None:
        try:
            import torch
            from transformers import AutoModelForZeroShotObjectDetection, AutoProcessor
        except ImportError as error:
            raise EnvironmentMissingError(
                "the open-vocabulary detector needs torch and transformers:"
                " pip install 'embodied-stack[learned]' transformers"
            ) from error
        self._torch = torch
        folder = Path(weights).expanduser()
        try:
            self._processor: Any = AutoProcessor.from_pretrained(folder, local_files_only=True)
            model = AutoModelForZeroShotObjectDetection.from_pretrained(
                folder, local_files_only=True
            )
        except (OSError, ValueError) as error:
            raise ConfigurationError(
                f"{folder} holds no OWL-ViT class model that transformers can load: {error}"
            ) from error
        self._model: Any = model.eval()
        self._phrases = dict(phrases or {})

    def detect(
        self,
        cloud: Cloud,
        images: Mapping[str, CameraView],
        objects: Mapping[str, ObjectSpec],
        expected: Mapping[str, Pose],
    ) -> tuple[Detection, ...]:
        """Find objects by their phrases; one pass of the model per view."""
        names = list(objects)
        if not names or not len(cloud):
            return ()
        votes = np.zeros((len(names), len(cloud)))
        phrases = [self.phrase(objects[n]) for n in names]
        for k, view in enumerate(cloud.views):
            mine = np.flatnonzero(cloud.view == k)
            width = images[view].depth.shape[1]
            rows, columns = np.divmod(cloud.pixel[mine], width)
            for which, score, (left, top, right, bottom) in self._boxes(images[view], phrases):
                inside = (columns >= left) & (columns <= right) & (rows >= top) & (rows <= bottom)
                hit = mine[inside]
                votes[which, hit] = np.maximum(votes[which, hit], score)
        found = [self._best(cloud, names[i], votes[i]) for i in range(len(names))]
        return tuple(d for d in found if d is not None)

    def confirm(
        self,
        cloud: Cloud,
        images: Mapping[str, CameraView],
        spec: ObjectSpec,
        index: NDArray[np.intp],
    ) -> NDArray[np.bool_]:
        """Every point: between two passes of the model geometry alone follows the objects."""
        return np.ones(len(index), dtype=np.bool_)

    def phrase(self, spec: ObjectSpec) -> str:
        """What is looked for, e.g. ``"a red cup"``."""
        words = " ".join(w for w in (spec.color, spec.category) if w)
        return self._phrases.get(spec.name, f"a {words}")

    def _boxes(
        self, view: CameraView, phrases: list[str]
    ) -> list[tuple[int, float, tuple[float, float, float, float]]]:
        """Index of the phrase, score and box (left, top, right, bottom) in pixels."""
        inputs = self._processor(text=[phrases], images=view.rgb, return_tensors="pt")
        with self._torch.no_grad():
            outputs = self._model(**inputs)
        result = self._processor.post_process_grounded_object_detection(
            outputs, threshold=THRESHOLD, target_sizes=self._torch.tensor([view.depth.shape])
        )[0]
        scores, labels, boxes = result["scores"], result["labels"], result["boxes"]
        found: list[tuple[int, float, tuple[float, float, float, float]]] = []
        for score, label, box in zip(scores, labels, boxes, strict=True):
            left, top, right, bottom = (float(v) for v in box)
            found.append((int(label), float(score), (left, top, right, bottom)))
        return found

    def _best(self, cloud: Cloud, name: str, votes: Array) -> Detection | None:
        index = np.flatnonzero(votes > 0.0)
        groups = connected(cloud.points_in_world, index, CLUSTER_GAP_M, MIN_POINTS)
        if not groups:
            return None
        best = max(groups, key=lambda g: float(votes[g].mean()))
        return Detection(name=name, index=best, color=color_word(cloud.rgb[best]))
