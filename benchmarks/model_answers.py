"""How many recorded answers of a language model the parsers take as they are, without a repair.

    python benchmarks/model_answers.py ANSWERS.jsonl

A line of the file is ``{"request": {"messages": [...]}, "answer": TEXT}``. Answers are read by form
against what the request showed: goals need its scene's domain and are read as JSON only, as are
descriptions, which are plain text.
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from embodied.errors import NotUnderstoodError, ProgramError
from embodied.language.pddl.scene_translator import read_answer
from embodied.language.reward.serialise import program_from_json
from embodied.language.value_map.serialise import read_json
from embodied.memory.model_writer import read_proposal

WORKSPACE = ((-1.0, -1.0), (1.0, 1.0))
_OBJECT = re.compile(r"^- ([\w-]+):", re.MULTILINE)

Reader = Callable[[str, str], object]

READERS: dict[str, tuple[str, Reader]] = {
    "goals": ("You translate one instruction", lambda answer, user: read_answer(answer)),
    "rewards, arm": (
        "You turn the description of a motion into a reward program for the arm",
        lambda answer, user: program_from_json(answer, "fr3-hand", source="recorded"),
    ),
    "rewards, quadruped": (
        "You turn the description of a motion into a reward program for the quadruped",
        lambda answer, user: program_from_json(answer, "quadruped", source="recorded"),
    ),
    "value maps": (
        "You write programs for a robot arm",
        lambda answer, user: read_json(
            answer, objects=_OBJECT.findall(user), workspace=WORKSPACE, source="recorded"
        ),
    ),
    "memory": ("You keep the memory", lambda answer, user: read_proposal(answer)),
}
"""What is read: how its system prompt begins, and the reader of answer and user prompt."""


def main(path: Path) -> None:
    """Read every answer; print counts, and why those that are refused are."""
    taken: Counter[str] = Counter()
    of: Counter[str] = Counter()
    refused: list[str] = []
    for line in path.read_text("utf-8").splitlines():
        record = json.loads(line)
        messages = record["request"]["messages"]
        system, user = messages[0]["content"], messages[-1]["content"]
        for name, (begins, read) in READERS.items():
            if not system.startswith(begins):
                continue
            of[name] += 1
            try:
                read(record["answer"], user)
                taken[name] += 1
            except NotUnderstoodError:
                taken[name] += 1
            except ProgramError as error:
                refused.append(f"{name}, {user[-60:]!r}: {error}")
    for name, count in of.items():
        print(f"{name}: {taken[name]} of {count} without a repair")
    print("\n".join(refused))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
