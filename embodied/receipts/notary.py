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
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
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
        started: When that run began, as its ``run.json`` says.
    """

    sequence: int
    sha256: str
    run: str
    started: str


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
        lines = _ledger_lines(state)
        last = next(_entries(reversed(lines)), None)
        sequence = 1 if last is None else last.sequence + 1
        statement = make_statement(
            folder,
            previous=None if last is None else last.sha256,
            sequence=sequence,
            key_id=name,
            signed_at=datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
        )
        data = Envelope.sign(statement, name, key.sign).dump()
        predicate = objects(objects(json.loads(statement))["predicate"])
        entry = Entry(
            sequence=sequence,
            sha256=hashlib.sha256(data).hexdigest(),
            run=str(folder.resolve()),
            started=str(predicate.get("started")),
        )
        named = json.dumps(entry.run).encode()
        same = (e for e in _entries(line for line in lines if named in line))
        earlier = next((e for e in same if e.started == entry.started), None)
        if earlier is not None or target.exists() or target.is_symlink():
            which = "a receipt" if earlier is None else f"receipt {earlier.sequence}"
            raise ConfigurationError(f"{folder} already has {which}: a run is signed once")
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
    return list(_entries(_ledger_lines(state)))


def _ledger_lines(state: Path) -> list[bytes]:
    try:
        return (state / LEDGER).read_bytes().split(b"\n")
    except FileNotFoundError:
        return []
    except OSError as error:
        raise ConfigurationError(f"cannot read {state / LEDGER}: {error.strerror}") from error


def _entries(lines: Iterable[bytes]) -> Iterator[Entry]:
    for line in lines:
        with suppress(ValueError, KeyError, TypeError, RecursionError):
            fields = objects(json.loads(line))
            if isinstance(sequence := fields["sequence"], int):
                texts = {name: str(fields[name]) for name in ("sha256", "run", "started")}
                yield Entry(sequence=sequence, **texts)


def _append(state: Path, entry: Entry) -> None:
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
    descriptor = os.open(state / LEDGER, flags, 0o600)
    try:
        size = os.fstat(descriptor).st_size
        torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
        os.write(descriptor, b"\n" * torn + canonical(asdict(entry)))
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
