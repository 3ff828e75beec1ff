"""Drivers of devices as they are found by name: what each takes, needs and was tested against."""

from __future__ import annotations

import importlib.util
import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from embodied.errors import ConfigurationError, EnvironmentMissingError


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceEntry:
    """A driver as it is found by name.

    Attributes:
        make: Makes the driver; takes its options as keywords. The section ``Args`` of its docstring
            says what they mean.
        tested_against: What it was tested against.
        package: Module of the vendor's client, to see whether it is installed; ``""`` for none.
        extra: Extra of this package that brings it, ``""`` where that is another package's matter.
        hardware: Whether it was ever tested on hardware.
    """

    make: Callable[..., Any]
    tested_against: str
    package: str = ""
    extra: str = ""
    hardware: bool = False

    @property
    def options(self) -> Mapping[str, str]:
        """What the options mean, by name."""
        meaning: dict[str, str] = {}
        for kind in getattr(self.make, "__mro__", (self.make,)):
            _, _, section = inspect.cleandoc(kind.__doc__ or "").partition("\nArgs:\n")
            for name, words in re.findall(r"(?m)^    (\w+): (.*(?:\n {5,}.*)*)", section):
                meaning.setdefault(name, re.sub(r"\s+", " ", words))
        parameters = inspect.signature(self.make).parameters
        return {name: meaning.get(name, "") for name in parameters if name != "entry"}

    @property
    def installed(self) -> bool:
        """Whether its client is there."""
        try:
            return not self.package or importlib.util.find_spec(self.package) is not None
        except (ImportError, ValueError):
            return False

    @property
    def how_to_install(self) -> str:
        """A command that installs its client."""
        what = f"'embodied-stack[{self.extra}]'" if self.extra else self.package
        return f"pip install {what}"

    def open(self, name: str, *given: object, options: Mapping[str, object]) -> Any:
        """Make the driver.

        Args:
            name: What it is called in messages, e.g. ``"driver 'franka'"``.
            given: What it takes besides its options.
            options: Its options.

        Raises:
            ConfigurationError: There is no such option, or a value of another kind; the message
                lists the legal options.
            EnvironmentMissingError: Its client is not installed; the message says what to install.
        """
        if not self.installed:
            raise EnvironmentMissingError(
                f"{name} needs the package {self.package}: {self.how_to_install}"
            )
        legal = self.options
        try:
            return self.make(*given, **options)
        except TypeError as error:
            strange = ", ".join(repr(o) for o in options if o not in legal)
            problem = f"unknown option {strange}" if strange else str(error)
            known = ", ".join(legal) or "none"
            raise ConfigurationError(f"{problem}; the {name} takes {known}") from error
