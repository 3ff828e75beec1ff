"""The MCP server, asked by the library's own client: in process, over stdio and over HTTP."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("mcp", reason="needs the [mcp] extra")

from mcp import Client, StdioServerParameters  # noqa: E402
from mcp.types import ElicitResult  # noqa: E402

from embodied.app.mcp.server import EmbodiedServer  # noqa: E402
from embodied.app.mcp.serving import TOKEN_VARIABLE, open_server, serve_http  # noqa: E402
from embodied.errors import OptionError  # noqa: E402
from embodied.settings import Settings  # noqa: E402

SENTENCE = "put the red block on the tray"
GOAL = {"route": "pddl", "stages": ["(on red-block tray)"]}
OTHER = {"route": "pddl", "stages": ["(on yellow-block tray)"]}
PROTOCOLS = pytest.mark.parametrize("mode", ["legacy", "2026-07-28"])

Elicitation = Callable[[Any, Any], Awaitable[ElicitResult]]


def settings(**more: Any) -> Settings:
    return Settings(**{"seed": 3, "pictures": False, **more})


def person(answer: str, asked: list[str] | None = None, **content: Any) -> Elicitation:
    """A person who answers every question like this."""

    async def said(context: Any, params: Any) -> ElicitResult:
        if asked is not None:
            asked.append(params.message)
        return ElicitResult(action=answer, content=content or None)  # type: ignore[arg-type]

    return said


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbodiedServer]:
    """A server whose arm nobody moves."""
    server = open_server(settings(), tmp_path_factory.mktemp("runs"))
    yield server
    assert server.owner.session.time_s() == 0.0
    server.owner.close()


def text_of(result: Any) -> str:
    return "\n".join(c.text for c in result.content if c.type == "text")


def call(
    server: Any, mode: str, name: str, arguments: dict[str, Any], ask: Elicitation | None = None
) -> Any:
    async def asked() -> Any:
        async with Client(server, mode=mode, elicitation_callback=ask) as client:
            return await client.call_tool(name, arguments)

    return asyncio.run(asked())


# ------------------------------------------------------------ nothing moves


@PROTOCOLS
def test_tools_come_with_hints_and_closed_arguments(still: EmbodiedServer, mode: str) -> None:
    async def listed() -> Any:
        async with Client(still, mode=mode) as client:
            return (await client.list_tools()).tools, client.instructions

    tools, instructions = asyncio.run(listed())
    hints = {t.name: (t.annotations.read_only_hint, t.annotations.destructive_hint) for t in tools}
    assert hints["execute"] == (False, True) and hints["stop"] == (False, False)
    reads = {n for n, (reads, _) in hints.items() if reads}
    assert reads == {
        "scene", "look", "describe_programs", "ask_memory", "check", "preview", "ask_person",
    }  # fmt: skip
    assert all(t.input_schema["additionalProperties"] is False for t in tools)
    assert mode != "legacy" or "word for word" in instructions


@PROTOCOLS
def test_scene_and_pictures(still: EmbodiedServer, mode: str) -> None:
    seen = call(still, mode, "scene", {})
    assert "red-block" in text_of(seen) and "red-block" in seen.structured_content["scene"]
    shown = call(still, mode, "look", {"camera": "top"})
    assert [c.type for c in shown.content] == ["text", "image"]
    assert shown.content[1].mime_type == "image/png"


@PROTOCOLS
@pytest.mark.parametrize(
    ("name", "arguments", "legal"),
    [
        ("fly", {}, "legal: scene"),
        ("look", {"camera": "moon"}, "legal: "),
        ("scene", {"extra": 1}, "legal: none"),
        ("check", {"program": GOAL}, "sentence: missing"),
        ("check", {"sentence": SENTENCE, "program": {"route": "x"}}, "pddl, value-map"),
        (
            "check",
            {"sentence": SENTENCE, "program": {"route": "pddl", "stages": ["(on x tray)"]}},
            "objects here",
        ),
        ("check", {"sentence": "where is the tray?", "program": GOAL}, "a question"),
        ("ask_memory", {"question": "x" * 5000}, "at most 1000"),
        (
            "execute",
            {"sentence": SENTENCE, "program": {"route": "pddl", "stages": ["x" * 999_999]}},
            "at most 40000",
        ),
    ],
)
def test_refusals_are_text_with_the_legal_values(
    still: EmbodiedServer, mode: str, name: str, arguments: dict[str, Any], legal: str
) -> None:
    result = call(still, mode, name, arguments)
    assert result.is_error and legal in text_of(result), text_of(result)


@PROTOCOLS
def test_nothing_moves_without_a_person(still: EmbodiedServer, mode: str) -> None:
    wanted = {"sentence": SENTENCE, "program": GOAL}
    result = call(still, mode, "execute", wanted)
    assert result.is_error and "cannot ask one" in text_of(result)
    for answer, content in (("decline", {}), ("cancel", {}), ("accept", {"allow": False})):
        result = call(still, mode, "execute", wanted, person(answer, **content))
        assert result.is_error and "did not allow it" in text_of(result)


@PROTOCOLS
def test_the_person_sees_what_nobody_asked_for(still: EmbodiedServer, mode: str) -> None:
    asked: list[str] = []
    wanted = {"sentence": SENTENCE, "program": OTHER}
    call(still, mode, "execute", wanted, person("decline", asked))
    (question,) = asked
    assert "yellow block on tray" in question and "nobody asked for" in question
    assert SENTENCE in question


@PROTOCOLS
def test_the_person_is_asked(still: EmbodiedServer, mode: str) -> None:
    asked: list[str] = []
    given = {"question": "Which block?", "choices": ["the red one", "the blue one"]}
    result = call(still, mode, "ask_person", given, person("accept", asked, choice="the blue one"))
    assert result.structured_content == {"answer": "the blue one"} and asked == ["Which block?"]
    given = {"question": "Shall I?", "choices": None}
    result = call(still, mode, "ask_person", given, person("accept", yes=True))
    assert result.structured_content == {"answer": "yes"}
    assert call(still, mode, "ask_person", given).is_error


def test_a_flood_is_refused_and_harms_nothing(still: EmbodiedServer) -> None:
    async def flood() -> list[Any]:
        async with Client(still, mode="2026-07-28") as client:
            return await asyncio.gather(*(client.call_tool("scene", {}) for _ in range(200)))

    results = asyncio.run(flood())
    refused = [r for r in results if r.is_error]
    assert refused and all("waiting" in text_of(r) for r in refused)
    assert len(results) - len(refused) >= 32
    assert not call(still, "2026-07-28", "scene", {}).is_error


def test_other_origins_and_callers_without_the_token_are_refused(
    still: EmbodiedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(TOKEN_VARIABLE, "secret")
    started, port = threading.Event(), 0

    async def serve() -> None:
        def listening(on: int) -> None:
            nonlocal port
            port = on
            started.set()

        with suppress(asyncio.CancelledError):
            await serve_http(still, "127.0.0.1", 0, listening)

    loop = asyncio.new_event_loop()
    task = loop.create_task(serve())
    thread = threading.Thread(target=loop.run_until_complete, args=(task,), daemon=True)
    thread.start()
    assert started.wait(30)

    def status(**headers: str) -> int:
        sent = {"Content-Type": "application/json", "Accept": "application/json", **headers}
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/mcp", data=b"{}", headers=sent, method="POST"
        )
        try:
            return urllib.request.urlopen(request, timeout=10).status
        except urllib.error.HTTPError as error:
            return error.code

    token = {"Authorization": "Bearer secret"}
    assert status() == 401 and status(Authorization="Bearer other") == 401
    assert status(**token, Origin="http://evil.example") == 403
    assert status(**token) not in (401, 403)
    loop.call_soon_threadsafe(task.cancel)
    thread.join(30)
    loop.close()


def test_other_addresses_need_a_token(
    still: EmbodiedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(TOKEN_VARIABLE, raising=False)
    with pytest.raises(OptionError, match=TOKEN_VARIABLE):
        asyncio.run(serve_http(still, "0.0.0.0", 0))


def test_an_arm_behind_a_supervisor_needs_approval(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="approval"):
        open_server(settings(world="bridge"), tmp_path, approval=False)


# ------------------------------------------------------------ the arm moves


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbodiedServer]:
    server = open_server(settings(), tmp_path)
    yield server
    server.owner.close()


@PROTOCOLS
def test_an_approved_program_is_carried_out_and_judged(server: EmbodiedServer, mode: str) -> None:
    lines: list[str] = []

    async def progress(done: float, total: float | None, message: str | None) -> None:
        lines.append(str(message))

    async def act() -> Any:
        allow = person("accept", allow=True)
        async with Client(server, mode=mode, elicitation_callback=allow) as client:
            wrong = await client.call_tool("execute", {"sentence": SENTENCE, "program": OTHER})
            right = await client.call_tool(
                "execute", {"sentence": SENTENCE, "program": GOAL}, progress_callback=progress
            )
            return wrong, right

    wrong, right = asyncio.run(act())
    told = wrong.structured_content  # allowed by the person, yet not what was asked
    assert told["reached"] is False and "(on red-block tray)" in told["message"]
    told = right.structured_content
    assert told["reached"] is True and told["verdict"][0]["holds"] == ["(on red-block tray)"]
    assert (Path(told["folder"]) / "run.json").is_file()
    assert any("red-block" in line for line in lines), lines


@pytest.mark.parametrize("how", ["cancelled, legacy", "cancelled, 2026-07-28", "the tool stop"])
def test_a_motion_that_is_stopped_holds_the_arm(server: EmbodiedServer, how: str) -> None:
    mode = "legacy" if "legacy" in how else "2026-07-28"
    allow = person("accept", allow=True)
    body = server.owner.session.environment.body
    body.watchers.append(lambda seen: time.sleep(body.spec.control_dt_s / 2))  # nearly real time

    async def act() -> Any:
        async with Client(server, mode=mode, elicitation_callback=allow) as client:
            task = asyncio.ensure_future(
                client.call_tool("execute", {"sentence": SENTENCE, "program": GOAL})
            )
            while not server.owner.moving or server.owner.session.time_s() < 0.5:
                await asyncio.sleep(0.01)
                assert not task.done(), task.result()
            busy = await client.call_tool("execute", {"sentence": SENTENCE, "program": GOAL})
            assert busy.is_error and "moves for another call" in text_of(busy)
            if how == "the tool stop":
                stopped = await client.call_tool("stop", {})
                assert stopped.structured_content == {"stopped": True}
                result = await task
                assert result.is_error and "held" in text_of(result)
            else:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
            while server.owner.moving:
                await asyncio.sleep(0.01)
            return await client.call_tool("scene", {})

    assert not asyncio.run(act()).is_error

    def settle(tell: object) -> float:
        body.hold(0.3)
        return float(abs(body.observe().dq).max())

    assert asyncio.run(server.owner.run(settle, print)) < 0.02
    (folder,) = server.out.iterdir()
    assert json.loads((folder / "run.json").read_text())["status"] == "interrupted"


def test_over_stdio(tmp_path: Path) -> None:
    server = StdioServerParameters(
        command=sys.executable,
        args=[
            "-m", "embodied.app.cli.main", "mcp", "--seed", "3", "--out", str(tmp_path),
        ],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    allow = person("accept", allow=True)

    async def act() -> Any:
        async with Client(server, elicitation_callback=allow) as client:
            seen = await client.call_tool("scene", {})
            done = await client.call_tool("execute", {"sentence": SENTENCE, "program": GOAL})
            return seen, done

    seen, done = asyncio.run(act())
    assert "red-block" in text_of(seen)
    assert done.structured_content["reached"] is True, text_of(done)


def test_over_http(server: EmbodiedServer) -> None:
    allow = person("accept", allow=True)

    async def act() -> Any:
        port: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        serving = asyncio.ensure_future(serve_http(server, "127.0.0.1", 0, port.set_result))
        url = f"http://127.0.0.1:{await port}/mcp"
        async with Client(url, elicitation_callback=allow) as client:
            seen = await client.call_tool("scene", {})
            done = await client.call_tool("execute", {"sentence": SENTENCE, "program": GOAL})
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
        return seen, done

    seen, done = asyncio.run(act())
    assert "red-block" in text_of(seen)
    assert done.structured_content["reached"] is True, text_of(done)
