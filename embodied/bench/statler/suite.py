"""`embodied bench statler`: does what is believed stay true over a conversation?

Three parts. *Episodes*: the published conversations (Yoneda et al., arXiv 2306.17840), judged by
consequences in a simulator: any moves that leave behind what the sentence demands count, moves that
physics forbids do not. *Sessions*: long random conversations in which accuracy must not fall with
length. *Shell games*: cups and a ball, 1 to 50 swaps.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from embodied.bench.asking import ModelSettings, asked_model
from embodied.bench.benchmark import Benchmark, every, option
from embodied.bench.report import grouped, listed, new_figure, rate, table_of
from embodied.bench.runner import Payload, Row, Task
from embodied.bench.statler.data import read_episodes
from embodied.bench.statler.methods import MemorylessMethod, Method, RulesMethod, statler_domain
from embodied.bench.statler.run import play_episode, play_session, play_shell_game
from embodied.bench.statler.score import audit
from embodied.bench.statler.sessions import random_world
from embodied.symbolic import read_domain

if TYPE_CHECKING:
    from matplotlib.figure import Figure

METHODS = ("rules", "memoryless", "model")
CUPS = (3, 5)
SWAPS = (1, 2, 3, 5, 8, 12, 20, 30, 40, 50)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(ModelSettings):
    """Options of the benchmark."""

    data: Path | None = option(None, "folder of the published episode files")
    method: tuple[str, ...] = option(("rules", "memoryless"), choices=METHODS)
    sessions: int = option(100, "random sessions of the rules")
    compare: int = option(20, "sessions without memory")
    with_model: int = option(0, "sessions of the method model")
    turns: int = option(200, "length of a session")
    shell_games: int = option(20, "for each number of swaps")
    seed: int = option(0, "first seed")


def run_task(payload: Payload) -> Row:
    """Run one episode, session or shell game."""
    part, method = str(payload["part"]), str(payload["method"])
    about = {"part": part, "method": method}
    rng = np.random.default_rng(int(payload.get("seed", 0)))
    if part == "shell":
        text = (resources.files("embodied_assets") / "domains" / "shell_game.pddl").read_text()
        cups, swaps = int(payload["cups"]), int(payload["swaps"])
        return about | play_shell_game(rng, read_domain(text), cups=cups, swaps=swaps)
    if part == "session":
        world = random_world(rng)
        player = _method(method, (*world.blocks, *world.containers), payload)
        return about | play_session(player, world, rng, turns=int(payload["turns"]))
    number = int(payload["number"])
    episodes = read_episodes(Path(payload["data"]))
    (episode,) = [e for e in episodes if (e.family, e.number) == (payload["family"], number)]
    player = _method(method, episode.names, payload)
    result = play_episode(episode, player)
    usage = getattr(player, "usage", None)
    cost = {} if usage is None else {"usage": asdict(usage)}
    return about | {"family": episode.family} | result | cost


def _method(name: str, names: Sequence[str], payload: Payload) -> Method:
    domain = statler_domain()
    if name == "rules":
        return RulesMethod(names, domain)
    if name == "memoryless":
        return MemorylessMethod(names, domain)
    from embodied.bench.statler.model import ModelMethod

    return ModelMethod(names, domain, asked_model(payload))


def cases(settings: Settings) -> list[Task]:
    """Every episode, session and shell game, in a fixed order.

    Raises:
        ConfigurationError: The method ``model`` without a model.
    """
    s = settings
    asking = s.asking([m for m in s.method if m == "model"])
    published = read_episodes(s.data) if s.data is not None else ()
    played = {"rules": s.sessions, "memoryless": s.compare, "model": s.with_model}
    tasks: list[Task] = []
    for method in s.method:
        about: Row = {"method": method, "turns": s.turns, "data": str(s.data), **asking}
        tasks += [
            Task(
                id=f"episode/{method}/{e.id}",
                payload={"part": "episode", "family": e.family, "number": e.number, **about},
            )
            for e in published
        ]
        seeds = range(s.seed, s.seed + min(s.sessions, played[method]))
        tasks += every("{part}/{method}/{turns}/{seed:05d}", about, part=["session"], seed=seeds)
    return tasks + every(
        "{part}/{cups}/{swaps:02d}/{seed:05d}",
        {"part": "shell", "method": "rules"},
        cups=CUPS,
        swaps=SWAPS,
        seed=range(s.seed, s.seed + s.shell_games),
    )


def build_report(results: Sequence[Row], data: Path | None) -> Row:
    """Numbers for each part and method, and what is amiss in the published files."""
    good = [r for r in results if r["status"] == "ok"]
    episodes, sessions, shell = (
        [r for r in good if r["part"] == part] for part in ("episode", "session", "shell")
    )
    flaws = [f for e in read_episodes(data) for f in audit(e)] if data is not None else []
    rows: list[Row] = []
    for (method,), own in grouped(episodes, "method").items():
        rows += [_episode_row(method, f, part) for (f,), part in grouped(own, "family").items()]
        rows.append(_episode_row(method, "all", own))
    return {
        "episodes": rows,
        "sessions": [_session_row(m, r) for (m,), r in grouped(sessions, "method").items()],
        "shell": [_shell_row(n, [r for r in shell if r["swaps"] == n]) for n in SWAPS if shell],
        "flaws": [asdict(f) for f in flaws],
        "failures": [
            {"id": r["id"], "why": r["failure"]}
            for r in episodes
            if r["failure"] and r["method"] != "memoryless"
        ],
        "problems": [p for r in sessions if r["method"] == "rules" for p in r["problems"]][:20],
        "errors": [{"id": r["id"], "error": r["error"]} for r in results if r["status"] == "error"],
    }


def _sums(results: Sequence[Row], *names: str) -> Row:
    return {name: sum(r[name] for r in results) for name in names}


def _episode_row(method: str, family: str, own: Sequence[Row]) -> Row:
    counts = ("success", "turns", "right", "statements", "wrong", "same_moves", "moved_turns")
    return {"method": method, "family": family, "episodes": len(own), **_sums(own, *counts)}


def _session_row(method: str, results: Sequence[Row]) -> Row:
    tenths = np.array([r["by_tenth"] for r in results], dtype=np.int64).sum(axis=0)
    return {
        "method": method,
        "sessions": len(results),
        "perfect": sum(r["wrong"] == 0 and r["failed_turns"] == 0 for r in results),
        **_sums(results, "turns", "failed_turns", "statements", "wrong"),
        "by_tenth": [1.0 - float(w) / float(s) if s else 1.0 for s, w in tenths],
        **_sums(results, "contradictions", "refuted"),
    }


def _shell_row(swaps: int, results: Sequence[Row]) -> Row:
    return {
        "swaps": swaps,
        "games": len(results),
        "right": sum(r["success"] for r in results),
        "memoryless": sum(r["memoryless_success"] for r in results),
    }


def render_report(report: Row) -> str:
    """The report as Markdown."""
    parts = ["# Statler benchmark\n"]
    columns: Mapping[str, str | Callable[[Row], object]]
    if report["episodes"]:
        columns = {
            "method": "method",
            "episodes": "family",
            "success (95%)": lambda r: rate(r["success"], r["episodes"]),
            "turns right": lambda r: f"{r['right']}/{r['turns']}",
            "belief": _belief,
            "published moves": lambda r: f"{r['same_moves']}/{r['moved_turns']}",
        }
        parts += [
            "Episodes end at the first turn that is not as demanded.\n",
            table_of(report["episodes"], columns),
        ]
    if report["sessions"]:
        columns = {
            "method": "method",
            "sessions": "sessions",
            "perfect": "perfect",
            "turns failed": lambda r: f"{r['failed_turns']}/{r['turns']}",
            "belief": _belief,
            "first tenth": lambda r: f"{100 * r['by_tenth'][0]:.2f}%",
            "last tenth": lambda r: f"{100 * r['by_tenth'][-1]:.2f}%",
            "contradictions found": lambda r: f"{r['refuted']}/{r['contradictions']}",
        }
        parts += ["## Random sessions\n", table_of(report["sessions"], columns)]
    if report["shell"]:
        columns = {
            "swaps": "swaps",
            "ball found": lambda r: rate(r["right"], r["games"]),
            "without memory": lambda r: rate(r["memoryless"], r["games"]),
        }
        parts += ["## Shell games\n", table_of(report["shell"], columns)]
    flaws: Sequence[Row] = report["flaws"]
    covered = [f["episode"] for f in flaws if f["kind"] == "covered"]
    lines = [f"{f['episode']}, turn {f['step']}, {f['kind']}: {f['text']}" for f in flaws]
    if flaws:
        lines.append(f"{len(covered)} moves in {len(set(covered))} episodes move a covered block")
    parts += [
        listed("Amiss in the published files", lines),
        listed("Not right", (f"{x['id']}: {x['why']}" for x in report["failures"])),
        listed("Errors", (f"{x['id']}: {x['error']}" for x in report["errors"])),
        listed("Wrong in sessions", report["problems"]),
    ]
    return "\n".join(p for p in parts if p)


def _belief(row: Row) -> str:
    total, right = row["statements"], row["statements"] - row["wrong"]
    if not total:
        return "-"
    percent = 100.0 * right / total
    return f"{percent:.0f}% of {total}" if right == total else f"{percent:.2f}% of {total}"


def draw(report: Row) -> Figure:
    """Belief accuracy against the length of a session, and shell games against swaps."""
    figure = new_figure(9.0, 3.4)
    left, right = figure.subplots(1, 2)
    for row in report["sessions"]:
        tenths = row["by_tenth"]
        turns = row["turns"] / max(1, row["sessions"])
        x = [turns * (n + 0.5) / len(tenths) for n in range(len(tenths))]
        label = f"{row['method']} ({row['sessions']} sessions)"
        left.plot(x, [100 * a for a in tenths], marker="o", label=label)
    left.set(xlabel="turn", ylabel="belief that is right (%)", ylim=(-3, 104))
    for name, label in (("right", "with memory"), ("memoryless", "without memory")):
        rows = [r for r in report["shell"] if r["games"]]
        share = [100 * r[name] / r["games"] for r in rows]
        right.plot([r["swaps"] for r in rows], share, marker="o", label=label)
    right.set(xlabel="swaps", ylabel="ball found (%)", ylim=(-3, 104))
    for axes in (left, right):
        axes.grid(alpha=0.3)
        axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, frameon=False)
    return figure


def missed(report: Row) -> int:
    """1 where the rules failed a turn or believed something wrong."""
    rows = [r for r in (*report["episodes"], *report["sessions"]) if r["method"] == "rules"]
    failed = (r.get("failed_turns", r["turns"] - r.get("right", r["turns"])) for r in rows)
    return int(any(failed) or any(r["wrong"] for r in rows))


BENCHMARK = Benchmark(
    name="statler",
    summary="Statler: beliefs over conversations, shell games and long sessions.",
    settings=Settings,
    cases=cases,
    run=run_task,
    report=lambda rows, settings: build_report(rows, settings.data),
    table=render_report,
    figures={"accuracy.png": draw},
    code=missed,
)
