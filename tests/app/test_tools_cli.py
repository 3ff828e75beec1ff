"""``--strategy tools`` on the command line: a scripted model behind a real endpoint, all wires."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

pytest.importorskip("pydantic_ai", reason="needs the [llm] extra")

from embodied.app.cli import main as cli  # noqa: E402
from embodied.app.record.run_folder import read_events  # noqa: E402
from embodied.bench.tools.scripted_model import answer  # noqa: E402
from embodied.language.models.loopback import Act, LoopbackEndpoint, Seen  # noqa: E402

pytestmark = pytest.mark.llm

TWO_ROUTES = "put the red block on the tray, then move the gripper above the blue block"


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "none")


def run(*words: str) -> Any:
    return CliRunner().invoke(cli.app, list(words))


def driven(endpoint: LoopbackEndpoint, kind: str, out: Path, sentence: str, *more: str) -> Any:
    url = endpoint.root if kind == "anthropic" else endpoint.openai_url
    return run(
        "run", sentence, "--strategy", "tools", "--model", f"{kind}:scripted", "--base-url", url,
        "--seed", "3", "--no-video", "--json", "--out", str(out), *more,
    )  # fmt: skip


@pytest.mark.parametrize("kind", ["openai", "openai-responses", "anthropic"])
def test_without_a_person_an_ambiguous_sentence_moves_nothing(kind: str, tmp_path: Path) -> None:
    with LoopbackEndpoint(answer) as endpoint:
        done = driven(endpoint, kind, tmp_path, "put the block on the tray", "--price", "1,1")
    told = json.loads(done.stdout)
    assert done.exit_code == 2, done.output
    assert told["tool_calls"] == {"scene": 1, "ask_person": 1, "give_up": 1}
    assert told["usage"]["calls"] == 3
    spent = (endpoint.read + endpoint.written) / 1e6
    assert told["usage"]["cost_usd"] == pytest.approx(spent)
    assert "strategy" in told and told["strategy"] == "tools"


def test_two_routes_are_run_recorded_and_carried_out_again(tmp_path: Path) -> None:
    calls = tmp_path / "calls.jsonl"
    with LoopbackEndpoint(answer) as endpoint:
        done = driven(endpoint, "openai", tmp_path, TWO_ROUTES, "--record", str(calls))
    told = json.loads(done.stdout)
    assert done.exit_code == 0, done.output
    assert [e["reached"] for e in told["executed"]] == [True, True]
    folder = Path(told["folder"])
    events, _ = read_events(folder)
    tools = [e.data["name"] for e in events if e.kind == "tool"]
    assert tools.count("execute") == 2 and tools[0] == "scene"
    again = run("replay", str(folder), "--execute", "--no-video", "--json", "--out", str(tmp_path))
    assert again.exit_code == 0, again.output
    words = ("run", TWO_ROUTES, "--strategy", "tools", "--model", f"replay:{calls}")
    recorded = run(*words, "--seed", "3", "--no-video", "--json", "--out", str(tmp_path))
    assert recorded.exit_code == 0, recorded.output


def test_a_budget_of_money_ends_it(tmp_path: Path) -> None:
    def expensive(seen: Seen) -> Act:
        return Act(calls=(("ask_memory", json.dumps({"question": f"where is {len(seen.body)}?"})),))

    with LoopbackEndpoint(expensive) as endpoint:
        done = driven(
            endpoint, "openai", tmp_path, "put the red block on the tray",
            "--price", "1000,1000", "--max-cost", "1",
        )  # fmt: skip
    told = json.loads(done.stdout)
    assert done.exit_code == 1 and "--max-cost" in told["message"]
    assert told["usage"]["cost_usd"] >= 1.0 and len(endpoint.seen) < 4


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--strategy", "tools"), "needs models that call tools"),
        (("--strategy", "tools", "--model", "local:x.gguf"), "needs models that call tools"),
        (("--strategy", "tool", "--model", "openai:x"), "Did you mean tools?"),
        (("--strategy", "tree", "--model", "openai:x", "--route", "reward", "--robot", "quadruped"),
         "goes with the route"),
        (("--model", "openai:x", "--max-cost", "1"), "--price"),
        (("--max-cost", "1"), "language model"),
    ],
)  # fmt: skip
def test_what_does_not_go_together_is_refused(words: tuple[str, ...], reason: str) -> None:
    done = run("run", "put the red block on the tray", *words)
    assert done.exit_code == 2
    assert reason in " ".join(done.output.replace("│", " ").split()), done.output


def test_live_is_refused_with_tools() -> None:
    words = ("chat", "--robot", "quadruped", "--strategy", "tools", "--model", "openai:x", "--live")
    done = run(*words)
    words = " ".join(done.output.replace("│", " ").split())
    assert done.exit_code == 2 and "one after the other" in words


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--transport", "carrier-pigeon"), "stdio or http"),
        (("--port", "1"), "--transport http"),
        (("--world", "bridge", "--no-approval"), "approval"),
        (("--transport", "http", "--host", "0.0.0.0", "--port", "0"), "EMBODIED_MCP_TOKEN"),
    ],
)
def test_mcp_refuses_what_does_not_go_together(words: tuple[str, ...], reason: str) -> None:
    pytest.importorskip("mcp", reason="needs the [mcp] extra")
    done = run("mcp", *words)
    assert done.exit_code == 2
    assert reason in " ".join(done.output.replace("│", " ").split()), done.output
