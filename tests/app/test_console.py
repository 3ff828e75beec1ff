"""Who gets at the console, asked with raw requests and sockets of our own."""

from __future__ import annotations

import asyncio
import http.client
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("viser", reason="the extra [console] is not installed")

import msgspec  # noqa: E402
import viser  # noqa: E402
import websockets.asyncio.client as client  # noqa: E402
import websockets.exceptions  # noqa: E402
from typer.testing import CliRunner  # noqa: E402
from websockets.typing import Subprotocol  # noqa: E402

from embodied.app.cli.main import app  # noqa: E402
from embodied.app.serving.service import Service  # noqa: E402
from embodied.app.web import guard as guarding  # noqa: E402
from embodied.app.web.console import Console  # noqa: E402
from embodied.errors import EnvironmentMissingError, OptionError  # noqa: E402
from embodied.settings import Settings  # noqa: E402

TOKEN = "a-token-of-the-tests"
PROTOCOL = Subprotocol(f"viser-v{viser.__version__}")
SENTENCE = "put the red block on the tray"


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    service = Service(Settings(seed=3, pictures=False), tmp_path_factory.mktemp("runs"))
    console = Console(service, TOKEN, 0)
    yield console
    console.close()
    service.close()


@pytest.fixture(autouse=True)
def empty(request: pytest.FixtureRequest) -> Iterator[None]:
    """Every test begins with nobody at the console, and with requests to spend."""
    if "console" in request.fixturenames:
        console: Console = request.getfixturevalue("console")
        console._guard._requests = guarding.Bucket(guarding.REQUESTS_PER_S)
        _until(lambda: console.operator is None and not console._clients)
        console.service.stop()
    yield


def _until(what: Any, seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


def port(console: Console) -> int:
    return console.server.get_port()


def ask(console: Console, path: str, **headers: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port(console), timeout=10)
    connection.putrequest("GET", path, skip_host=True)
    for name, value in ({"Host": f"127.0.0.1:{port(console)}"} | headers).items():
        connection.putheader(name.replace("_", "-"), value)
    connection.endheaders()
    try:
        answer = connection.getresponse()
        return answer.status, "" if answer.status == 101 else answer.read().decode()
    finally:
        connection.close()


WEBSOCKET = {
    "Upgrade": "websocket", "Connection": "Upgrade", "Sec_WebSocket_Version": "13",
    "Sec_WebSocket_Key": "AAAAAAAAAAAAAAAAAAAAAA==", "Sec_WebSocket_Protocol": PROTOCOL,
}  # fmt: skip
UPGRADES = pytest.mark.parametrize("upgrade", [{}, WEBSOCKET], ids=["page", "websocket"])


@UPGRADES
@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/", {}),
        ("/index.html", {}),
        ("/wrong-token-of-the-tests", {}),
        (f"/x/{TOKEN}", {}),
        (f"/?{TOKEN}", {}),
        (f"/{TOKEN}x", {}),
        (f"/{TOKEN}", {"Origin": "http://elsewhere.example"}),
        (f"/{TOKEN}", {"Origin": "null"}),
        (f"/{TOKEN}", {"Origin": "http://127.0.0.1:1"}),
        (f"/{TOKEN}", {"Host": "rebound.example"}),
        (f"/{TOKEN}", {"Host": "rebound.example", "Origin": "http://rebound.example"}),
        (f"/{TOKEN}", {"Host": "127.0.0.1.rebound.example:80"}),
        (f"/{TOKEN}", {"Host": "["}),
    ],
)
def test_others_are_refused(
    console: Console, upgrade: dict[str, str], path: str, headers: dict[str, str]
) -> None:
    status, text = ask(console, path, **upgrade, **headers)
    assert status == 403 and "viser" not in text


def test_who_has_the_token_gets_the_page_without_leaking_it(console: Console) -> None:
    for path in (f"/{TOKEN}", f"/{TOKEN}/", f"/{TOKEN}/index.html"):
        status, text = ask(console, path, Origin=f"http://127.0.0.1:{port(console)}")
        assert status == 200 and "<html" in text
        assert TOKEN not in text
    assert ask(console, f"/{TOKEN}/../../console.py")[0] == 404
    assert ask(console, f"/{TOKEN}", **WEBSOCKET)[0] == 101


def test_it_listens_on_the_loopback_alone(console: Console) -> None:
    listening = console.server._websock_server
    assert listening._host == "127.0.0.1"
    with pytest.raises(OptionError, match="in use"):
        guarding.guarded_viser(guarding.Guard(TOKEN), port(console), "")


