"""Broken input of every kind that comes from outside: is it read or refused, and at what cost?

    python benchmarks/input_fuzz.py [--count 100000] [--seed 0] [--kind scene ...] [--json]

Each input is a good one with up to four places replaced, lost, said twice or filled with what
readers stumble over: null bytes, half a surrogate, 5,000 digits, 3,000 brackets. Legal outcomes are
to read it or to raise an ``EmbodiedError``. Anything else is a traceback for a user; more than 5 s
is a hang. The exit status is 1 where there was either.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from embodied.app.record.run_folder import read_events, read_summary
from embodied.app.record.states import read_states
from embodied.bench.report import markdown_table
from embodied.bridge.channel import PLANNER, pack, unpack
from embodied.bridge.limits import load_limits, shipped_limits, sign_limits
from embodied.errors import EmbodiedError
from embodied.language.models import ReplayModel
from embodied.language.pddl.document_translator import extract_problem
from embodied.language.pddl.scene_translator import read_answer
from embodied.language.reward import program_from_json
from embodied.language.value_map import read_json
from embodied.memory.model_writer import read_proposal
from embodied.symbolic import read_domain, read_problem
from embodied.world.builder import build_model
from embodied.world.grounding import domain_text
from embodied.world.scene import load_scene

LONGEST_S = 5.0
PIECES = [b"", b"\x00", b"\xff", b"[" * 3000, b"{" * 3000, b"(" * 3000, b"9" * 5000, b"1e999"]
PIECES += [b"nan", b"-1", b'"', b"'", b"\n", b"null", b"true", b"\xed\xa0\x80", b"\\ud800", b"="]
PIECES += [b'"a"' * 50, b"[[item]]\n", b"inf", b"0", b"1e-300", b"\x1b[2J", "é".encode()]
SCENE = Path(__file__).parents[1] / "sim_assets" / "embodied_assets" / "scenes" / "kitchen.toml"
DOMAIN = domain_text(load_scene("kitchen").objects)
SUMMARY = {
    "status": "finished",
    "instruction": "x",
    "scene": "blocks",
    "robot": "fr3",
    "seed": 0,
    "verdict": {"goals": [{"text": "a", "holds": ["b"], "unmet": []}]},
}
EVENT = {"wall_s": 0.1, "kind": "program", "data": {"stages": ["a"], "source": "rules"}}
ANSWER = {"key": "a", "request": {"messages": []}, "response": {"text": "x", "usage": {}}}
REWARD = {"stages": [{"terms": [{"name": "torso_height", "height": 0.3, "weight": 2}]}]}
REGION = {"shape": "point", "frame": "red-block", "x": 0, "y": 0.1, "z": "10 cm"}
MAPS = [{"map": "affordance", "region": REGION, "value": 1.0}]
VALUE_MAP = {"stages": [{"moving": "gripper", "operations": MAPS}]}
DELTAS = {"deltas": [{"op": "add", "fact": "(on a b)"}], "actions": ["(put a b)"], "say": ["x"]}
SETPOINT = {
    "kind": "setpoint",
    "re": 3,
    "created_s": 1.5,
    "q": [0.1, 0.2, -0.3],
    "gripper_width_m": None,
    "gripper_force_n": 20.0,
}
PROBLEM = b"""(define (problem p) (:domain tabletop) (:objects a - item table - surface)
 (:init (on a table)) (:goal (and)))"""


def _scene(path: Path) -> None:
    scene = load_scene(path)
    if scene.name.startswith("k") and random.random() < 0.02:
        build_model(scene, "fr3")


def _limits(path: Path) -> None:
    sign_limits(path, name="A", statement="B")
    load_limits(path)


def _text(read: Callable[[str], object]) -> Callable[[Path], object]:
    return lambda path: read(path.read_bytes().decode("utf-8", "surrogateescape"))


def _data(value: object) -> bytes:
    return json.dumps(value).encode()


KINDS: dict[str, tuple[str, bytes, Callable[[Path], object]]] = {
    "scene": ("own.toml", SCENE.read_bytes(), _scene),
    "limits": ("arm.toml", shipped_limits("fr3-simulated").read_bytes(), _limits),
    "run.json": ("run.json", _data(SUMMARY), lambda p: read_summary(p.parent)),
    "events": ("events.jsonl", (_data(EVENT) + b"\n") * 4, lambda p: read_events(p.parent)),
    "states": ("states.bin", b'{"nq": 3, "scene": "blocks"}\n' + bytes(64), read_states),
    "recording": ("r.jsonl", (_data(ANSWER) + b"\n") * 3, ReplayModel),
    "domain": ("d.pddl", DOMAIN.encode(), _text(read_domain)),
    "problem": (
        "p.pddl",
        PROBLEM,
        _text(lambda text: read_problem(extract_problem(text), read_domain(DOMAIN))),
    ),
    "goals": ("g.json", _data({"stages": ["(on a b)"], "unsupported": ""}), _text(read_answer)),
    "reward": (
        "r.json",
        _data(REWARD),
        _text(lambda text: program_from_json(text, "quadruped", source="x")),
    ),
    "value map": (
        "v.json",
        _data(VALUE_MAP),
        _text(lambda text: read_json(text, objects=("red-block",))),
    ),
    "memory": ("m.json", _data(DELTAS), _text(read_proposal)),
    "frame": ("frame", pack(SETPOINT), lambda p: unpack(p.read_bytes(), PLANNER)),
}


def broken(content: bytes, rng: random.Random) -> bytes:
    """Content with a few bytes replaced, lost, said twice or put in from elsewhere."""
    for _ in range(rng.randrange(1, 5)):
        at, size = rng.randrange(len(content) + 1), rng.choice((0, 1, 2, 8, 40))
        piece = rng.choice([*PIECES, content[at : at + 60], bytes([rng.randrange(256)])])
        content = content[:at] + piece + content[at + size :]
    return content


class HangError(BaseException):
    """A reader took too long."""


def fuzz(kind: str, count: int, seed: int, folder: Path) -> dict[str, object]:
    """Read ``count`` broken inputs of a kind; says how many were read, refused, or worse."""
    name, content, read = KINDS[kind]
    path = folder / name
    row = {"kind": kind, "count": count, "read": 0, "refused": 0, "tracebacks": 0, "hangs": 0}
    longest, first = 0.0, ""
    for number in range(count):
        data = broken(content, random.Random(seed * 1_000_003 + number))
        path.write_bytes(data)
        began = time.process_time()
        signal.setitimer(signal.ITIMER_REAL, LONGEST_S)
        try:
            read(path)
            row["read"] += 1
        except EmbodiedError:
            row["refused"] += 1
        except HangError:
            row["hangs"] += 1
        except Exception as error:  # noqa: BLE001 - counting them is the job
            row["tracebacks"] += 1
            first = first or f"{number}: {type(error).__name__}: {error}"[:200]
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0.0)
        longest = max(longest, time.process_time() - began)
    return {**row, "slowest_ms": round(1e3 * longest, 1), "first": first}


def main(arguments: list[str] | None = None) -> int:
    """Fuzz all kinds; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100_000, help="inputs in all")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kind", action="append", choices=KINDS, help="[default: all]")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(arguments)

    def hang(signum: int, frame: object) -> None:
        raise HangError

    before = signal.signal(signal.SIGALRM, hang)
    kinds = given.kind or list(KINDS)
    with tempfile.TemporaryDirectory() as folder:
        rows = [fuzz(k, max(1, given.count // len(kinds)), given.seed, Path(folder)) for k in kinds]
    signal.signal(signal.SIGALRM, before)
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    if given.json:
        print(json.dumps({"rows": rows, "peak_mib": peak_mib}))
    else:
        print(markdown_table([*rows[0]], [[str(v) for v in row.values()] for row in rows]))
        print(f"peak memory {peak_mib:.0f} MiB")
    return int(any(row["tracebacks"] or row["hangs"] for row in rows))


if __name__ == "__main__":
    sys.exit(main())
