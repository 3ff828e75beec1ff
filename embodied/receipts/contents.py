"""What lies in a run folder: every file with its SHA-256, and nothing that is no file."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from embodied.errors import ConfigurationError

RECEIPT = "receipt.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """Files of a folder by their path inside it, with ``/``.

    Attributes:
        digests: SHA-256 of each file but the receipt, hexadecimal.
        strange: What is neither file nor folder, or cannot be read, with the reason; and folders
            without a file, which no digest covers.
    """

    digests: Mapping[str, str]
    strange: Mapping[str, str]

    @property
    def tree(self) -> str:
        """One digest for all of them."""
        lines = "".join(f"{digest}  {name}\n" for name, digest in sorted(self.digests.items()))
        return hashlib.sha256(lines.encode("utf-8", "surrogateescape")).hexdigest()


def read_contents(folder: Path) -> Contents:
    """Hash everything in a folder; links are not followed.

    Raises:
        ConfigurationError: There is no such folder.
    """
    if not folder.is_dir():
        raise ConfigurationError(f"there is no folder {folder}")
    digests: dict[str, str] = {}
    strange: dict[str, str] = {}
    _walk(folder, "", digests, strange)
    return Contents(digests=digests, strange=strange)


def _walk(folder: Path, prefix: str, digests: dict[str, str], strange: dict[str, str]) -> None:
    try:
        entries = sorted(os.scandir(folder), key=lambda e: e.name)
    except OSError as error:
        strange[prefix] = error.strerror or str(error)
        return
    if prefix and not entries:
        strange[prefix] = "an empty folder"
    for entry in entries:
        name = prefix + entry.name
        if entry.is_dir(follow_symlinks=False):
            _walk(folder / entry.name, f"{name}/", digests, strange)
        elif name != RECEIPT:
            try:
                digests[name] = _digest(folder / entry.name)
            except OSError as error:
                strange[name] = error.strerror or str(error)


def _digest(path: Path) -> str:
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(0, "no regular file")
        return hashlib.file_digest(file, "sha256").hexdigest()
