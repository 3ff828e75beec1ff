"""`embodied bench matrix`: routes x worlds x perception, a cell a line.

An episode opens the cell's session with a seed, carries out one sentence with the rules, and asks
the simulator's truth whether it was done. A success is one that the verdict and the truth agree on;
a verdict "reached" that the truth denies is counted apart, and none is allowed. A cell that is
refused says why; nothing has moved then.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from embodied.bench.benchmark import About, Benchmark, option
from embodied.bench.matrix.tasks import SENTENCES, Sentence, Truth
from embodied.bench.report import listed, rate, table_of
from embodied.bench.runner import Payload, Row, Task
from embodied.bench.tabletop import Tabletop
from embodied.errors import ConfigurationError, EmbodiedError, NotUnderstoodError
from embodied.session import Session
from embodied.settings import Settings
from embodied.types import Observation

PERCEPTIONS = ("truth", "pixels")
ARMS = {"mujoco": ("fr3", "ur5e", "fr3-hand"), "bridge": ("fr3", "ur5e")}
"""Arms by world; those of PyBullet have one of their own."""

BARS = {"truth": 0.95, "pixels": 0.90}
BRIDGE_POINTS = 3.0
"""Points by which a cell behind the supervisor may differ from the direct one."""

_LAYOUTS = 40

_refused: dict[str, str] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Options of the benchmark."""

    seeds: int = option(20, "episodes of each sentence in each cell", at_least=1)
    seed: int = option(0, "first seed", at_least=0)
    cells: tuple[str, ...] = option(("*",), "ROUTE/WORLD/PERCEPTION/ARM, * for any")


def cells() -> Iterator[tuple[str, str, str, str]]:
    """Route, world, perception and arm of every cell."""
    from embodied.app.wiring import PYBULLET_ROBOT, WORLDS

    for route in SENTENCES:
        for world in WORLDS:
            for arm in ARMS.get(world, (PYBULLET_ROBOT,)):
                for perception in PERCEPTIONS:
                    yield route, world, perception, arm


def cases(options: Options) -> list[Task]:
    """The episodes, those of one seed before those of the next.

    Raises:
        ConfigurationError: No cell is chosen.
    """
    chosen = [c for c in cells() if any(fnmatchcase("/".join(c), p) for p in options.cells)]
    if not chosen:
        names = ", ".join("/".join(c) for c in cells())
        raise ConfigurationError(f"--cells {' '.join(options.cells)}: there are {names}")
    found: list[Task] = []
    for seed in range(options.seed, options.seed + options.seeds):
        for route, world, perception, arm in chosen:
            cell = f"{route}/{world}/{perception}/{arm}"
            for number in range(len(SENTENCES[route])):
                payload = {
                    "cell": cell,
                    "route": route,
                    "world": world,
                    "perception": perception,
                    "arm": arm,
                    "sentence": number,
                    "seed": seed,
                }
                found.append(Task(id=f"{cell}/{number}/{seed:03d}", payload=payload))
    return found


def run_case(payload: Payload) -> Row:
    """One episode."""
    from embodied.app.wiring import open_session

    sentence = SENTENCES[payload["route"]][payload["sentence"]]
    row: Row = {**payload, "scene": sentence.scene, "text": sentence.text, "status": "done"}
    settings = Settings(
        scene=sentence.scene,
        robot=payload["arm"],
        world=payload["world"],
        route=payload["route"],
        perception=payload["perception"],
        model="rules",
        seed=payload["seed"],
        pictures=False,
    )
    started = time.process_time()
    reason = _refused.get(payload["cell"], "")
    if not reason:
        try:
            session = open_session(settings)
        except ConfigurationError as error:
            _refused[payload["cell"]] = reason = str(error)
        else:
            try:
                row |= _episode(session, sentence, payload["seed"])
            finally:
                session.close()
    if reason:
        row |= {"status": "refused", "reason": reason}
    return {**row, "cpu_s": round(time.process_time() - started, 2)}


def _episode(session: Session, sentence: Sentence, seed: int) -> Row:
    body = session.environment.body
    table = Tabletop(body.spec)
    layout = _free_layout(session, table, sentence, seed)
    start, path = body.observe(), list[Observation]()
    body.watchers.append(path.append)
    try:
        outcome = session.run(sentence.text)
        verdict, message = outcome.reached, outcome.message
    except NotUnderstoodError as error:
        verdict, message = False, f"not understood: {error}"
    except EmbodiedError as error:
        verdict, message = False, f"{type(error).__name__}: {error}"
    end = body.observe()
    true = sentence.check(Truth(table=table, start=start, path=path, end=end))
    return {
        "layout": layout,
        "verdict": verdict,
        "true": bool(true),
        "success": bool(verdict and true),
        "message": message[:300],
        "sim_s": round(end.time - start.time, 2),
    }


