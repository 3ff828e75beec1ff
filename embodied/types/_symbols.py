"""Ground atoms and ground actions, shared by planner, memory and monitor."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Atom:
    """A ground fact such as ``(on red-block green-block)``; names are lower case as in PDDL."""

    predicate: str
    args: tuple[str, ...] = ()

    @staticmethod
    def parse(text: str) -> Atom:
        """Read ``"(on a b)"`` or ``"on a b"``.

        Raises:
            ValueError: The text is not one flat, non-empty list of names.
        """
        words = text.strip().removeprefix("(").removesuffix(")").lower().split()
        if not words or any(c in word for word in words for c in "()"):
            raise ValueError(f"not a ground atom: {text!r}")
        return Atom(words[0], tuple(words[1:]))

    def __str__(self) -> str:
        return f"({' '.join((self.predicate, *self.args))})"


@dataclass(frozen=True, slots=True, order=True)
class GroundAction:
    """An action of the plan with its arguments, e.g. ``(stack red-block green-block)``."""

    name: str
    args: tuple[str, ...] = ()

    @staticmethod
    def parse(text: str) -> GroundAction:
        """Read ``"(stack a b)"`` or ``"stack a b"``; raises ValueError as ``Atom.parse`` does."""
        atom = Atom.parse(text)
        return GroundAction(atom.predicate, atom.args)

    def __str__(self) -> str:
        return f"({' '.join((self.name, *self.args))})"
