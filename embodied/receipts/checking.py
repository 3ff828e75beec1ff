"""Whether a run folder is what its receipt says, and whether receipts follow each other."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from embodied.errors import ConfigurationError
from embodied.files import MissingFileError, read_bytes
from embodied.receipts.contents import RECEIPT, Contents, read_contents
from embodied.receipts.envelope import BadEnvelopeError, Envelope, canonical, objects
from embodied.receipts.keys import PUBLIC, key_id, read_public
from embodied.receipts.notary import Entry, read_ledger
from embodied.receipts.statement import PREDICATE_TYPE, STATEMENT_TYPE

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A run folder against its receipt.

    Attributes:
        folder: The run folder.
        problems: Why it is not what was signed, one line each; empty when it is.
        notes: What a reader should know besides.
        says: What the receipt says of the run; empty unless a trusted key has signed it.
        sha256: SHA-256 of the receipt's file, ``""`` without one.
    """

    folder: Path
    problems: tuple[str, ...]
    notes: tuple[str, ...] = ()
    says: Mapping[str, object] = field(default_factory=dict[str, object])
    sha256: str = ""

    @property
    def sequence(self) -> int:
        """Number of the receipt, 0 where there is none that counts."""
        number = self.says.get("sequence")
        return number if isinstance(number, int) else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """Whose signatures count.

    Attributes:
        keys: Public keys by their names.
        ledger: Every receipt of the own key by its number; None for other keys.
    """

    keys: Mapping[str, Ed25519PublicKey]
    ledger: Mapping[int, Entry] | None = None

    def gone(self, folders: Collection[Path]) -> tuple[str, ...]:
        """Runs that the ledger knows directly in these folders and that are not there any more."""
        places = {str(folder.resolve()) for folder in folders}
        return tuple(
            f"receipt {entry.sequence} was that of {entry.run}, which is gone"
            for entry in (self.ledger or {}).values()
            if os.path.dirname(entry.run) in places and not os.path.isdir(entry.run)
        )

    @staticmethod
    def of(paths: Sequence[Path], state: Path) -> Trust:
        """Trust the keys in these files, or without any the own key in ``state``.

        Raises:
            ConfigurationError: A file is missing or holds no such key.
        """
        own = () if paths else (state / PUBLIC,)
        try:
            found = [read_public(path) for path in (*paths, *own)]
        except MissingFileError as error:
            if paths:
                raise
            raise ConfigurationError(
                f"no key has signed anything here yet ({error}): name the public key of whoever "
                "signed with --key FILE"
            ) from error
        return Trust(
            keys={key_id(key): key for key in found},
            ledger=None if paths else {e.sequence: e for e in read_ledger(state)},
        )


def check(folder: Path, trust: Trust) -> Checked:
    """Hold a run folder against its receipt.

    Raises:
        ConfigurationError: There is no such folder.
    """
    contents = read_contents(folder)
    path = folder / RECEIPT
    try:
        if path.is_symlink():
            raise ConfigurationError(f"{RECEIPT} is a link")
        data = read_bytes(path)
    except MissingFileError:
        text = f"no {RECEIPT}: the run was killed, goes on, or its receipt was deleted"
        return Checked(folder=folder, problems=(text,))
    except ConfigurationError as error:
        return Checked(folder=folder, problems=(str(error),))
    digest = hashlib.sha256(data).hexdigest()
    try:
        statement = _signed(data, trust)
    except ValueError as error:
        return Checked(folder=folder, problems=(f"{RECEIPT}: {error}",), sha256=digest)
    says = objects(statement["predicate"])
    problems = _differences(_subject(statement), contents)
    if trust.ledger is not None:
        entry = trust.ledger.get(_number(says))
        if entry is None or entry.sha256 != digest:
            problems += (f"{RECEIPT} is not receipt {_number(says)} of the ledger",)
    notes: tuple[str, ...] = ()
    if says.get("run") != (name := folder.resolve().name):
        notes = (f"this is the receipt of {says.get('run')}; the folder is called {name} now",)
    return Checked(folder=folder, problems=problems, notes=notes, says=says, sha256=digest)


