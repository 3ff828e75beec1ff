"""`embodied bench disturb`: things happen while the arm works; is it noticed, and put right?

Seeded trials on the tabletop in MuJoCo, every one physical. In each, one thing happens at a random
moment (see ``disturb_world``). Noticed: the loop says that something is wrong with what was
disturbed, after it happened. Recovered: the goal holds in the simulator's own state at the end.
Wasted: actions beyond a plan made from what was measured right after the disturbance.

Four configurations, on the same seeds: the critic (preconditions, effects, chance of success) on or
off, the memory (beliefs compared with measurements) on or off. Neither is the open loop.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from embodied.bench.core.report import markdown_table, rate
from embodied.bench.core.runner import Task, check_settings, run_tasks
from embodied.bench.loop.disturb_trials import CONFIGURATIONS, run_trial
from embodied.bench.loop.disturb_world import KINDS, WORDS
from embodied.errors import ConfigurationError

OUT = Path("bench/disturb")


def tasks_of(
    kinds: Sequence[str], configurations: Mapping[str, int], first_seed: int = 0
) -> list[Task]:
    """The trials: so many of each kind for each configuration, on the same seeds."""
    return [
        Task(
            id=f"{name}/{kind}/{seed:04d}",
            payload={"kind": kind, "seed": seed, "configuration": name},
        )
        for seed in range(first_seed, first_seed + max(configurations.values()))
        for name, trials in configurations.items()
        for kind in kinds
        if seed < first_seed + trials
    ]


def summarise(results: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """One row for each configuration and kind, and one for all disturbances together."""
    rows: list[dict[str, Any]] = []
    for name in CONFIGURATIONS:
        own = [r for r in results if r.get("configuration") == name]
        if not own:
            continue
        disturbed = [r for r in own if r["kind"] != "none"]
        rows += [_row(name, kind, [r for r in own if r["kind"] == kind]) for kind in KINDS]
        rows.append(_row(name, "all", disturbed))
    return [r for r in rows if r["trials"]]


def recoverable(result: Mapping[str, Any]) -> bool:
    """Whether a plan existed after the disturbance (for what is given back: after that)."""
    return result["kind"] != "stolen" and (
        result["kind"] == "taken" or result["wasted"] is not None
    )


def _row(configuration: str, kind: str, results: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    valid = [r for r in results if r["status"] == "ok"]
    mendable = [r for r in valid if r["kind"] != "none" and recoverable(r)]
    gone = [r for r in valid if r["kind"] == "stolen"]
    mended = [r for r in mendable if r["reached"]]
    wasted = [r["wasted"] for r in mended if r["wasted"] is not None]
    return {
        "configuration": configuration,
        "kind": kind,
        "trials": len(valid),
        "void": sum(r["status"] == "void" for r in results),
        "errors": sum(r["status"] == "error" for r in results),
        "reached": sum(r["reached"] for r in valid),
        "noticed": sum(bool(r["noticed"]) for r in valid),
        "recoverable": len(mendable),
        "recovered": len(mended),
        "beyond_recovery": len(gone),
        "stopped_safe": sum(r["hand_empty"] and not r["claimed"] for r in gone),
        "false_alarms": sum(r["alarms"] > 0 for r in valid),
        "false_claims": sum(r["claimed"] and not r["reached"] for r in valid),
        "steps_wasted": round(float(np.mean(wasted)), 2) if wasted else None,
        "failed_actions": round(float(np.mean([r["failed"] for r in valid])), 2) if valid else None,
    }


def tables(rows: Sequence[Mapping[str, Any]]) -> str:
    """The rows for a person."""
    header = ["what happens", "trials", "noticed", "recovered", "steps wasted", "stopped safe"]
    parts: list[str] = []
    for name, (critic, memory) in CONFIGURATIONS.items():
        own = [r for r in rows if r["configuration"] == name]
        if own:
            title = f"critic {'on' if critic else 'off'}, memory {'on' if memory else 'off'}"
            parts.append(f"{title}\n\n{markdown_table(header, list(_cells(own)))}")
    return "\n".join(parts)


def _cells(rows: Sequence[Mapping[str, Any]]) -> Iterator[list[object]]:
    for r in rows:
        n = r["trials"]
        if r["kind"] == "none":
            alarms = f"{r['false_alarms']} false alarms"
            yield [WORDS["none"], n, alarms, f"{r['reached']}/{n} reached", "-", "-"]
            continue
        yield [
            WORDS.get(r["kind"], "all disturbances"),
            n,
            rate(r["noticed"], n),
            rate(r["recovered"], r["recoverable"]) if r["recoverable"] else "-",
            "-" if r["steps_wasted"] is None else r["steps_wasted"],
            f"{r['stopped_safe']}/{r['beyond_recovery']}" if r["beyond_recovery"] else "-",
        ]


def main(arguments: Sequence[str]) -> int:
    """Run what is missing and report; 0 when every trial ran, else 3."""
    parser = argparse.ArgumentParser(prog="embodied bench disturb", description=__doc__)
    parser.add_argument("--trials", type=int, default=30, help="of each kind, with both on")
    parser.add_argument(
        "--compare",
        type=int,
        default=None,
        help="trials of each kind for the other configurations [default: as many]",
    )
    parser.add_argument("--kind", action="append", choices=KINDS, help="repeatable; all if none")
    parser.add_argument("--seed", type=int, default=0, help="first seed")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(list(arguments))
    if options.trials < 1:
        raise ConfigurationError("--trials must be at least 1")
    compare = options.trials if options.compare is None else options.compare
    counts = {n: options.trials if n == "both" else compare for n in CONFIGURATIONS}
    check_settings(options.out, {"benchmark": "disturb"})
    results = run_tasks(
        tasks_of(options.kind or KINDS, counts, options.seed),
        run_trial,
        options.out,
        jobs=options.jobs,
        progress=not options.json,
        title="trials",
    )
    rows = summarise(results)
    (options.out / "report.json").write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    sys.stdout.write(json.dumps(rows) + "\n" if options.json else tables(rows))
    return 3 if any(r["status"] == "error" for r in results) else 0
