"""Do rewards move arms at a table? Five sentences a scene, judged by the simulator's truth.

    python benchmarks/reward_tabletop.py --seeds 5 --out reward_tabletop.jsonl
    python benchmarks/reward_tabletop.py --robot fr3 --scene kitchen --sentence lift

Every row is a sentence in a scene with a seed. ``solved`` reads the simulator's own poses at the
end, one second after the run: what was to be lifted is up, what was to be put somewhere is there by
the scene's relations and let go, the drawer is open by 80% of its travel, what was to be touched is
within 6 cm of the point between the fingers. ``agrees`` says whether the verdict of the run said
the same. A killed measurement goes on with the same file.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable
from itertools import groupby
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from rich.console import Console
from rich.table import Table

from embodied.app.wiring import open_session
from embodied.bench.report import wilson_interval
from embodied.errors import EmbodiedError
from embodied.session import Session
from embodied.settings import Settings
from embodied.types import Atom, Observation

Check = Callable[[Session, Observation], bool]


def _lifted(name: str) -> Check:
    return lambda session, seen: bool(0.2 < seen.poses[name].position[2] < 0.3)


def _related(word: str, name: str, place: str) -> Check:
    def holds(session: Session, seen: Observation) -> bool:
        return Atom(word, (name, place)) in session.environment.grounder.facts(seen)

    return holds


def _close(name: str, other: str) -> Check:
    def holds(session: Session, seen: Observation) -> bool:
        objects = session.environment.body.spec.objects
        gap = np.linalg.norm((seen.poses[name].position - seen.poses[other].position)[:2])
        wide = sum(max(objects[n].size_m[:2]) / 2 for n in (name, other))
        return bool(gap < wide + 0.06) and _related("on", name, "table")(session, seen)

    return holds


def _opened(session: Session, seen: Observation) -> bool:
    travel = session.environment.body.spec.objects["drawer"].travel_m
    return seen.openings_m["drawer"] > 0.8 * travel


def _touched(name: str) -> Check:
    def holds(session: Session, seen: Observation) -> bool:
        at = seen.poses[name].position - seen.pose_ee_in_world.position
        return bool(np.linalg.norm(at) < 0.06)

    return holds


SENTENCES: dict[str, dict[str, tuple[str, Check]]] = {
    "blocks": {
        "lift": ("lift the red block", _lifted("red-block")),
        "close": (
            "move the green block close to the blue block",
            _close("green-block", "blue-block"),
        ),
        "in": ("put the yellow block in the bin", _related("in", "yellow-block", "bin")),
        "on": ("put the purple block on the tray", _related("on", "purple-block", "tray")),
        "touch": ("touch the orange block", _touched("orange-block")),
    },
    "kitchen": {
        "lift": ("lift the apple", _lifted("apple")),
        "close": ("move the lime close to the sponge", _close("lime", "sponge")),
        "in": ("put the soda can in the bowl", _related("in", "soda-can", "bowl")),
        "drawer": ("open the drawer", _opened),
        "touch": ("touch the red cup", _touched("red-cup")),
    },
    "workshop": {
        "lift": ("lift the battery", _lifted("battery")),
        "close": ("move the ball close to the black box", _close("ball", "black-box")),
        "in": ("put the short brick in the toolbox", _related("in", "short-brick", "toolbox")),
        "drawer": ("open the drawer", _opened),
        "touch": ("touch the blue block", _touched("blue-block")),
    },
}


def episode(robot: str, scene: str, kind: str, seed: int) -> dict[str, object]:
    """One run, as a row."""
    sentence, check = SENTENCES[scene][kind]
    row: dict[str, object] = {"robot": robot, "scene": scene, "sentence": kind, "seed": seed}
    session = open_session(
        Settings(robot=robot, scene=scene, route="reward", seed=seed, pictures=False)
    )
    begin, simulated = time.process_time(), session.time_s()
    try:
        outcome = session.run(sentence)
        cpu, simulated = time.process_time() - begin, session.time_s() - simulated
        body = session.environment.body
        if not kind.startswith(("lift", "touch")):
            body.hold(1.0)
        solved = check(session, body.observe())
        return {
            **row,
            "solved": solved,
            "agrees": solved == outcome.reached,
            "message": outcome.message,
            "notes": list(outcome.notes),
            "simulated_s": round(simulated, 2),
            "cpu_per_s": round(cpu / max(simulated, 1e-9), 2),
        }
    except EmbodiedError as error:
        return {**row, "solved": False, "agrees": True, "message": str(error), "cpu_per_s": 0.0}
    finally:
        session.close()


def main() -> None:
    """Measure, then show the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--robot", action="append", choices=("fr3", "ur5e", "fr3-hand"))
    parser.add_argument("--scene", action="append", choices=tuple(SENTENCES))
    parser.add_argument("--sentence", action="append")
    parser.add_argument("--out", type=Path, default=Path("reward_tabletop.jsonl"))
    asked = parser.parse_args()
    rows = [json.loads(line) for line in asked.out.open()] if asked.out.exists() else []
    done = {(r["robot"], r["scene"], r["sentence"], r["seed"]) for r in rows}
    for seed in range(asked.first, asked.first + asked.seeds):
        for robot in asked.robot or ("fr3", "ur5e", "fr3-hand"):
            for scene in asked.scene or SENTENCES:
                for kind in SENTENCES[scene]:
                    wanted = not asked.sentence or kind in asked.sentence
                    if wanted and (robot, scene, kind, seed) not in done:
                        rows.append(episode(robot, scene, kind, seed))
                        with asked.out.open("a") as file:
                            file.write(json.dumps(rows[-1]) + "\n")
    table = Table("robot", "scene", "sentence", "solved", "95% interval", "agree", "CPU s per s")
    for keys in (("robot", "scene", "sentence"), ("robot",)):
        ordered = sorted(rows, key=lambda r: [r[k] for k in keys])
        for names, group in groupby(ordered, key=lambda r: [r[k] for k in keys]):
            found = list(group)
            solved = sum(r["solved"] for r in found)
            low, high = wilson_interval(solved, len(found))
            table.add_row(
                *names,
                *[""] * (3 - len(keys)),
                f"{solved}/{len(found)}",
                f"{low:.0%} to {high:.0%}",
                f"{sum(r['agrees'] for r in found)}/{len(found)}",
                f"{np.mean([r['cpu_per_s'] for r in found]):.2f}",
            )
    Console().print(table)
    for row in rows:
        if not row["solved"] or not row["agrees"]:
            print(row["robot"], row["scene"], row["sentence"], row["seed"], row["message"])  # noqa: T201


if __name__ == "__main__":
    main()
