"""What the sentence before leaves for this one: "now the blue one too", "the same with the cup"."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace

from embodied.language.pddl.rules.discourse import ANY, ITEMS, Discourse
from embodied.language.pddl.rules.syntax import Sentence, Too
from embodied.language.words.cursor import Abstain
from embodied.symbolic import (
    And,
    Domain,
    Formula,
    Not,
    Or,
    Proposition,
    conjuncts,
    expanded,
    read_goal,
    read_problem,
    substitute,
)
from embodied.types import Atom, Manner, PddlProgram, Program

CLOSER_M = 0.015
"""Gap that "closer" asks for where things are next to each other."""
_BESIDE = ("near", "left", "right", "front", "back")
_MORE = r"(?:more|further|farther)"
_AGAIN = re.compile(
    r"(?:and |now |please |do (?:it|that|this) |the same )*"
    r"(?:again|once more|one more time|repeat(?: it| that)?"
    rf"|(?P<less>(?:just )?(?:a (?:little |tiny )?bit|a little|slightly|a touch|some) {_MORE})"
    rf"|(?:even )?{_MORE}(?: still)?)(?: again| please| then)*"
)
"""Asking for the same displacement or turn once more."""

_TOO_FAR = re.compile(
    r"(?:(?:too (?:far|much)|that is too (?:far|much)|oops|no) ?,? ?)+(?:and )?"
    r"(?P<half>half(?: ?way)?|a (?:little )?bit|a little|some(?: of it)?)? ?"
    r"(?:back|less)(?: again)?"
)
_CLOSER = re.compile(
    r"(?:(?:no|and|now|even|a (?:little )?bit|a little|much|still|too far) ?,? ?)*"
    r"(?:closer|nearer)(?: to it| than that| together| please)*(?: ?,? touching)?"
)

_IT = r"(?:it|that|this|them|those|these|everything|the last one)"
_BACK = re.compile(
    r"(?:(?:please|now|no|sorry|oops|wait|and|ok|okay|then|actually|so) ?,? ?)*"
    r"(?:(?:undo|revert|reverse|cancel)(?: (?:that|it|this|all of (?:it|that)|everything"
    r"|what you did|(?:the )?last (?:one|thing|move|step|instruction|action)"
    r"|(?:them )?both|both of them|the last two(?: things)?))?"
    r"|take (?:that|it|this) back"
    rf"|(?:put|move|bring|take|return|set|place) {_IT} back(?: again| as (?:it|they) (?:was|were))?"
    rf"|(?:put|move|bring|take|return|set|place) {_IT} (?:back )?(?:to )?where (?:it|they|you)"
    r" (?:was|were|came|had|got|took|found)(?: (?:from|been|before|originally|it|them|at first))*"
    r"|(?:(?:put|move|bring) )?(?:it |them )?back to where (?:it|they)"
    r" (?:started|was|were|began|came from)"
    r"|return (?:it|them))(?: please| again| then)?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Goals:
    """What a sentence asks for: goals in PDDL, how to reach each, and how words were read."""

    stages: tuple[str, ...]
    manners: tuple[Manner, ...] = ()
    notes: tuple[str, ...] = ()


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
        self._programs = [p for p in programs if p.problem]
        self.stages: tuple[Formula, ...] = tuple(read[-1]) if followed else ()
        self._about: tuple[Formula, ...] = tuple(all_of[-1]) if followed else ()
        self.earlier = _newest_last(s for stages in all_of for s in stages)

    def begin(self, discourse: Discourse) -> None:
        """Let a new sentence refer to what the program was about."""
        manners = self._last.manners if self._last is not None else ()
        discourse.spot = next((p for m in reversed(manners) for p in m.placements), None)
        discourse.earlier = tuple(n for n in self.earlier if n in discourse.scene.specs)
        for part in (p for stage in self._about for p in _true_of(stage, discourse.facts)):
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
            elif atom.predicate == "holding":
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

    def before(self, text: str, domain: Domain) -> Goals | None:
        """What takes back what the last program put somewhere, or does it again.

        Args:
            text: The sentence, words joined by spaces.
            domain: Domain of the program.

        Returns:
            The goals; None where neither is asked for.

        Raises:
            Abstain: Where exactly something was is not remembered.
        """
        last = self._last
        if last is None:
            return None
        again = _AGAIN.fullmatch(text)
        placed = [p for m in last.manners for p in m.placements]
        if again and placed and all(p.relation in ("moved", "turned") for p in placed):
            share = 0.5 if again["less"] else 1.0
            return Goals(stages=last.stages, manners=tuple(_scaled(m, share) for m in last.manners))
        far = _TOO_FAR.fullmatch(text)
        if far and placed and all(p.relation in ("moved", "turned") for p in placed):
            share = -0.5 if far["half"] else -1.0
            return Goals(stages=last.stages, manners=tuple(_scaled(m, share) for m in last.manners))
        if _CLOSER.fullmatch(text) and placed and placed[-1].relation in _BESIDE:
            if "touching" in text:
                raise Abstain("sentence", "the fingers need a gap between things", final=True)
            close = replace(placed[-1], distance_m=CLOSER_M)
            return Goals(stages=last.stages[-2:], manners=(Manner(), Manner(placements=(close,))))
        if not _BACK.fullmatch(text) or not last.problem:
            return None
        if placed and all(p.relation in ("moved", "turned") for p in placed):
            return Goals(stages=last.stages, manners=tuple(_scaled(m, -1.0) for m in last.manners))
        words = set(text.split())
        count = len(self._programs) if words & {"everything", "all"} else 1
        count = 2 if words & {"both", "two"} else count
        everything = self._programs[-count:]
        init = read_problem(everything[0].problem, domain).init
        things = self.earlier if len(everything) > 1 else self.things
        places = [
            a for name in dict.fromkeys(things) for a in self._place_before(name, init, domain)
        ]
        if any(a.args[0] == p.item and a.args[1] == "table" for a in places for p in placed):
            raise Abstain("sentence", "where exactly it was is not remembered", "name the place")
        formulas = [Proposition(a.predicate, a.args) for a in places]
        note = "undo restores what was true; places on a surface may differ"
        return Goals(stages=(str(_together(formulas)),), notes=(note,)) if formulas else None

    def _place_before(self, name: str, init: AbstractSet[Atom], domain: Domain) -> Sequence[Atom]:
        """Where a thing was; while it was in the hand, where it was before that."""
        inits = [init, *(read_problem(p.problem, domain).init for p in self._programs[::-1])]
        found = (
            [a for a in sorted(at) if a.predicate in ("on", "in") and a.args[0] == name]
            for at in inits
        )
        return next((places for places in found if places), [])

    def repeated(self, sentence: Sentence, discourse: Discourse) -> Goals | None:
        """Goals of "the same with the cup", "now the lime too"; None for other sentences.

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
        if not moved:  # "take the red one out" - "and the green one"
            moved = {
                p.body.terms[0]
                for stage in self.stages
                for p in conjuncts(stage)
                if isinstance(p, Not) and isinstance(p.body, Proposition)
                if p.body.predicate in ("on", "in") and not p.body.terms[0].startswith("?")
            }
        if len(moved) != 1:
            return None
        (before,) = moved
        names: list[str] = []
        kinds = (discourse.resolve(p, ANY).names for p in clause.theme.parts)
        if any(discourse.spec(n).kind != "item" for found in kinds for n in found):
            return None  # "I meant the crate"
        for part in clause.theme.parts:
            group = discourse.resolve(part, ITEMS)
            if group.choose is not None or group.none:
                raise Abstain(f"'{part.text}'", "it is not clear which one is meant")
            names += group.names
        manners = self._last.manners if self._last is not None else ()
        if not any(m.placements for m in manners):
            stages = [_together([_renamed(s, before, n) for n in names]) for s in self.stages]
            return Goals(stages=tuple(map(str, stages)), manners=manners)
        return Goals(
            stages=tuple(str(_renamed(s, before, n)) for n in names for s in self.stages),
            manners=tuple(_about(m, before, n) for n in names for m in manners),
        )


