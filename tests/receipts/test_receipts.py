from __future__ import annotations

import base64
import json
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from securesystemslib.dsse import Envelope as TheirEnvelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import CryptoSigner, SSlibKey

from embodied.errors import ConfigurationError
from embodied.receipts.checking import Checked, Trust, check, check_chain
from embodied.receipts.contents import RECEIPT
from embodied.receipts.envelope import PAYLOAD_TYPE, BadEnvelopeError, Envelope, canonical
from embodied.receipts.keys import KEY, PUBLIC, key_id, read_public, signing_key
from embodied.receipts.notary import LEDGER, read_ledger, sign_run
from embodied.receipts.statement import NOT_PROVEN, PREDICATE_TYPE

Make = Callable[..., Path]
Check = Callable[[Path], Checked]


def _statement(folder: Path) -> dict[str, object]:
    return json.loads(Envelope.load((folder / RECEIPT).read_bytes()).payload)


def _resign(
    folder: Path, key: Ed25519PrivateKey, change: Callable[[dict], None], name: str
) -> None:
    statement = _statement(folder)
    change(statement)
    payload = json.dumps(statement, sort_keys=True, separators=(",", ":")).encode() + b"\n"
    (folder / RECEIPT).write_bytes(Envelope.sign(payload, name, key.sign).dump())


def test_a_receipt_says_what_was_asked_allowed_and_measured(make_run: Make, checked: Check) -> None:
    folder = make_run(limits="fr3", limits_sha256="cd", signed_by="me", mode="confirm")
    found = checked(folder)
    assert found.problems == () and found.notes == ()
    says = found.says
    assert says["instruction"] == "put the red block in the bin"
    assert says["reading"] == {"reading": "act"}
    assert says["limits"] == {"limits": "fr3", "limits_sha256": "cd", "signed_by": "me"}
    assert says["safety"] == {"events": {"limited": 1}, "supervisor": {"answer": 1}}
    assert says["interventions"] == {"ask": 1}
    person, operator = says["approvals"]  # type: ignore[misc]
    assert person["question"] == "It cannot be undone. Yes."
    assert (operator["answer"], operator["plan_hash"]) == ("approve", "ab12")
    assert says["signature_does_not_prove"] == list(NOT_PROVEN)
    assert says["previous_receipt_sha256"] is None and says["sequence"] == 1
    names = {e["name"] for e in _statement(folder)["subject"]}  # type: ignore[union-attr, index]
    assert names == {"run.json", "events.jsonl", "bridge.jsonl", "states.bin", "ghosts/1.png"}


def test_every_one_byte_change_is_found(make_run: Make, checked: Check) -> None:
    folder = make_run()
    rng = np.random.default_rng(5)
    files = [p for p in sorted(folder.rglob("*")) if p.is_file()]
    for path in files:
        data = path.read_bytes()
        for place in {0, len(data) - 1, *rng.integers(len(data), size=40).tolist()}:
            other = (data[place] + int(rng.integers(1, 256))) % 256
            path.write_bytes(data[:place] + bytes([other]) + data[place + 1 :])
            assert checked(folder).problems, (path.name, place, data[place], other)
        path.write_bytes(data)
    assert not checked(folder).problems


@pytest.mark.parametrize("kind", ["truncated", "longer", "reformatted", "empty", "not JSON"])
def test_another_form_of_the_receipt_is_found(make_run: Make, checked: Check, kind: str) -> None:
    path = make_run() / RECEIPT
    data = path.read_bytes()
    path.write_bytes(
        {
            "truncated": data[:-1],
            "longer": data + b"\n",
            "reformatted": json.dumps(json.loads(data), indent=1).encode(),
            "empty": b"",
            "not JSON": b"[" * 100_000,
        }[kind]
    )
    (problem,) = checked(path.parent).problems
    assert RECEIPT in problem


def test_deleted_added_renamed_and_swapped_files_are_named(make_run: Make, checked: Check) -> None:
    folder = make_run("deleted")
    (folder / "states.bin").unlink()
    assert checked(folder).problems == ("deleted: states.bin",)
    folder = make_run("added")
    (folder / "ghosts" / "2.png").write_bytes(b"x")
    assert checked(folder).problems == ("added after it was signed: ghosts/2.png",)
    folder = make_run("renamed")
    (folder / "states.bin").rename(folder / "other.bin")
    assert checked(folder).problems == ("renamed: states.bin to other.bin",)
    folder = make_run("swapped")
    a, b = folder / "states.bin", folder / "bridge.jsonl"
    a_data, b_data = a.read_bytes(), b.read_bytes()
    a.write_bytes(b_data)
    b.write_bytes(a_data)
    assert checked(folder).problems == ("changed: bridge.jsonl", "changed: states.bin")


