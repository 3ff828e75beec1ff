"""The supervisor's connections to one planner and one operator."""

from __future__ import annotations

import secrets
import select
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from embodied.bridge.channel import (
    BadFrameError,
    ChannelClosedError,
    Listener,
    Message,
    SocketChannel,
)


class Said(Enum):
    """What came over a line."""

    CONNECTED = "connected"
    MESSAGE = "message"
    BAD_FRAME = "bad-frame"
    GONE = "gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """One thing that was heard.

    Attributes:
        who: ``"planner"`` or ``"operator"``.
        said: What it was.
        message: The message, empty without one.
        code: Of a bad frame.
        problem: In words, of a bad frame.
    """

    who: str
    said: Said
    message: Message
    code: str = ""
    problem: str = ""


class Lines:
    """Accepts, reads and answers; what is said over a line is for others to handle.

    Args:
        planner: Where planners connect.
        operator: Where the operator's terminal connects.
        token: What the operator's terminal must say first.
        note: Writes events down.

    Attributes:
        had_operator: An operator has said the token.
    """

    def __init__(
        self, planner: Listener, operator: Listener, token: str, note: Callable[..., None]
    ) -> None:
        self._listeners = {"planner": planner, "operator": operator}
        self._token = token
        self._note = note
        self._planner: SocketChannel | None = None
        self._operator: SocketChannel | None = None
        self._operator_known = False
        self.had_operator = False

    @property
    def has_planner(self) -> bool:
        """A planner is connected."""
        return self._planner is not None

    def hear(self, timeout_s: float) -> list[Heard] | None:
        """One thing from each line that has something; None when nothing came in time."""
        sources: list[Listener | SocketChannel] = [
            s for s in (*self._listeners.values(), self._planner, self._operator) if s
        ]
        ready, _, _ = select.select(sources, [], [], timeout_s)
        if not ready:
            return None
        heard: list[Heard] = []
        for source in ready:
            if source is self._listeners["planner"]:
                heard += self._new_planner()
            elif source is self._listeners["operator"]:
                self._new_operator()
            elif source is self._operator:
                heard += self._hear_operator()
            elif source is self._planner:
                heard += self._hear_planner()
        return heard

    def tell_planner(self, message: Message) -> None:
        """Answer the planner, if there is one."""
        if self._planner is not None:
            _send(self._planner, message)

    def tell_operator(self, message: Message) -> None:
        """Tell the operator's terminal, if there is one that said the token."""
        if self._operator is not None and self._operator_known:
            _send(self._operator, message)

    def close(self) -> None:
        """Close all lines."""
        for channel in (self._planner, self._operator, *self._listeners.values()):
            if channel is not None:
                channel.close()

    # ----------------------------------------------------------------- private

    def _new_planner(self) -> list[Heard]:
        channel = self._listeners["planner"].accept(0.0)
        if channel is None:
            return []
        heard: list[Heard] = []
        while self._planner is not None and select.select([self._planner], [], [], 0.0)[0]:
            heard += self._hear_planner()  # the last one may have gone
        if self._planner is not None:
            channel.close()
            self._note("planner-refused", problem="one planner at a time")
            return heard
        self._planner = channel
        return [*heard, Heard(who="planner", said=Said.CONNECTED, message={})]

    def _hear_planner(self) -> list[Heard]:
        channel = self._planner
        assert channel is not None
        heard = _receive(channel, "planner")
        if heard is not None and heard.said is Said.GONE:
            channel.close()
            self._planner = None
        return [] if heard is None else [heard]

    def _new_operator(self) -> None:
        channel = self._listeners["operator"].accept(0.0)
        if channel is not None:
            if self._operator is not None:
                channel.close()
                return
            self._operator, self._operator_known = channel, False

    def _hear_operator(self) -> list[Heard]:
        channel = self._operator
        assert channel is not None
        heard = _receive(channel, "operator")
        if heard is None:
            return []
        if heard.said is Said.GONE:
            channel.close()
            self._operator = None
            return [heard] if self._operator_known else []
        if heard.said is Said.MESSAGE:
            if heard.message["kind"] == "hello":
                token = heard.message["token"]
                self._operator_known = secrets.compare_digest(token, self._token)
                self.had_operator |= self._operator_known
            if not self._operator_known:
                channel.close()
                self._operator = None
                self._note("operator-refused", problem="wrong token")
                return []
        return [heard]


def _receive(channel: SocketChannel, who: str) -> Heard | None:
    try:
        message = channel.receive(0.0)
    except BadFrameError as error:
        problem = str(error)
        return Heard(who=who, said=Said.BAD_FRAME, message={}, code=error.code, problem=problem)
    except ChannelClosedError:
        return Heard(who=who, said=Said.GONE, message={})
    return None if message is None else Heard(who=who, said=Said.MESSAGE, message=message)


def _send(channel: SocketChannel, message: Message) -> None:
    try:
        channel.send(message)
    except ChannelClosedError:
        return  # noticed when it is read from next