def check_chain(checked: Sequence[Checked]) -> tuple[str, ...]:
    """What does not follow in the receipts that count among ``checked``, one line each.

    Numbers that are missing in between are named: those folders were deleted, are elsewhere, or
    their process was killed.
    """
    found: dict[tuple[str, int], Checked] = {}
    problems: list[str] = []
    for one in checked:
        if not one.says:
            continue
        place = (str(one.says.get("key_id")), one.sequence)
        other = found.setdefault(place, one)
        if other is not one:
            problems.append(f"{other.folder} and {one.folder} have one receipt, {one.sequence}")
    for (key, number), one in found.items():
        before = found.get((key, number - 1))
        if before is not None and one.says.get("previous_receipt_sha256") != before.sha256:
            problems.append(f"receipt {number} ({one.folder}) does not follow {before.folder}")
    for key in sorted({key for key, _ in found}):
        numbers = sorted(n for k, n in found if k == key)
        gaps = [n for a, b in zip(numbers, numbers[1:], strict=False) for n in range(a + 1, b)]
        if gaps:
            listed = ", ".join(map(str, gaps[:20])) + (" ..." if len(gaps) > 20 else "")
            problems.append(f"receipts missing between these: {listed}")
    return tuple(problems)


def _signed(data: bytes, trust: Trust) -> dict[str, object]:
    """The statement that a trusted key has signed; raises ValueError with what is wrong."""
    from cryptography.exceptions import InvalidSignature

    envelope = Envelope.load(data)
    key = trust.keys.get(envelope.key_id)
    if key is None:
        known = ", ".join(name[:16] for name in trust.keys)
        raise BadEnvelopeError(f"signed with the key {envelope.key_id[:16]!r}; trusted: {known}")
    try:
        key.verify(envelope.signature, envelope.message)
    except InvalidSignature as error:
        raise BadEnvelopeError("the signature does not belong to what it says") from error
    statement = objects(json.loads(envelope.payload))
    kinds = (statement.get("_type"), statement.get("predicateType"))
    says = objects(statement.get("predicate"))
    if kinds != (STATEMENT_TYPE, PREDICATE_TYPE) or says.get("key_id") != envelope.key_id:
        raise BadEnvelopeError(f"a signed statement of another kind: {kinds[0]}, {kinds[1]}")
    if canonical(statement) != envelope.payload or not _subject(statement):
        raise BadEnvelopeError("a signed statement that the notary does not write")
    return statement


def _subject(statement: Mapping[str, object]) -> dict[str, str]:
    """SHA-256 of every file by its name."""
    listed = statement.get("subject")
    entries = [objects(e) for e in listed] if isinstance(listed, list) else []  # pyright: ignore[reportUnknownVariableType]
    return {str(e.get("name")): str(objects(e.get("digest")).get("sha256")) for e in entries}


def _differences(signed: Mapping[str, str], contents: Contents) -> tuple[str, ...]:
    """What is otherwise in a folder than it was signed, one line each."""
    now = contents.digests
    added = {name: digest for name, digest in now.items() if name not in signed}
    lines: list[str] = []
    for name, digest in sorted(signed.items()):
        if name in contents.strange:
            continue
        if name not in now:
            twin = next((n for n, d in sorted(added.items()) if d == digest), None)
            if twin is not None:
                del added[twin]
            lines.append(f"deleted: {name}" if twin is None else f"renamed: {name} to {twin}")
        elif now[name] != digest:
            lines.append(f"changed: {name}")
    lines += [f"added after it was signed: {name}" for name in sorted(added)]
    lines += [f"{name}: {why}" for name, why in sorted(contents.strange.items())]
    return tuple(lines)


def _number(says: Mapping[str, object]) -> int:
    number = says.get("sequence")
    return number if isinstance(number, int) else 0
