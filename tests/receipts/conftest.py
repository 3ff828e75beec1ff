"""Run folders as a notary finds them, without a robot."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from embodied.receipts.checking import Checked, Trust, check
from embodied.receipts.notary import sign_run

Make = Callable[..., Path]


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def make_run(tmp_path: Path, state: Path) -> Make:
    """Makes a run folder, and signs it unless told not to."""

    def make(name: str = "run", *, sign: bool = True, **fields: object) -> Path:
        folder = tmp_path / "runs" / name
        (folder / "ghosts").mkdir(parents=True)
        summary = {
            "status": "finished",
            "command": "run",
            "instruction": "put the red block in the bin",
            "exit_code": 0,
            "verdict": {"reached": True, "goals": []},
            **fields,
        }
        (folder / "run.json").write_text(json.dumps(summary, indent=1))
        events = [
            {"wall_s": 0.1, "kind": "reading", "data": {"reading": "act"}},
            {"wall_s": 0.2, "kind": "program", "data": {"stages": ["(in red-block bin)"]}},
            {"wall_s": 0.3, "kind": "ask", "data": {"reason": "It cannot be undone. Yes."}},
            {"wall_s": 0.4, "kind": "limited", "data": {}},
        ]
        (folder / "events.jsonl").write_text("".join(json.dumps(e) + "\n" for e in events))
        answer = {"answer": "approve", "plan_hash": "ab12"}
        (folder / "bridge.jsonl").write_text(
            json.dumps({"time_s": 1.0, "event": "answer", "details": answer}) + "\n{torn"
        )
        (folder / "states.bin").write_bytes(bytes(range(256)) * 4)
        (folder / "ghosts" / "1.png").write_bytes(b"\x89PNG" + bytes(60))
        if sign:
            sign_run(folder, state)
        return folder

    return make


@pytest.fixture
def checked(state: Path) -> Callable[[Path], Checked]:
    return lambda folder: check(folder, Trust.of((), state))
