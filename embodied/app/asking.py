"""Questions to the person at the terminal."""

from __future__ import annotations

import sys

from embodied.recovery import Ask, Question, nobody


def asker(yes: bool) -> Ask:
    """Who answers questions: the person at the terminal, or nobody.

    Args:
        yes: Allow what cannot be undone without asking.
    """
    person = _on_terminal if sys.stdin.isatty() and sys.stdout.isatty() else nobody
    if not yes:
        return person

    def answer(question: Question) -> bool:
        return question.kind == "irreversible" or person(question)

    return answer


def _on_terminal(question: Question) -> bool:
    import typer

    from embodied.printable import printable

    return typer.confirm(printable(question.text), default=False, err=True)