def _free_layout(session: Session, table: Tabletop, sentence: Sentence, seed: int) -> int:
    """Draw layouts from the seed until what the sentence names lies free; the layout's seed."""
    body = session.environment.body
    wanted = [f"(clear {n})" for n in sentence.free]
    for layout in range(seed, seed + 1000 * _LAYOUTS, 1000):
        seen = body.observe() if layout == seed else body.reset(seed=layout)
        facts = table.grounder.facts(seen)
        if all(table.holds(w, facts) for w in wanted):
            return layout
    raise RuntimeError(f"no layout of seed {seed} leaves {', '.join(sentence.free)} free")


def build_report(rows: Sequence[Row], options: Options) -> list[Row]:
    """One row for each cell."""
    del options
    found: list[Row] = []
    for cell in dict.fromkeys(str(r["cell"]) for r in rows if "cell" in r):
        own = [r for r in rows if r.get("cell") == cell]
        done = [r for r in own if r["status"] == "done"]
        route, world, perception, arm = cell.split("/")
        found.append(
            {
                "cell": cell,
                "route": route,
                "world": world,
                "perception": perception,
                "arm": arm,
                "refused": next((r["reason"] for r in own if r["status"] == "refused"), ""),
                "episodes": len(done),
                "successes": sum(r["success"] for r in done),
                "verdicts_denied": sum(r["verdict"] and not r["true"] for r in done),
                "done_not_seen": sum(r["true"] and not r["verdict"] for r in done),
                "bar": BARS[perception],
                "mean_sim_s": round(sum(r["sim_s"] for r in done) / len(done), 1) if done else None,
                "mean_cpu_s": round(sum(r["cpu_s"] for r in done) / len(done), 1) if done else None,
                "misses": [
                    f"{r['id']} {r['text']!r}: verdict {'reached' if r['verdict'] else 'not'}, "
                    f"truth {'holds' if r['true'] else 'does not'}: {r['message']}"
                    for r in done
                    if not r["success"]
                ],
            }
        )
    return found


def render_report(report: Sequence[Row]) -> str:
    """The cells for a person."""
    open_cells = [r for r in report if r["episodes"]]
    shut = [f"{r['cell']}: {r['refused']}" for r in report if r["refused"]]
    denied = sum(r["verdicts_denied"] for r in report)
    columns = {
        "cell": "cell",
        "success (95% Wilson)": lambda r: rate(r["successes"], r["episodes"]),
        "bar": lambda r: f"{100 * r['bar']:.0f}%",
        "reached, truth denies": "verdicts_denied",
        "done, not judged so": "done_not_seen",
        "robot s": "mean_sim_s",
        "CPU s": "mean_cpu_s",
    }
    parts = [
        table_of(open_cells, columns) if open_cells else "",
        f'Verdicts "reached" that the simulator\'s truth denies: {denied} (bar: 0)\n',
        listed(
            f"Bridge against direct (bar: within {BRIDGE_POINTS:g} points)", _bridged(open_cells)
        ),
        listed("Refused before anything moves", shut),
        listed("Missed", [m for r in report for m in r["misses"]]),
    ]
    return "\n".join(p for p in parts if p)


def _bridged(report: Sequence[Row]) -> Iterator[str]:
    """Cells behind the supervisor beside the same cell without it."""
    direct = {"bridge": "mujoco", "bridge-pybullet": "pybullet"}
    shares = {r["cell"]: 100.0 * r["successes"] / r["episodes"] for r in report}
    for row in report:
        if row["world"] in direct:
            other = row["cell"].replace(f"/{row['world']}/", f"/{direct[row['world']]}/")
            if other in shares:
                points = shares[row["cell"]] - shares[other]
                yield f"{row['cell']}: {points:+.1f} points"


def exit_code(report: Sequence[Row]) -> int:
    """1 where a cell misses its bar, or the truth denies a verdict."""
    low = any(r["episodes"] and r["successes"] < r["bar"] * r["episodes"] for r in report)
    return int(low or any(r["verdicts_denied"] for r in report))


BENCHMARK = Benchmark(
    name="matrix",
    summary="Every route in every world with truth and pixels: success and verdicts, by cell.",
    about=About(routes=("pddl", "value-map", "reward")),
    settings=Options,
    cases=cases,
    run=run_case,
    report=build_report,
    table=render_report,
    code=exit_code,
)
