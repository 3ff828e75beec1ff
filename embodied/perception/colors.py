"""Colour words from pixels, whatever the shading.

Light changes how bright a surface looks, hardly the direction of its colour in RGB. A pixel's word
is the one whose direction is nearest; brightness only tells words of one direction apart (black,
grey, silver, white; brown, wooden).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from embodied.types import Array
from embodied.world.scene import COLORS

_DIRECTION_STD_RAD = math.radians(3.0)
_BRIGHTNESS_STD = 0.35
_BRIGHTNESS_MEAN = math.log(0.9)
_LIMIT = 4.0


def label_colors(rgb: NDArray[np.uint8], words: Sequence[str]) -> NDArray[np.intp]:
    """Index into ``words`` for each of the colours (n, 3); -1 where none is near.

    Raises:
        ValueError: A word is not one of ``embodied.world.scene.COLORS``.
    """
    unknown = sorted(set(words) - set(COLORS))
    if unknown:
        raise ValueError(f"no colours {unknown}; there are: {', '.join(COLORS)}")
    if not words or not len(rgb):
        return np.full(len(rgb), -1, dtype=np.intp)
    prototypes = np.array([COLORS[w][:3] for w in words])
    cost = _costs(rgb, prototypes)
    best = cost.argmin(axis=1)
    return np.where(cost.min(axis=1) < _LIMIT**2, best, -1)


def color_word(rgb: NDArray[np.uint8]) -> str:
    """The word for most of the colours (n, 3); ``""`` where none is near."""
    words = tuple(COLORS)
    labels = label_colors(rgb, words)
    known = labels[labels >= 0]
    return words[int(np.bincount(known).argmax())] if len(known) else ""


def _costs(rgb: NDArray[np.uint8], prototypes: Array) -> NDArray[np.float32]:
    colors = rgb.astype(np.float32) / 255.0
    bright = np.maximum(np.linalg.norm(colors, axis=1), 1e-3)
    length = np.linalg.norm(prototypes, axis=1)
    cosine = (colors / bright[:, None]) @ (prototypes / length[:, None]).T.astype(np.float32)
    # For small angles 2 (1 - cos) is the squared angle.
    direction = 2.0 * (1.0 - np.clip(cosine, -1.0, 1.0)) / _DIRECTION_STD_RAD**2
    ratio = np.log(bright[:, None] / length.astype(np.float32)) - _BRIGHTNESS_MEAN
    return direction + (ratio / _BRIGHTNESS_STD) ** 2
