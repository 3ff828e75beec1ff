"""Bounds on what an endpoint may send: bytes on the wire, bytes unpacked, no other address.

The endpoint is not trusted: it may be broken, or anybody's. A client library reads a whole body
into memory, unpacks it and follows redirects with the prompt; here an answer ends at a bound.
"""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator

import httpx2

from embodied.errors import ModelError

LARGEST_BODY_BYTES = 4 * 2**20
"""Largest body of an answer, as sent and as unpacked."""

LONGEST_ANSWER = 2**18
"""Longest text of an answer, characters."""

_PACKED = ("gzip", "x-gzip", "deflate")


class AnswerRefusedError(ModelError):
    """An endpoint sent what is not read: too much of it, packed in another way, or a redirect."""


async def bound_response(response: httpx2.Response) -> None:
    """Bound the body of a response before the client reads it; a hook of the HTTP client.

    Raises:
        AnswerRefusedError: A redirect, or an encoding that cannot be unpacked within bounds.
    """
    if response.has_redirect_location:
        target = response.headers["location"][:200]
        raise AnswerRefusedError(
            f"the endpoint redirects to {target!r}, where the prompt is not sent; if that is the "
            "right address, give it as the base URL"
        )
    encoding = response.headers.pop("content-encoding", "identity").strip().lower()
    if encoding not in ("identity", "", *_PACKED):
        raise AnswerRefusedError(
            f"the answer is packed as {encoding[:40]!r}; it may be plain, {', '.join(_PACKED)}"
        )
    response.headers.pop("content-length", None)
    response.stream = _Bounded(response.stream, packed=encoding in _PACKED)


class _Bounded(httpx2.AsyncByteStream):
    """The body of a response, unpacked, which ends with an error once it is too large."""

    def __init__(self, stream: object, *, packed: bool) -> None:
        assert isinstance(stream, httpx2.AsyncByteStream)
        self._stream = stream
        self._packed = packed

    async def __aiter__(self) -> AsyncIterator[bytes]:
        unpack = zlib.decompressobj(wbits=47) if self._packed else None  # gzip or zlib by header
        sent = given = 0
        async for chunk in self._stream:
            sent += len(chunk)
            if sent > LARGEST_BODY_BYTES:
                raise _too_large("sends")
            if unpack is not None:
                try:
                    chunk = unpack.decompress(chunk, LARGEST_BODY_BYTES + 1 - given)
                except zlib.error as error:
                    raise AnswerRefusedError(f"the answer cannot be unpacked: {error}") from None
            given += len(chunk)
            if given > LARGEST_BODY_BYTES:
                raise _too_large("unpacks to")
            if chunk:
                yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()


def _too_large(does: str) -> AnswerRefusedError:
    return AnswerRefusedError(
        f"the endpoint's answer {does} more than {LARGEST_BODY_BYTES // 2**20} MiB; it was left"
    )


def refusal_in(error: BaseException | None) -> AnswerRefusedError | None:
    """The refusal that a client library has wrapped in errors of its own."""
    for _ in range(10):
        if error is None or isinstance(error, AnswerRefusedError):
            return error
        error = error.__cause__ or error.__context__
    return None
