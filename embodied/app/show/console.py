"""The console that all of ``app`` writes to: what it is given cannot steer the terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable

import rich.console
from rich.segment import Segment

from embodied.printable import printable


class Console(rich.console.Console):
    """A Rich console that shows control characters in text instead of sending them."""

    def on_broken_pipe(self) -> None:
        """Go on without output where the reader has gone: the exit code is still wanted."""
        self.quiet = True
        if not self.stderr:
            discard_output()

    def render(
        self,
        renderable: rich.console.RenderableType,
        options: rich.console.ConsoleOptions | None = None,
    ) -> Iterable[Segment]:
        """Render as Rich does; only its own control segments and styles reach the terminal."""
        for segment in super().render(renderable, options):
            if segment.control:
                yield segment
            else:
                yield Segment(printable(segment.text), segment.style)


def discard_output() -> None:
    """Lead standard output to nowhere, so that what is still buffered harms nobody."""
    if sys.stdout is not None:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
