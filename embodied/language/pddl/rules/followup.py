"""What the sentence before leaves for this one: "now the blue one too", "the same with the cup"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from embodied.language.pddl.rules.discourse import ITEMS, Discourse
from embodied.language.pddl.rules.syntax import Sentence, Too
from embodied.language.words.cursor import Abstain
from embodied.symbolic import (
    And,
    Domain,
    Formula,
    Not,
    Proposition,
    conjuncts,
    read_goal,
    substitute,
)
from embodied.types import PddlProgram, Program


class Previous:
    """The last program of a conversation.

    Args:
        exchanges: Sentences and their programs, oldest first.
        domain: Domain of their goals.
        objects: PDDL type of every object.
    """

    def __init__(
        self,
        exchanges: Sequence[tuple[str, Program]],
        domain: Domain,
        objects: Mapping[str, str],
    ) -> None:
        last = exchanges[-1][1] if exchanges else None
        stages = last.stages if isinstance(last, PddlProgram) else ()
        self.stages: tuple[Formula, ...] = tuple(
            read_goal(text, domain, dict(objects)) for text in stages
        )

    def begin(self, discourse: Discourse) -> None:
        """Let a new sentence refer to what the program was about."""
        for part in (p for stage in self.stages for p in conjuncts(stage)):
            atom = part.body if isinstance(part, Not) else part
            if not isinstance(atom, Proposition) or any(t.startswith("?") for t in atom.terms):
                continue
            if any(t not in discourse.scene.specs for t in atom.terms):
                continue
            positive = part is atom
            if atom.predicate in ("on", "in"):
                discourse.themes += [t for t in atom.terms[:1] if t not in discourse.themes]
                if positive:
                    discourse.went_to(atom.predicate, atom.terms[1])
            elif atom.predicate == "holding" and positive:
                discourse.themes += [t for t in atom.terms if t not in discourse.themes]
            elif atom.predicate == "open":
                discourse.drawer = atom.terms[0]
            discourse.mentioned += [t for t in atom.terms if t not in discourse.mentioned]
        discourse.theme = tuple(discourse.themes)
        categories = {discourse.spec(n).category for n in discourse.themes}
        if len(categories) == 1:
            discourse.head = categories.pop()

    def repeated(self, sentence: Sentence, discourse: Discourse) -> tuple[str, ...] | None:
        """Stages of "the same with the cup", "now the lime too"; None for other sentences.

        Raises:
            Abstain: What was done before cannot be carried over to other objects.
        """
        if len(sentence.clauses) != 1 or not self.stages:
            return None
        clause = sentence.clauses[0]
        if not isinstance(clause, Too) or clause.negated or clause.theme.alternatives:
            return None
        moved = {
            p.terms[0]
            for stage in self.stages
            for p in conjuncts(stage)
            if isinstance(p, Proposition) and p.predicate in ("on", "in", "holding")
        }
        if len(moved) != 1:
            return None
        (before,) = moved
        names: list[str] = []
        for part in clause.theme.parts:
            group = discourse.resolve(part, ITEMS)
            if group.choose is not None or group.none:
                raise Abstain(f"'{part.text}'", "it is not clear which one is meant")
            names += group.names
        return tuple(str(_together([_renamed(s, before, n) for n in names])) for s in self.stages)


def _renamed(formula: Formula, before: str, after: str) -> Formula:
    return substitute(formula, {before: after})


def _together(formulas: Sequence[Formula]) -> Formula:
    parts = tuple(dict.fromkeys(c for f in formulas for c in conjuncts(f)))
    return parts[0] if len(parts) == 1 else And(parts)
