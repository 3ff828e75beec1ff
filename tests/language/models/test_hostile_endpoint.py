"""An endpoint that means harm: too much, too slow, packed, elsewhere, or saying the key aloud."""

from __future__ import annotations

import gzip
import json
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from embodied.errors import ModelError, ModelTimeoutError
from embodied.protocols import Message, Request

pytest.importorskip("pydantic_ai", reason="needs the [llm] extra")

from embodied.language.models import Retrying, open_model  # noqa: E402
from embodied.language.models._bounds import (  # noqa: E402
    LARGEST_BODY_BYTES,
    LONGEST_ANSWER,
    AnswerRefusedError,
)
from embodied.language.models.endpoint import EndpointModel  # noqa: E402
from embodied.language.models.loopback import Act, LoopbackEndpoint  # noqa: E402

pytestmark = pytest.mark.llm

KEY = "sk-secret-0123456789abcdef"
ASK = Request(messages=(Message(role="user", text="hello"),), max_tokens=64)
KINDS = pytest.mark.parametrize("kind", ["openai", "anthropic"])
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n"


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)


class Wire:
    """A server that answers each connection by ``act(send)`` and counts what went out."""

    def __init__(self, act: Callable[[Callable[[bytes], None]], None]) -> None:
        self._act = act
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.requests = self.sent = 0
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/v1"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        def send(data: bytes) -> None:
            connection.sendall(data)
            self.sent += len(data)

        with connection:
            if not connection.recv(65536):
                return
            self.requests += 1
            try:
                self._act(send)
            except OSError:
                return  # the client has hung up

    def close(self) -> None:
        self._socket.close()


@contextmanager
def _served(act: Callable[[Callable[[bytes], None]], None]) -> Iterator[Wire]:
    wire = Wire(act)
    try:
        yield wire
    finally:
        wire.close()


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def _endless(send: Callable[[bytes], None]) -> None:
    send(CHUNKED + b"\r\n")
    while True:
        send(_chunk(b" " * 65536))


def _endless_headers(send: Callable[[bytes], None]) -> None:
    send(OK)
    while True:
        send(b"X-More: " + b"a" * 65536 + b"\r\n")


def _bomb(encoding: str) -> Callable[[Callable[[bytes], None]], None]:
    zeros = b" " * 2**20
    packer = zlib.compressobj(9, wbits=31 if encoding == "gzip" else 15)
    packed = b"".join(packer.compress(zeros) for _ in range(200)) + packer.flush()

    def act(send: Callable[[bytes], None]) -> None:
        send(OK + f"Content-Encoding: {encoding}\r\nContent-Length: {len(packed)}\r\n\r\n".encode())
        send(packed)

    return act


def _refused(kind: str, url: str, **options: float) -> ModelError:
    model = EndpointModel(kind, "tiny", base_url=url, **options)
    with pytest.raises(ModelError) as caught:
        model.complete(ASK)
    model.close()
    return caught.value


@KINDS
def test_an_endless_body_is_left(kind: str) -> None:
    with _served(_endless) as wire:
        error = _refused(kind, wire.url)
        assert isinstance(error, AnswerRefusedError) and "more than 4 MiB" in str(error)
        time.sleep(0.1)
        assert wire.sent < 4 * LARGEST_BODY_BYTES, "what the socket's buffers hold, no more"


@KINDS
def test_endless_headers_are_left(kind: str) -> None:
    with _served(_endless_headers) as wire:
        error = _refused(kind, wire.url)
        time.sleep(0.1)
        assert isinstance(error, ModelError) and wire.sent < 4 * LARGEST_BODY_BYTES


@KINDS
@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_a_packed_bomb_is_not_unpacked(kind: str, encoding: str) -> None:
    with _served(_bomb(encoding)) as wire:
        error = _refused(kind, wire.url)
    assert isinstance(error, AnswerRefusedError) and "unpacks to more than 4 MiB" in str(error)


@KINDS
@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip"])
def test_an_encoding_that_cannot_be_bounded_is_refused(kind: str, encoding: str) -> None:
    def act(send: Callable[[bytes], None]) -> None:
        send(OK + f"Content-Encoding: {encoding}\r\nContent-Length: 4\r\n\r\n".encode() + b"abcd")

    with _served(act) as wire:
        assert encoding in str(_refused(kind, wire.url))


