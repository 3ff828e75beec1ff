"""Registries of named components: those of this package and, by entry points, those of others.

Another package adds one through an entry point of the kind's group::

    [project.entry-points."embodied.routes"]
    wave = "my_package.wave:WaveRoute"

Names are listed without importing anything that is heavy; a thing is imported when it is asked for.
"""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import pkgutil
from collections.abc import Mapping
from functools import cache, cached_property
from importlib import metadata, resources
from pathlib import Path
from typing import Generic, TypeVar, cast

from embodied.errors import ConfigurationError, OptionError

T = TypeVar("T")


class Registry(Generic[T]):
    """One kind of thing by name.

    Args:
        kind: What it is, for messages, e.g. ``"strategy"``.
        group: Entry-point group in which other packages name theirs.
        package: Package whose modules are this project's own, one each; a module's name with
            hyphens for underscores is the name. Those that begin with an underscore are none.
            ``""`` for a kind of which there are only other packages'.
        attribute: What the module calls it.
        folders: Its members are packages, one each, instead of modules.

    Raises:
        OptionError: From ``get``: no such thing.
        ConfigurationError: From ``get``: it cannot be loaded.
    """

    def __init__(
        self,
        kind: str,
        *,
        group: str,
        package: str = "",
        attribute: str = "",
        folders: bool = False,
    ) -> None:
        self.kind, self.group = kind, group
        self._package, self._attribute, self._folders = package, attribute, folders
        self._added: dict[str, T] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """All names, this package's own first."""
        others = sorted({*self._others, *self._added} - set(self._own))
        return (*self._own, *others)

    def add(self, name: str, thing: T) -> None:
        """Name a thing for this process alone, as an entry point does for every one."""
        self._added[name] = thing

    def get(self, name: str) -> T:
        """The thing of that name."""
        if name in self._own:
            return cast("T", getattr(importlib.import_module(self._own[name]), self._attribute))
        if name in self._added:
            return self._added[name]
        if name in self._others:
            return self._load(self._others[name])
        raise unknown(self.kind, name, self.names)

    def __contains__(self, name: str) -> bool:
        return name in self.names

    def origin(self, name: str) -> str:
        """Package that brings it."""
        if name in self._own:
            return "embodied-stack"
        if name in self._added:
            return "this process"
        point = self._others[name]
        return point.dist.name if point.dist is not None else point.value

    @cached_property
    def _own(self) -> Mapping[str, str]:
        """Module by name."""
        if not self._package:
            return {}
        spec = importlib.util.find_spec(self._package)
        paths = list(spec.submodule_search_locations or ()) if spec is not None else []
        found: dict[str, str] = {}
        for member in sorted(pkgutil.iter_modules(paths), key=lambda m: m.name):
            if not member.name.startswith("_") and member.ispkg == self._folders:
                found[member.name.replace("_", "-")] = f"{self._package}.{member.name}"
        return found

    @cached_property
    def _others(self) -> Mapping[str, metadata.EntryPoint]:
        return {p.name: p for p in _entry_points().select(group=self.group)}

    def _load(self, point: metadata.EntryPoint) -> T:
        try:
            return cast("T", point.load())
        except Exception as error:
            raise ConfigurationError(
                f"the {self.kind} {point.name!r} of {self.origin(point.name)} cannot be loaded: "
                f"{type(error).__name__}: {error}"
            ) from error


class FileRegistry(Registry[Path]):
    """Files by name: package data, and those of other packages, whose entry points name a path.

    Args:
        kind: What it is, for messages, e.g. ``"scene"``.
        group: Entry-point group.
        package: Package that has the folder.
        folder: The folder.
        pattern: Which files of it; a file's name is its stem, that of ``"*/robot.toml"`` the
            folder that it lies in.
    """

    def __init__(self, kind: str, *, group: str, package: str, folder: str, pattern: str) -> None:
        super().__init__(kind, group=group)
        self._folder = (package, folder, pattern)

    def get(self, name: str) -> Path:
        """The path of that name; raises as ``Registry.get``."""
        return Path(self._own[name] if name in self._own else super().get(name))

    @cached_property
    def _own(self) -> Mapping[str, str]:
        package, folder, pattern = self._folder
        found = sorted(Path(str(resources.files(package))).joinpath(folder).glob(pattern))
        return {p.parent.name if "/" in pattern else p.stem: str(p) for p in found}


@cache
def _entry_points():  # another type in Python 3.11 than later
    """Those of all installed packages; reading them takes as long for one group as for all."""
    return metadata.entry_points()


def unknown(kind: str, name: str, legal: tuple[str, ...], rest: str = "") -> OptionError:
    """The error for a name that does not exist: it lists the legal ones and guesses."""
    close = difflib.get_close_matches(name.lower(), legal, n=1, cutoff=0.5)
    guess = f" Did you mean {close[0]}?" if close else ""
    more = f", {rest}" if rest else ""
    return OptionError(f"unknown {kind} {name!r}.{guess} Choose from: {', '.join(legal)}{more}.")


def describe(thing: object) -> str:
    """First line of a thing's docstring."""
    return (thing.__doc__ or "").strip().splitlines()[0] if thing.__doc__ else ""
