"""Corrections while the robot moves: sentences are translated in parallel to the motion.

The program in force goes on until the next one is ready; the new one takes over at the control
step after that, with the plan so far as its warm start. Between two sentences the robot keeps to
the last program. The line ``wait 2`` lets two simulated seconds pass before the next line is read,
so a conversation can be scripted.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from queue import Empty, SimpleQueue

from embodied.errors import Diagnostic, EmbodiedError, NotUnderstoodError
from embodied.language.reward import check, program_to_json
from embodied.types import RewardProgram

HELP = """\
Type what you want, for example "sit down low with a flat torso", then, while it moves, "higher".
  state    what is measured now
  wait 2   read the next line two simulated seconds later
  help     this text
  quit     end the conversation (also Ctrl-D)"""

_WAIT = re.compile(r"wait (?:for )?(\d+(?:\.\d+)?)(?: ?s(?:econds?)?)?")


class TypedLines:
    """Lines that a thread reads while something else goes on.

    Args:
        lines: Where they come from; reading may block.
    """

    def __init__(self, lines: Iterator[str]) -> None:
        self._queue: SimpleQueue[str | None] = SimpleQueue()
        self.ended = False
        threading.Thread(target=self._read, args=(lines,), daemon=True).start()

    def _read(self, lines: Iterator[str]) -> None:
        try:
            for line in lines:
                self._queue.put(line)
        finally:
            self._queue.put(None)

    def take(self, *, wait: bool) -> str | None:
        """The next line, or None when there is none yet or no more (then ``ended`` is True)."""
        if self.ended:
            return None
        try:
            line = self._queue.get(block=wait)
        except Empty:
            return None
        self.ended = line is None
        return line


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """A sentence and when it changed the motion.

    Attributes:
        sentence: What was typed.
        said_s: Simulated time at which the line was taken.
        taken_s: Simulated time at which its program took over.
    """

    sentence: str
    said_s: float
    taken_s: float


class Listener:
    """Turns typed lines into programs while the robot moves.

    Args:
        lines: What is typed.
        translate: Sentence, and what is measured when it is typed, to program; called in a thread,
            one sentence at a time.
        say: Shows the answer to ``state`` or ``help``.
        state: What is measured now.
    """

    def __init__(
        self,
        lines: TypedLines,
        translate: Callable[[str, tuple[str, ...]], RewardProgram],
        *,
        say: Callable[[str], None],
        state: Callable[[], tuple[str, ...]],
    ) -> None:
        self.lines, self._translate, self._say, self._state = lines, translate, say, state
        self.quit = False
        self._pool = ThreadPoolExecutor(1)
        self._pending: Future[RewardProgram] | None = None
        self._sentence, self._said_s, self._not_before_s = "", 0.0, 0.0

    @property
    def ended(self) -> bool:
        """No line is left and none is being translated."""
        return self.quit or (self.lines.ended and self._pending is None)

    def poll(self, time_s: float, *, wait: bool) -> tuple[RewardProgram, Correction] | None:
        """The next program that is ready, if any.

        Args:
            time_s: Simulated time now.
            wait: Block until there is one or the lines end; for a robot that stands still.

        Raises:
            EmbodiedError: A sentence that was not understood; the program in force goes on.
        """
        while not self.ended:
            if self._pending is None:
                if not wait and time_s < self._not_before_s:
                    return None
                line = self.lines.take(wait=wait)
                if line is None:
                    return None
                self._hear(line, time_s)
                continue
            if not wait and not self._pending.done():
                return None
            pending, self._pending = self._pending, None
            program = pending.result()
            wrong = check(program)
            if wrong:
                raise NotUnderstoodError(program_to_json(program), wrong)
            return program, Correction(sentence=self._sentence, said_s=self._said_s, taken_s=time_s)
        return None

    def _hear(self, line: str, time_s: float) -> None:
        sentence = line.strip()
        command = sentence.lower().rstrip(".!?")
        pause = _WAIT.fullmatch(command)
        if command in ("quit", "exit"):
            self.quit = True
        elif pause is not None:
            self._not_before_s = time_s + float(pause.group(1))
        elif command == "state":
            self._say("\n".join(self._state()))
        elif not sentence or command == "help":
            self._say(HELP)
        else:
            self._sentence, self._said_s = sentence, time_s
            self._pending = self._pool.submit(self._translate, sentence, self._state())

    def close(self) -> None:
        """End the thread; a translation under way is given up."""
        self._pool.shutdown(wait=False, cancel_futures=True)


def refusal(error: EmbodiedError) -> str:
    """One line about a sentence that changed nothing."""
    found: tuple[Diagnostic, ...] = tuple(getattr(error, "diagnostics", ()))
    words = "; ".join(f"{d.where}: {d.problem}" for d in found) or str(error)
    return f"not understood, going on as before: {words}"
