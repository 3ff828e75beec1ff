"""Intel RealSense depth cameras through ``pyrealsense2`` (extra ``[realsense]``)."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from embodied.errors import EnvironmentMissingError
from embodied.perception.cameras.drivers import CameraDriver
from embodied.perception.cameras.files import CameraEntry
from embodied.perception.cameras.streaming import StreamingCamera
from embodied.perception.cameras.types import CameraError, CameraModel, Frame

_WAIT_MS = 200
_LOST_S = 3.0
_BROWN = ("brown_conrady", "modified_brown_conrady", "inverse_brown_conrady")


class RealSenseCamera(StreamingCamera):
    """Colour with the depth registered to it.

    Args:
        serial: Serial number; empty takes the first camera that is found.
        width: Width of the images, px.
        height: Height of the images, px.
        fps: Images a second.
        recording: A .bag or .db3 that the vendor's tools recorded, instead of a camera; relative
            to ``cameras.toml``.

    Raises:
        CameraError: There is no such camera, or it does not give such images.
        EnvironmentMissingError: The client cannot be loaded: it needs libusb-1.0.
    """

    def __init__(
        self,
        entry: CameraEntry,
        *,
        serial: str = "",
        width: int = 640,
        height: int = 480,
        fps: int = 30,
        recording: str = "",
    ) -> None:
        super().__init__(entry)
        self._rs: Any = _client()
        rs = self._rs
        self._pipeline, config = rs.pipeline(), rs.config()
        if recording:
            config.enable_device_from_file(str(entry.folder / recording), True)
        else:
            if serial:
                config.enable_device(serial)
            config.enable_stream(rs.stream.depth, width, height, rs.format.z16, fps)
            config.enable_stream(rs.stream.color, width, height, rs.format.rgb8, fps)
        try:
            profile = self._pipeline.start(config)
        except RuntimeError as error:
            raise CameraError(f"camera {self.name!r}: {error}") from error
        self._align = rs.align(rs.stream.color)
        self._scale_m = float(profile.get_device().first_depth_sensor().get_depth_scale())
        self._last_s = time.monotonic()
        stream = profile.get_stream(rs.stream.color).as_video_stream_profile()
        try:
            self.start(model_of(stream.get_intrinsics()))
        except CameraError:
            self.release()
            raise

    def grab(self) -> Frame | None:
        """The next pair of images."""
        there, frames = self._pipeline.try_wait_for_frames(_WAIT_MS)
        now = time.monotonic()
        if not there:
            if now - self._last_s > _LOST_S:
                raise CameraError(f"no image for {_LOST_S:g} s: is it unplugged?")
            return None
        self._last_s = now
        return frame_of(self._rs, self._align.process(frames), self._scale_m)

    def release(self) -> None:
        """Stop the streams."""
        self._pipeline.stop()


def _client() -> Any:
    try:
        import pyrealsense2  # pyright: ignore  # no stubs, optional
    except ImportError as error:
        raise EnvironmentMissingError(
            f"pyrealsense2 cannot be loaded: {error} (libusb-1.0-0 is a system package)"
        ) from error
    return pyrealsense2


def model_of(intrinsics: Any) -> CameraModel:
    """The vendor's intrinsics.

    Raises:
        CameraError: Its distortion is of another kind than Brown-Conrady.
    """
    coefficients = tuple(float(c) for c in intrinsics.coeffs)
    kind = str(intrinsics.model).rpartition(".")[2]
    if any(coefficients) and kind not in _BROWN:
        raise CameraError(f"distortion {kind!r} is not supported: only {', '.join(_BROWN)}")
    return CameraModel(
        width=intrinsics.width,
        height=intrinsics.height,
        fx=intrinsics.fx,
        fy=intrinsics.fy,
        cx=intrinsics.ppx,
        cy=intrinsics.ppy,
        distortion=coefficients if any(coefficients) else (),
    )


def frame_of(rs: Any, frames: Any, scale_m: float) -> Frame:
    """Colour and registered depth as a frame.

    The exposure is told in this machine's clock where the driver maps it (``global_time`` or
    ``system_time``); otherwise the time of arrival is taken.
    """
    depth, color = frames.get_depth_frame(), frames.get_color_frame()
    now, wall = time.monotonic(), time.time()
    known = color.get_frame_timestamp_domain() in (
        rs.timestamp_domain.global_time,
        rs.timestamp_domain.system_time,
    )
    age = wall - color.get_timestamp() / 1000.0 if known else 0.0
    raw = np.asanyarray(depth.get_data())
    metres = np.where(raw > 0, raw * np.float32(scale_m), np.float32(np.nan)).astype(np.float32)
    return Frame(
        time_s=now - (age if 0.0 <= age < 1.0 else 0.0),
        number=int(color.get_frame_number()),
        rgb=np.array(np.asanyarray(color.get_data()), dtype=np.uint8),
        depth=metres,
    )


CAMERA = CameraDriver(
    make=RealSenseCamera,
    cameras="Intel RealSense depth cameras, and the vendor's recordings",
    tested_against="frames of the client's software_device",
    package="pyrealsense2",
    extra="realsense",
)
