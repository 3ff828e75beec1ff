"""Open a data set with the real ``lerobot`` and read all of it; needs nothing of this project.

``python benchmarks/open_in_lerobot.py DIR`` in an environment with ``lerobot[dataset]`` (Python
3.12). Exit status 1 where something is not as the data set's own metadata say.
"""

from __future__ import annotations

import json
import os
import platform
import sys
from importlib import metadata
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"

import numpy as np  # noqa: E402


def main() -> None:
    """Read everything, compare, print."""
    import torch
    from lerobot.datasets.lerobot_dataset import LeRobotDataset

    root = Path(sys.argv[1])
    dataset = LeRobotDataset("local/data", root=root)
    info = json.loads((root / "meta" / "info.json").read_text())
    print(f"lerobot {metadata.version('lerobot')}, Python {platform.python_version()}, {root.name}")
    print(f"{dataset.num_episodes} episodes, {dataset.num_frames} frames, {dataset.fps} per second")
    print(f"columns: {', '.join(sorted(dataset.features))}")
    assert dataset.num_episodes == info["total_episodes"]
    assert len(dataset) == dataset.num_frames == info["total_frames"]
    lengths: dict[int, int] = {}
    succeeded: set[int] = set()
    actions: list[np.ndarray] = []
    plain = dataset.hf_dataset.with_format("numpy")
    for frame in plain:
        number = int(frame["episode_index"])
        assert int(frame["frame_index"]) == lengths.get(number, 0), "frames are in order"
        assert abs(float(frame["timestamp"]) - lengths.get(number, 0) / dataset.fps) < 1e-4
        lengths[number] = lengths.get(number, 0) + 1
        actions.append(frame["action"])
        if frame["next.success"]:
            succeeded.add(number)
    episodes = dataset.meta.episodes
    assert [lengths[n] for n in range(len(lengths))] == episodes["length"]
    assert {n for n, ok in enumerate(episodes["success"]) if ok} == succeeded
    stats = dataset.meta.stats["action"]
    assert np.allclose(stats["mean"], np.mean(actions, axis=0), atol=1e-4)
    assert np.allclose(stats["std"], np.std(actions, axis=0), atol=1e-4)
    print(f"{len(succeeded)} of {len(lengths)} episodes reached their goal; tasks:")
    for task in dataset.meta.tasks.index:
        print(f"  {task}")
    first = dataset[0]
    print("subtasks of the first: " + "; ".join(
        said["content"] for said in first["language_persistent"] if said["style"] == "subtask"
    ))  # fmt: skip
    numbers = [k for k, v in first.items() if isinstance(v, torch.Tensor)]
    loader = torch.utils.data.DataLoader(
        dataset,
        batch_size=32,
        shuffle=True,
        collate_fn=lambda items: {k: torch.stack([i[k] for i in items]) for k in numbers},
    )
    batch = next(iter(loader))
    print("a batch: " + ", ".join(f"{k} {tuple(v.shape)}" for k, v in batch.items()))
    print("all as the metadata say")


if __name__ == "__main__":
    main()
