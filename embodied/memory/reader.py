"""The reader: what follows from a memory, and the part of it that a question is about."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from embodied.memory.facts import Fact
from embodied.memory.memory import Memory
from embodied.memory.vocabulary import AT, DERIVED, HOLDING, IN, ON, UNDER
from embodied.types import Atom

_CHARACTERS_PER_TOKEN = 3.5


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """The part of a memory that is shown to a translator or a model.

    Attributes:
        text: One fact a line, the most relevant first; says how many were left out.
        facts: What is shown.
        left_out: Facts that are believed and not shown.
        tokens: Estimated length of ``text`` in tokens.
    """

    text: str
    facts: tuple[Fact, ...]
    left_out: int
    tokens: int


class Reader:
    """Answers questions about one memory.

    Args:
        memory: What is believed.
    """

    def __init__(self, memory: Memory) -> None:
        self.memory = memory

    def holds(self, text: str) -> bool:
        """Whether a predicate is believed to hold, e.g. ``"(dirty red-block)"``."""
        fact = self.memory.fact(Atom.parse(text))
        return fact is not None and fact.value is True

    def those(self, predicate: str) -> tuple[str, ...]:
        """Objects of which a predicate of one argument holds, sorted."""
        found = (a.args[0] for a in self.memory.beliefs if a.predicate == predicate)
        return tuple(sorted(found))

    def place(self, name: str) -> str | None:
        """What an object rests directly on or in; None when that is not known."""
        for predicate in (ON, IN, AT):
            if name in self._links[predicate]:
                return self._links[predicate][name]
        return None

    def over(self, name: str) -> str | None:
        """The cover that hides an object."""
        for atom in self.memory.beliefs:
            if atom.predicate == UNDER and atom.args[0] == name:
                return atom.args[1]
        return None

    def held(self) -> str | None:
        """What is in the hand."""
        names = self.those(HOLDING)
        return names[0] if names else None

    def whereabouts(self, name: str) -> tuple[str, ...]:
        """The chain of places from an object outwards: what is hidden is where its cup is."""
        cover = self.over(name)
        chain = [cover] if cover else []
        place = self.place(cover or name)
        while place is not None and place not in chain:
            chain.append(place)
            place = self.place(place)
        return tuple(chain)

    def directly_on(self, name: str) -> tuple[str, ...]:
        """What rests directly on or in an object, sorted."""
        return tuple(sorted(self._carried.get(name, ())))

    def contents(self, name: str) -> tuple[str, ...]:
        """Everything that rests on or in an object, directly or not, the lowest first."""
        found: list[str] = []
        todo = list(self.directly_on(name))
        while todo:
            x = todo.pop(0)
            if x not in found:
                found.append(x)
                todo += self.directly_on(x)
        return tuple(found)

    def height(self, name: str) -> Fraction | None:
        """How high an object stands, in objects; None when that is not known.

        The floor of a container is taken to be as high as the table: what counts is what an object
        stands on.
        """
        chain = self.whereabouts(name)
        if not chain:
            return None
        return Fraction(sum(map(self.memory.vocabulary.can_be_on_top, chain)))

    def highest(self, names: Iterable[str]) -> tuple[str, ...]:
        """Those of some objects that stand highest."""
        heights = {n: h for n in names if (h := self.height(n)) is not None}
        top = max(heights.values(), default=None)
        return tuple(sorted(n for n, h in heights.items() if h == top))

    def ratio(self, quantity: str, x: str, y: str) -> Fraction | None:
        """A quantity of ``x`` in units of that of ``y``; None when that is not determined."""
        return self.memory.quantities.ratio(Atom(quantity, (x,)), Atom(quantity, (y,)))

    def view(self, about: Collection[str], *, budget_tokens: int) -> View:
        """The facts that matter for some objects, within a budget of tokens.

        Nearest first: facts about the objects themselves, then about what these are related to, and
        so on; at equal distance the latest first. Static and derived facts come last.

        Args:
            about: Names; none means everything, the latest first.
            budget_tokens: Longest text, estimated at 3.5 characters a token.
        """
        distance = self._distances(about)
        far = len(self.memory.vocabulary.objects) + 1
        v = self.memory.vocabulary

        def rank(fact: Fact) -> tuple[bool, int, float, Atom]:
            atom = fact.atom
            dull = atom.predicate in DERIVED or v.is_static(atom.predicate)
            nearest = min((distance.get(n, far) for n in atom.args), default=0)
            return dull, nearest, -fact.time_s, atom

        ranked = sorted(self.memory.beliefs.values(), key=rank)
        lines = [f"{f}  ; {f.provenance.value} at {f.time_s:g} s" for f in ranked]
        lines += [f"{row}  ; worked out" for row in self.memory.quantities.rows.values()]
        note = "; {} more facts are believed"
        room = budget_tokens * _CHARACTERS_PER_TOKEN - len(note) - 3
        kept: list[str] = []
        for line in lines:
            room -= len(line) + 1
            if room < 0:
                break
            kept.append(line)
        left_out = len(lines) - len(kept)
        text = "\n".join([*kept, note.format(left_out)] if left_out else kept)
        return View(
            text=text,
            facts=tuple(ranked[: len(kept)]),
            left_out=left_out,
            tokens=estimate_tokens(text),
        )

    @cached_property
    def _links(self) -> Mapping[str, Mapping[str, str]]:
        links: dict[str, dict[str, str]] = {ON: {}, IN: {}, AT: {}}
        places = self.memory.vocabulary.places
        for atom in self.memory.beliefs:
            if atom.predicate in places:
                links[atom.predicate][atom.args[0]] = atom.args[1]
        return links

    @cached_property
    def _carried(self) -> Mapping[str, Sequence[str]]:
        carried: defaultdict[str, list[str]] = defaultdict(list)
        for links in self._links.values():
            for x, y in links.items():
                if x not in carried[y]:
                    carried[y].append(x)
        return carried

    def _distances(self, about: Collection[str]) -> dict[str, int]:
        """Steps from the named objects to every other along what is believed."""
        neighbours: defaultdict[str, set[str]] = defaultdict(set)
        for atom in self.memory.beliefs:
            if atom.predicate in DERIVED or self.memory.vocabulary.is_static(atom.predicate):
                continue
            for name in atom.args:
                neighbours[name].update(atom.args)
        distance = dict.fromkeys(about, 0)
        todo = list(distance)
        while todo:
            x = todo.pop(0)
            for y in neighbours[x]:
                if y not in distance:
                    distance[y] = distance[x] + 1
                    todo.append(y)
        return distance


def estimate_tokens(text: str) -> int:
    """Rough length of a text in tokens; models differ, budgets leave room for that."""
    return int(len(text) / _CHARACTERS_PER_TOKEN) + 1 if text else 0
