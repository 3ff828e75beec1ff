"""Keys come from the environment and go nowhere but into the request's header."""

from __future__ import annotations

import os
import re

_SECRET_NAME = re.compile(r"(_API_KEY|_TOKEN|_SECRET)$")
_URL_LOGIN = re.compile(r"(?<=://)[^/\s@]+@")
_SHORTEST = 6


def redact(text: str) -> str:
    """Replace every secret of the environment, and the login part of URLs, in ``text``.

    A secret is the value of any environment variable whose name ends in ``_API_KEY``, ``_TOKEN``
    or ``_SECRET``. Everything that a model answers with an error, and everything that is recorded
    or logged, passes through here.
    """
    for name, value in os.environ.items():
        value = value.strip()
        if len(value) >= _SHORTEST and _SECRET_NAME.search(name):
            text = text.replace(value, f"<{name}>")
    return _URL_LOGIN.sub("<login>@", text)
