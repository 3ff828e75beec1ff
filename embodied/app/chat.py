"""A conversation: one world, one sentence after another."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from embodied.app.record.run_folder import make_folder
from embodied.app.run import perform
from embodied.app.show.console import Console
from embodied.app.show.protocol import Display
from embodied.app.show.video_options import VideoOptions
from embodied.outcome import INTERRUPTED, REACHED
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
    *,
    out: Path,
    display: Callable[[bool], Display],
    video: VideoOptions | None,
    console: Console | None,
    viewer: Callable[[float], None] | None = None,
    opened_s: float = 0.0,
) -> int:
    """Carry out one line after another.

    Args:
        session: Where it happens.
        lines: What the person types.
        out: Folder of run folders; the conversation gets a folder with one run folder per sentence.
        display: Makes the display of one sentence; told whether it is the first.
        video: How to film.
        console: Where answers to commands go; None for none.
        viewer: Told the simulated time after every step, to refresh a window.
        opened_s: Wall time that opening the session took.

    Returns:
        The exit code of the first sentence whose goal was not reached, else 0.
    """
    folder = make_folder(out, "chat")
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
        undo = _UNDO.fullmatch(command) is not None
        try:
            done = perform(
                session,
                sentence,
                (lambda emit, write: session.undo(emit=emit, write=write))
                if undo
                else (
                    lambda emit, write, sentence=sentence: session.run(
                        sentence, emit=emit, write=write, move=True
                    )
                ),
                out=folder,
                display=display(turn == 1),
                video=video,
                command="chat",
                opened_s=opened_s if turn == 1 else 0.0,
                extra={"turn": turn},
                viewer=viewer,
                prefix=f"{turn:02d}",
            )
        except KeyboardInterrupt:
            if console is None:
                raise
            console.print("[yellow]stopped[/]")
            code = code or INTERRUPTED
            continue
        code = code or done.outcome.exit_code
    return code


def converse_live(
    session: Session,
    lines: Iterator[str],
    *,
    out: Path,
    display: Display,
    video: VideoOptions | None,
    console: Console | None,
    viewer: Callable[[float], None] | None = None,
    opened_s: float = 0.0,
) -> int:
    """Let a reward-driven robot follow what is typed while it moves, in one run folder.

    Args:
        session: Where it happens.
        lines: What the person types; read in a thread.
        out: Folder of run folders.
        display: Shows the conversation.
        video: How to film.
        console: Where answers to commands go; None for none.
        viewer: Told the simulated time after every step, to refresh a window.
        opened_s: Wall time that opening the session took.

    Returns:
        The exit code of the last program.

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
        out=out,
        display=display,
        video=video,
        command="chat",
        opened_s=opened_s,
        extra={"live": True},
        viewer=viewer,
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
