"""Other people's arms, as their packages bring them, carry out sentences through `embodied run`.

    pip install 'embodied-stack[robots]'
    python benchmarks/other_robots.py --out build/other_robots [--arms SO-101 Panda] [--layouts 10]
        [--route pddl] [--json]

Each arm of `other_robots.toml` gets the same sentences over the seeds 0, 1, ...; each run is one
`embodied run --json` of its own. What has been run already is read from the folder, not run again.
Prints a table: reached of runs, and the stage at which the others failed: load, reach, grasp, plan,
motion or verdict. `--pictures` draws each arm in its scene.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path

from embodied.bench.report import markdown_table

HERE = Path(__file__).parent
STAGES = ("load", "translate", "plan", "reach", "grasp", "motion", "verdict")
SIGNS = {
    "reach": ("out of reach", "cannot be lifted"),
    "grasp": ("no grasp", "fingers", "middle of the pads", "is not in the hand", "was lost", "cup"),
    "motion": ("on the way", "approach:", "stuck", "gave way", "too close", "at ("),
}
"""Words in the reason of a failed action by which its stage is told, first come, first."""


def stage_of(run: dict[str, object]) -> tuple[str, str]:
    """How a run ended: ``reached`` or the stage that failed, and why."""
    verdict, message = run.get("verdict"), str(run.get("message", run.get("error", "")))
    if isinstance(verdict, dict) and verdict.get("reached"):
        return "reached", ""
    if "timings_s" not in run or "open" not in run["timings_s"]:  # type: ignore[operator]
        return "load", message
    if not run.get("program"):
        return "translate", message
    failed = [a["reason"] for a in run.get("actions", ()) if not a["ok"]]  # type: ignore[attr-defined]
    if not failed:
        actions = run.get("actions")
        return ("verdict" if actions else "plan"), message
    reason = str(failed[-1])
    found = (s for s, words in SIGNS.items() if any(w in reason for w in words))
    return next(found, "motion"), reason


def run_once(
    arm: dict[str, str], sentence: str, seed: int, route: str, out: Path, limit_s: float
) -> dict[str, object]:
    """One run, as a row."""
    scene = str(HERE / arm["scene"]) if arm["scene"].endswith(".toml") else arm["scene"]
    robot = arm["robot"] if arm["robot"].startswith("package:") else str(HERE / arm["robot"])
    command = [
        sys.executable,
        "-m",
        "embodied.app.cli.main",
        "run",
        "--json",
        "--no-video",
    ]
    command += ["--scene", scene, "--robot", robot, "--route", route, "--seed", str(seed)]
    command += ["--yes"] if route == "pddl" else []
    command += ["--model", "rules", "--out", str(out / "runs"), sentence]
    row: dict[str, object] = {
        "arm": arm["name"],
        "seed": seed,
        "sentence": sentence,
        "route": route,
    }
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=limit_s, check=False)
    except subprocess.TimeoutExpired:
        return {**row, "stage": "motion", "reason": f"still running after {limit_s:.0f} s"}
    try:
        run = json.loads(done.stdout.strip().splitlines()[-1])
    except (IndexError, ValueError):
        return {**row, "stage": "load", "reason": (done.stderr or done.stdout).strip()[-300:]}
    stage, reason = stage_of(run)
    simulated = max((a["ended_s"] for a in run.get("actions", ())), default=0.0)
    return {**row, "stage": stage, "reason": reason, "robot_s": round(simulated, 1)}


def table(rows: list[dict[str, object]]) -> str:
    """Reached of runs and the stages of failures, for each arm."""
    header = ["arm", "reached", *STAGES, "robot time, s"]
    lines: list[list[str]] = []
    for name in dict.fromkeys(str(r["arm"]) for r in rows):
        mine = [r for r in rows if r["arm"] == name]
        counts = Counter(str(r["stage"]) for r in mine)
        times = sorted(float(r.get("robot_s", 0.0)) for r in mine if r["stage"] == "reached")  # type: ignore[arg-type]
        middle = f"{times[len(times) // 2]:.0f}" if times else ""
        cells = [str(counts[s] or "") for s in STAGES]
        lines.append([name, f"{counts['reached']} of {len(mine)}", *cells, middle])
    total = sum(r["stage"] == "reached" for r in rows)
    lines.append(["all", f"{total} of {len(rows)}", *[""] * (len(header) - 2)])
    return markdown_table(header, lines)


def draw(arm: dict[str, str], path: Path) -> None:
    """The arm at rest in its scene."""
    from embodied.app.show.film import encode_png
    from embodied.world.mujoco import build_world
    from embodied.world.scene import load_scene

    scene = str(HERE / arm["scene"]) if arm["scene"].endswith(".toml") else arm["scene"]
    robot = arm["robot"] if arm["robot"].startswith("package:") else str(HERE / arm["robot"])
    world = build_world(load_scene(scene), robot)
    world.reset(seed=0)
    image = world.render("main", width=640, height=480, segmentation=False)
    path.write_bytes(encode_png(image.rgb))
    world.close()


def main() -> None:
    """Run what has not been run, print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=Path("build/other_robots"))
    parser.add_argument("--arms", nargs="*", default=[])
    parser.add_argument("--layouts", type=int, default=10)
    parser.add_argument("--route", default="pddl")
    parser.add_argument("--limit", type=float, default=240.0, help="longest run, s")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--pictures", action="store_true")
    options = parser.parse_args()
    settings = tomllib.loads((HERE / "other_robots.toml").read_text("utf-8"))
    arms = [a for a in settings["arm"] if not options.arms or a["name"] in options.arms]
    options.out.mkdir(parents=True, exist_ok=True)
    file = options.out / f"{options.route}.jsonl"
    known = (
        [json.loads(line) for line in file.read_text("utf-8").splitlines()] if file.exists() else []
    )
    done = {(r["arm"], r["seed"]): r for r in known}
    for arm in arms:
        if options.pictures:
            draw(arm, options.out / f"{arm['name'].replace(' ', '-')}.png")
            continue
        for seed in range(options.layouts):
            if (arm["name"], seed) in done:
                continue
            sentence = settings["sentences"][seed % len(settings["sentences"])]
            row = run_once(arm, sentence, seed, options.route, options.out, options.limit)
            done[arm["name"], seed] = row
            with file.open("a", encoding="utf-8") as lines:
                lines.write(json.dumps(row) + "\n")
            print(arm["name"], seed, row["stage"], row["reason"], file=sys.stderr, flush=True)
    wanted = {a["name"] for a in arms}
    rows = [r for r in done.values() if r["arm"] in wanted and r["seed"] < options.layouts]
    print(json.dumps(rows) if options.json else table(rows))


if __name__ == "__main__":
    main()
