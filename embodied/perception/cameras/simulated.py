"""Cameras of a simulated world: observations with images, and what real cameras do to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from embodied.types import CameraImage, Observation


class ImageSource(Protocol):
    """Something that takes images of the present instant, such as a simulated world."""

    def render(self, camera: str, *, width: int, height: int, segmentation: bool) -> CameraImage:
        """Take an RGB-D image.

        Raises:
            ValueError: There is no such camera.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SensorFaults:
    """What is wrong with the depth images of a real camera.

    Attributes:
        noise_std_m: Standard deviation of a pixel's depth at 1 m; grows with the distance squared,
            as of a stereo camera, m.
        dropout: Share of pixels whose depth is unknown, in specks.
        patches: Number of square patches of each image in which the depth is unknown.
        patch_px: Their edge length.
        lost: Cameras that give no image.
    """

    noise_std_m: float = 0.0
    dropout: float = 0.0
    patches: int = 0
    patch_px: int = 40
    lost: tuple[str, ...] = ()


def look(
    world: ImageSource,
    observation: Observation,
    *,
    cameras: Sequence[str] = ("top", "front-left", "front-right", "rear-right"),
    width: int = 320,
    height: int = 240,
    segmentation: bool = False,
    faults: SensorFaults | None = None,
    rng: np.random.Generator | None = None,
) -> Observation:
    """The observation with images of the same instant in it.

    Args:
        world: Where it was made.
        observation: The world's latest observation.
        cameras: Which cameras.
        width: Image width in pixels.
        height: Image height in pixels.
        segmentation: Add the simulator's own segmentation, ground truth.
        faults: What the cameras do wrong.
        rng: Source of randomness of the faults; seed 0 without.
    """
    chosen = rng or np.random.default_rng(0)
    images: dict[str, CameraImage] = {}
    for name in cameras:
        if faults is not None and name in faults.lost:
            continue
        image = world.render(name, width=width, height=height, segmentation=segmentation)
        images[name] = image if faults is None else spoil(image, faults, chosen)
    return replace(observation, images=images)


def spoil(image: CameraImage, faults: SensorFaults, rng: np.random.Generator) -> CameraImage:
    """The image with faults in its depth."""
    depth: NDArray[np.float32] = image.depth.copy()
    if faults.noise_std_m > 0.0:
        noise = rng.standard_normal(depth.shape, dtype=np.float32)
        depth += np.float32(faults.noise_std_m) * np.square(depth) * noise
    if faults.dropout > 0.0:
        depth[rng.random(depth.shape, dtype=np.float32) < faults.dropout] = np.nan
    height, width = depth.shape
    for _ in range(faults.patches):
        row, column = int(rng.integers(height)), int(rng.integers(width))
        depth[row : row + faults.patch_px, column : column + faults.patch_px] = np.nan
    return replace(image, depth=depth)
