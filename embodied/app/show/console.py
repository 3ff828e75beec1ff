"""The console that all of ``app`` writes to: what it is given cannot steer the terminal."""

from __future__ import annotations

from collections.abc import Iterable

import rich.console
from rich.segment import Segment

from embodied.printable import printable


class Console(rich.console.Console):
    """A Rich console that shows control characters in text instead of sending them."""

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
