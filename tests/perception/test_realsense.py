"""The RealSense driver's reading of frames, from the client's own software device."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from embodied.perception.cameras import CameraError
from embodied.perception.cameras.drivers.realsense import frame_of, model_of


@pytest.fixture
def rs() -> Any:
    try:
        import pyrealsense2
    except ImportError as error:
        pytest.skip(f"pyrealsense2 is not usable here (extra [realsense]): {error}")
    return pyrealsense2


def _intrinsics(rs: Any, coefficients: list[float]) -> Any:
    made = rs.intrinsics()
    made.width, made.height = 64, 48
    made.fx, made.fy, made.ppx, made.ppy = 60.0, 61.0, 31.0, 24.5
    made.model, made.coeffs = rs.distortion.brown_conrady, coefficients
    return made


def test_frames_of_a_software_device_become_metres_and_colours(rs: Any) -> None:
    device = rs.software_device()
    sensor = device.add_sensor("both")
    profiles: dict[str, Any] = {}
    for kind, form, size, index in (
        ("depth", rs.format.z16, 2, 0),
        ("color", rs.format.rgb8, 3, 1),
    ):
        stream = rs.video_stream()
        stream.type, stream.index, stream.uid = getattr(rs.stream, kind), 0, index
        stream.width, stream.height, stream.fps, stream.bpp = 64, 48, 30, size
        stream.fmt, stream.intrinsics = form, _intrinsics(rs, [0.0] * 5)
        profiles[kind] = sensor.add_video_stream(stream)
    sensor.add_read_only_option(rs.option.depth_units, 0.001)
    device.create_matcher(rs.matchers.default)
    queue, syncer = rs.frame_queue(10), rs.syncer()
    sensor.open(list(profiles.values()))
    sensor.start(syncer)
    depth = np.zeros((48, 64), np.uint16)
    depth[10:, :] = 1500
    color = np.random.default_rng(0).integers(0, 255, (48, 64, 3), dtype=np.uint8)
    frames = None
    for number in range(1, 12):
        for kind, pixels in (("depth", depth), ("color", color)):
            frame = rs.software_video_frame()
            frame.pixels, frame.bpp = pixels, pixels.itemsize * (3 if kind == "color" else 1)
            frame.stride = 64 * frame.bpp
            frame.timestamp, frame.frame_number = 33.0 * number, number
            frame.domain = rs.timestamp_domain.hardware_clock
            frame.profile = profiles[kind].as_video_stream_profile()
            sensor.on_video_frame(frame)
        got = syncer.wait_for_frames(1000)
        if got.size() == 2:
            frames = got
            break
    del queue
    assert frames is not None
    seen = frame_of(rs, frames, 0.001)
    np.testing.assert_array_equal(seen.rgb, color)
    assert np.isnan(seen.depth[:10]).all() and np.allclose(seen.depth[10:], 1.5)
    sensor.stop()
    sensor.close()


def test_intrinsics_are_those_of_the_device(rs: Any) -> None:
    model = model_of(_intrinsics(rs, [0.1, -0.2, 1e-3, 2e-3, 0.05]))
    assert (model.width, model.height, model.fx, model.fy) == (64, 48, 60.0, 61.0)
    assert (model.cx, model.cy) == (31.0, 24.5)
    np.testing.assert_allclose(model.distortion, [0.1, -0.2, 1e-3, 2e-3, 0.05], rtol=1e-6)
    strange = _intrinsics(rs, [0.1, 0.0, 0.0, 0.0, 0.0])
    strange.model = rs.distortion.ftheta
    with pytest.raises(CameraError, match="ftheta"):
        model_of(strange)
