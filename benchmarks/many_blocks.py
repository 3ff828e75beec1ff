"""One sentence carried out among many blocks: where the time goes until the arm has moved.

    python benchmarks/many_blocks.py [--blocks 40 80]

Prints wall and CPU seconds of opening the scene and of the run, and fails where a goal is not
reached or MuJoCo runs short of memory.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from embodied import Settings, open_session
from embodied.bench.report import table_of
from embodied.world.mujoco import MujocoWorld

COLORS = ("red", "green", "blue", "yellow", "orange", "purple")


def scene_text(n_blocks: int) -> str:
    """A table full of blocks, of a size at which they fit."""
    size = 0.03 if n_blocks <= 40 else 0.022
    items = "".join(
        f'[[item]]\nname = "{COLORS[i % 6]}-block-{i + 1}"\ncategory = "block"\n'
        f'color = "{COLORS[i % 6]}"\nsize_m = [{size}, {size}, {size}]\n'
        for i in range(n_blocks)
    )
    return f"""name = "many-blocks"
description = "{n_blocks} blocks and a bin."
sentences = ["put the red block 1 in the bin"]
[[container]]
name = "bin"
category = "bin"
color = "grey"
size_m = [0.22, 0.22, 0.07]
position_m = [0.45, 0.40]
{items}[layout]
region_lower_m = [0.30, -0.27]
region_upper_m = [0.68, 0.26]
clearance_m = 0.01
stack_probability = 0.3
"""


def measured(n_blocks: int, seed: int, folder: Path) -> dict[str, object]:
    """One row: one run."""
    file = folder / f"blocks_{n_blocks}.toml"
    file.write_text(scene_text(n_blocks))
    cpu, wall = time.process_time(), time.monotonic()
    session = open_session(Settings(scene=str(file), seed=seed, pictures=False, model="rules"))
    opened = time.process_time() - cpu, time.monotonic() - wall
    cpu, wall = time.process_time(), time.monotonic()
    outcome = session.run("put the red block 1 in the bin")
    done = time.process_time() - cpu, time.monotonic() - wall
    world = session.environment.body.world
    assert isinstance(world, MujocoWorld)
    row: dict[str, object] = {
        "blocks": n_blocks,
        "open, CPU s": f"{opened[0]:.1f}",
        "open, s": f"{opened[1]:.1f}",
        "run, CPU s": f"{done[0]:.1f}",
        "run, s": f"{done[1]:.1f}",
        "plan, s": f"{outcome.timings_s['plan']:.1f}",
        "arena used": f"{world.data.maxuse_arena / world.model.narena:.0%}",
        "warnings": sum(int(w.number) for w in world.data.warning),
        "reached": outcome.reached,
    }
    session.close()
    return row


def main() -> int:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--blocks", type=int, nargs="+", default=[6, 40, 80])
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = [measured(n, options.seed, Path(folder)) for n in options.blocks]
    print(table_of(rows, {name: name for name in rows[0]}))
    return 0 if all(row["reached"] and not row["warnings"] for row in rows) else 1


if __name__ == "__main__":
    raise SystemExit(main())