class Browser:
    """What a page of viser sends, without a page."""

    def __init__(self, console: Console) -> None:
        self.console = console

    async def __aenter__(self) -> Browser:
        address = f"ws://127.0.0.1:{port(self.console)}/{TOKEN}"
        self.socket = await client.connect(address, subprotocols=[PROTOCOL], max_size=None)
        before = set(self.console._clients)
        await self.send(
            type="ViewerCameraMessage", wxyz=[1, 0, 0, 0], position=[1, 1, 1], fov=1.0,
            image_height=10, image_width=10, near=0.1, far=10.0, look_at=[0, 0, 0],
            up_direction=[0, 0, 1],
        )  # fmt: skip
        self.reader = asyncio.ensure_future(self._read())
        while not set(self.console._clients) - before:
            await asyncio.sleep(0.02)
        self.number = max(self.console._clients)
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.socket.close()
        self.reader.cancel()

    async def _read(self) -> None:
        async for _ in self.socket:
            pass

    async def send(self, **message: Any) -> None:
        await self.socket.send(msgspec.msgpack.encode(message))

    async def set(self, handle: Any, value: Any = True) -> None:
        uuid = handle._impl.uuid
        await self.send(type="GuiUpdateMessage", uuid=uuid, updates={"value": value})

    async def wait(self, phase: str) -> None:
        for _ in range(600):
            if self.console.service.status.phase == phase:
                return
            await asyncio.sleep(0.05)
        raise AssertionError(self.console.service.status)

    async def settle(self) -> None:
        """Long enough for what was sent to be done."""
        await asyncio.sleep(0.4)


def test_a_second_browser_watches_and_stops_and_does_not_approve(console: Console) -> None:
    panel, service = console.panel, console.service

    async def both() -> None:
        async with Browser(console) as first, Browser(console) as second:
            assert console.operator == first.number
            await second.set(panel._sentence, "put the green block in the bin")
            await second.set(panel._plan_button)
            await second.settle()
            assert service.status.phase == "idle" and panel._sentence.value == ""
            await first.set(panel._sentence, SENTENCE)
            await first.set(panel._plan_button)
            await first.wait("proposed")
            await second.set(panel._approve)
            await second.set(panel._refuse)
            await second.set(panel.seat)
            await second.settle()
            assert service.status.phase == "proposed" and console.operator == first.number
            await second.set(panel.stop_button)
            await second.wait("idle")
            await first.set(panel._approve)
            await first.settle()
            assert service.status.phase == "idle" and service.status.folder is None

    asyncio.run(both())
    assert service.owner.session.time_s() == 0.0


def test_what_the_operator_saw_goes_with_the_operator(console: Console) -> None:
    async def leaves() -> None:
        async with Browser(console) as watcher_to_be:
            async with Browser(console) as second:
                assert console.operator == watcher_to_be.number
                await watcher_to_be.set(console.panel._sentence, SENTENCE)
                await watcher_to_be.set(console.panel._plan_button)
                await watcher_to_be.wait("proposed")
                await watcher_to_be.socket.close()
                await second.wait("idle")
                assert console.operator is None
                await second.set(console.panel.seat)
                await second.settle()
                assert console.operator == second.number

    asyncio.run(leaves())
    assert console.service.owner.session.time_s() == 0.0


def test_what_a_page_does_not_send_reaches_nobody(console: Console) -> None:
    panel, asked = console.panel, list[str]()
    console.server.request_share_url = lambda verbose=True: asked.append("share")  # type: ignore

    async def tries() -> None:
        async with Browser(console) as page:
            for updates in (
                {"disabled": True},
                {"visible": False},
                {"update_cb": []},
                {"value": True, "update_cb": []},
                {"value": "x" * 2_000},
                {"value": {"deep": [1]}},
                {},
            ):
                uuid = panel.stop_button._impl.uuid
                await page.send(type="GuiUpdateMessage", uuid=uuid, updates=updates)
            await page.send(type="ShareUrlRequest")
            await page.send(type="ViewerCameraMessage", fov=float("nan"))
            await page.send(type="NoSuchMessage", x=1)
            await page.socket.send(b"\xff\xff")
            await page.socket.send("text")
            await page.set(panel._sentence, "still here")
            await page.settle()
            assert panel._sentence.value == "still here"

    asyncio.run(tries())
    assert not asked and not panel.stop_button.disabled and panel.stop_button._impl.update_cb


