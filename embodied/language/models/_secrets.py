"""Keys come from the environment and go nowhere but into the request's header."""

from __future__ import annotations

import os
import re
from functools import cache

_SECRET_NAME = re.compile(r"(_API_KEY|_TOKEN|_SECRET)$")
_URL_LOGIN = re.compile(r"(?<=://)[^/\s@]+@")
_SHORTEST = 6


@cache
def _as_json(value: str) -> re.Pattern[str]:
    """The value with any of its characters escaped as JSON allows."""
    either = (rf"(?:{re.escape(c)}|\\u(?i:{ord(c):04x})|\\{re.escape(c)})" for c in value)
    return re.compile("".join(either))


def redact(text: str) -> str:
    """Replace every secret of the environment, and the login part of URLs, in ``text``.

    A secret is the value of any environment variable whose name ends in ``_API_KEY``, ``_TOKEN``
    or ``_SECRET``, also where some of its characters are written as JSON escapes: they would be
    resolved later. Everything that a model answers, with an error or without, and everything that
    is recorded or logged, passes through here.
    """
    for name, value in os.environ.items():
        value = value.strip()
        if len(value) >= _SHORTEST and _SECRET_NAME.search(name):
            text = text.replace(value, f"<{name}>")
            if "\\" in text:
                text = _as_json(value).sub(f"<{name}>", text)
    return _URL_LOGIN.sub("<login>@", text)
