"""What every camera driver gives: stamped frames, a pinhole model with distortion, health."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from embodied.errors import WorldError
from embodied.types import Array, Pose


class CameraError(WorldError):
    """A camera cannot be opened, or gives no frame."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraModel:
    """Pinhole camera with Brown-Conrady distortion, as OpenCV has it.

    A point (x, y, z) of the optical frame, with x to the right, y down and z along the view, is
    seen at the pixel ``(fx x'' + cx, fy y'' + cy)``, where (x'', y'') is (x / z, y / z) distorted;
    the centre of the first pixel is (0, 0).

    Attributes:
        width: Width of the image, px.
        height: Height of the image, px.
        fx: Focal length along the rows, px.
        fy: Focal length along the columns, px.
        cx: Column of the principal point, px.
        cy: Row of the principal point, px.
        distortion: (k1, k2, p1, p2, k3), or empty for none.
    """

    width: int
    height: int
    fx: float
    fy: float
    cx: float
    cy: float
    distortion: tuple[float, ...] = ()

    @staticmethod
    def from_field_of_view(fovy_rad: float, width: int, height: int) -> CameraModel:
        """The ideal camera of a simulator, with its vertical field of view."""
        focal = 0.5 * height / math.tan(fovy_rad / 2)
        return CameraModel(
            width=width,
            height=height,
            fx=focal,
            fy=focal,
            cx=(width - 1) / 2,
            cy=(height - 1) / 2,
        )

    @property
    def matrix(self) -> Array:
        """The camera matrix, (3, 3)."""
        return np.array([[self.fx, 0.0, self.cx], [0.0, self.fy, self.cy], [0.0, 0.0, 1.0]])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Frame:
    """One RGB-D image as a camera took it: colour and depth of the same pixels.

    Attributes:
        time_s: When it was exposed, by this machine's ``time.monotonic``.
        number: Count of the camera's frames; a gap is a lost frame.
        rgb: (height, width, 3) uint8.
        depth: (height, width) float32, m along the optical axis; NaN where unknown.
    """

    time_s: float
    number: int
    rgb: NDArray[np.uint8]
    depth: NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraHealth:
    """How a camera does.

    Attributes:
        frames: Frames received since it was opened.
        lost: Frames that its counter says were never received.
        rate_hz: Measured over the last seconds; 0 before the second frame.
        age_s: Age of the latest frame; infinite before the first.
        problem: What is wrong, for people; empty when all is well.
    """

    frames: int
    lost: int
    rate_hz: float
    age_s: float
    problem: str = ""


class Camera(Protocol):
    """An open RGB-D camera.

    Attributes:
        name: Its name in ``cameras.toml``.
        model: Intrinsics of colour and depth, which are registered to each other.
        pose: Pose of the optical frame (x right, y down, z along the view) in the frame of
            ``mount``; None before it was calibrated.
        mount: ``"world"``, or ``"ee"`` for a camera on the end effector.
    """

    name: str
    model: CameraModel
    pose: Pose | None
    mount: str

    def read(self, *, newer_than_s: float = -np.inf, timeout_s: float = 1.0) -> Frame:
        """The latest frame; waits for one that was exposed after ``newer_than_s``.

        Raises:
            CameraError: None came in time, or the camera has gone.
        """
        ...

    def health(self) -> CameraHealth:
        """How it does now; never waits, never raises."""
        ...

    def close(self) -> None:
        """Let go of the camera; may be called twice."""
        ...
