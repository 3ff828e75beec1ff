"""Draws pictures and video; only the child of ``embodied.app.show.video`` imports this."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from embodied.app.record.states import STATES, read_states
from embodied.app.show.video_options import VideoOptions, VideoResult
from embodied.errors import ConfigurationError
from embodied.records import Record
from embodied.types import Array
from embodied.world.png import encode_png

if TYPE_CHECKING:
    from mujoco import MjModel  # pyright: ignore  # no stubs

Image = NDArray[np.uint8]
PICTURE_PX = (960, 720)
"""Size of ``before.png`` and ``after.png``."""

_TICKS_HZ = 1000
_POLL_S = 0.05
_HOLD_S = 1.0


class Painter(Protocol):
    """Draws one state; how is up to ``embodied.world.rendering``.

    Attributes:
        note: What to know about its pictures, for people; empty when there is nothing.
    """

    @property
    def note(self) -> str: ...  # noqa: D102

    def draw(self, qpos: Array) -> Image:
        """Return an RGB image of shape (height, width, 3)."""
        ...

    def close(self) -> None:
        """Release what it holds."""
        ...


OpenPainter = Callable[[Record, int, int, Literal["fast", "fine"]], Painter]


class Film:
    """Follows the states of a run folder and makes its pictures and video.

    Args:
        folder: The run folder.
        options: How to film.
        open_painter: Opens a painter for a states header, width, height and quality.
    """

    def __init__(
        self, folder: Path, options: VideoOptions, open_painter: OpenPainter | None = None
    ) -> None:
        self._folder = folder
        self._options = options
        self._open_painter = open_painter or _open_painter
        self._files: list[str] = []
        self._problem = ""

    def run(self, *, ended: Callable[[], bool], report: Callable[[int, int], None]) -> VideoResult:
        """Draw until the run has ended and all states are drawn."""
        options = self._options
        wall, cpu = time.perf_counter(), time.process_time()
        rows = self._rows(ended, report)
        first = next(rows, None)
        if first is None:
            return VideoResult(problem="no pictures: no state was recorded")
        header, time_s, qpos = first
        painter = self._open_painter(header, options.width_px, options.height_px, "fast")
        fine = self._open_painter(header, *PICTURE_PX, "fine") if options.pictures else painter
        drawn, start_s, end_s = 0, time_s, time_s
        encoder = Encoder(self._folder / options.name, options) if options.name else None
        try:
            if options.pictures:
                self._picture("before.png", fine.draw(qpos))
            if encoder is not None:
                encoder.add(0.0, painter.draw(qpos))
            drawn += 1
            for _, time_s, row in rows:
                qpos, end_s = row, time_s
                if encoder is not None:
                    encoder.add((end_s - start_s) / options.speed, painter.draw(qpos))
                    drawn += 1
            if options.pictures:
                self._picture("after.png", fine.draw(qpos))
            if encoder is not None:
                image = painter.draw(qpos)
                for part in (0.5, 1.0):
                    encoder.add((end_s - start_s) / options.speed + part * _HOLD_S, image)
                encoder.close()
                self._files.append(options.name)
        except OSError as error:
            self._problem = f"pictures are incomplete: {error.strerror or error}"
            if encoder is not None:
                with suppress(OSError):
                    encoder.discard()
        finally:
            painter.close()
            fine.close()
        details: dict[str, object] = {
            "frames": drawn,
            "simulated_s": round(end_s - start_s, 3),
            "draw_wall_s": round(time.perf_counter() - wall, 3),
            "draw_cpu_s": round(time.process_time() - cpu, 3),
        }
        if painter.note:
            details["note"] = painter.note
        if encoder is not None:
            details |= {
                "speed": options.speed,
                "width_px": options.width_px,
                "height_px": options.height_px,
                "codec": encoder.codec,
                "frames_per_s": round(options.rate_hz * options.speed, 3),
            }
        return VideoResult(files=tuple(self._files), details=details, problem=self._problem)

    def _rows(
        self, ended: Callable[[], bool], report: Callable[[int, int], None]
    ) -> Iterator[tuple[Record, float, Array]]:
        """Yield header, time and qpos of the rows as they appear.

        After the end of the run, rows are left out when drawing all would exceed the budget.
        """
        taken, drawn, drawing_s = 0, 0, 0.0
        ended_at = 0.0
        states, over = None, False
        while True:
            if not over:
                over = ended()  # before reading, so that no row can come after the last reading
                ended_at = time.perf_counter()
                with suppress(ConfigurationError):
                    states = read_states(self._folder / STATES)
            if states is None or taken >= len(states.time):
                if over:
                    return
                time.sleep(_POLL_S)
                continue
            n = len(states.time)
            stride = 1
            if over and drawn:
                left_s = self._options.budget_s - (time.perf_counter() - ended_at)
                affordable = max(1.0, left_s * drawn / drawing_s)
                stride = math.ceil((n - taken) / affordable)
            row = min(taken + stride - 1, n - 1)
            asked = time.perf_counter()
            yield states.header, float(states.time[row]), states.qpos[row]
            if taken > 0:  # the first also opens the renderer
                drawing_s += time.perf_counter() - asked
                drawn += 1
            taken = row + 1
            report(taken, n)

    def _picture(self, name: str, image: Image) -> None:
        (self._folder / name).write_bytes(encode_png(image))
        self._files.append(name)


class Encoder:
    """H.264 where the library has it, MPEG-4 part 2 elsewhere; frames carry their own times."""

    def __init__(self, path: Path, options: VideoOptions) -> None:
        import av
        import av.codec

        self.codec = "libx264" if "libx264" in av.codec.codecs_available else "mpeg4"
        self._av = av
        self._path = path
        self._part = path.with_name(f".{path.name}")
        self._last = -1
        self._container = av.open(
            str(self._part), "w", format="mp4", options={"movflags": "faststart"}
        )
        rate = Fraction(options.rate_hz * options.speed).limit_denominator(1000)
        stream = self._container.add_stream(self.codec, rate=rate)
        assert isinstance(stream, av.VideoStream)
        stream.width = options.width_px - options.width_px % 2
        stream.height = options.height_px - options.height_px % 2
        stream.pix_fmt = "yuv420p"
        stream.time_base = Fraction(1, _TICKS_HZ)
        stream.codec_context.time_base = Fraction(1, _TICKS_HZ)
        stream.codec_context.thread_count = 1
        if self.codec == "libx264":
            stream.options = {"preset": "veryfast", "crf": "21"}
        else:
            stream.bit_rate = 3_000_000
        self._stream = stream

    def add(self, at_s: float, image: Image) -> None:
        """Show ``image`` from ``at_s`` on."""
        ticks = max(round(at_s * _TICKS_HZ), self._last + 1)
        h, w = self._stream.height, self._stream.width
        frame = self._av.VideoFrame.from_ndarray(
            np.ascontiguousarray(image[:h, :w]), format="rgb24"
        )
        frame.pts = self._last = ticks
        frame.time_base = Fraction(1, _TICKS_HZ)
        for packet in self._stream.encode(frame):
            self._container.mux(packet)

    def close(self) -> None:
        """Write the rest and put the file in its place."""
        for packet in self._stream.encode():
            self._container.mux(packet)
        self._container.close()
        self._part.replace(self._path)

    def discard(self) -> None:
        """Remove the unfinished file."""
        with suppress(OSError):
            self._container.close()
        self._part.unlink(missing_ok=True)


def model_of(header: Record) -> MjModel:
    """Compile the MuJoCo model that recorded states belong to.

    Args:
        header: Header of the recorded states.

    Raises:
        ConfigurationError: Its scene or robot is not there any more.
    """
    if header.text("route") == "reward":
        from embodied.routes.reward.setup import drawing_model

        return drawing_model(header.values)
    from embodied.world.builder import build_model
    from embodied.world.scene import load_scene

    return build_model(load_scene(header.text("scene")), header.text("robot"))


def _open_painter(
    header: Record, width_px: int, height_px: int, quality: Literal["fast", "fine"]
) -> Painter:
    from embodied.world import rendering

    model = model_of(header)
    return rendering.Painter(model, width=width_px, height=height_px, quality=quality)
