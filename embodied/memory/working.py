"""Working memory of a long task: finished sub-goals shrink to one line each (HiAgent).

Hu et al. (arXiv 2408.09559) keep the full trace of the current sub-goal only; of a finished one a
summary stays, with a way back to the trace. A trace here is one file of JSON lines in a folder, so
that what a model is shown stays short while nothing is lost.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from embodied.memory.reader import estimate_tokens
from embodied.protocols import Usage
from embodied.records import append_lines

STEPS = "tokens.jsonl"
"""Log of token use, one line a step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing that was done or seen on the way to a sub-goal.

    Attributes:
        text: What, in one line.
        time_s: When, by the world's own clock, s.
        usage: Cost of the model calls that it took.
    """

    text: str
    time_s: float
    usage: Usage = Usage()

    def to_json(self) -> Mapping[str, object]:
        """JSON-serialisable form."""
        use = self.usage
        numbers = [use.calls, use.input_tokens, use.output_tokens, use.cost_usd]
        return {"text": self.text, "t": self.time_s, "usage": numbers}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """A sub-goal that is over.

    Attributes:
        goal: What it was.
        reached: Whether it was measured to hold.
        summary: One line.
        steps: How many entries its trace has.
        usage: What it cost.
        trace: File of its full trace, relative to the folder.
    """

    goal: str
    reached: bool
    summary: str
    steps: int
    usage: Usage
    trace: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkingMemory:
    """What a strategy or model is shown of a long task. Immutable; traces lie in a folder.

    Attributes:
        folder: Where traces go; made if missing.
        goal: The sub-goal that is pursued, ``""`` between two.
        trace: Everything about it so far.
        finished: Earlier sub-goals, oldest first.
    """

    folder: Path
    goal: str = ""
    trace: tuple[Entry, ...] = ()
    finished: tuple[Finished, ...] = ()

    def started(self, goal: str) -> WorkingMemory:
        """A new sub-goal.

        Raises:
            ValueError: The one before is not finished.
        """
        if self.goal:
            raise ValueError(f"'{self.goal}' is not finished")
        return replace(self, goal=goal, trace=())

    def noted(self, text: str, *, time_s: float, usage: Usage | None = None) -> WorkingMemory:
        """One more entry in the trace of the current sub-goal; its token use is logged.

        Raises:
            ValueError: There is no current sub-goal.
        """
        if not self.goal:
            raise ValueError("there is no sub-goal: start one first")
        entry = Entry(text=" ".join(text.split()), time_s=time_s, usage=usage or Usage())
        after = replace(self, trace=(*self.trace, entry))
        record = {
            "goal": self.goal,
            "step": len(after.trace),
            "time_s": time_s,
            "calls": entry.usage.calls,
            "input_tokens": entry.usage.input_tokens,
            "output_tokens": entry.usage.output_tokens,
            "shown_tokens": estimate_tokens(after.text()),
        }
        self.folder.mkdir(parents=True, exist_ok=True)
        append_lines(self.folder / STEPS, [record], sync=True)
        return after

    def ended(self, *, reached: bool) -> WorkingMemory:
        """The current sub-goal is over: its trace goes to a file, one line stays.

        Args:
            reached: Whether it was measured to hold.

        Raises:
            ValueError: There is no current sub-goal.
        """
        if not self.goal:
            raise ValueError("there is no sub-goal to end")
        name = f"subgoal-{len(self.finished) + 1:04d}.jsonl"
        self.folder.mkdir(parents=True, exist_ok=True)
        part = self.folder / f".{name}.part"
        part.unlink(missing_ok=True)
        append_lines(part, [e.to_json() for e in self.trace], sync=True)
        part.replace(self.folder / name)
        last = self.trace[-1].text if self.trace else "nothing was done"
        word = "reached" if reached else f"not reached: {last}"
        total = Usage()
        for entry in self.trace:
            total = total + entry.usage
        done = Finished(
            goal=self.goal,
            reached=reached,
            summary=" ".join(f"{self.goal}: {word}".split()),
            steps=len(self.trace),
            usage=total,
            trace=name,
        )
        return replace(self, goal="", trace=(), finished=(*self.finished, done))

    @property
    def usage(self) -> Usage:
        """What the whole task cost so far."""
        total = Usage()
        for part in (*self.finished, *self.trace):
            total = total + part.usage
        return total

    def text(self) -> str:
        """What a model is shown: a line for each finished sub-goal, all of the current one."""
        lines = [f"{f.summary} ({f.steps} steps, see {f.trace})" for f in self.finished]
        if self.goal:
            lines.append(f"now: {self.goal}")
            lines += [f"  {e.time_s:g} s: {e.text}" for e in self.trace]
        return "\n".join(lines)
