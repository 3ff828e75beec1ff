"""A sentence in, verified robot motion out.

The names in ``__all__`` are the public interface; each is imported when it is first used, so that
importing this package pulls in nothing at all. ``docs/library.md`` shows them at work.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from embodied.agent import Agent as Agent
    from embodied.app.wiring import open_session as open_session
    from embodied.body import Body as Body
    from embodied.outcome import Outcome as Outcome
    from embodied.protocols import Event as Event
    from embodied.route import Route as Route
    from embodied.route import RouteEntry as RouteEntry
    from embodied.route import Run as Run
    from embodied.route import StageRun as StageRun
    from embodied.session import Session as Session
    from embodied.settings import Settings as Settings
    from embodied.verdict import Verdict as Verdict

__version__ = "0.2.0"

_PUBLIC = {
    "Agent": "embodied.agent",
    "Body": "embodied.body",
    "Event": "embodied.protocols",
    "Outcome": "embodied.outcome",
    "Route": "embodied.route",
    "RouteEntry": "embodied.route",
    "Run": "embodied.route",
    "Session": "embodied.session",
    "Settings": "embodied.settings",
    "StageRun": "embodied.route",
    "Verdict": "embodied.verdict",
    "open_session": "embodied.app.wiring",
}

__all__ = [
    "Agent",
    "Body",
    "Event",
    "Outcome",
    "Route",
    "RouteEntry",
    "Run",
    "Session",
    "Settings",
    "StageRun",
    "Verdict",
    "open_session",
]


def __getattr__(name: str) -> object:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'embodied' has no attribute {name!r}")
    return getattr(importlib.import_module(_PUBLIC[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
