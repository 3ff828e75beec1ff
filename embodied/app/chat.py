"""A conversation: one world, one sentence after another."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

from embodied.app.record.run_folder import make_folder
from embodied.app.run import Output, perform
from embodied.app.show.console import Console
from embodied.app.signals import Terminated
from embodied.outcome import INTERRUPTED, REACHED, Outcome
from embodied.protocols import Emit
from embodied.route import Write
from embodied.session import Session

HELP = """\
Type what you want, for example "put the red block on the green block", then "now the blue one too".
  undo     undo what the last instruction changed (places on a surface may differ)
  state    what is measured to hold now
  help     this text
  quit     end the conversation (also Ctrl-D)
Ctrl-C stops the arm and returns to the prompt; at the prompt it ends the conversation."""

_UNDO = re.compile(
    r"(please )?((undo|revert)( (that|it|this|the last (one|thing|instruction)|your last move))?"
    r"|take (that|it|this) back|put everything back( as it was)?)( please)?"
)
_COMMANDS = ("help", "state", "quit", "exit")


def converse(
    session: Session,
    lines: Iterator[str],
    output: Output,
    *,
    console: Console | None,
    opened_s: float = 0.0,
) -> int:
    """Carry out one line after another.

    Args:
        session: Where it happens.
        lines: What the person types.
        output: How sentences are shown; the conversation gets a folder with a run folder for each.
        console: Where answers to commands go; None for none.
        opened_s: Wall time that opening the session took.

    Returns:
        The exit code of the first sentence whose goal was not reached, else 0.
    """
    output = replace(output, out=make_folder(output.out, "chat"))
    code = REACHED
    turn = 0
    for line in lines:
        sentence = line.strip()
        command = sentence.lower().rstrip(".!?")
        if command in ("quit", "exit"):
            break
        if not sentence or command in _COMMANDS:
            text = "\n".join(session.state()) if command == "state" else HELP
            if console is not None:
                console.print(text, markup=False, highlight=False)
            continue
        turn += 1

        def act(emit: Emit, write: Write, said: str = sentence, command: str = command) -> Outcome:
            if _UNDO.fullmatch(command):
                return session.undo(emit=emit, write=write)
            return session.run(said, emit=emit, write=write)

        try:
            done = perform(
                session,
                sentence,
                act,
                output,
                command="chat",
                opened_s=opened_s if turn == 1 else 0.0,
                extra={"turn": turn},
                prefix=f"{turn:02d}",
                heading=turn == 1,
            )
        except KeyboardInterrupt as error:
            if console is None or isinstance(error, Terminated) or not sys.stdin.isatty():
                raise
            console.print("[yellow]stopped[/]")
            code = code or INTERRUPTED
            continue
        code = code or done.outcome.exit_code
    return code


def converse_live(
    session: Session,
    lines: Iterator[str],
    output: Output,
    *,
    console: Console | None,
    opened_s: float = 0.0,
) -> int:
    """Let a reward-driven robot follow what is typed while it moves, in one run folder.

    Takes what ``converse`` takes, ``lines`` in a thread; returns the last program's exit code.

    Raises:
        ConfigurationError: The route does not change a motion while it goes on.
    """

    def say(text: str) -> None:
        if console is not None:
            console.print(text, markup=False, highlight=False)

    done = perform(
        session,
        "a live conversation",
        lambda emit, write: session.converse(lines, say, emit=emit, write=write),
        output,
        command="chat",
        opened_s=opened_s,
        extra={"live": True},
    )
    return done.outcome.exit_code


def typed_lines(console: Console | None) -> Iterator[str]:
    """What is typed, or what comes through a pipe; Ctrl-D ends it."""
    if console is None or not sys.stdin.isatty():
        for line in sys.stdin:
            if line.strip():
                yield line
        return
    with suppress(ImportError):
        importlib.import_module("readline")  # gives input() editing and a history
    console.print("[dim]Type what you want; help, state, undo, quit.[/]")
    while True:
        try:
            yield input("> ")
        except EOFError:
            console.print()
            return
