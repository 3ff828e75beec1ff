"""Lists of the drivers of arms and of cameras, for programs and for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def described(drivers: Mapping[str, Any], moved: str) -> list[dict[str, object]]:
    """What each driver is, for ``--json``.

    Args:
        drivers: Entries of a registry of drivers (``embodied.devices``) by name.
        moved: Their field that says what they are for: ``"arms"`` or ``"cameras"``.
    """
    return [
        {
            "name": name,
            moved: getattr(d, moved),
            "installed": d.installed,
            "extra": d.extra,
            "options": dict(d.options),
            "tested_against": d.tested_against,
            "tested_on_hardware": d.hardware,
        }
        for name, d in drivers.items()
    ]


def table_of(drivers: Mapping[str, Any], moved: str, command: str) -> Any:
    """The same as a table, with the command that shows more below it."""
    from rich.markup import escape
    from rich.table import Table

    table = Table(caption=f"options of each driver: {command} --json")
    table.add_column("driver", no_wrap=True)
    for heading in (moved, "installed", "tested against", "on hardware"):
        table.add_column(heading)
    for name, d in drivers.items():
        there = "yes" if d.installed else escape(d.how_to_install)
        hardware = "yes" if d.hardware else "never"
        table.add_row(name, getattr(d, moved), there, d.tested_against, hardware)
    return table
