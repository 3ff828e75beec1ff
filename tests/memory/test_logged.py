"""A logged memory is the same memory, and its log is the same history."""

from pathlib import Path

import pytest

from embodied.memory import LoggedMemory, Memory, MemoryLog, Sync, Writer, replay
from embodied.memory.facts import Delta, Provenance
from embodied.types import GroundAction, PddlProgram, SkillResult


def test_a_run_goes_on_where_its_log_ends(tmp_path: Path, memory: Memory) -> None:
    path = tmp_path / "memory.jsonl"
    on_table = [Delta.add("(on a table)"), Delta.add("(on b table)")]
    with MemoryLog(path, sync=Sync.NEVER) as log:
        logged = LoggedMemory(memory=memory, log=log.append)
        assert logged.facts == frozenset()
        written = Writer().propose(memory, on_table, provenance=Provenance.SEEN, time_s=0.0)
        earlier = logged
        logged = logged.became(written.memory)
        logged = logged.executed(GroundAction.parse("(stack a table b)"), SkillResult(ok=True))
        program = PddlProgram(domain="", problem="", stages=("(on a b)",), source="rules")
        logged = logged.told("put a on b", program)
        assert logged.exchanges == (("put a on b", program),)
        assert logged.contradictions == ()
        with pytest.raises(ValueError, match="does not follow"):
            earlier.executed(GroundAction.parse("(soil a)"), SkillResult(ok=True))
    again = replay(memory, path)
    assert dict(again.beliefs) == dict(logged.memory.beliefs)
    with MemoryLog(path, sync=Sync.NEVER) as log:
        resumed = LoggedMemory(memory=replay(memory, path), log=log.append)
        assert resumed.facts == logged.facts
        resumed.executed(GroundAction.parse("(put a b table)"), SkillResult(ok=True))
        assert log.step == 4
