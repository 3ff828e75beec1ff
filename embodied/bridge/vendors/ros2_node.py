"""Topics and services of ROS 2 over DDS, without a ROS installation (extra ``[bridge-ros2]``).

ROS 2 puts ``rt/`` before topics, ``rq/`` and ``rr/`` before requests and replies of services, and
makes an action of three services and two topics below ``<action>/_action/``. Names are given here
as ROS 2 shows them, with or without the leading slash.
"""

from __future__ import annotations

import os
import random
import time
from typing import Any, Generic, TypeVar

from embodied.bridge.driver import DriverLostError

M = TypeVar("M")
Q = TypeVar("Q")
R = TypeVar("R")

_TOPIC_TRIES = 5
_TOPIC_PAUSE_S = 0.02
LOOPBACK = (
    "<CycloneDDS><Domain Id='any'><General><Interfaces>"
    "<NetworkInterface address='127.0.0.1' multicast='false'/></Interfaces>"
    "<AllowMulticast>false</AllowMulticast></General><Discovery>{tag}"
    "<ParticipantIndex>auto</ParticipantIndex><MaxAutoParticipantIndex>40"
    "</MaxAutoParticipantIndex><Peers><Peer address='127.0.0.1'/></Peers>"
    "</Discovery></Domain></CycloneDDS>"
)


def loopback(tag: str = "") -> str:
    """A value for ``CYCLONEDDS_URI`` that stays on this machine.

    Args:
        tag: Only participants with the same tag see each other.
    """
    return LOOPBACK.format(tag=f"<Tag>{tag}</Tag>" if tag else "")


def mangled(prefix: str, name: str, suffix: str = "") -> str:
    """The DDS name of a ROS 2 topic (``rt``), request (``rq``) or reply (``rr``)."""
    return f"{prefix}/{name.strip('/')}{suffix}"


class Node:
    """A participant of a DDS domain.

    Args:
        domain: The domain, as in ``ROS_DOMAIN_ID``.
        local: Stay on loopback unless ``CYCLONEDDS_URI`` says otherwise.

    Raises:
        DriverLostError: The domain cannot be joined.
    """

    def __init__(self, domain: int, *, local: bool = False) -> None:
        from cyclonedds.core import DDSException
        from cyclonedds.domain import DomainParticipant

        if local:
            os.environ.setdefault("CYCLONEDDS_URI", loopback())
        try:
            self._participant = DomainParticipant(domain)
        except DDSException as error:
            raise DriverLostError(f"cannot join DDS domain {domain}: {error}") from error

    def publisher(
        self, name: str, kind: type[M], *, prefix: str = "rt", suffix: str = "", keep: bool = False
    ) -> Publisher[M]:
        """Publish on a topic; ``keep`` shows the last message to whoever comes later."""
        return Publisher(self._participant, mangled(prefix, name, suffix), kind, keep)

    def subscription(
        self, name: str, kind: type[M], *, prefix: str = "rt", suffix: str = "", keep: bool = False
    ) -> Subscription[M]:
        """Subscribe to a topic; ``keep`` as the publisher has it."""
        return Subscription(self._participant, mangled(prefix, name, suffix), kind, keep)

    def client(self, name: str, request: type[Q], reply: type[R]) -> Client[Q, R]:
        """Call a service."""
        return Client(self, name, request, reply)

    def server(self, name: str, request: type[Q], reply: type[R]) -> Server[Q, R]:
        """Offer a service."""
        return Server(self, name, request, reply)

    def wait(self, subscriptions: list[Subscription[Any]], timeout_s: float) -> None:
        """Return when one of the topics has a message, or after a time."""
        from cyclonedds.core import InstanceState, ReadCondition, SampleState, ViewState, WaitSet
        from cyclonedds.util import duration

        waiting = WaitSet(self._participant)
        mask = SampleState.NotRead | ViewState.Any | InstanceState.Any
        conditions = [ReadCondition(s.reader, mask) for s in subscriptions]
        for condition in conditions:
            waiting.attach(condition)
        waiting.wait(duration(microseconds=max(1, round(timeout_s * 1e6))))


