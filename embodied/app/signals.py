"""What ends a command from outside."""

from __future__ import annotations


class Terminated(KeyboardInterrupt):
    """SIGTERM: handled like Ctrl-C, but it ends a conversation too."""


class ShownInterrupt(KeyboardInterrupt):
    """Interrupted after the verdict was shown, while pictures were drawn."""


class ShownTerminated(Terminated, ShownInterrupt):
    """SIGTERM at such a time."""
