"""How a run is filmed, and the result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoOptions:
    """How a run is filmed.

    Attributes:
        width_px: Width of the video.
        height_px: Height of the video.
        speed: How many times faster than the world's clock the video plays.
        rate_hz: Frames per second of the world's clock; ``rate_hz * speed`` are shown per second.
        budget_s: Wall time allowed after the run has ended; frames are left out evenly to keep it.
        name: File name of the video; no video when empty.
        pictures: Whether ``before.png`` and ``after.png`` are drawn.
    """

    width_px: int = 640
    height_px: int = 480
    speed: float = 2.0
    rate_hz: float = 12.0
    budget_s: float = 10.0
    name: str = "video.mp4"
    pictures: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoResult:
    """What came of the filming.

    Attributes:
        files: Names of the files made.
        details: For ``run.json``: size, frames, speed, codec, wall and CPU time; ``note``, where
            OpenGL did not draw.
        problem: Why something is missing, for a person; empty when all is there.
    """

    files: tuple[str, ...] = ()
    details: Mapping[str, object] = field(default_factory=dict[str, object])
    problem: str = ""
