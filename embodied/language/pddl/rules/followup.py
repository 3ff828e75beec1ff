"""What the sentence before leaves for this one: "now the blue one too", "the same with the cup"."""

from __future__ import annotations

import re
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
    expanded,
    read_goal,
    read_problem,
    substitute,
)
from embodied.types import PddlProgram, Program

_IT = r"(?:it|that|this|them|those|these|everything|the last one)"
_BACK = re.compile(
    r"(?:please |now |no ,? ?|sorry ,? ?|oops ,? ?|wait ,? ?)*"
    r"(?:(?:undo|revert|reverse)(?: (?:that|it|this|the last (?:one|thing|move|step|instruction)))?"
    r"|take (?:that|it|this) back"
    rf"|(?:put|move|bring|take|return|set|place) {_IT} back(?: again| as (?:it|they) (?:was|were))?"
    rf"|(?:put|move|bring|take|return|set|place) {_IT} (?:back )?(?:to )?where (?:it|they|you)"
    r" (?:was|were|came|had|got|took|found)(?: (?:from|been|before|originally|it|them|at first))*"
    r"|return (?:it|them))(?: please| again| then)?"
)


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
        programs = [p for _, p in exchanges if isinstance(p, PddlProgram)]
        read = [[read_goal(s, domain, dict(objects)) for s in p.stages] for p in programs]
        all_of = [[expanded(g, domain, dict(objects)) for g in stages] for stages in read]
        last = exchanges[-1][1] if exchanges else None
        followed = last in programs[-1:]
        self._last = programs[-1] if followed else None
        self.stages: tuple[Formula, ...] = tuple(read[-1]) if followed else ()
        self._about: tuple[Formula, ...] = tuple(all_of[-1]) if followed else ()
        placed = (p for stages in all_of for s in stages for p in conjuncts(s))
        self.earlier = tuple(
            dict.fromkeys(
                p.terms[0]
                for p in placed
                if isinstance(p, Proposition) and p.predicate in ("on", "in", "holding")
            )
        )

    def begin(self, discourse: Discourse) -> None:
        """Let a new sentence refer to what the program was about."""
        discourse.earlier = tuple(n for n in self.earlier if n in discourse.scene.specs)
        for part in (p for stage in self._about for p in conjuncts(stage)):
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
        emptied = {
            (p.body.predicate, p.body.terms[1])
            for stage in self._about
            for p in conjuncts(stage)
            if isinstance(p, Not)
            and isinstance(p.body, Proposition)
            and p.body.predicate in ("on", "in")
        }
        if discourse.place is None and len(emptied) == 1:
            discourse.went_to(*emptied.pop())
        discourse.theme = tuple(discourse.themes)
        categories = {discourse.spec(n).category for n in discourse.themes}
        if len(categories) == 1:
            discourse.head = categories.pop()

    @property
    def things(self) -> tuple[str, ...]:
        """What the last program put somewhere."""
        placed = (p for stage in self._about for p in conjuncts(stage))
        return tuple(
            p.terms[0]
            for p in placed
            if isinstance(p, Proposition) and p.predicate in ("on", "in", "holding")
        )

    def before(self, text: str, domain: Domain) -> tuple[str, ...]:
        """The goal that takes back what the last program put somewhere; empty if not asked for.

        Args:
            text: The sentence, words joined by spaces.
            domain: Domain of the program.
        """
        if self._last is None or not _BACK.fullmatch(text) or not self._last.problem:
            return ()
        init = read_problem(self._last.problem, domain).init
        places = [
            a
            for name in self.things
            for a in sorted(init)
            if a.predicate in ("on", "in") and a.args[0] == name
        ]
        formulas = [Proposition(a.predicate, a.args) for a in places]
        return (str(_together(formulas)),) if formulas else ()

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
