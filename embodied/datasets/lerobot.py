"""LeRobotDataset v3, written with pyarrow and av alone.

``data/`` and ``meta/episodes/`` hold Parquet files, one more for every time that episodes are
added; ``videos/`` one file per episode and camera. ``meta/info.json`` is replaced last: files that
it does not count are those of a writer that was killed, and the next one removes them.
"""

from __future__ import annotations

import importlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

from embodied.datasets.episode import FPS, Episode, Pictures, draw
from embodied.datasets.statistics import stats_of, together
from embodied.errors import ConfigurationError, EnvironmentMissingError
from embodied.records import Record, jsonable
from embodied.types import Array

if TYPE_CHECKING:
    import pyarrow as pa  # pyright: ignore  # no stubs

VERSION = "v3.0"
INFO, STATS, TASKS = "meta/info.json", "meta/stats.json", "meta/tasks.parquet"
PER_CHUNK = 1000
_COUNTERS = ("timestamp", "frame_index", "episode_index", "index", "task_index")
_PICTURES_FOR_STATS = 20


class LeRobotDataset:
    """Adds episodes to a data set; a folder without one becomes an empty one.

    Args:
        root: The data set's folder.
        pictures: Which pictures every episode gets; None: those that the data set has already.

    Attributes:
        runs: Names of the runs that are in it.

    Raises:
        ConfigurationError: There is something else in the folder, or a data set of another form.
        EnvironmentMissingError: pyarrow is missing.
    """

    def __init__(self, root: Path, pictures: Pictures | None = None) -> None:
        _arrow()
        self.root, self._pictures = root, pictures or Pictures()
        self._features: dict[str, dict[str, object]] = {}
        self._episodes = self._frames = self._files = 0
        self._tasks: list[str] = []
        self._stats: dict[str, dict[str, Array]] = {}
        self._robot = ""
        self.runs: set[str] = set()
        if (root / INFO).exists():
            self._open(pictures)
        elif (root / "data").exists() and not (root / "meta").exists():
            raise ConfigurationError(f"{root} holds data, but no {INFO}: it is no data set")

    def add(self, episodes: Iterable[Episode]) -> int:
        """Add episodes, all or (where this fails) none; returns how many.

        Raises:
            ConfigurationError: They have other features, another robot or other cameras than the
                data set.
        """
        import pyarrow.parquet as pq

        (self.root / "meta").mkdir(parents=True, exist_ok=True)
        self._clean()
        place = f"chunk-{self._files // PER_CHUNK:03d}/file-{self._files % PER_CHUNK:03d}"
        at = {"chunk": self._files // PER_CHUNK, "file": self._files % PER_CHUNK}
        rows: list[dict[str, object]] = []
        parts: list[dict[str, dict[str, Array]]] = []
        writer = None
        first, index = self._episodes, self._frames
        path = _made(self.root / "data" / f"{place}.parquet")
        try:
            for number, episode in enumerate(episodes, first):
                self._fit(episode)
                if episode.task not in self._tasks:
                    self._tasks.append(episode.task)
                table = self._table(episode, number, index)
                writer = writer or pq.ParquetWriter(path, table.schema, compression="snappy")
                writer.write_table(table)  # one row group for each episode
                stats = _stats(episode, number, index, self._tasks.index(episode.task))
                videos, seen = self._videos(episode, number)
                parts.append({**stats, **seen})
                rows.append(
                    {
                        "episode_index": number,
                        "tasks": [episode.task],
                        "length": episode.length,
                        "data/chunk_index": at["chunk"],
                        "data/file_index": at["file"],
                        "dataset_from_index": index,
                        "dataset_to_index": index + episode.length,
                        "meta/episodes/chunk_index": at["chunk"],
                        "meta/episodes/file_index": at["file"],
                        **videos,
                        "success": episode.success,
                        **episode.about,
                        **{f"stats/{k}/{s}": v for k, f in parts[-1].items() for s, v in f.items()},
                    }
                )
                index += episode.length
        finally:
            if writer is not None:
                writer.close()
        if not rows:
            path.unlink(missing_ok=True)
            return 0
        self._commit(rows, parts, place, index)
        return len(rows)

    # ----------------------------------------------------------------- private

    def _open(self, pictures: Pictures | None) -> None:
        import pyarrow.parquet as pq

        info = Record.load(self.root / INFO)
        if (version := info.text("codebase_version")) != VERSION or info.integer("fps") != FPS:
            raise ConfigurationError(
                f"{self.root} is a data set {version} of {info.integer('fps')} frames per second: "
                f"only {VERSION} of {FPS} can be added to"
            )
        features = info.record("features").values
        self._features = cast("dict[str, dict[str, object]]", features)
        self._episodes, self._frames = info.integer("total_episodes"), info.integer("total_frames")
        self._robot = info.text("robot_type", "")
        tasks = pq.read_table(self.root / TASKS).to_pylist()
        self._tasks = [t["task"] for t in sorted(tasks, key=lambda t: t["task_index"])]
        stats = Record.load(self.root / STATS).values
        if pictures is None:
            self._pictures = _pictures_of(self._features)
        self._stats = {
            key: {name: np.array(v, float) for name, v in cast("Mapping[str, object]", of).items()}
            for key, of in stats.items()
        }
        for path in sorted((self.root / "meta" / "episodes").glob("*/*.parquet")):
            columns = ["episode_index", "run"]
            found = pq.read_table(path, columns=columns).to_pylist()
            if not found or found[0]["episode_index"] >= self._episodes:
                break
            self.runs.update(row["run"] for row in found)
            self._files += 1

    def _clean(self) -> None:
        """Remove what a writer that was killed had left."""
        for kind in ("data", "meta/episodes"):
            for path in sorted((self.root / kind).glob("*/*.parquet"))[self._files :]:
                path.unlink()

    def _fit(self, episode: Episode) -> None:
        features = self._features_of(episode)
        if not self._features:
            self._features, self._robot = features, episode.robot
        known, new = _shapes(self._features), _shapes(features)
        if known != new or episode.robot != self._robot:
            other = sorted({k for k in (*known, *new) if known.get(k) != new.get(k)})
            raise ConfigurationError(
                f"{episode.about.get('run')} does not fit the data set: "
                + (
                    f"it differs in {', '.join(other)}"
                    if other
                    else f"its robot is {episode.robot}"
                )
            )

    def _features_of(self, episode: Episode) -> dict[str, dict[str, object]]:
        found: dict[str, dict[str, object]] = {
            name: {"dtype": f.dtype, "shape": [f.values.shape[1]], "names": list(f.names)}
            for name, f in episode.features.items()
        }
        size = [self._pictures.height_px, self._pictures.width_px, 3]
        for camera in self._pictures.cameras:
            info = {
                "video.height": size[0],
                "video.width": size[1],
                "video.codec": "h264",
                "video.pix_fmt": "yuv420p",
                "video.is_depth_map": False,
                "video.fps": FPS,
                "video.channels": 3,
                "has_audio": False,
            }
            names = ["height", "width", "channels"]
            found[f"observation.images.{camera}"] = {
                "dtype": "video",
                "shape": size,
                "names": names,
                "info": info,
            }
        found["language_persistent"] = {"dtype": "language", "shape": [1], "names": None}
        for name in _COUNTERS:
            dtype = "float32" if name == "timestamp" else "int64"
            found[name] = {"dtype": dtype, "shape": [1], "names": None}
        return found

    def _table(self, episode: Episode, number: int, index: int) -> pa.Table:
        import pyarrow as pa

        columns: dict[str, object] = {}
        for name, feature in episode.features.items():
            kind = pa.bool_() if feature.dtype == "bool" else pa.float32()
            width = feature.values.shape[1]
            flat = pa.array(feature.values.ravel().astype(feature.dtype), kind)
            columns[name] = flat if width == 1 else pa.FixedSizeListArray.from_arrays(flat, width)
        k = episode.length
        columns["language_persistent"] = _spoken(episode)
        for name, values in _counters(k, number, index, self._tasks.index(episode.task)).items():
            columns[name] = pa.array(values)
        return pa.table(columns)

    def _videos(
        self, episode: Episode, number: int
    ) -> tuple[dict[str, object], dict[str, dict[str, Array]]]:
        """Write the videos of an episode; returns what its row says of them, and statistics."""
        row: dict[str, object] = {}
        stats: dict[str, dict[str, Array]] = {}
        chunk, file = number // PER_CHUNK, number % PER_CHUNK
        for camera, images in draw(episode, self._pictures).items():
            key = f"observation.images.{camera}"
            name = f"videos/{key}/chunk-{chunk:03d}/file-{file:03d}.mp4"
            with closing(images):
                stats[key] = _film(_made(self.root / name), images, episode.length, self._pictures)
            row |= {
                f"videos/{key}/chunk_index": chunk,
                f"videos/{key}/file_index": file,
                f"videos/{key}/from_timestamp": 0.0,
                f"videos/{key}/to_timestamp": episode.length / FPS,
            }
        return row, stats

    def _commit(
        self,
        rows: list[dict[str, object]],
        parts: list[dict[str, dict[str, Array]]],
        place: str,
        index: int,
    ) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        table = pa.Table.from_pylist([_plain(row) for row in rows])
        pq.write_table(table, _made(self.root / "meta" / "episodes" / f"{place}.parquet"))
        for key in parts[0]:
            before = [self._stats[key]] if key in self._stats else []
            self._stats[key] = together([*before, *(p[key] for p in parts)])
        _write_tasks(self.root / TASKS, self._tasks)
        _replace(self.root / STATS, self._stats)
        self._episodes += len(rows)
        self._frames, self._files = index, self._files + 1
        self.runs.update(str(row.get("run")) for row in rows)
        video = "videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4"
        _replace(
            self.root / INFO,
            {
                "codebase_version": VERSION,
                "fps": FPS,
                "features": self._features,
                "total_episodes": self._episodes,
                "total_frames": self._frames,
                "total_tasks": len(self._tasks),
                "chunks_size": PER_CHUNK,
                "data_files_size_in_mb": 100,
                "video_files_size_in_mb": 200,
                "data_path": "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet",
                "video_path": video if self._pictures.cameras else None,
                "robot_type": self._robot,
                "splits": {"train": f"0:{self._episodes}"},
            },
        )


def _arrow() -> None:
    """Raises EnvironmentMissingError without pyarrow."""
    try:
        importlib.import_module("pyarrow")
    except ImportError as error:
        raise EnvironmentMissingError(
            "data sets need pyarrow: pip install 'embodied-stack[lerobot]'"
        ) from error


def _pictures_of(features: Mapping[str, Mapping[str, object]]) -> Pictures:
    """The pictures that a data set has."""
    prefix = "observation.images."
    found = {k: f for k, f in features.items() if k.startswith(prefix)}
    for feature in found.values():
        height, width, _ = cast("Sequence[int]", feature["shape"])
        names = tuple(k.removeprefix(prefix) for k in found)
        return Pictures(cameras=names, width_px=width, height_px=height)
    return Pictures()


def _shapes(features: Mapping[str, Mapping[str, object]]) -> dict[str, object]:
    return {k: (f["dtype"], list(cast("Sequence[int]", f["shape"]))) for k, f in features.items()}


def _counters(k: int, number: int, index: int, task: int) -> dict[str, NDArray[np.generic]]:
    frames = np.arange(k)
    return {
        "timestamp": (frames / FPS).astype(np.float32),
        "frame_index": frames,
        "episode_index": np.full(k, number),
        "index": index + frames,
        "task_index": np.full(k, task),
    }


def _stats(episode: Episode, number: int, index: int, task: int) -> dict[str, dict[str, Array]]:
    counters = _counters(episode.length, number, index, task)
    values = {name: f.values for name, f in episode.features.items()}
    values |= {name: column[:, None] for name, column in counters.items()}
    return {name: stats_of(v.astype(float)) for name, v in values.items()}


def _language(episode: Episode) -> Iterator[tuple[str, str, float]]:
    """Style, text and time of what is said about an episode."""
    if episode.subtasks:
        steps = (f"{n}. {text}" for n, (_, text) in enumerate(episode.subtasks, 1))
        yield "plan", "\n".join(steps), 0.0
    for time_s, text in episode.subtasks:
        yield "subtask", text, round(time_s * FPS) / FPS


def _spoken(episode: Episode) -> pa.Array:
    """The language column: in every frame, all that is said about the episode."""
    import pyarrow as pa

    said = list(_language(episode))
    k, n = episode.length, len(said)
    style, content, time_s = zip(*said, strict=True) if said else ((), (), ())
    text, calls = pa.string(), pa.list_(pa.json_())
    parts = {
        pa.field("role", text, nullable=False): pa.array(["assistant"] * (k * n), text),
        pa.field("content", text): pa.array(content * k, text),
        pa.field("style", text): pa.array(style * k, text),
        pa.field("timestamp", pa.float32(), nullable=False): pa.array(time_s * k, pa.float32()),
        pa.field("camera", text): pa.nulls(k * n, text),
        pa.field("tool_calls", calls): pa.nulls(k * n, calls),
    }
    rows = pa.StructArray.from_arrays(list(parts.values()), fields=list(parts))
    return pa.ListArray.from_arrays(pa.array(np.arange(k + 1) * n, pa.int32()), rows)


def _film(
    path: Path, images: Iterator[NDArray[np.uint8]], k: int, pictures: Pictures
) -> dict[str, Array]:
    """Encode pictures; returns their statistics per channel, (3, 1, 1), of values from 0 to 1."""
    import av

    sampled = set(np.linspace(0, k - 1, min(k, _PICTURES_FOR_STATS)).round().astype(int).tolist())
    kept: list[NDArray[np.float64]] = []
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS)
        stream.width, stream.height = pictures.width_px, pictures.height_px
        stream.pix_fmt = "yuv420p"
        stream.time_base = Fraction(1, FPS)
        stream.options = {"crf": "23", "g": "2", "preset": "veryfast"}
        for number, image in enumerate(images):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, FPS)
            container.mux(stream.encode(frame))
            if number in sampled:
                kept.append(image.reshape(-1, 3)[::7] / 255.0)
        container.mux(stream.encode())
    stats = stats_of(np.concatenate(kept))
    count = np.array([len(kept)])
    return {n: count if n == "count" else v.reshape(3, 1, 1) for n, v in stats.items()}


def _write_tasks(path: Path, tasks: Sequence[str]) -> None:
    """The tasks as pandas would write them, with the text as the index."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    def column(name: str, kind: str, numpy_kind: str) -> dict[str, object]:
        about = {"pandas_type": kind, "numpy_type": numpy_kind, "metadata": None}
        return {"name": name, "field_name": name, **about}

    pandas = {
        "index_columns": ["task"],
        "column_indexes": [],
        "columns": [column("task_index", "int64", "int64"), column("task", "unicode", "object")],
        "pandas_version": "2.0.0",
    }
    table = pa.table({"task_index": pa.array(range(len(tasks)), pa.int64()), "task": list(tasks)})
    draft = _made(path).with_suffix(".new")
    pq.write_table(table.replace_schema_metadata({"pandas": json.dumps(pandas)}), draft)
    draft.replace(path)


def _plain(row: Mapping[str, object]) -> dict[str, object]:
    return {k: v.tolist() if isinstance(v, np.ndarray) else v for k, v in row.items()}


def _made(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _replace(path: Path, content: object) -> None:
    draft = _made(path).with_suffix(".new")
    draft.write_text(json.dumps(jsonable(content), indent=4), "utf-8")
    os.replace(draft, path)