def test_links_pipes_and_empty_folders_are_no_files(make_run: Make, checked: Check) -> None:
    folder = make_run()
    twin = folder.parent / "twin.bin"
    shutil.copy(folder / "states.bin", twin)
    (folder / "states.bin").unlink()
    (folder / "states.bin").symlink_to(twin)
    os.mkfifo(folder / "pipe")
    (folder / "empty").mkdir()
    assert len(checked(folder).problems) == 3
    with pytest.raises(ConfigurationError, match="cannot be signed"):
        shutil.copytree(
            folder, folder.parent / "copy", symlinks=True, ignore=lambda *_: [RECEIPT, "pipe"]
        )
        sign_run(folder.parent / "copy", folder.parent / "state")


def test_a_receipt_that_is_a_link_does_not_count(make_run: Make, checked: Check) -> None:
    folder = make_run()
    (folder / RECEIPT).rename(folder.parent / "elsewhere.json")
    (folder / RECEIPT).symlink_to(folder.parent / "elsewhere.json")
    assert checked(folder).problems == (f"{RECEIPT} is a link",)


def test_without_a_receipt_a_run_is_not_what_was_signed(make_run: Make, checked: Check) -> None:
    make_run("another")
    (problem,) = checked(make_run(sign=False)).problems
    assert "no receipt.json" in problem


def test_a_forger_with_a_key_of_his_own_is_refused(make_run: Make, checked: Check) -> None:
    folder = make_run(exit_code=1, verdict={"reached": False})
    forger = Ed25519PrivateKey.generate()
    own = str(_statement(folder)["predicate"]["key_id"])  # type: ignore[index]

    def reach(statement: dict) -> None:
        statement["predicate"]["exit_code"] = 0

    for name in (own, key_id(forger.public_key()), "", "0" * 64):
        _resign(folder, forger, reach, name)
        (problem,) = checked(folder).problems
        assert "signature" in problem or "trusted" in problem


def test_what_the_key_signed_for_another_purpose_is_no_receipt(
    make_run: Make, checked: Check, state: Path
) -> None:
    key = signing_key(state)
    for change in (
        lambda s: s.update(predicateType="urn:other"),
        lambda s: s.update(subject=[]),
        lambda s: s.update(predicate={}),
        lambda s: s["predicate"].update(key_id="another"),
    ):
        folder = make_run(f"run{id(change)}")
        _resign(folder, key, change, key_id(key.public_key()))
        (problem,) = checked(folder).problems
        assert "statement" in problem


def test_a_second_receipt_of_one_run_is_refused(
    make_run: Make, checked: Check, state: Path
) -> None:
    folder = make_run()
    for prepare in (lambda: None, (folder / RECEIPT).unlink):
        prepare()
        with pytest.raises(ConfigurationError, match="already has"):
            sign_run(folder, state)
    assert len(read_ledger(state)) == 1


def test_a_receipt_that_the_ledger_does_not_know_is_refused(
    make_run: Make, checked: Check, state: Path
) -> None:
    folder, key = make_run(), signing_key(state)
    make_run("second")
    _resign(folder, key, lambda s: s["predicate"].update(exit_code=1), key_id(key.public_key()))
    (problem,) = checked(folder).problems
    assert "ledger" in problem


def test_receipts_follow_each_other_and_a_gap_is_named(make_run: Make, checked: Check) -> None:
    runs = [make_run(f"run-{n}") for n in range(4)]
    assert check_chain([checked(r) for r in runs]) == ()
    (gap,) = check_chain([checked(r) for r in (runs[0], runs[3])])
    assert gap.endswith(": 2, 3")
    shutil.copytree(runs[1], runs[1].with_name("copy"))
    copy = checked(runs[1].with_name("copy"))
    assert "receipt of run-1" in copy.notes[0]
    assert "have one receipt" in check_chain([checked(runs[1]), copy])[0]


def test_a_broken_link_of_the_chain_is_named(make_run: Make, state: Path) -> None:
    first, second = make_run("a"), make_run("b")
    key = signing_key(state)
    change = lambda s: s["predicate"].update(previous_receipt_sha256="0" * 64)  # noqa: E731
    _resign(second, key, change, key_id(key.public_key()))
    trust = Trust.of((state / PUBLIC,), state)  # whoever has the public key alone has no ledger
    (problem,) = check_chain([check(r, trust) for r in (first, second)])
    assert "does not follow" in problem


def test_a_torn_line_of_the_ledger_does_not_break_the_chain(make_run: Make, state: Path) -> None:
    make_run("a")
    with (state / LEDGER).open("ab") as file:
        file.write(b'{"sequence": 2, "sha')
    make_run("b")
    assert [e.sequence for e in read_ledger(state)] == [1, 2]


def test_a_resumed_run_names_what_it_continues(make_run: Make, checked: Check) -> None:
    killed = make_run("killed", sign=False, status="running")
    found = checked(make_run("resumed", resumes=str(killed)))
    before = found.says["continues"]
    assert before["run"] == "killed" and len(before["tree_sha256"]) == 64  # type: ignore[index]
    (killed / "states.bin").write_bytes(b"other")
    after = checked(make_run("again", resumes=str(killed))).says["continues"]
    assert after != before