def _newest_last(stages: Iterable[Formula]) -> tuple[str, ...]:
    """Things that goals put somewhere, or took from somewhere; those of the last goal last."""
    found: dict[str, None] = {}
    for stage in stages:
        parts = conjuncts(stage)
        for part in parts:
            atom = part.body if isinstance(part, Not) and len(parts) < 4 else part
            if isinstance(atom, Proposition) and atom.predicate in ("on", "in", "holding"):
                found.pop(atom.terms[0], None)
                found[atom.terms[0]] = None
    return tuple(found)


def _true_of(stage: Formula, facts: AbstractSet[Atom]) -> Sequence[Formula]:
    """What a goal asked for; of alternatives, the one that is so now."""
    if not isinstance(stage, Or):
        return conjuncts(stage)
    for option in stage.parts:
        parts = conjuncts(option)
        if all(isinstance(p, Proposition) and Atom(p.predicate, p.terms) in facts for p in parts):
            return parts
    return conjuncts(stage)


def _scaled(manner: Manner, share: float) -> Manner:
    """Displacements and turns of another size."""
    placed = [
        replace(p, by_m=(share * p.by_m[0], share * p.by_m[1]), angle_rad=share * p.angle_rad)
        for p in manner.placements
    ]
    return replace(manner, placements=tuple(placed))


def _about(manner: Manner, before: str, after: str) -> Manner:
    """The same with another thing.

    Raises:
        Abstain: That thing is what the place was told by.
    """
    placed = [replace(p, item=after) for p in manner.placements if p.item == before]
    if any(after in p.of for p in placed):
        raise Abstain("sentence", "a thing cannot be beside itself", "name the place")
    return replace(manner, placements=tuple(placed))


def _renamed(formula: Formula, before: str, after: str) -> Formula:
    return substitute(formula, {before: after})


def _together(formulas: Sequence[Formula]) -> Formula:
    parts = tuple(dict.fromkeys(c for f in formulas for c in conjuncts(f)))
    return parts[0] if len(parts) == 1 else And(parts)
