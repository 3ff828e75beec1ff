"""A GGUF model in this process, through llama.cpp (``xllamacpp``).

llama.cpp's server object cannot be had without a listening socket, and by default that is an open
loopback port. Here it is a Unix socket in a folder that only this user can enter, with a random key
on top; requests do not go through it.
"""

from __future__ import annotations

import importlib
import math
import os
import secrets
import shutil
import socket
import tempfile
import threading
import time
import weakref
from pathlib import Path
from typing import Any

from embodied.errors import (
    ConfigurationError,
    EnvironmentMissingError,
    ModelError,
    ModelTimeoutError,
)
from embodied.language.models._requests import check_request
from embodied.protocols import Request, Response, Usage

# Idle workers that spin would take the cores that the simulator needs.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

try:
    xllamacpp: Any = importlib.import_module("xllamacpp")  # its types are not visible to checkers
except ImportError as error:
    raise EnvironmentMissingError(
        "local models need the extra [local]: pip install 'embodied-stack[local]'"
    ) from error

_MOST_DEFAULT_THREADS = 4
_START_UP_S = 60.0
_SOCKET = "llama.sock"  # by this ending llama.cpp knows that it is no host name
_LONGEST_SOCKET_PATH = 100  # Unix allows 107 bytes


class LocalModel:
    """Weights in a GGUF file, decoded under a grammar where the request gives one.

    A request's ``grammar`` (GBNF) takes precedence over its ``schema``; either is enforced token by
    token. The prompt's longest prefix shared with the call before is not read again. Calls from
    several threads take turns.

    Args:
        path: GGUF file.
        adapter: LoRA adapter in GGUF format, or None.
        context_tokens: Context length, prompt and answer together.
        threads: CPU threads; None for all cores but at most 4.
        timeout_s: Longest time for one answer, seconds.
        seed: Seed of the sampling at temperatures above 0.

    Attributes:
        cached_tokens: Tokens of the last prompt that did not have to be read again.

    Raises:
        ConfigurationError: The file is missing or is not GGUF.
        ModelError: llama.cpp cannot load it.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        adapter: str | Path | None = None,
        context_tokens: int = 4096,
        threads: int | None = None,
        timeout_s: float = 60.0,
        seed: int = 0,
    ) -> None:
        self._path = Path(path).expanduser()
        self._seed = seed
        self._timeout_s = timeout_s
        self._context_tokens = context_tokens
        self._turn = threading.Lock()
        self.cached_tokens = 0
        self._server: Any = None
        _check_gguf(self._path)
        parameters = xllamacpp.CommonParams()
        parameters.model.path = str(self._path)
        if adapter is not None:
            adapter = Path(adapter).expanduser()
            _check_gguf(adapter)
            parameters.lora_adapters = [xllamacpp.CommonAdapterLoraInfo(str(adapter), 1.0)]
        parameters.n_ctx = context_tokens
        parameters.n_parallel = 1
        parameters.verbosity = -1
        n = threads or min(_MOST_DEFAULT_THREADS, os.cpu_count() or 1)
        parameters.cache_ram_mib = 0  # else states of every earlier prompt are kept, up to 8 GiB
        parameters.cpuparams.n_threads = n
        parameters.cpuparams_batch.n_threads = n
        self._socket_folder = _private_folder()
        self._tidy = weakref.finalize(self, shutil.rmtree, self._socket_folder, ignore_errors=True)
        parameters.hostnames = [os.path.join(self._socket_folder, _SOCKET)]
        parameters.api_keys = [secrets.token_urlsafe(32)]
        parameters.ui = False
        parameters.endpoint_slots = False
        parameters.endpoint_props = False
        try:
            self._server = xllamacpp.Server(parameters)
        except Exception as error:
            self._tidy()
            raise ModelError(f"llama.cpp cannot load {self._path}: {error}") from error
        self._wait_until_running(os.path.join(self._socket_folder, _SOCKET))

    def _wait_until_running(self, path: str) -> None:
        """Let both of llama.cpp's threads come up: freeing it before that would never return."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(_START_UP_S)
            try:
                connection.connect(path)
                connection.sendall(b"GET /health HTTP/1.0\r\n\r\n")
                connection.recv(64)
            except OSError as error:
                self._tidy()
                raise ModelError(f"llama.cpp did not start with {self._path}: {error}") from error
        self._server.handle_completions({"prompt": " ", "n_predict": 1})

    @property
    def name(self) -> str:
        """``local:`` and the file's name."""
        return f"local:{self._path.name}"

    @property
    def listening_address(self) -> str:
        """Where llama.cpp listens: a Unix socket that only this user can reach."""
        return str(self._server.listening_address)

    def complete(self, request: Request) -> Response:
        """Answer one request; ``confidence`` is the probability of the whole answer.

        The probability is the model's own, before the grammar: a low value means that the model
        would rather have said something else.

        Raises:
            ModelTimeoutError: Not finished within the time-out; generation is stopped.
            ModelError: Refused: prompt too long for the context, malformed grammar.
        """
        check_request(request)
        if self._server is None:
            raise ModelError(f"{self.name} is closed")
        if request.tools:
            raise ModelError(
                f"{self.name} calls no tools here: serve the file with llama-server and give "
                "--model openai:NAME --base-url"
            )
        body: dict[str, Any] = {
            "messages": [{"role": m.role, "content": m.text} for m in request.messages],
            "max_tokens": request.max_tokens,
            "temperature": request.temperature,
            "seed": self._seed,
            "cache_prompt": True,
            "logprobs": True,
            "top_logprobs": 1,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        if request.grammar is not None:
            body["grammar"] = request.grammar
        elif request.schema is not None:
            body["response_format"] = {
                "type": "json_schema",
                "json_schema": {"name": "answer", "schema": dict(request.schema)},
            }
        with self._turn:
            start = time.perf_counter()
            stream = _Stream(deadline=start + self._timeout_s)
            self._server.handle_chat_completions(body, stream.take)
            self.cached_tokens = stream.cached_tokens
        return self._response(stream, time.perf_counter() - start)

    def _response(self, stream: _Stream, latency_s: float) -> Response:
        if stream.timed_out:
            late = f"{self.name} did not finish within {self._timeout_s:g} s"
            raise ModelTimeoutError(f"{late}; give it more time with --timeout")
        if stream.error:
            raise ModelError(f"{self.name}: {stream.error}")
        return Response(
            text="".join(stream.pieces),
            usage=Usage(
                calls=1,
                input_tokens=stream.input_tokens,
                output_tokens=stream.output_tokens,
                cost_usd=0.0,
                cached_tokens=stream.cached_tokens,
            ),
            latency_s=latency_s,
            model=self.name,
            confidence=math.exp(stream.log_probability) if stream.pieces else None,
            cut_off=stream.cut_off,
        )

    def close(self) -> None:
        """Free the weights; may be called twice."""
        self._server = None
        self._tidy()


class _Stream:
    """Collects the chunks of one answer; stops the generation after the deadline."""

    def __init__(self, deadline: float) -> None:
        self._deadline = deadline
        self.pieces: list[str] = []
        self.log_probability = 0.0
        self.input_tokens = 0
        self.output_tokens = 0
        self.cached_tokens = 0
        self.error = ""
        self.timed_out = False
        self.cut_off = False

    def take(self, chunk: Any) -> bool:
        """Take in a chunk; the result True stops the generation."""
        chunks = chunk if isinstance(chunk, list) else [chunk]
        for each in chunks:
            self._take(each)
        if time.perf_counter() > self._deadline:
            self.timed_out = True
        return self.timed_out

    def _take(self, chunk: dict[str, Any]) -> None:
        if "error" in chunk:
            self.error = str(chunk["error"].get("message", chunk["error"]))
            return
        for choice in chunk.get("choices", ()):
            self.cut_off |= choice.get("finish_reason") == "length"
            self.pieces.append(choice.get("delta", {}).get("content") or "")
            for token in (choice.get("logprobs") or {}).get("content") or ():
                self.log_probability += float(token["logprob"])
        usage = chunk.get("usage")
        if usage:
            self.input_tokens = int(usage["prompt_tokens"])
            self.output_tokens = int(usage["completion_tokens"])
            details = usage.get("prompt_tokens_details") or {}
            self.cached_tokens = int(details.get("cached_tokens", 0))


def _private_folder() -> str:
    """A new folder that only this user can enter, with a path short enough for a socket."""
    folder = tempfile.mkdtemp(prefix="embodied-llama-")  # mode 0700
    if len(os.path.join(folder, _SOCKET).encode()) > _LONGEST_SOCKET_PATH:
        os.rmdir(folder)
        folder = tempfile.mkdtemp(prefix="embodied-llama-", dir="/tmp")
    return folder


def _check_gguf(path: Path) -> None:
    try:
        with path.open("rb") as file:
            magic = file.read(4)
    except OSError as error:
        raise ConfigurationError(f"cannot read the model {path}: {error.strerror}") from error
    if magic != b"GGUF":
        raise ConfigurationError(f"{path} is not a GGUF file")
