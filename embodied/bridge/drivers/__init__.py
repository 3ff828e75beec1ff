"""Drivers by name: one module each, and those of other packages.

A driver of another package is a ``DriverEntry`` at an entry point::

    [project.entry-points."embodied.drivers"]
    my-arm = "my_package.my_arm:DRIVER"
"""

from __future__ import annotations

from collections.abc import Mapping

from embodied.bridge.driver import Driver, DriverEntry
from embodied.errors import ConfigurationError, EnvironmentMissingError
from embodied.registry import Registry

DRIVERS: Registry[DriverEntry] = Registry(
    "driver", group="embodied.drivers", package="embodied.bridge.drivers", attribute="DRIVER"
)


def open_driver(name: str, options: Mapping[str, object]) -> Driver:
    """Build a driver; connects to nothing.

    Raises:
        ConfigurationError: There is no such driver or option; the message lists the legal ones.
        EnvironmentMissingError: Its client is not installed; the message names what to install.
    """
    entry = DRIVERS.get(name)
    if not entry.installed:
        raise EnvironmentMissingError(
            f"driver {name!r} needs the package {entry.package}: {entry.how_to_install}"
        )
    try:
        return entry.make(**options)
    except TypeError as error:
        strange = ", ".join(repr(o) for o in options if o not in entry.options)
        problem = f"unknown option {strange}" if strange else str(error)
        known = ", ".join(entry.options) or "none"
        raise ConfigurationError(f"{problem}; the driver {name} takes {known}") from error
