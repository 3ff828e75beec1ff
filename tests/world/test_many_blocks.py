"""Scenes with far more blocks than the built-in ones."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from embodied import Settings, open_session
from embodied.world.mujoco import MujocoWorld

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))
from many_blocks import scene_text


@pytest.mark.parametrize("n_blocks", [40, 80])
def test_many_blocks_are_built_and_moved(
    n_blocks: int, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "many.toml"
    file.write_text(scene_text(n_blocks))
    session = open_session(Settings(scene=str(file), seed=0, pictures=False, model="rules"))
    try:
        before = session.environment.body.observe()
        blocks = [name for name in before.poses if "block" in name]
        assert len(blocks) == n_blocks
        outcome = session.run("put the red block 1 in the bin")
        assert outcome.reached, outcome.message
        after = session.environment.body.observe()
        moved = np.linalg.norm(
            after.poses["red-block-1"].position - before.poses["red-block-1"].position
        )
        assert moved > 0.05
        world = session.environment.body.world
        assert isinstance(world, MujocoWorld)
        assert not any(int(w.number) for w in world.data.warning)
        assert "arena" not in "".join(capfd.readouterr())  # nowhere too little memory
    finally:
        session.close()
