"""The supervisor's connections to one planner and one operator."""

from __future__ import annotations

import secrets
import select
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum

from embodied.bridge.channel import (
    MOST_WAITING,
    BadFrameError,
    ChannelClosedError,
    Listener,
    Message,
    SocketChannel,
    unpack,
)
from embodied.bridge.plan_reader import SHORT_FRAME, PlanReader

MOST_BAD_FRAMES = 100
"""Of one planner: then it is dropped, so that it does not fill the journal."""


class Said(Enum):
    """What came over a line."""

    CONNECTED = "connected"
    READING = "reading"
    MESSAGE = "message"
    BAD_FRAME = "bad-frame"
    GONE = "gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """One thing that was heard.

    Attributes:
        who: ``"planner"`` or ``"operator"``.
        said: What it was.
        message: The message, empty without one. A plan that took long to read is in ``plan``.
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

    Nothing here waits for a peer. A planner that does not read its answers is dropped; of an
    operator's terminal that does not, the oldest news is. The operator is heard first.

    Args:
        planner: Where planners connect.
        operator: Where the operator's terminal connects.
        token: What the operator's terminal must say first.
        note: Writes events down.
        reader: Reads large frames of planners; nothing else of a planner is heard meanwhile.

    Attributes:
        had_operator: An operator has said the token.
    """

    def __init__(
        self,
        planner: Listener,
        operator: Listener,
        token: str,
        note: Callable[..., None],
        reader: PlanReader,
    ) -> None:
        self._listeners = {"planner": planner, "operator": operator}
        self._token = token
        self._note = note
        self._reader = reader
        self._read_for: SocketChannel | None = None
        self._planner: SocketChannel | None = None
        self._operator: SocketChannel | None = None
        self._operator_known = False
        self._bad_frames = 0
        self.had_operator = False

    @property
    def has_planner(self) -> bool:
        """A planner is connected."""
        return self._planner is not None

    def hear(self, timeout_s: float, *, operator_only: bool = False) -> list[Heard] | None:
        """One thing from each line that has something; None when nothing came in time.

        Args:
            timeout_s: How long to wait for it.
            operator_only: Leave what planners say where it is.
        """
        of_operator = [self._operator, self._listeners["operator"]]
        of_planner: list[SocketChannel | Listener | PlanReader | None] = []
        if not operator_only:
            reader = self._reader
            of_planner = [self._listeners["planner"], reader if reader.busy else self._planner]
        sources = [s for s in (*of_operator, *of_planner) if s]
        writers = [c for c in (self._operator, self._planner) if c is not None and c.waiting]
        ready, writable, _ = select.select(sources, writers, [], timeout_s)
        for channel in writable:
            with suppress(ChannelClosedError):  # noticed when it is read from next
                channel.flush()
        if not ready:
            return [] if writable and timeout_s > 0.0 else None
        heard: list[Heard] = []
        # What a planner says waits until the operator has been obeyed.
        for source in [s for s in ready if s in of_operator] or ready:
            if source is self._listeners["operator"]:
                self._new_operator()
            elif source is self._operator:
                heard += self._hear_operator()
            elif source is self._listeners["planner"]:
                heard += self._new_planner()
            elif source is self._reader:
                heard += self._hear_reader()
            elif source is self._planner:
                heard += self._hear_planner()
        return heard

    def tell_planner(self, message: Message) -> bool:
        """Answer the planner; returns whether it keeps up with its answers, or is not there."""
        channel = self._planner
        if channel is None:
            return True
        _post(channel, message)
        return channel.waiting <= MOST_WAITING

    def tell_operator(self, message: Message) -> None:
        """Tell the operator's terminal, if there is one that said the token."""
        channel = self._operator
        if channel is not None and self._operator_known:
            _post(channel, message)
            channel.forget(MOST_WAITING)

    def drop_planner(self) -> None:
        """End the planner's connection."""
        if self._planner is not None:
            self._planner.close()
            self._planner = None

    def close(self) -> None:
        """Close all lines."""
        self._reader.close()
        for channel in (self._planner, self._operator, *self._listeners.values()):
            if channel is not None:
                channel.close()

    # ----------------------------------------------------------------- private

    def _new_planner(self) -> list[Heard]:
        channel = self._listeners["planner"].accept(0.0)
        if channel is None:
            return []
        heard: list[Heard] = []
        if self._planner is not None and _hung_up(self._planner):
            self.drop_planner()
            heard.append(Heard(who="planner", said=Said.GONE, message={}))
        if self._planner is not None:
            channel.close()
            self._note("planner-refused", problem="one planner at a time")
            return heard
        self._planner, self._bad_frames = channel, 0
        return [*heard, Heard(who="planner", said=Said.CONNECTED, message={})]

    def _hear_planner(self) -> list[Heard]:
        channel = self._planner
        assert channel is not None
        return self._count(_receive(channel, "planner", self._give))

    def _give(self, frame: bytes) -> bool:
        """Whether a frame is large: then it is read elsewhere."""
        if len(frame) <= SHORT_FRAME:
            return False
        self._reader.give(frame)
        self._read_for = self._planner
        return True

    def _hear_reader(self) -> list[Heard]:
        heard = _taken(self._reader)
        return self._count(heard) if self._read_for is self._planner else []

    def _count(self, heard: Heard | None) -> list[Heard]:
        if heard is None:
            return []
        self._bad_frames += heard.said is Said.BAD_FRAME
        if heard.said is Said.GONE or self._bad_frames > MOST_BAD_FRAMES:
            self.drop_planner()
            return [Heard(who="planner", said=Said.GONE, message={})]
        return [heard]

    def _new_operator(self) -> None:
        channel = self._listeners["operator"].accept(0.0)
        if channel is not None:
            if self._operator is not None and self._operator_known:
                channel.close()
                return
            if self._operator is not None:
                self._operator.close()  # whoever said no token keeps nobody out
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
                said = heard.message["token"].encode(errors="replace")
                self._operator_known = secrets.compare_digest(said, self._token.encode())
                self.had_operator |= self._operator_known
            if not self._operator_known:
                channel.close()
                self._operator = None
                self._note("operator-refused", problem="wrong token")
                return []
        return [heard]


def _receive(
    channel: SocketChannel, who: str, elsewhere: Callable[[bytes], bool] | None = None
) -> Heard | None:
    try:
        frame = channel.receive_frame(0.0)
        if frame is None:
            return None
        if elsewhere is not None and elsewhere(frame):
            return Heard(who=who, said=Said.READING, message={})
        return Heard(who=who, said=Said.MESSAGE, message=unpack(frame, channel.incoming))
    except BadFrameError as error:
        return _bad(who, error)
    except ChannelClosedError:
        return Heard(who=who, said=Said.GONE, message={})


def _taken(reader: PlanReader) -> Heard:
    try:
        number, plan = reader.take()
    except BadFrameError as error:
        return _bad("planner", error)
    message = {"kind": "plan", "re": number, "plan": plan}
    return Heard(who="planner", said=Said.MESSAGE, message=message)


def _bad(who: str, error: BadFrameError) -> Heard:
    return Heard(who=who, said=Said.BAD_FRAME, message={}, code=error.code, problem=str(error))


def _hung_up(channel: SocketChannel) -> bool:
    poll = select.poll()
    poll.register(channel, 0)
    return bool(poll.poll(0))


def _post(channel: SocketChannel, message: Message) -> None:
    with suppress(ChannelClosedError):  # noticed when it is read from next
        try:
            channel.post(message)
        except ValueError:  # longer than a frame
            channel.post({"kind": "event", "time_s": 0.0, "event": "too-long", "details": {}})
