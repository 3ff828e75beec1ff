"""`embodied bench disturb`: things happen while the arm works; is it noticed, and put right?

Seeded trials on the tabletop in MuJoCo, every one physical. In each, one thing happens at a random
moment (see ``world``). Noticed: the loop says that something is wrong with what was disturbed,
after it happened. Recovered: the goal holds in the simulator's own state at the end.
Wasted: actions beyond a plan made from what was measured right after the disturbance.

Four configurations, on the same seeds: the critic (preconditions, effects, chance of success) on or
off, the memory (beliefs compared with measurements) on or off. Neither is the open loop.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from embodied.bench.benchmark import About, Benchmark, every, option
from embodied.bench.disturb.trials import CONFIGURATIONS, run_trial
from embodied.bench.disturb.world import KINDS, WORDS
from embodied.bench.report import rate, table_of
from embodied.bench.runner import Row, Task
from embodied.errors import ConfigurationError


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Options of the benchmark."""

    trials: int = option(30, "of each kind, with both on")
    compare: int | None = option(None, "trials of each kind for the other configurations")
    kind: tuple[str, ...] = option(KINDS, choices=KINDS)
    seed: int = option(0, "first seed")


def cases(settings: Settings) -> list[Task]:
    """The trials: so many of each kind for each configuration, on the same seeds.

    Raises:
        ConfigurationError: No trials.
    """
    if settings.trials < 1:
        raise ConfigurationError("--trials must be at least 1")
    others = settings.trials if settings.compare is None else settings.compare
    counts = {n: settings.trials if n == "both" else others for n in CONFIGURATIONS}
    return [
        task
        for name, trials in counts.items()
        for task in every(
            "{configuration}/{kind}/{seed:04d}",
            {"configuration": name},
            seed=range(settings.seed, settings.seed + trials),
            kind=settings.kind,
        )
    ]


def summarise(results: Sequence[Row]) -> list[Row]:
    """One row for each configuration and kind, and one for all disturbances together."""
    rows: list[Row] = []
    for name in CONFIGURATIONS:
        own = [r for r in results if r.get("configuration") == name]
        if not own:
            continue
        disturbed = [r for r in own if r["kind"] != "none"]
        rows += [_row(name, kind, [r for r in own if r["kind"] == kind]) for kind in KINDS]
        rows.append(_row(name, "all", disturbed))
    return [r for r in rows if r["trials"]]


def recoverable(result: Row) -> bool:
    """Whether a plan existed after the disturbance (for what is given back: after that)."""
    return result["kind"] != "stolen" and (
        result["kind"] == "taken" or result["wasted"] is not None
    )


def _row(configuration: str, kind: str, results: Sequence[Row]) -> Row:
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


def tables(rows: Sequence[Row]) -> str:
    """The rows for a person."""
    parts: list[str] = []
    for name, (critic, memory) in CONFIGURATIONS.items():
        own = [r for r in rows if r["configuration"] == name]
        if own:
            title = f"critic {'on' if critic else 'off'}, memory {'on' if memory else 'off'}"
            parts.append(f"{title}\n\n{table_of(own, COLUMNS)}")
    return "\n".join(parts)


def _recovered(r: Row) -> str:
    if r["kind"] == "none":
        return f"{r['reached']}/{r['trials']} reached"
    return rate(r["recovered"], r["recoverable"]) if r["recoverable"] else "-"


COLUMNS: Mapping[str, str | Callable[[Row], object]] = {
    "what happens": lambda r: WORDS.get(r["kind"], "all disturbances"),
    "trials": "trials",
    "noticed": lambda r: (
        f"{r['false_alarms']} false alarms"
        if r["kind"] == "none"
        else rate(r["noticed"], r["trials"])
    ),
    "recovered": _recovered,
    "steps wasted": lambda r: "-" if r["steps_wasted"] is None else r["steps_wasted"],
    "stopped safe": lambda r: (
        f"{r['stopped_safe']}/{r['beyond_recovery']}" if r["beyond_recovery"] else "-"
    ),
}

BENCHMARK = Benchmark(
    name="disturb",
    summary="Disturbances while the arm works: noticed, recovered, wasted.",
    about=About(routes=("pddl",)),
    settings=Settings,
    cases=cases,
    run=run_trial,
    report=lambda rows, settings: summarise(rows),
    table=tables,
)