def _policies(keep: bool) -> Any:
    """Quality of service as ROS 2 has it by default; ``keep`` is that of status topics."""
    from cyclonedds.qos import Policy, Qos
    from cyclonedds.util import duration

    return Qos(
        Policy.Reliability.Reliable(duration(milliseconds=100)),
        Policy.Durability.TransientLocal if keep else Policy.Durability.Volatile,
        Policy.History.KeepLast(1 if keep else 10),
    )


def open_topic(participant: Any, name: str, kind: Any) -> Any:
    """A topic; raises DriverLostError.

    Registering its type fails now and then where another node's types are just being discovered
    (eclipse-cyclonedds/cyclonedds-python, issue 214), and works when tried again.
    """
    from cyclonedds.core import DDSException
    from cyclonedds.topic import Topic

    for left in reversed(range(_TOPIC_TRIES)):
        try:
            return Topic(participant, name, kind)
        except DDSException as error:
            if not left:
                raise DriverLostError(f"topic {name} cannot be opened: {error}") from error
            time.sleep(_TOPIC_PAUSE_S)


class Publisher(Generic[M]):
    """Writes one topic."""

    def __init__(self, participant: Any, name: str, kind: type[M], keep: bool) -> None:
        from cyclonedds.pub import DataWriter

        self._writer = DataWriter(
            participant, open_topic(participant, name, kind), qos=_policies(keep)
        )

    def send(self, message: M) -> None:
        """Publish; raises DriverLostError when it cannot."""
        from cyclonedds.core import DDSException

        try:
            self._writer.write(message)
        except DDSException as error:
            raise DriverLostError(f"a topic does not take messages: {error}") from error

    @property
    def heard(self) -> bool:
        """Whether anybody subscribes."""
        return bool(self._writer.get_matched_subscriptions())


class Subscription(Generic[M]):
    """Reads one topic."""

    def __init__(self, participant: Any, name: str, kind: type[M], keep: bool) -> None:
        from cyclonedds.sub import DataReader

        self._kind = kind
        self.reader = DataReader(
            participant, open_topic(participant, name, kind), qos=_policies(keep)
        )

    def take(self) -> list[M]:
        """Messages since the last call, oldest first."""
        return [m for m in self.reader.take(32) if isinstance(m, self._kind)]

    @property
    def fed(self) -> bool:
        """Whether anybody publishes."""
        return bool(self.reader.get_matched_publications())


class Client(Generic[Q, R]):
    """Calls one service; requests carry ``caller`` and ``number``."""

    def __init__(self, node: Node, name: str, request: type[Q], reply: type[R]) -> None:
        self._request: Any = request
        self._caller = random.getrandbits(64)
        self._number = 0
        self._replies: dict[int, R] = {}
        self._out = node.publisher(name, request, prefix="rq", suffix="Request")
        self._in = node.subscription(name, reply, prefix="rr", suffix="Reply")

    def call(self, **fields: Any) -> int:
        """Send a request; returns its number."""
        self._number += 1
        self._out.send(self._request(caller=self._caller, number=self._number, **fields))
        return self._number

    def reply(self, number: int) -> R | None:
        """The reply to a request, once it is there."""
        for message in self._in.take():
            seen: Any = message
            if seen.caller == self._caller:
                self._replies[seen.number] = message
        return self._replies.pop(number, None)

    @property
    def ready(self) -> bool:
        """Whether a server is there, with both its ways."""
        return self._out.heard and self._in.fed


class Server(Generic[Q, R]):
    """Offers one service."""

    def __init__(self, node: Node, name: str, request: type[Q], reply: type[R]) -> None:
        self._reply: Any = reply
        self.requests = node.subscription(name, request, prefix="rq", suffix="Request")
        self._out = node.publisher(name, reply, prefix="rr", suffix="Reply")

    def answer(self, request: Any, **fields: Any) -> None:
        """Reply to whoever asked."""
        self._out.send(self._reply(caller=request.caller, number=request.number, **fields))