def test_notaries_that_sign_at_once_make_one_chain(
    make_run: Make, checked: Check, state: Path
) -> None:
    runs = [make_run(f"run-{n}", sign=False) for n in range(6)]
    code = "import sys; from pathlib import Path; from embodied.receipts.notary import sign_run;"
    code += "sign_run(Path(sys.argv[1]), Path(sys.argv[2]))"
    processes = [subprocess.Popen([sys.executable, "-c", code, run, state]) for run in runs]
    assert [p.wait(60) for p in processes] == [0] * 6
    found = [checked(r) for r in runs]
    assert not any(f.problems for f in found) and check_chain(found) == ()
    assert sorted(f.sequence for f in found) == [1, 2, 3, 4, 5, 6]


def test_the_key_is_for_its_owner_alone(make_run: Make, state: Path) -> None:
    make_run()
    assert stat.S_IMODE((state / KEY).stat().st_mode) == 0o600
    assert stat.S_IMODE(state.stat().st_mode) == 0o700
    (state / KEY).chmod(0o644)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        make_run("second")


def test_a_public_key_of_another_kind_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "key.pub"
    with pytest.raises(ConfigurationError, match="there is no"):
        read_public(path)
    path.write_text("-----BEGIN PUBLIC KEY-----\nMAA=\n-----END PUBLIC KEY-----\n")
    with pytest.raises(ConfigurationError, match="no public key"):
        read_public(path)
    with pytest.raises(ConfigurationError, match="no key has signed"):
        Trust.of((), tmp_path / "state")


# --------------------------------------------------------- beside another implementation


def test_securesystemslib_accepts_our_receipts(make_run: Make, state: Path) -> None:
    folder = make_run()
    ours = json.loads((folder / RECEIPT).read_bytes())
    public = read_public(state / PUBLIC)
    key = SSlibKey.from_crypto(public, keyid=key_id(public))
    theirs = TheirEnvelope.from_dict(ours)
    assert theirs.payload_type == PAYLOAD_TYPE
    assert theirs.verify([key], 1) == {key.keyid: key}
    assert json.loads(theirs.payload)["predicateType"] == PREDICATE_TYPE
    theirs.payload = theirs.payload.replace(b"red", b"rad")
    with pytest.raises(VerificationError):
        theirs.verify([key], 1)


def test_we_accept_what_securesystemslib_signs(make_run: Make, checked: Check, state: Path) -> None:
    folder = make_run()
    private = signing_key(state)
    public = private.public_key()
    signer = CryptoSigner(private, SSlibKey.from_crypto(public, keyid=key_id(public)))
    payload = Envelope.load((folder / RECEIPT).read_bytes()).payload
    theirs = TheirEnvelope(payload, PAYLOAD_TYPE, {})
    theirs.sign(signer)
    fields = theirs.to_dict()
    assert base64.b64decode(fields["payload"]) == payload
    data = json.dumps(fields, sort_keys=True, separators=(",", ":")).encode() + b"\n"
    assert data == (folder / RECEIPT).read_bytes()  # Ed25519 is deterministic


def test_an_envelope_with_two_signatures_is_refused() -> None:
    envelope = Envelope.sign(b"{}", "a", lambda message: bytes(64))
    fields = json.loads(envelope.dump())
    fields["signatures"] *= 2
    with pytest.raises(BadEnvelopeError):
        Envelope.load(json.dumps(fields, sort_keys=True, separators=(",", ":")).encode() + b"\n")


# ------------------------------------------------------------------ whatever else somebody writes


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)
_KEYS = ("_type", "subject", "predicateType", "predicate", "other")


@given(data=st.binary(max_size=300) | _JSON.map(lambda value: json.dumps(value).encode()))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_other_receipt_is_a_problem_never_an_error(
    make_run: Make, checked: Check, tmp_path: Path, data: bytes
) -> None:
    folder = tmp_path / "runs" / "run"
    if not folder.exists():
        make_run()
    (folder / RECEIPT).write_bytes(data)
    assert len(checked(folder).problems) == 1


@given(fields=st.dictionaries(st.sampled_from(_KEYS), _JSON))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_nothing_else_that_the_key_has_signed_is_a_receipt(
    make_run: Make, checked: Check, tmp_path: Path, state: Path, fields: dict[str, object]
) -> None:
    folder = tmp_path / "runs" / "run"
    if not folder.exists():
        make_run()
        (folder / RECEIPT).rename(tmp_path / RECEIPT)
    key = signing_key(state)
    statement = {**json.loads(Envelope.load((tmp_path / RECEIPT).read_bytes()).payload), **fields}
    changed = statement != json.loads(Envelope.load((tmp_path / RECEIPT).read_bytes()).payload)
    data = Envelope.sign(canonical(statement), key_id(key.public_key()), key.sign).dump()
    (folder / RECEIPT).write_bytes(data)
    assert bool(checked(folder).problems) == changed
