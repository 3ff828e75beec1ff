"""Finished sub-goals shrink to a line; nothing of them is lost."""

from pathlib import Path

import pytest

from embodied.memory import WorkingMemory
from embodied.protocols import Usage
from embodied.records import read_lines


def worked(folder: Path, goals: int, steps: int) -> WorkingMemory:
    memory = WorkingMemory(folder=folder)
    for goal in range(goals):
        memory = memory.started(f"(clean plate-{goal})")
        for step in range(steps):
            use = Usage(calls=1, input_tokens=100, output_tokens=10)
            memory = memory.noted(f"wiped side {step} of plate {goal}", time_s=step, usage=use)
        memory = memory.ended(reached=goal % 2 == 0)
    return memory


def test_a_finished_subgoal_is_one_line_with_a_way_back(tmp_path: Path) -> None:
    memory = worked(tmp_path, goals=3, steps=10)
    lines = memory.text().splitlines()
    assert len(lines) == 3
    assert lines[0] == "(clean plate-0): reached (10 steps, see subgoal-0001.jsonl)"
    assert "not reached: wiped side 9 of plate 1" in lines[1]
    trace, _ = read_lines(tmp_path / memory.finished[1].trace)
    assert [e.text("text") for e in trace] == [f"wiped side {n} of plate 1" for n in range(10)]
    assert memory.usage.input_tokens == 3000


def test_token_use_is_logged_for_every_step(tmp_path: Path) -> None:
    worked(tmp_path, goals=2, steps=4)
    steps = [s.values for s in read_lines(tmp_path / "tokens.jsonl")[0]]
    assert [s["step"] for s in steps] == [1, 2, 3, 4, 1, 2, 3, 4]
    assert all(s["input_tokens"] == 100 for s in steps)
    assert steps[4]["shown_tokens"] < steps[3]["shown_tokens"]
    with (tmp_path / "tokens.jsonl").open("a") as file:
        file.write('{"goal": "cut o')
    assert len(read_lines(tmp_path / "tokens.jsonl")[0]) == 8


def test_subgoals_do_not_overlap(tmp_path: Path) -> None:
    memory = WorkingMemory(folder=tmp_path)
    with pytest.raises(ValueError, match="no sub-goal"):
        memory.noted("x", time_s=0.0)
    with pytest.raises(ValueError, match="no sub-goal"):
        memory.ended(reached=True)
    with pytest.raises(ValueError, match="not finished"):
        memory.started("(a)").started("(b)")
