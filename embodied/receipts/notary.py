"""The notary: a process of its own that signs a finished run folder, and keeps the ledger.

``python -m embodied.receipts.notary RUN`` is the only code that reads the private key. The ledger
is a file of one line per receipt, appended before the receipt is put in its place: a kill in
between leaves a gap in the chain, never two receipts of one number.
"""

from __future__ import annotations

import datetime
import fcntl
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Generator, Iterable
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from embodied.errors import ConfigurationError
from embodied.receipts.contents import RECEIPT
from embodied.receipts.envelope import Envelope, canonical, objects
from embodied.receipts.keys import key_id, signing_key, state_folder
from embodied.receipts.statement import make_statement

LEDGER = "receipts.jsonl"
_PATIENCE_S = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One receipt of the ledger.

    Attributes:
        sequence: Its number, from 1.
        sha256: SHA-256 of its file.
        run: Path of its run folder when it was signed.
    """

    sequence: int
    sha256: str
    run: str


def have_signed(folder: Path) -> str:
    """Let a process of its own sign a run folder; returns why it could not, or ``""``."""
    package = Path(__file__).resolve().parents[2]
    paths = [str(package), *filter(None, [os.environ.get("PYTHONPATH")])]
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "embodied.receipts.notary", str(folder.resolve())],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PATIENCE_S,
            check=False,
            start_new_session=True,  # Ctrl-C is not meant for it
        )
    except (OSError, subprocess.SubprocessError) as error:
        return f"the notary did not work: {error}"
    if done.returncode == 0:
        return ""
    lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
    return lines[-1] if lines else f"the notary ended with {done.returncode}"


def sign_run(folder: Path, state: Path) -> Entry:
    """Write the receipt of a run folder.

    Args:
        folder: A run folder that nobody writes to any more.
        state: Where key and ledger are.

    Raises:
        ConfigurationError: The folder has a receipt already, or cannot be signed; or key or ledger
            cannot be used.
    """
    target = folder / RECEIPT
    key = signing_key(state)
    name = key_id(key.public_key())
    with _locked(state):
        entries = read_ledger(state)
        sequence = entries[-1].sequence + 1 if entries else 1
        place = str(folder.resolve())
        earlier = next((e for e in entries if e.run == place), None)
        if earlier is not None or target.exists() or target.is_symlink():
            which = "a receipt" if earlier is None else f"receipt {earlier.sequence}"
            raise ConfigurationError(f"{folder} already has {which}: a run is signed once")
        statement = make_statement(
            folder,
            previous=entries[-1].sha256 if entries else None,
            sequence=sequence,
            key_id=name,
            signed_at=datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
        )
        data = Envelope.sign(statement, name, key.sign).dump()
        digest = hashlib.sha256(data).hexdigest()
        entry = Entry(sequence=sequence, sha256=digest, run=place)
        try:
            _append(state, entry)
            draft = target.with_name(f".{RECEIPT}")
            draft.write_bytes(data)
            draft.replace(target)
        except OSError as error:
            raise ConfigurationError(f"cannot write {target}: {error.strerror}") from error
    return entry


def read_ledger(state: Path) -> list[Entry]:
    """Every receipt that the key in ``state`` has signed, in order; a torn line is left out.

    Raises:
        ConfigurationError: It cannot be read.
    """
    try:
        lines = (state / LEDGER).read_bytes().split(b"\n")
    except FileNotFoundError:
        return []
    except OSError as error:
        raise ConfigurationError(f"cannot read {state / LEDGER}: {error.strerror}") from error
    return list(_entries(lines))


def _entries(lines: Iterable[bytes]) -> Iterable[Entry]:
    for line in lines:
        with suppress(ValueError, KeyError, RecursionError):
            fields = objects(json.loads(line))
            sequence, digest, run = fields["sequence"], fields["sha256"], fields["run"]
            if isinstance(sequence, int) and isinstance(digest, str) and isinstance(run, str):
                yield Entry(sequence=sequence, sha256=digest, run=run)


def _append(state: Path, entry: Entry) -> None:
    fields = {"sequence": entry.sequence, "sha256": entry.sha256, "run": entry.run}
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
    descriptor = os.open(state / LEDGER, flags, 0o600)
    try:
        size = os.fstat(descriptor).st_size
        torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
        os.write(descriptor, b"\n" * torn + canonical(fields))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _locked(state: Path) -> Generator[None]:
    """One notary at a time: the chain has no forks."""
    try:
        descriptor = os.open(state / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise ConfigurationError(f"cannot write in {state}: {error.strerror}") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def main() -> int:
    """Sign the run folder of the command line."""
    try:
        sign_run(Path(sys.argv[1]), state_folder())
    except ConfigurationError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
