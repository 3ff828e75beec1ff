"""The tasks of the value-map suite, and their episodes.

Thirteen instruction templates of VoxPoser's simulated suite (arXiv 2307.05973) and analogues of its
five real tasks, on this project's arm and things. Each is drawn from a seed, with seen or unseen
wording and seen or unseen attributes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from embodied.bench.voxposer import real, sim
from embodied.bench.voxposer.case import Case, Made, close_drawer
from embodied.bench.voxposer.scenes import FILE, Draw, NoRoomError
from embodied.bench.voxposer.world import Disturbance
from embodied.types import ValueMapProgram

TASKS: Mapping[str, Callable[[Draw], Made]] = {
    "move-to-side": sim.move_to_side,
    "move-staying-on-side": sim.move_staying_on_side,
    "slow-down-near": sim.slow_down_near,
    "close-by-pushing": close_drawer,
    "push-along-line": sim.push_along_line,
    "grasp-at-speed": sim.grasp_at_speed,
    "drop-to": sim.drop_to,
    "push-on-side": sim.push_on_side,
    "move-to-region": sim.move_to_region,
    "move-keeping-away": sim.move_keeping_away,
    "move-at-speed-in-region": sim.move_at_speed_in_region,
    "push-avoiding": sim.push_avoiding,
    "push-to": sim.push_to,
    "real-move-and-avoid": real.move_and_avoid,
    "real-set-table": real.set_table,
    "real-close-drawer": close_drawer,
    "real-open-bottle": real.open_bottle,
    "real-sweep-trash": real.sweep_trash,
}
"""Tasks by name; the last five are the analogues of the real ones."""

FORCES = ((0.0, 25.0, 0.0), (0.0, -25.0, 0.0), (25.0, 0.0, 0.0), (-25.0, 0.0, 0.0))


def case_of(task: str, index: int) -> Case:
    """Episode ``index`` of a task; the same index is the same episode everywhere.

    Wording and attributes alternate: seen and unseen wording, and every two episodes seen and
    unseen attributes.
    """
    wording = ("seen", "unseen")[index % 2]
    attributes = ("seen", "unseen")[index // 2 % 2]
    number = list(TASKS).index(task)
    for attempt in range(400):
        rng = np.random.default_rng([number, index, attempt])
        draw = Draw(rng=rng, split=attributes, choices=FILE.task[task][attributes])
        try:
            made = TASKS[task](draw)
        except NoRoomError:
            continue
        disturbance = Disturbance(kind="arm", force_n=FORCES[index % 4], after_s=1.0)
        name, shift_m = made.moved
        if name and index // 4 % 2 == 0:
            kind = "drawer" if name == "drawer" else "object"
            disturbance = Disturbance(
                kind=kind, name=name, shift_m=shift_m, force_n=FORCES[index % 4]
            )
        return Case(
            task=task,
            instruction=draw.sentence(FILE.task[task][wording].say),
            wording=wording,
            attributes=attributes,
            scene=draw.scene(f"{task}-{index}"),
            program=ValueMapProgram(stages=made.stages, source="oracle"),
            checks=made.checks,
            disturbance=disturbance,
        )
    raise RuntimeError(f"{task}, episode {index}: no layout was found")
