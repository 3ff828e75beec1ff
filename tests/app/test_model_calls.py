"""Model calls are logged, counted and closed on every route."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from embodied.app.cli import main as cli
from embodied.app.record.run_folder import read_events, read_summary
from embodied.protocols import Request, Response, Usage

REWARD = '{"stages": [{"terms": [{"name": "torso_height", "height": 0.2, "weight": 40}]}]}'
VALUE_MAP = json.dumps(
    {
        "stages": [
            {
                "moving": "gripper",
                "operations": [
                    {
                        "map": "affordance",
                        "region": {
                            "shape": "point", "frame": "red-block", "x": 0, "y": 0, "z": 0.12,
                        },
                        "value": 1.0,
                    }
                ],
            }
        ]
    }
)  # fmt: skip
GOAL = '{"stages": ["(on red-block tray)"], "unsupported": ""}'


class Scripted:
    """Answers the same to everything, and counts."""

    name = "scripted"

    def __init__(self, answer: str) -> None:
        self.answer, self.calls, self.closed = answer, 0, 0

    def complete(self, request: Request) -> Response:
        self.calls += 1
        usage = Usage(calls=1, input_tokens=100, output_tokens=10, cost_usd=0.01)
        return Response(text=self.answer, usage=usage, model=self.name)

    def close(self) -> None:
        self.closed += 1


@pytest.mark.parametrize(
    ("answer", "arguments"),
    [
        (GOAL, ("put the red block on the tray",)),
        (REWARD, ("torso height 20 cm", "--robot", "quadruped")),
        (VALUE_MAP, ("move 12 cm above the red block", "--route", "value-map")),
    ],
    ids=["pddl", "reward", "value-map"],
)
def test_calls_are_logged_counted_and_closed(
    answer: str, arguments: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = Scripted(answer)
    monkeypatch.setattr("embodied.language.models.open_model", lambda *a, **k: model)
    done = CliRunner().invoke(
        cli.app,
        [
            "run",
            "--model",
            "openai:scripted",
            "--no-video",
            *arguments,
        ]
        + ["--out", str(tmp_path)],
    )
    assert done.exit_code in (0, 1), done.output
    (folder,) = tmp_path.iterdir()
    usage: Any = read_summary(folder).values["usage"]
    assert model.calls >= 1 and model.closed == 1
    assert usage["calls"] == model.calls
    assert usage["cost_usd"] == pytest.approx(0.01 * model.calls)
    events, _ = read_events(folder)
    kinds = [e.kind for e in events]
    assert kinds.count("request") == kinds.count("response") == model.calls
    assert kinds.count("verdict") == 1 and "observation" in kinds
    assert (folder / "memory.jsonl").is_file()
