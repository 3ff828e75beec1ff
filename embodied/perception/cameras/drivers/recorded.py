"""Recorded RGB-D frames, played back at the pace at which they were taken."""

from __future__ import annotations

import time
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embodied.errors import ConfigurationError
from embodied.perception.cameras.drivers import CameraDriver
from embodied.perception.cameras.files import CameraEntry
from embodied.perception.cameras.streaming import StreamingCamera
from embodied.perception.cameras.types import Camera, CameraError, CameraModel, Frame

MOST_BYTES = 2**31
"""Of the frames of one file, unpacked."""

MOST_FRAMES = 100_000
ARRAYS = ("time_s", "rgb", "depth")


class RecordedCamera(StreamingCamera):
    """Plays a recording; the first frame is taken for exposed when the camera is opened.

    A recording is one ``.npz`` with ``time_s`` (n,), ``rgb`` (n, height, width, 3) uint8 and
    ``depth`` (n, height, width), float32 in m with NaN where unknown, or whole numbers with 0 where
    unknown; or a folder of ``.npz`` with one such frame each, in the order of their names. The
    entry in ``cameras.toml`` must hold the intrinsics.

    Args:
        path: The file or folder, relative to ``cameras.toml``.
        loop: Start again after the last frame; otherwise the camera has gone then.
        depth_scale_m: Depth of one unit of whole numbers, m.

    Raises:
        CameraError: There is no such recording, or it holds something else.
        ConfigurationError: The entry has no intrinsics.
    """

    def __init__(
        self, entry: CameraEntry, *, path: str, loop: bool = True, depth_scale_m: float = 1e-3
    ) -> None:
        super().__init__(entry)
        if entry.model is None:
            raise ConfigurationError(
                f"camera {entry.name!r}: a recording has no intrinsics of its own: write "
                f"[{entry.name}.intrinsics]"
            )
        self._loop, self._scale_m = loop, depth_scale_m
        place = entry.folder / path
        if place.is_dir():
            self._files = sorted(place.glob("*.npz"))[:MOST_FRAMES]
            self._whole = None
            times = [float(_arrays(f, ("time_s",))["time_s"]) for f in self._files]
        else:
            self._files = []
            self._whole = _arrays(place, ARRAYS)
            times = np.atleast_1d(self._whole["time_s"]).astype(float).tolist()
        if not times:
            raise CameraError(f"camera {self.name!r}: {place} holds no frames (NAME.npz)")
        self._times_s = np.array(times) - times[0]
        gaps = np.diff(self._times_s)
        if not np.isfinite(self._times_s).all() or (gaps <= 0.0).any():
            raise CameraError(f"camera {self.name!r}: the times of {place} do not rise")
        self._period_s = float(np.median(gaps)) if len(gaps) else 0.1
        rgb, _ = self._images(0)
        height, width = rgb.shape[:2]
        self._number, self._began_s = 0, time.monotonic()
        size = {"width": width, "height": height}
        self.start(CameraModel(fx=1.0, fy=1.0, cx=0.0, cy=0.0, **size))

    def grab(self) -> Frame | None:
        """The next frame, once it is due."""
        count = len(self._times_s)
        turn, index = divmod(self._number, count)
        if turn and not self._loop:
            raise CameraError("the recording is over")
        due = self._began_s + turn * (self._times_s[-1] + self._period_s) + self._times_s[index]
        wait = due - time.monotonic()
        if wait > 0.1:
            time.sleep(0.1)
            return None
        time.sleep(max(wait, 0.0))
        rgb, depth = self._images(index)
        self._number += 1
        return Frame(time_s=due, number=self._number, rgb=rgb, depth=depth)

    def release(self) -> None:
        """Nothing is held."""

    def _images(self, index: int) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        if self._whole is None:
            found = _arrays(self._files[index], ("rgb", "depth"))
            rgb, depth = found["rgb"], found["depth"]
        else:
            rgb, depth = self._whole["rgb"][index], self._whole["depth"][index]
        if rgb.ndim != 3 or rgb.dtype != np.uint8 or rgb.shape != (*depth.shape, 3):
            raise CameraError(
                f"camera {self.name!r}: colour {rgb.shape} {rgb.dtype} and depth {depth.shape} are "
                "not (height, width, 3) uint8 and (height, width)"
            )
        if np.issubdtype(depth.dtype, np.integer):
            known = depth != 0
            depth = np.where(known, depth * np.float32(self._scale_m), np.float32(np.nan))
        return rgb, depth.astype(np.float32)


def _arrays(path: Path, names: tuple[str, ...]) -> Mapping[str, NDArray[Any]]:
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(i.file_size for i in archive.infolist()) > MOST_BYTES:
                raise CameraError(f"{path} holds more than {MOST_BYTES / 2**30:g} GiB")
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in names}
    except KeyError as error:
        raise CameraError(f"{path} holds no array {error}: needed: {', '.join(ARRAYS)}") from error
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise CameraError(f"cannot read the recording {path}: {error}") from error


def write_frame(folder: Path, frame: Frame) -> Path:
    """Add a frame to a recording that is a folder; returns its file."""
    path = folder / f"{frame.number:06d}.npz"
    np.savez_compressed(path, time_s=frame.time_s, rgb=frame.rgb, depth=frame.depth)
    return path


def record_camera(folder: Path, camera: Camera, end_s: float) -> int:
    """Record a camera until an instant of ``time.monotonic``; returns the number of images.

    Raises:
        CameraError: It gives none, or has gone.
    """
    folder.mkdir(parents=True)
    count, last = 0, -np.inf
    while time.monotonic() < end_s:
        frame = camera.read(newer_than_s=last, timeout_s=5.0)
        write_frame(folder, frame)
        count, last = count + 1, frame.time_s
    return count


CAMERA = CameraDriver(
    make=RecordedCamera,
    cameras="recordings: a folder or an .npz of RGB-D frames with their times",
    tested_against="its own recordings",
)