def test_an_honest_packed_answer_is_read() -> None:
    body = {
        "id": "1",
        "object": "chat.completion",
        "created": 1,
        "model": "tiny",
        "choices": [
            {
                "index": 0,
                "finish_reason": "stop",
                "message": {"role": "assistant", "content": "hi"},
            }
        ],
    }
    packed = gzip.compress(json.dumps(body).encode())

    def act(send: Callable[[bytes], None]) -> None:
        send(OK + f"Content-Encoding: gzip\r\nContent-Length: {len(packed)}\r\n\r\n".encode())
        send(packed)

    with _served(act) as wire:
        model = EndpointModel("openai", "tiny", base_url=wire.url)
        assert model.complete(ASK).text == "hi"
        model.close()


@KINDS
def test_an_answer_by_drops_ends_with_the_time_out(kind: str) -> None:
    def act(send: Callable[[bytes], None]) -> None:
        send(CHUNKED + b"\r\n")
        while True:
            send(_chunk(b" "))
            time.sleep(0.05)

    with _served(act) as wire:
        started = time.monotonic()
        error = _refused(kind, wire.url, timeout_s=1.0)
        assert isinstance(error, ModelTimeoutError)
        assert time.monotonic() - started < 30.0, "the endpoint would go on for ever"


def test_no_attempt_begins_after_the_time_for_all_of_them() -> None:
    def act(send: Callable[[bytes], None]) -> None:
        send(CHUNKED + b"\r\n")
        time.sleep(2.0)

    with _served(act) as wire:
        model = Retrying(
            EndpointModel("openai", "tiny", base_url=wire.url, timeout_s=0.3),
            attempts=50,
            longest_total_s=1.0,
            first_pause_s=0.01,
        )
        with pytest.raises(ModelTimeoutError):
            model.complete(ASK)
        model.close()
        assert 1 <= wire.requests <= 4


@KINDS
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_does_not_get_the_prompt(kind: str, status: int) -> None:
    with LoopbackEndpoint(["stolen"]) as other:
        act = Act(status=status, headers={"Location": other.openai_url + "/chat/completions"})
        with LoopbackEndpoint([act]) as endpoint:
            url = endpoint.openai_url if kind == "openai" else endpoint.root
            error = _refused(kind, url)
        assert isinstance(error, AnswerRefusedError) and other.root in str(error)
        assert not other.seen and len(endpoint.seen) == 1


@KINDS
def test_an_answer_too_long_is_not_read(kind: str) -> None:
    with LoopbackEndpoint(["a" * (LONGEST_ANSWER + 1)]) as endpoint:
        url = endpoint.openai_url if kind == "openai" else endpoint.root
        assert str(LONGEST_ANSWER) in str(_refused(kind, url))


def test_a_key_that_the_endpoint_says_is_nowhere(tmp_path: Path) -> None:
    body = {
        "id": KEY,
        "object": KEY,
        "created": 1,
        "model": KEY,
        "system_fingerprint": KEY,
        "choices": [
            {
                "index": 0,
                "finish_reason": "stop",
                "message": {
                    "role": "assistant",
                    "content": f'{{"{KEY}": "{KEY}"}}',
                    "refusal": KEY,
                    "reasoning_content": KEY,
                },
            }
        ],
    }
    acts = [
        Act(body=json.dumps(body)),
        Act(status=401, text=KEY, error_code=KEY, headers={"X-Key": KEY}),
        Act(status=400, text=KEY, error_code=KEY),
        Act(status=302, headers={"Location": f"http://elsewhere/?key={KEY}"}),
        Act(body=KEY),
        Act(headers={"Content-Encoding": KEY}),
    ]
    with LoopbackEndpoint(acts) as endpoint:
        model = open_model(
            "openai:tiny", base_url=endpoint.openai_url, record=tmp_path / "r.jsonl", attempts=1
        )
        said: list[str] = []
        for _ in acts:
            try:
                said.append(repr(model.complete(ASK)))
            except ModelError as error:
                said.append(f"{error!r} {error}")
        model.close()
        assert len(endpoint.seen) == len(acts)
    assert KEY not in "".join(said) and "OPENAI_API_KEY" in said[0]
    assert KEY not in (tmp_path / "r.jsonl").read_text()
