"""`embodied bench statler`: does what is believed stay true over a conversation?

Three parts. *Episodes*: the published conversations (Yoneda et al., arXiv 2306.17840), judged by
consequences in a simulator: any moves that leave behind what the sentence demands count, moves that
physics forbids do not. *Sessions*: long random conversations in which accuracy must not fall with
length. *Shell games*: cups and a ball, 1 to 50 swaps.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from embodied.bench.core.report import markdown_table, rate
from embodied.bench.core.runner import EXECUTORS, Payload, Task, check_settings, run_tasks
from embodied.bench.statler.data import read_episodes
from embodied.bench.statler.methods import MemorylessMethod, Method, RulesMethod, statler_domain
from embodied.bench.statler.run import play_episode, play_session, play_shell_game
from embodied.bench.statler.score import audit
from embodied.bench.statler.sessions import random_world
from embodied.errors import ConfigurationError
from embodied.symbolic import read_domain

OUT = Path("bench/statler")
METHODS = ("rules", "memoryless", "model")
CUPS = (3, 5)
SWAPS = (1, 2, 3, 5, 8, 12, 20, 30, 40, 50)


def run_task(payload: Payload) -> dict[str, Any]:
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
    cost = {} if usage is None else {"usage": dataclasses.asdict(usage)}
    return about | {"family": episode.family} | result | cost


def _method(name: str, names: Sequence[str], payload: Payload) -> Method:
    domain = statler_domain()
    if name == "rules":
        return RulesMethod(names, domain)
    if name == "memoryless":
        return MemorylessMethod(names, domain)
    from embodied.bench.statler.model import ModelMethod
    from embodied.language.models import open_model

    model = open_model(str(payload["model"]), **payload.get("model_options", {}))
    return ModelMethod(names, domain, model)


def tasks_of(options: argparse.Namespace) -> list[Task]:
    """Everything to run, in a fixed order."""
    tasks: list[Task] = []
    model = {"model": options.model, "model_options": _model_options(options)}
    for method in options.method:
        more = model if method == "model" else {}
        if options.data is not None:
            tasks += [
                Task(
                    id=f"episode/{method}/{e.id}",
                    payload={
                        "part": "episode",
                        "method": method,
                        "data": str(options.data),
                        "family": e.family,
                        "number": e.number,
                        **more,
                    },
                )
                for e in read_episodes(options.data)
            ]
        tasks += [
            Task(
                id=f"session/{method}/{options.turns}/{seed:05d}",
                payload={
                    "part": "session",
                    "method": method,
                    "turns": options.turns,
                    "seed": seed,
                    **more,
                },
            )
            for seed in range(options.seed, options.seed + _count(options, method))
        ]
    shell = {"part": "shell", "method": "rules"}
    tasks += [
        Task(
            id=f"shell/{cups}/{swaps:02d}/{seed:05d}",
            payload={**shell, "cups": cups, "swaps": swaps, "seed": seed},
        )
        for cups in CUPS
        for swaps in SWAPS
        for seed in range(options.seed, options.seed + options.shell_games)
    ]
    return tasks


def _count(options: argparse.Namespace, method: str) -> int:
    """How many sessions a method plays; a model plays none unless it is asked to."""
    wanted = {"rules": options.sessions, "memoryless": options.compare, "model": options.with_model}
    return int(min(options.sessions, wanted[method]))


def _model_options(options: argparse.Namespace) -> dict[str, Any]:
    given = {
        "base_url": options.base_url,
        "max_calls": options.max_calls,
        "max_tokens": options.max_tokens,
    }
    return {k: v for k, v in given.items() if v is not None}


def build_report(results: Sequence[Mapping[str, Any]], data: Path | None) -> dict[str, Any]:
    """Numbers for each part and method, and what is amiss in the published files."""
    good = [r for r in results if r["status"] == "ok"]
    episodes = [r for r in good if r["part"] == "episode"]
    rows: list[dict[str, Any]] = []
    for method in dict.fromkeys(r["method"] for r in episodes):
        own = [r for r in episodes if r["method"] == method]
        for family in [*dict.fromkeys(r["family"] for r in own), "all"]:
            rows.append(_episode_row(method, family, own))
    sessions = [r for r in good if r["part"] == "session"]
    shell = [r for r in good if r["part"] == "shell"]
    flaws = [f for e in read_episodes(data) for f in audit(e)] if data is not None else []
    failures = [
        {"id": r["id"], "why": r["failure"]}
        for r in episodes
        if r["failure"] and r["method"] != "memoryless"
    ]
    return {
        "episodes": rows,
        "sessions": [
            _session_row(m, [r for r in sessions if r["method"] == m])
            for m in dict.fromkeys(r["method"] for r in sessions)
        ],
        "shell": [_shell_row(n, [r for r in shell if r["swaps"] == n]) for n in SWAPS if shell],
        "flaws": [dataclasses.asdict(f) for f in flaws],
        "failures": failures,
        "problems": [p for r in sessions if r["method"] == "rules" for p in r["problems"]][:20],
        "errors": [{"id": r["id"], "error": r["error"]} for r in results if r["status"] == "error"],
    }


def _episode_row(method: str, family: str, results: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    own = [r for r in results if family in ("all", r["family"])]
    return {
        "method": method,
        "family": family,
        "episodes": len(own),
        "success": sum(r["success"] for r in own),
        **{
            name: sum(r[name] for r in own)
            for name in ("turns", "right", "statements", "wrong", "same_moves", "moved_turns")
        },
    }


def _session_row(method: str, results: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    tenths = np.array([r["by_tenth"] for r in results], dtype=np.int64).sum(axis=0)
    return {
        "method": method,
        "sessions": len(results),
        "perfect": sum(r["wrong"] == 0 and r["failed_turns"] == 0 for r in results),
        **{
            name: sum(r[name] for r in results)
            for name in ("turns", "failed_turns", "statements", "wrong")
        },
        "by_tenth": [1.0 - float(w) / float(s) if s else 1.0 for s, w in tenths],
        "contradictions": sum(r["contradictions"] for r in results),
        "refuted": sum(r["refuted"] for r in results),
    }


def _shell_row(swaps: int, results: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {
        "swaps": swaps,
        "games": len(results),
        "right": sum(r["success"] for r in results),
        "memoryless": sum(r["memoryless_success"] for r in results),
    }


def render_report(report: Mapping[str, Any]) -> str:
    """The report as Markdown."""
    parts = ["# Statler benchmark\n"]
    if report["episodes"]:
        header = ["method", "episodes", "success (95%)", "turns right", "belief", "published moves"]
        rows = [
            [
                r["method"],
                r["family"],
                rate(r["success"], r["episodes"]),
                f"{r['right']}/{r['turns']}",
                _share(r["statements"] - r["wrong"], r["statements"]),
                f"{r['same_moves']}/{r['moved_turns']}",
            ]
            for r in report["episodes"]
        ]
        parts += [
            "Episodes end at the first turn that is not as demanded.\n",
            markdown_table(header, rows),
        ]
    if report["sessions"]:
        header = [
            "method",
            "sessions",
            "perfect",
            "turns failed",
            "belief",
            "first tenth",
            "last tenth",
            "contradictions found",
        ]
        rows = [
            [
                r["method"],
                r["sessions"],
                r["perfect"],
                f"{r['failed_turns']}/{r['turns']}",
                _share(r["statements"] - r["wrong"], r["statements"]),
                f"{100 * r['by_tenth'][0]:.2f}%",
                f"{100 * r['by_tenth'][-1]:.2f}%",
                f"{r['refuted']}/{r['contradictions']}",
            ]
            for r in report["sessions"]
        ]
        parts += ["## Random sessions\n", markdown_table(header, rows)]
    if report["shell"]:
        rows = [
            [r["swaps"], rate(r["right"], r["games"]), rate(r["memoryless"], r["games"])]
            for r in report["shell"]
        ]
        header = ["swaps", "ball found", "without memory"]
        parts += ["## Shell games\n", markdown_table(header, rows)]
    parts += _lists(report)
    return "\n".join(parts)


def _lists(report: Mapping[str, Any]) -> list[str]:
    parts: list[str] = []
    flaws: Sequence[Mapping[str, Any]] = report["flaws"]
    if flaws:
        covered = [f for f in flaws if f["kind"] == "covered"]
        where = len({f["episode"] for f in covered})
        parts.append(
            f"## Amiss in the published files\n\n{len(covered)} moves in {where} episodes move a "
            "covered block.\n"
        )
        lines = [f"- {f['episode']}, turn {f['step']}, {f['kind']}: {f['text']}" for f in flaws]
        parts.append("\n".join(lines) + "\n")
    for name, title in (("failures", "Not right"), ("errors", "Errors")):
        if report[name]:
            lines = [f"- {x['id']}: {x.get('why') or x.get('error')}" for x in report[name]]
            parts += [f"## {title}\n", "\n".join(lines) + "\n"]
    if report["problems"]:
        parts += ["## Wrong in sessions\n", "\n".join(f"- {p}" for p in report["problems"]) + "\n"]
    return parts


def _share(right: int, total: int) -> str:
    if not total:
        return "-"
    percent = 100.0 * right / total
    return f"{percent:.0f}% of {total}" if right == total else f"{percent:.2f}% of {total}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="embodied bench statler", description=__doc__)
    parser.add_argument("--data", type=Path, help="folder of the published episode files")
    parser.add_argument("--method", action="append", choices=METHODS, help="repeatable")
    parser.add_argument("--sessions", type=int, default=100, help="random sessions of the rules")
    parser.add_argument("--compare", type=int, default=20, help="sessions without memory")
    parser.add_argument("--with-model", type=int, default=0, help="sessions of the method model")
    parser.add_argument("--turns", type=int, default=200, help="length of a session")
    parser.add_argument("--shell-games", type=int, default=20, help="for each number of swaps")
    parser.add_argument("--seed", type=int, default=0, help="first seed")
    parser.add_argument("--model", help="as for run, for the method model")
    parser.add_argument("--base-url")
    parser.add_argument("--max-calls", type=int)
    parser.add_argument("--max-tokens", type=int)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--executor", choices=EXECUTORS, default="process")
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--plot", type=Path, help="draw accuracy against length to this file")
    parser.add_argument("--json", action="store_true")
    return parser


def main(arguments: Sequence[str]) -> int:
    """Run what is missing and report.

    Returns:
        0 when the rules' belief and turns were right everywhere (or they did not take part), 1
        when not, 3 when a task ended with an error.
    """
    options = _parser().parse_args(list(arguments))
    options.method = options.method or ["rules", "memoryless"]
    if "model" in options.method and not options.model:
        raise ConfigurationError("the method 'model' needs --model, e.g. openai:NAME, replay:FILE")
    check_settings(options.out, {"benchmark": "statler", "model": options.model})
    results = run_tasks(
        tasks_of(options),
        run_task,
        options.out,
        jobs=options.jobs,
        executor=options.executor,
        progress=not options.json,
        title="statler",
    )
    report = build_report(results, options.data)
    (options.out / "report.json").write_text(json.dumps(report, indent=1) + "\n", "utf-8")
    if options.plot is not None:
        from embodied.bench.statler.plot import draw

        draw(report, options.plot)
    sys.stdout.write(json.dumps(report) + "\n" if options.json else render_report(report))
    if report["errors"]:
        return 3
    rows = [r for r in (*report["episodes"], *report["sessions"]) if r["method"] == "rules"]
    missed = any(r.get("failed_turns", r["turns"] - r.get("right", r["turns"])) for r in rows)
    return 1 if missed or any(r["wrong"] for r in rows) else 0
