"""Benchmarks of others: their own environment, and what of them cannot run here.

A suite that pins other versions of what this project uses lives in a virtual environment of its
own, made by ``embodied bench setup NAME`` from the package index. It talks to this project over a
socket or files, so no version has to suit both.
"""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from collections.abc import Callable
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from embodied.errors import ConfigurationError, EnvironmentMissingError
from embodied.tables import load_toml, read_table, refused

HOME = "EMBODIED_BENCH_HOME"
"""Environment variable: the folder of the suites' environments."""

DONE = "embodied-setup.txt"
SETUP_S = 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """An environment of its own.

    Attributes:
        name: Of the benchmark.
        requirements: What pip installs, with versions.
        size_mb: What that takes on the disk.
        finish: Called with the environment's site-packages after the installation.
    """

    name: str
    requirements: tuple[str, ...]
    size_mb: int
    finish: Callable[[Path], None] = lambda site: None

    @property
    def folder(self) -> Path:
        """Where its environment is."""
        usual = Path.home() / ".cache" / "embodied" / "bench"
        return Path(os.environ.get(HOME) or usual) / self.name

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.folder / "bin" / "python"

    def missing(self) -> str:
        """Why it cannot run here; empty when it can."""
        try:
            installed = (self.folder / DONE).read_text("utf-8").split()
        except OSError:
            return f"not set up: embodied bench setup {self.name}"
        if tuple(installed) != self.requirements:
            return f"set up with {' '.join(installed)}: embodied bench setup {self.name}"
        return ""

    def required(self) -> Path:
        """Its interpreter.

        Raises:
            EnvironmentMissingError: It is not set up.
        """
        if why := self.missing():
            raise EnvironmentMissingError(f"{self.name}: {why}")
        return self.python

    def set_up(self, say: Callable[[str], None], data: Path | None = None) -> None:
        """Make the environment; what is there already is brought up to date.

        Args:
            say: Told what happens.
            data: Folder of wheels to install from, instead of the package index.

        Raises:
            EnvironmentMissingError: pip could not install it; the message ends with what it said.
        """
        if data is not None and not data.is_dir():
            raise ConfigurationError(f"--data {data} is no folder: give one with wheels")
        (self.folder / DONE).unlink(missing_ok=True)
        if not self.python.is_file():
            say(f"making {self.folder}")
            venv.create(self.folder, with_pip=True)
        say(f"installing {' '.join(self.requirements)} ({self.size_mb} MB)")
        source = [] if data is None else ["--no-index", "--find-links", str(data)]
        command = [str(self.python), "-m", "pip", "install", "-q", *source, *self.requirements]
        found = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=SETUP_S
        )
        if found.returncode != 0:
            last = " ".join(found.stderr.split()[-60:])
            raise EnvironmentMissingError(f"{self.name}: pip could not install it: {last}")
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        self.finish(self.folder / "lib" / version / "site-packages")
        (self.folder / DONE).write_text("\n".join(self.requirements) + "\n", "utf-8")
        say(f"{self.name} is ready")


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere:
    """``[[suite]]``: a benchmark that cannot run here.

    Attributes:
        name: Short name.
        summary: What it measures.
        reason: Why it cannot run here.
    """

    name: str
    summary: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    suite: tuple[Elsewhere, ...]


def elsewhere() -> dict[str, Elsewhere]:
    """Known benchmarks that cannot run here, by name."""
    with resources.as_file(resources.files("embodied.bench").joinpath("elsewhere.toml")) as path:
        read = read_table(_File, load_toml(path), "suites", problems := [])
    if read is None:
        raise refused("elsewhere.toml", "list of suites", problems)
    return {s.name: s for s in read.suite}