def test_a_megabyte_and_a_flood_end_their_connection_alone(console: Console) -> None:
    panel = console.panel

    async def floods() -> None:
        async with Browser(console) as page:
            async with Browser(console) as big:
                await big.set(panel._sentence, "x" * 1_000_000)
                await asyncio.wait_for(big.socket.wait_closed(), 10)
                assert big.socket.close_code == 1009
            async with Browser(console) as fast:
                with pytest.raises(websockets.exceptions.ConnectionClosed):
                    for _ in range(5_000):
                        await fast.set(panel.stop_button)
                        await asyncio.sleep(0)
                    await asyncio.wait_for(fast.socket.wait_closed(), 10)
                    await fast.set(panel.stop_button)
                assert fast.socket.close_code == 1008
            for _ in range(20):  # stops of the flood that are still on their way refuse a plan
                await page.set(panel._sentence, SENTENCE)
                await page.set(panel._plan_button)
                await asyncio.sleep(1.5)
                if console.service.status.phase == "proposed":
                    return
        raise AssertionError(console.service.status)

    asyncio.run(floods())


def test_a_thousand_requests_do_not_reach_the_session(console: Console) -> None:
    wrong = [ask(console, "/wrong")[0] for _ in range(1_000)]
    assert set(wrong) == {403}
    right = [ask(console, f"/{TOKEN}/none")[0] for _ in range(400)]
    assert right[0] == 404 and 429 in right and set(right) == {404, 429}
    assert console.service.owner.session.time_s() == 0.0


def test_connections_are_bounded(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guarding, "MOST_CONNECTIONS", 1)

    async def one() -> None:
        async with Browser(console):
            status = await asyncio.to_thread(ask, console, f"/{TOKEN}", **WEBSOCKET)
            assert status[0] == 503

    asyncio.run(one())


def test_without_the_guard_there_is_no_console(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where viser serves in another way than the guard knows, nothing is served."""
    built = viser.infra._infra.WebsockServer.start

    def started(self: Any) -> None:
        import websockets

        monkeypatch.setattr(viser.infra._infra, "websockets", websockets)
        built(self)

    monkeypatch.setattr(viser.infra._infra.WebsockServer, "start", started)
    with pytest.raises(EnvironmentMissingError, match="without the guard"):
        guarding.guarded_viser(guarding.Guard(TOKEN), 0, "")


def test_two_runs_are_replayed_side_by_side(console: Console) -> None:
    service, replays = console.service, console.replays
    for sentence in (SENTENCE, "put the yellow block in the bin"):
        service.propose(sentence)
        assert service.approve("the test").reached
    console.panel.list_runs()
    names = console.panel._runs.options[1:]
    assert len(names) == 2 and all((service.out / name).is_dir() for name in names)
    replays.show([service.out / name for name in names])
    shown = replays._shown
    assert [view._root.position[1] for _, view in shown] == [1.6, -1.6]
    replays._at = 3.0
    replays.step(0.0)
    for states, view in shown:
        row = int(states.time.searchsorted(states.time[0] + 3.0, side="right")) - 1
        assert abs(view._data.qpos - states.qpos[row]).max() < 1e-6
        assert abs(states.qpos[row] - states.qpos[0]).max() > 0.1
    replays.show([])
    assert not replays._shown


def test_it_ends_while_pages_are_open(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    service = Service(Settings(seed=3, pictures=False), tmp_path)
    console = Console(service, TOKEN, 0)

    async def stays() -> None:
        async with Browser(console):
            await asyncio.to_thread(console.close)

    asyncio.run(stays())
    service.close()
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(("how", "code"), [(signal.SIGINT, 0), (signal.SIGTERM, 143)])
def test_the_command_says_where_it_is_and_ends_cleanly(
    tmp_path: Path, how: signal.Signals, code: int
) -> None:
    command = [sys.executable, "-m", "embodied.app.cli.main", "serve", "--port", "0", "--json"]
    with subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout is not None and running.stderr is not None
        told = json.loads(running.stdout.readline())
        assert told["address"].startswith("http://127.0.0.1:")
        assert told["address"].endswith(told["token"]) and len(told["token"]) >= 32
        running.send_signal(how)
        assert running.wait(120) == code
        assert running.stderr.read() == ""


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--token", "short"], "16 to 128"),
        (["--token", "x" * 20 + "/.."], "16 to 128"),
        (["--optimal", "--robot", "quadruped"], "goes with the route"),
        (["--scene", "nowhere"], "nowhere"),
    ],
)
def test_what_does_not_go_together_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], why: str
) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["serve", "--port", "0", *words])
    assert done.exit_code in (2, 3) and why in done.output
