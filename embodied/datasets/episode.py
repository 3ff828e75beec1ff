# pyright: reportAttributeAccessIssue=false
# (mujoco ships no type stubs)
"""One run as an episode of a data set."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from embodied.app.record.frames import FRAMES, RATE_HZ, Frames, read_frames
from embodied.app.record.run_folder import read_events, read_summary
from embodied.app.replay import plan_in_words
from embodied.errors import ConfigurationError
from embodied.types import Array

FPS = int(RATE_HZ)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Feature:
    """A column of an episode.

    Attributes:
        values: (k, width).
        names: One for each of the width.
        dtype: ``"float32"`` or ``"bool"``.
    """

    values: NDArray[np.generic]
    names: tuple[str, ...]
    dtype: str = "float32"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Episode:
    """What a policy may learn from.

    Attributes:
        task: The sentence.
        features: Columns by name, k rows each.
        subtasks: What was done from when on, s, in words.
        success: Whether the goal was measured to hold.
        about: Further facts: run, scene, seed, message.
        frames: What pictures are drawn from.
    """

    task: str
    features: Mapping[str, Feature]
    subtasks: Sequence[tuple[float, str]]
    success: bool
    about: Mapping[str, str | int]
    frames: Frames
    robot: str = ""

    @property
    def length(self) -> int:
        """Frames."""
        return len(self.frames.time)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pictures:
    """Which pictures an episode gets.

    Attributes:
        cameras: Names of cameras of the scene.
        width_px: Width.
        height_px: Height.
    """

    cameras: tuple[str, ...] = ()
    width_px: int = 224
    height_px: int = 224


def episode_of(folder: Path) -> Episode:
    """The episode that a run folder holds.

    The action of a frame is where the joints and the gripper were told to be at the next one.

    Raises:
        ConfigurationError: The run is not finished, recorded no frames, or did not move.
    """
    summary = read_summary(folder)
    if summary.text("status", "") != "finished":
        raise ConfigurationError(f"{folder} is not finished: its outcome is not known")
    frames = _evenly(read_frames(folder / FRAMES))
    k = len(frames.time)
    if k < 2:
        raise ConfigurationError(f"{folder} has no motion: {k} frame{'' if k == 1 else 's'}")
    reached = summary.record("verdict", {}).flag("reached", False)
    success = np.zeros((k, 1), bool)
    success[-1] = reached
    done = np.zeros((k, 1), bool)
    done[-1] = True
    columns, header = frames.columns, frames.header
    joints = header.texts("joints")
    grip = "gripper" in columns
    state, action = [columns["q"]], [_next(columns["set_q"])]
    if grip:
        state.append(columns["gripper"][:, :1])
        action.append(_next(columns["set_width"]))
    names = (*joints, "gripper") if grip else joints
    pose = tuple(f"{axis}" for axis in ("x", "y", "z", "qw", "qx", "qy", "qz"))
    features = {
        "observation.state": Feature(values=np.hstack(state), names=names),
        "observation.velocity": Feature(values=columns["dq"], names=joints),
        "observation.ee": Feature(values=columns["ee"], names=pose),
        "action": Feature(values=np.hstack(action), names=names),
        "next.success": Feature(values=success, names=("success",), dtype="bool"),
        "next.done": Feature(values=done, names=("done",), dtype="bool"),
    }
    objects = columns["objects"]
    if objects.shape[1] and np.isfinite(objects).all():
        parts = tuple(f"{name}.{axis}" for name in header.texts("objects") for axis in pose)
        features["observation.environment_state"] = Feature(values=objects, names=parts)
    start_s = float(frames.time[0])
    return Episode(
        task=summary.text("instruction"),
        features=features,
        subtasks=tuple((max(0.0, t - start_s), words) for t, words in _subtasks(folder)),
        success=reached,
        about={
            "run": folder.resolve().name,
            "scene": summary.text("scene", ""),
            "seed": summary.integer("seed", 0),
            "message": summary.text("message", ""),
        },
        frames=frames,
        robot=summary.text("robot", ""),
    )


def draw(episode: Episode, pictures: Pictures) -> dict[str, Generator[NDArray[np.uint8]]]:
    """Pictures of each camera, frame after frame, (height, width, 3).

    Raises:
        ConfigurationError: There is no such camera, or the scene is not there any more.
    """
    if not pictures.cameras:
        return {}
    import mujoco

    from embodied.app.show.film import model_of
    from embodied.world.rendering import open_renderer

    model = model_of(episode.frames.header)
    legal = [model.camera(i).name for i in range(model.ncam)]
    for name in pictures.cameras:
        if name not in legal:
            raise ConfigurationError(f"there is no camera {name!r}: legal are {', '.join(legal)}")
    data = mujoco.MjData(model)

    def of(name: str) -> Generator[NDArray[np.uint8]]:
        size = {"width": pictures.width_px, "height": pictures.height_px}
        renderer = open_renderer(model, **size, quality="sensor")
        try:
            for qpos in episode.frames.columns["qpos"]:
                data.qpos[:] = qpos
                mujoco.mj_forward(model, data)
                yield renderer.image(data, name, names=None).rgb
        finally:
            renderer.close()

    return {name: of(name) for name in pictures.cameras}


def _next(values: Array) -> Array:
    """Of each row the next one; the last stays."""
    return np.vstack([values[1:], values[-1:]])


def _evenly(frames: Frames) -> Frames:
    """Without a last row that came before its time."""
    if len(frames.time) > 1 and frames.time[-1] - frames.time[-2] < 0.9 / FPS:
        columns = {name: values[:-1] for name, values in frames.columns.items()}
        return Frames(time=frames.time[:-1], columns=columns, header=frames.header)
    return frames


def _subtasks(folder: Path) -> Iterator[tuple[float, str]]:
    words = plan_in_words(folder)
    events, _ = read_events(folder)
    for event in events:
        if event.kind == "action":
            action = event.record.text("action")
            yield event.record.number("time_s", 0.0), words.get(action, action)
