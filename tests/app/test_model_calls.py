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


DESCRIPTION = "* The torso's centre should be 0.2 m above the ground."
PICK = "Thought: first.\nAction: (pick red-block table)"
PUT = "Thought: then.\nAction: (place red-block tray)"
PAID = {
    "pddl": ((), ["I do not know.", GOAL]),
    "react": (("--strategy", "react"), [GOAL, "well", PICK, PUT]),
    "code": (
        ("--strategy", "code"),
        [GOAL, 'pick("red-block", "table")\nplace("red-block", "tray")'],
    ),
    "reward": (("--robot", "quadruped"), [DESCRIPTION, "no JSON", REWARD]),
    "value-map": (("--route", "value-map"), ["no JSON", VALUE_MAP]),
}


@pytest.mark.llm
@pytest.mark.parametrize("route", PAID)
def test_the_cost_is_what_the_server_counts(
    route: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Answers of no use are paid for as well, and those of the strategies."""
    pytest.importorskip("pydantic_ai", reason="needs the [llm] extra")
    from embodied.language.models.loopback import Act, LoopbackEndpoint

    monkeypatch.setenv("OPENAI_API_KEY", "none")
    arguments, answers = PAID[route]
    acts = [Act(text=text, cached=5, reasoning=3) for text in answers]
    with LoopbackEndpoint(acts) as endpoint:
        done = CliRunner().invoke(
            cli.app,
            ["run", "put the red block on the tray", "--model", "openai:tiny", "--no-video"]
            + ["--base-url", endpoint.openai_url, "--price", "3,10,1", "--out", str(tmp_path)]
            + [*arguments],
        )
        calls, read, written = len(endpoint.seen), endpoint.read, endpoint.written
    assert calls == len(answers), done.output
    cost = (3 * (read - 5 * calls) + 5 * calls + 10 * written) / 1e6
    (folder,) = tmp_path.iterdir()
    usage: Any = read_summary(folder).values["usage"]
    assert usage["cost_usd"] == pytest.approx(cost)
    assert (usage["calls"], usage["input_tokens"], usage["output_tokens"]) == (calls, read, written)
    assert f"{calls} calls, {read} tokens read" in done.output
    assert f"{cost:.6f} USD" in done.output
