"""The command ``verify``: is a run what its receipt says, and did it reach its goal?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from embodied.app.judging import MOVED, JudgedAgain, judge_again
from embodied.errors import ConfigurationError
from embodied.receipts.checking import Checked, Trust, check, check_chain
from embodied.receipts.contents import RECEIPT
from embodied.receipts.statement import NOT_PROVEN
from embodied.records import Record, jsonable

AUTHENTIC_REACHED, AUTHENTIC_NOT_REACHED, NOT_AUTHENTIC = 0, 1, 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What is known of one run.

    Attributes:
        checked: The folder against its receipt.
        claimed: Whether the receipt says that a goal was reached.
        judged: The verdict against the recorded states; None where the folder is not what was
            signed.
    """

    checked: Checked
    claimed: bool = False
    judged: JudgedAgain | None = None

    @property
    def reached(self) -> bool:
        """Whether the run counts as reached: signed so, and not denied by its own states."""
        return self.code == AUTHENTIC_REACHED

    @property
    def code(self) -> int:
        """Exit code of this run."""
        if self.checked.problems or self.judged is None:
            return NOT_AUTHENTIC
        if self.claimed and self.judged.agrees is not False:
            return AUTHENTIC_REACHED
        return AUTHENTIC_NOT_REACHED


def runs_below(folder: Path) -> tuple[Path, ...]:
    """The run folders in a folder, itself included.

    Raises:
        ConfigurationError: There is none.
    """
    if not folder.is_dir():
        raise ConfigurationError(f"there is no folder {folder}")
    names = (RECEIPT, "run.json", "events.jsonl")
    if any((folder / name).exists() for name in names):
        return (folder,)
    found = {p.parent for name in names for p in folder.rglob(name)}
    if not found:
        raise ConfigurationError(f"{folder} holds no run: it has neither {RECEIPT} nor run.json")
    return tuple(sorted(found))


def verify_run(folder: Path, trust: Trust, *, again: bool = True) -> Verified:
    """Check one run folder.

    Args:
        folder: The run folder.
        trust: Whose signature counts.
        again: Hold the verdict against the recorded states as well, in a second or two.

    Raises:
        ConfigurationError: There is no such folder.
    """
    checked = check(folder, trust)
    if checked.problems:
        return Verified(checked=checked)
    verdict = Record.of(checked.says.get("verdict") or {}, f"the verdict in {RECEIPT}")
    goals = [dict(r.values) for r in verdict.records("goals", ())]
    said = verdict.flag("reached", False) and checked.says.get("exit_code") == 0
    claimed = said and bool(goals)  # an answer or a plan reaches nothing
    judged = JudgedAgain(agrees=None, note="not held against the recorded states")
    if again:
        judged = judge_again(folder, goals)
    return Verified(checked=checked, claimed=claimed, judged=judged)


def verify(folders: Sequence[Path], trust: Trust, *, again: bool) -> tuple[list[Verified], int]:
    """Check all runs in these folders, and whether their receipts follow each other.

    Returns:
        The runs, and the exit code: 0 all are what was signed and reached their goals, 1 one has
        not reached it, 3 one is not what was signed.

    Raises:
        ConfigurationError: A folder is missing, or holds no run.
    """
    runs = [run for folder in folders for run in runs_below(folder)]
    found = [verify_run(run, trust, again=again) for run in dict.fromkeys(runs)]
    return found, max(v.code for v in found)


def lines_of(verified: Verified) -> list[str]:
    """What to tell a person of one run."""
    checked, judged = verified.checked, verified.judged
    says = checked.says
    if judged is None:
        head = f"{checked.folder}: NOT what was signed"
        return [head, *(f"  {p}" for p in checked.problems), *(f"  {n}" for n in checked.notes)]
    outcome = "reached" if verified.reached else "not reached"
    key = str(says.get("key_id"))[:16]
    lines = [
        f"{checked.folder}: unaltered; {outcome}",
        f"  asked    {says.get('instruction')!r}",
        f"  where    scene {says.get('scene')}, robot {says.get('robot')}, world "
        f"{says.get('world')}, seed {says.get('seed')}",
        f"  verdict  {_verdict(says)}; measured from {says.get('object_source')}",
        f"  states   {_states(judged)}",
        f"  receipt  {checked.sequence}, {says.get('signed_at')}, key {key}",
    ]
    return [*lines, *(f"  note     {n}" for n in checked.notes)]


def as_json(found: Sequence[Verified], code: int) -> Mapping[str, object]:
    """The same for programs."""
    return {
        "exit_code": code,
        "runs": [
            {
                "folder": str(v.checked.folder),
                "unaltered": not v.checked.problems,
                "reached": v.reached,
                "claimed": v.claimed,
                "problems": v.checked.problems,
                "notes": v.checked.notes,
                "judged_again": jsonable(v.judged),
                "receipt": v.checked.says,
            }
            for v in found
        ],
        "chain": check_chain([v.checked for v in found]),
        "signature_does_not_prove": NOT_PROVEN,
    }


def _verdict(says: Mapping[str, object]) -> str:
    if says.get("status") != "finished":
        return f"none: the run is recorded as {says.get('status')}"
    reached = Record.of(says.get("verdict") or {}).flag("reached", False)
    return f"{'reached' if reached else 'not reached'}: {says.get('message')}"


def _states(judged: JudgedAgain) -> str:
    if judged.agrees is False and not judged.denied:
        return f"missing: {judged.note}"
    still = "nothing moved" if judged.moved < MOVED else "the robot or something moved"
    if judged.denied:
        return f"DENY the verdict, {still}: not so are {', '.join(judged.denied)}"
    if judged.agrees:
        return f"agree, {still}: {', '.join(judged.holds)}"
    return f"cannot tell: {judged.note}" + (f"; {still}" if judged.moved else "")
