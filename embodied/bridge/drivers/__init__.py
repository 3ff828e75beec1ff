"""Drivers by name: one module each, and those of other packages.

A driver of another package is a ``DriverEntry`` at an entry point::

    [project.entry-points."embodied.drivers"]
    my-arm = "my_package.my_arm:DRIVER"
"""

from __future__ import annotations

from collections.abc import Mapping

from embodied.bridge.driver import Driver, DriverEntry
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
    return DRIVERS.get(name).open(f"driver {name}", options=options)
