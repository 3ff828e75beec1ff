"""Files that somebody else may have put there, read within bounds.

A path may name a device, a pipe or gigabytes: reading it must neither hang nor fill the memory.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from embodied.errors import ConfigurationError

SMALL = 2**20
"""Bytes: a file that a person writes, such as a scene or limits."""

LARGE = 2**28
"""Bytes: a file that a program writes, such as a log."""


def read_bytes(path: str | Path, *, most: int = LARGE) -> bytes:
    """Content of a regular file.

    Raises:
        ConfigurationError: It cannot be read, is no regular file, or has more than ``most`` bytes.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise ConfigurationError(f"{path} is no regular file")
            data = file.read(most + 1)
    except FileNotFoundError as error:
        raise MissingFileError(f"there is no {path}") from error
    except (OSError, ValueError) as error:  # ValueError: a null byte in the name
        reason = error.strerror if isinstance(error, OSError) else error
        raise ConfigurationError(f"cannot read {path}: {reason}") from error
    if len(data) > most:
        raise ConfigurationError(f"{path} is too large: at most {most / 2**20:g} MiB are read")
    return data


def read_text(path: str | Path, *, most: int = SMALL) -> str:
    """Content of a regular file of UTF-8 text; raises as ``read_bytes`` does."""
    data = read_bytes(path, most=most)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = 1 + data.count(b"\n", 0, error.start)
        raise ConfigurationError(f"{path}, line {line} is no UTF-8 text") from error


class MissingFileError(ConfigurationError):
    """There is no such file."""
