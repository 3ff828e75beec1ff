"""The socket of an episode: one JSON line there, one back; needs nothing but Python."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Mapping
from typing import cast

SOCKET = "ROBOUSE_SOCKET"
WAIT_S = 300.0
MAX_BYTES = 50_000_000


class EpisodeError(RuntimeError):
    """The episode's server refused a request, or is gone."""


def ask(op: str, **values: object) -> Mapping[str, object]:
    """Ask the server of the episode.

    Args:
        op: ``observe``, ``act``, ``done`` or ``give_up``.
        values: Further fields of the request.

    Raises:
        EpisodeError: It answers with an error, or not at all.
    """
    reply = b""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
            line.settimeout(WAIT_S)
            line.connect(os.environ[SOCKET])
            line.sendall(json.dumps({"op": op, **values}).encode() + b"\n")
            while not reply.endswith(b"\n") and len(reply) < MAX_BYTES:
                part = line.recv(1 << 20)
                if not part:
                    break
                reply += part
        answer = json.loads(reply)
    except (OSError, ValueError, KeyError) as error:
        raise EpisodeError(f"{op}: no answer from the episode: {error!r}") from error
    if not answer.get("ok"):
        raise EpisodeError(f"{op}: {answer.get('error')}")
    return cast("Mapping[str, object]", answer["result"])
