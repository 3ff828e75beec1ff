"""What a receipt says: an in-toto statement about the files of a run folder.

The subject is every file with its SHA-256. The predicate repeats in one place what the files say of
the run: who asked for what, how it was understood, what was allowed by whom, what was measured. It
is made from the files alone, by a process that neither planned nor moved.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from embodied.errors import ConfigurationError
from embodied.files import MissingFileError, read_bytes
from embodied.receipts.contents import Contents, read_contents
from embodied.receipts.envelope import canonical, objects

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "urn:embodied-stack:run-receipt:1"

NOT_PROVEN = (
    "that the files were true when they were signed: the process that moved the robot wrote them, "
    "and the notary signs what it finds",
    "that the measurements are right: a simulator, a camera or a sensor may be wrong, and a "
    "verdict is as good as what it was measured from",
    "that nobody else had the key: whoever can read the key's file, such as another program of the "
    "same user, can sign as this notary does",
    "the time: it is the clock of the machine that signed",
    "that the motion was safe: the safety layer is not a certified safety function",
    "that this is every run: a folder can be deleted; only its gap in the chain shows",
)
"""What a valid signature does not prove, in words, for whoever reads a receipt."""

_SAID = (
    "command instruction status exit_code message started scene robot world route perception "
    "all_seeing seed model translator versions object_source verdict driver mode resumes "
    "stages_reached_before replay_of turn live lost"
).split()
_RECOVERY = ("retry", "backtrack", "replan", "reinterpret", "ask", "stop")
_SAFETY = ("limited", "contradiction", "error")
_MOST = 1000
_LARGEST = 2**30


def make_statement(
    folder: Path, *, previous: str | None, sequence: int, key_id: str, signed_at: str
) -> bytes:
    """The statement about a run folder as it is now, bytes of JSON.

    Args:
        folder: The run folder.
        previous: SHA-256 of the receipt before this one, None for the first.
        sequence: Number of this receipt, from 1.
        key_id: Key that will sign it.
        signed_at: Time, ISO 8601.

    Raises:
        ConfigurationError: It is no run folder, holds what cannot be signed, or changes while it is
            read.
    """
    contents = read_contents(folder)
    if contents.strange:
        listed = "; ".join(f"{name}: {why}" for name, why in sorted(contents.strange.items()))
        raise ConfigurationError(f"{folder} cannot be signed as it is: {listed}")
    predicate = {
        **_account(folder, contents),
        "previous_receipt_sha256": previous,
        "sequence": sequence,
        "signed_at": signed_at,
        "key_id": key_id,
        "signature_does_not_prove": NOT_PROVEN,
    }
    return canonical(
        {
            "_type": STATEMENT_TYPE,
            "subject": [
                {"name": name, "digest": {"sha256": digest}}
                for name, digest in sorted(contents.digests.items())
            ],
            "predicateType": PREDICATE_TYPE,
            "predicate": predicate,
        }
    )


def _account(folder: Path, contents: Contents) -> dict[str, object]:
    """What the files say of the run."""
    summary = objects(_json(_read(folder, "run.json", contents)))
    if not summary:
        raise ConfigurationError(f"{folder / 'run.json'} is damaged")
    events = list(_lines(_read(folder, "events.jsonl", contents)))
    journal = list(_lines(_read(folder, "bridge.jsonl", contents, missing=b"")))
    counts = Counter(str(e.get("kind")) for e in events)
    supervisor = Counter(str(e.get("event")) for e in journal)
    limits = {k: summary[k] for k in ("limits", "limits_sha256", "signed_by") if k in summary}
    return {
        "run": folder.resolve().name,
        **{key: summary[key] for key in _SAID if key in summary},
        "reading": _last(events, "reading"),
        "program_sha256": _hash(_of_kind(events, "program")),
        "plans_sha256": _hash(_of_kind(events, "plan")),
        "approvals": _approvals(events, journal)[:_MOST],
        "limits": limits,
        "safety": {
            "events": {kind: counts[kind] for kind in _SAFETY if counts[kind]},
            "supervisor": dict(sorted(supervisor.items())),
        },
        "interventions": {kind: counts[kind] for kind in _RECOVERY if counts[kind]},
        "continues": _continued(summary),
    }


def _approvals(
    events: Sequence[Mapping[str, object]], journal: Sequence[Mapping[str, object]]
) -> list[dict[str, object]]:
    """Who was asked what, what they said and when: questions, and plans behind a supervisor."""
    asked = [
        {"by": "the person asked", "question": objects(e.get("data")).get("reason")}
        | {"wall_s": e.get("wall_s")}
        for e in events
        if e.get("kind") == "ask"
    ]
    answered = [
        {"by": "the operator of the supervisor", **objects(e.get("details"))}
        | {"time_s": e.get("time_s")}
        for e in journal
        if e.get("event") == "answer"
    ]
    return [*asked, *answered]


def _continued(summary: Mapping[str, object]) -> object:
    """The interrupted run that this one continues, with one digest for all of its files."""
    named = summary.get("resumes")
    if not isinstance(named, str):
        return None
    try:
        contents = read_contents(Path(named))
    except ConfigurationError:
        return {"run": Path(named).name, "tree_sha256": None}
    return {"run": Path(named).name, "tree_sha256": contents.tree}


def _read(folder: Path, name: str, contents: Contents, missing: bytes | None = None) -> bytes:
    """A file that must be the one that was hashed."""
    try:
        data = read_bytes(folder / name, most=_LARGEST)
    except MissingFileError:
        if missing is None:
            raise
        data = missing
        if name not in contents.digests:
            return data
    if hashlib.sha256(data).hexdigest() != contents.digests.get(name):
        raise ConfigurationError(f"{folder / name} changed while it was signed")
    return data


def _json(data: bytes) -> object:
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None


def _lines(data: bytes) -> Iterable[dict[str, object]]:
    """The JSON objects of a file of lines; a line that a kill cut off is left out."""
    return filter(None, (objects(_json(line)) for line in data.split(b"\n") if line.strip()))


def _of_kind(events: Iterable[Mapping[str, object]], kind: str) -> list[object]:
    return [e.get("data") for e in events if e.get("kind") == kind]


def _last(events: Iterable[Mapping[str, object]], kind: str) -> object:
    found = _of_kind(events, kind)
    return found[-1] if found else None


def _hash(found: Sequence[object]) -> str | None:
    """SHA-256 of the canonical JSON of what was found, None for nothing."""
    return hashlib.sha256(canonical(found)).hexdigest() if found else None
