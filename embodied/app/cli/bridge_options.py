"""Values of the options of ``embodied bridge``."""

from __future__ import annotations

import getpass
from pathlib import Path

import typer


def choose(option: str, value: str, legal: tuple[str, ...]) -> None:
    """Refuse a value that is not legal."""
    if value not in legal:
        raise typer.BadParameter(
            f"unknown value {value!r}. Choose from: {', '.join(legal)}.", param_hint=option
        )


def limits_of(limits: Path | None, driver: str) -> Path | None:
    """The limits file; None for that of the simulated arm; raises OptionError."""
    if limits is not None:
        return limits_path(limits)
    if driver != "simulated":
        from embodied.bridge.drivers import DRIVERS
        from embodied.errors import OptionError

        DRIVERS.get(driver)  # an unknown name is reported before what it would need
        raise OptionError(
            f"driver {driver!r} needs --limits: a file that you signed for your arm"
            " (embodied bridge sign), or the name of one shipped for emulated arms,"
            " such as ur5e-emulated"
        )
    return None


def options_of(given: list[str] | None) -> dict[str, object]:
    """NAME=VALUE pairs; true, false and numbers are taken as such."""
    options: dict[str, object] = {}
    for pair in given or ():
        name, equals, value = pair.partition("=")
        if not equals:
            raise typer.BadParameter(f"{pair!r} is not NAME=VALUE", param_hint="--option")
        options[name] = _value(value)
    return options


def _value(text: str) -> bool | int | float | str:
    if text in ("true", "false"):
        return text == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def limits_path(given: Path | None) -> Path:
    """A limits file: as given, by the name of a shipped one, or that of the simulated arm."""
    from embodied.bridge.limits import shipped_limits

    if given is None:
        return shipped_limits("fr3-simulated")
    return given if given.exists() or given.suffix else shipped_limits(str(given))


def user() -> str:
    """Who is logged in."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "operator"
