"""Record what a model answered, and answer from the recording later without any model."""

from __future__ import annotations

import json
import threading
import time
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import cast

from embodied.errors import ConfigurationError, ModelError, ReplayMissError
from embodied.files import read_bytes
from embodied.language.models._requests import (
    check_request,
    request_data,
    request_key,
    response_data,
    response_from_data,
)
from embodied.language.models._wrapping import Wrapper
from embodied.protocols import LanguageModel, Request, Response
from embodied.records import LineLog


class Recording(Wrapper):
    """Appends every request and its answer to a JSON-lines file.

    Each line is one whole record ``{"key", "request", "response"}``, written and flushed at once:
    a killed run leaves at most one unfinished last line, which replay ignores. Secrets of the
    environment are replaced before anything is written.

    Args:
        model: The model.
        path: File to append to; created with its folders when missing.

    Raises:
        ConfigurationError: The file cannot be written.
    """

    def __init__(self, model: LanguageModel, path: str | Path) -> None:
        super().__init__(model)
        self._path = Path(path)
        self._lock = threading.Lock()
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._log = LineLog(self._path)
        except OSError as error:
            raise ConfigurationError(f"cannot record to {self._path}: {error.strerror}") from error

    def complete(self, request: Request) -> Response:
        """Answer one request and record it; errors are not recorded."""
        response = self._model.complete(request)
        record = {
            "key": request_key(request),
            "request": request_data(request),
            "response": response_data(response),
        }
        line = json.dumps(record, ensure_ascii=False)
        with self._lock:
            try:
                self._log.append((line + "\n").encode("utf-8", "replace"))
            except OSError as error:
                raise ModelError(f"cannot record to {self._path}: {error.strerror}") from error
        return response

    def close(self) -> None:
        """Close the file and release the model inside."""
        self._log.close()
        super().close()


class ReplayModel:
    """Answers from a recording; asked anything else, it raises instead of guessing.

    A request recorded several times gets its answers in the recorded order, and the last one from
    then on. Usage is what the answer cost when it was recorded; latency is that of the replay.

    Args:
        path: File written by ``Recording``.

    Raises:
        ConfigurationError: The file is missing or is not a recording. Lines that a killed run left
            unfinished are skipped and counted in ``unfinished_lines``.
    """

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)
        self._lock = threading.Lock()
        self._answers: dict[str, list[Response]] = defaultdict(list)
        self._requests: list[dict[str, object]] = []
        self._asked: dict[str, int] = defaultdict(int)
        self.unfinished_lines = 0
        try:
            text = read_bytes(self._path).decode("utf-8", errors="replace")
        except ConfigurationError as error:
            raise ConfigurationError(f"the recording: {error}") from error
        for number, line in enumerate(text.split("\n"), start=1):
            if not line.strip():
                continue
            try:
                record = json.loads(line)
            except (ValueError, RecursionError):
                self.unfinished_lines += 1
                continue
            try:
                response = response_from_data(record["response"])
                key, request = str(record["key"]), dict(record["request"])
            except (KeyError, TypeError, ValueError) as error:
                raise ConfigurationError(
                    f"{self._path}, line {number} is not a recorded answer: {error!r}"
                ) from error
            self._answers[key].append(response)
            self._requests.append(request)
        if self.unfinished_lines and not self._requests:
            raise ConfigurationError(f"{self._path} is not a recording: no line of it is a record")

    @property
    def name(self) -> str:
        """``replay:`` and the file's name."""
        return f"replay:{self._path.name}"

    def complete(self, request: Request) -> Response:
        """Answer one request.

        Raises:
            ReplayMissError: The recording does not hold it; says where the nearest one differs.
        """
        check_request(request)
        start = time.perf_counter()
        key = request_key(request)
        with self._lock:
            answers = self._answers.get(key)
            if not answers:
                raise ReplayMissError(self._miss(request))
            index = min(self._asked[key], len(answers) - 1)
            self._asked[key] += 1
        return replace(answers[index], latency_s=time.perf_counter() - start)

    def _miss(self, request: Request) -> str:
        text = f"{self._path} holds no answer to this request"
        if not self._requests:
            return text + ": it is empty"
        asked = _flat(request_data(request))
        shared, nearest = max(
            ((_shared_prefix(asked, _flat(r)), _flat(r)) for r in self._requests),
            key=lambda pair: pair[0],
        )
        return (
            f"{text}; of its {len(self._requests)} recorded requests the nearest differs from "
            f"character {shared} on: recorded {_excerpt(nearest, shared)!r}, "
            f"asked {_excerpt(asked, shared)!r}. Record it again, or use the same scene, seed, "
            "sentence and version as the recording"
        )


def _flat(request: dict[str, object]) -> str:
    """The request as one text: first its conversation, then its settings."""
    messages = cast("list[dict[str, object]]", request.get("messages") or [])
    parts = [f"{m.get('role')}: {m.get('text')}" for m in messages]
    rest = {k: v for k, v in request.items() if k not in ("messages", "purpose")}
    return "\n".join((*parts, json.dumps(rest, sort_keys=True)))


def _shared_prefix(a: str, b: str) -> int:
    for i, (x, y) in enumerate(zip(a, b, strict=False)):
        if x != y:
            return i
    return min(len(a), len(b))


def _excerpt(text: str, at: int, width: int = 40) -> str:
    return text[max(0, at - 10) : at + width]
