"""Mutated frames to a decoder, and to a running supervisor: does anything end it?

    python benchmarks/bridge_fuzz.py --count 100000 --out runs/bridge_fuzz

Messages of planners, with pieces put in that decoders do not like and a valid checksum around them.
Prints what broke, the slowest frame and the largest memory.
"""

from __future__ import annotations

import json
import resource
import struct
import sys
import tempfile
import time
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from embodied.bench.benchmark import Benchmark, main, option
from embodied.bench.runner import Payload, Row, Task
from embodied.bridge.channel import (
    MAX_FRAME,
    PLANNER,
    REPORTS,
    BadFrameError,
    ChannelClosedError,
    connect,
    unpack,
)
from embodied.bridge.limits import shipped_limits
from embodied.bridge.process import BridgeConfig, SupervisorProcess

CHUNK = 5000
_LIVE = 10
"""One of so many frames goes to a supervisor too."""

_PIECES = (b"[", b"]", b"{", b"}", b"9" * 400, b"null", b"\xff", b"NaN", b"1e999", b'"', b"\\ud800",
           b"-", b"[" * 5000, b'{"a":' * 500, "é".encode() * 200, b"\x1b]0;x\x07")  # fmt: skip


def mutated(rng: np.random.Generator) -> bytes:
    """A frame with a valid checksum around what began as a message of a planner."""
    n = int(rng.integers(1, 50))
    good: list[dict[str, object]] = [
        {"kind": "enable"},
        {"kind": "observe", "re": 1},
        {"kind": "reset", "re": 1, "seed": int(rng.integers(-2, 5))},
        {
            "kind": "plan",
            "re": 2,
            "label": "é" * n,
            "time": [0.1 * k for k in range(n)],
            "q": [[0.0] * int(rng.integers(6, 9))] * n,
            "gripper_width_m": None,
        },
        {
            "kind": "setpoint",
            "re": int(rng.integers(0, 2**50)),
            "created_s": time.monotonic(),
            "q": rng.normal(size=7).tolist(),
            "gripper_width_m": 0.1,
            "gripper_force_n": 1.0,
        },
    ]
    body = bytearray(json.dumps(good[rng.integers(len(good))]).encode())
    for _ in range(int(rng.integers(0, 5))):
        at = int(rng.integers(len(body) + 1))
        body[at : at + int(rng.integers(4))] = _PIECES[rng.integers(len(_PIECES))]
    body = body[: MAX_FRAME - 8]
    return struct.pack("<4sI", b"EMB1", zlib.crc32(body)) + bytes(body)


def run_frames(payload: Payload) -> Row:
    """Some mutated frames."""
    rng, read, slowest, found = np.random.default_rng(payload["seed"]), 0, 0.0, list[str]()
    with tempfile.TemporaryDirectory() as folder:
        limits, journal = shipped_limits("fr3-simulated"), Path(folder) / "journal.jsonl"
        process = SupervisorProcess(BridgeConfig(limits=limits, journal=journal))
        channel = None
        for k in range(payload["count"]):
            frame, begun = mutated(rng), time.perf_counter()
            try:
                unpack(frame, PLANNER)
                read += 1
            except BadFrameError:
                pass
            except Exception as error:  # what a fuzz is for
                found.append(f"{type(error).__name__}: {error}"[:200])
            slowest = max(slowest, time.perf_counter() - begun)
            if k % _LIVE:
                continue
            try:
                channel = channel or connect(process.planner_path, REPORTS)
                channel.send_frame(frame)
                while channel.receive(0.0) is not None:
                    pass
            except ChannelClosedError:
                channel = None
            except BadFrameError as error:
                found.append(f"answer: {error}"[:200])
            if not process.alive():
                found.append("the supervisor ended")
                break
        if channel is not None:
            channel.close()
        code, text = process.close(), journal.read_text("utf-8")
        if code != 0:
            found.append(f"the supervisor ended with {code}")
        found += [line[:200] for line in text.splitlines() if '"internal-error"' in line]
    return {
        "frames": payload["count"],
        "read": read,
        "found": found[:20],
        "slowest_ms": 1000 * slowest,
        "planner_errors": text.count('"planner-error"'),
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "peak_supervisor_mib": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Options of the benchmark."""

    count: int = option(100_000, "frames")
    seed: int = option(0)


def cases(settings: Settings) -> list[Task]:
    """Chunks of frames."""
    return [
        Task(id=f"seed-{seed}", payload={"count": CHUNK, "seed": seed})
        for seed in range(settings.seed, settings.seed + -(-settings.count // CHUNK))
    ]


def summarise(rows: Sequence[Row], settings: Settings) -> Row:
    """What was read, what broke, and what it cost."""
    del settings
    good = [r for r in rows if r.get("status") != "error"]
    most = {k: max((r[k] for r in good), default=0.0) for k in
            ("slowest_ms", "peak_mib", "peak_supervisor_mib")}  # fmt: skip
    return {
        "frames": sum(r["frames"] for r in good),
        "read": sum(r["read"] for r in good),
        "found": [f for r in good for f in r["found"]],
        "planner_errors": sum(r["planner_errors"] for r in good),
        "errors": [r["error"] for r in rows if r.get("status") == "error"],
        **most,
    }


BENCHMARK = Benchmark(
    name="bridge-fuzz",
    summary="Mutated frames to a supervisor: does it outlive them?",
    settings=Settings,
    cases=cases,
    run=run_frames,
    report=summarise,
    table=lambda report: json.dumps(report, indent=2),
    code=lambda report: int(bool(report["found"] or report["errors"])),
    jobs=1,
)

if __name__ == "__main__":
    sys.exit(main(BENCHMARK))
