"""A key that the endpoint says in every field is in no file, no output and no later prompt."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

pytest.importorskip("pydantic_ai", reason="needs the [llm] extra")

from embodied.language.models.loopback import Act, LoopbackEndpoint  # noqa: E402

pytestmark = pytest.mark.llm

KEY = "sk-loopback-7f3a9c1e5b8d2046"
PART = KEY[:14]
"""Even so much of it is too much."""

ESCAPED = "".join(f"\\u{ord(c):04x}" for c in KEY)
"""The key as JSON may write it."""

GOAL = {"stages": ["(on red-block tray)"], "unsupported": ""}


def echo(text: str, **more: str) -> Act:
    """An answer whose every field is the key."""
    message = {"role": "assistant", "content": text, "refusal": None, "reasoning_content": KEY}
    body = {
        "id": KEY,
        "object": "chat.completion",
        "created": 1,
        "model": KEY,
        "system_fingerprint": KEY,
        "service_tier": "default",
        KEY: KEY,
        "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
        "usage": {"prompt_tokens": 9, "completion_tokens": 9, "total_tokens": 18, KEY: 1},
    }
    return Act(body=json.dumps(body), headers={"X-Request-Id": KEY, "Set-Cookie": KEY, **more})


def failure(status: int, text: str = KEY) -> Act:
    return Act(status=status, text=text, error_code=KEY, headers={"X-Request-Id": KEY})


ECHOES = (
    echo(f"The key is {KEY}."),
    echo(f'{{"stages": [{{"{KEY}": "{KEY}"}}], "{KEY}": 1}}'),
    echo(f'{{"stages": ["(on {ESCAPED} tray)"], "unsupported": ""}}'),
)
REFUSALS = (
    echo(f'{{"stages": [], "unsupported": "{ESCAPED}", "cannot": "{KEY}"}}'),
    echo(f'{{"stages": [], "unsupported": "{ESCAPED}"}}'),
    echo(f'{{"stages": [], "cannot": "{ESCAPED}"}}'),
)
ERRORS = tuple(failure(status) for status in (400, 401, 404, 422, 429, 500))
LONG = failure(500, " ".join([KEY] * 40))
"""The key lies where long messages are cut off."""


def embodied(
    folder: Path, acts: Sequence[Act], *arguments: str, said: str = ""
) -> tuple[str, list[str]]:
    """What a command writes anywhere, and the prompts that it sends."""
    command, *rest = arguments
    with LoopbackEndpoint(acts) as endpoint:
        done = subprocess.run(
            [sys.executable, "-c", "from embodied.app.cli.main import main; main()", command, *rest]
            + ["--model", "openai:tiny", "--base-url", endpoint.openai_url, "--no-video"]
            + ["--out", str(folder / "runs"), "--record", str(folder / "record.jsonl")],
            input=said,
            capture_output=True,
            text=True,
            timeout=300,
            env={**os.environ, "OPENAI_API_KEY": KEY, "EMBODIED_DEBUG": "1", "COLUMNS": "200"},
        )
        assert endpoint.seen, done.stderr
        prompts = [json.dumps(seen.body) for seen in endpoint.seen]
    files = [p for p in folder.rglob("*") if p.is_file()]
    text = "\n".join(p.read_bytes().decode("utf-8", "replace") for p in files)
    return f"{done.stdout}\n{done.stderr}\n{text}", prompts


def is_nowhere(written: str, prompts: Sequence[str]) -> None:
    for text in (written, *prompts):
        at = text.find(PART)
        assert at < 0, text[max(0, at - 300) : at + 100]
        assert ESCAPED not in text


SENTENCES = {
    "pddl": ("run", "put the red block on the tray", "--route", "pddl", "--scene", "blocks"),
    "strategy": (
        "run",
        "put the red block on the tray",
        "--strategy",
        "react",
        "--scene",
        "blocks",
    ),
    "reward": ("run", "sit down", "--robot", "quadruped"),
    "value-map": ("run", "go above the red block", "--route", "value-map", "--scene", "blocks"),
}


@pytest.mark.parametrize(
    "route", [r if r == "pddl" else pytest.param(r, marks=pytest.mark.slow) for r in SENTENCES]
)
def test_no_run_tells_the_key(route: str, tmp_path: Path) -> None:
    """Answers that cannot be read and go back, for a person; refusals, as JSON."""
    is_nowhere(*embodied(tmp_path / "said", (*ECHOES, *REFUSALS), *SENTENCES[route]))
    is_nowhere(*embodied(tmp_path / "json", (*REFUSALS, *ECHOES), *SENTENCES[route], "--json"))


@pytest.mark.parametrize("error", [ERRORS[1], LONG], ids=["401", "long"])
def test_no_error_tells_the_key(error: Act, tmp_path: Path) -> None:
    acts = (error, error, echo(KEY), error)
    is_nowhere(*embodied(tmp_path, acts, *SENTENCES["pddl"]))


def test_no_conversation_tells_the_key(tmp_path: Path) -> None:
    acts = (*REFUSALS, *ECHOES, *ERRORS)
    said = "\n".join(f"put the red block on the tray {n}" for n in range(12)) + "\nhelp\n"
    is_nowhere(*embodied(tmp_path, acts, "chat", "--scene", "blocks", said=said))


def test_no_run_that_moves_tells_the_key(tmp_path: Path) -> None:
    acts = (echo(f"{KEY}\n{json.dumps(GOAL)}\n{KEY}"),)
    written, prompts = embodied(tmp_path, acts, *SENTENCES["pddl"])
    assert "the goal holds in measured state" in written
    is_nowhere(written, prompts)
