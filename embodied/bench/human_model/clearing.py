"""Clearing a table in front of a person who may step in: trust as a part of the plan.

After Zhang and Soh 2023 (arXiv 2303.03548) and the study they build on, Chen et al. 2018
(arXiv 1801.04099): a capable robot loses something whenever the person steps in, and people step in
when they trust the robot less than the thing is at risk. Trust grows with what they have seen. The
best order is found exactly, over sets of things:

    V(left, seen) = max_i  p_i V(left - i, seen) + (1 - p_i) (value_i + V(left - i, seen + i))

where p_i is what the human model predicts. Values here are ours, not the study's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from embodied.bench.human_model.model import Encounter, HumanModel


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    """Something on the table.

    Attributes:
        name: What it is called.
        risk: How bad a failure would be, 0 to 1.
        value: What is gained when the robot clears it itself; nothing when the person steps in.
    """

    name: str
    risk: float
    value: float


_Case: TypeAlias = tuple[frozenset[Thing], tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Clearing:
    """A table to clear.

    Attributes:
        things: What is on it.
        human: Predicts the person.
    """

    things: tuple[Thing, ...]
    human: HumanModel
    _known: dict[_Case, tuple[float, Thing | None]] = field(
        init=False,
        default_factory=dict["_Case", "tuple[float, Thing | None]"],
        repr=False,
        compare=False,
    )

    def best(
        self, left: frozenset[Thing] | None = None, seen: tuple[str, ...] = ()
    ) -> tuple[float, Thing | None]:
        """Expected gain of the best order from here, and what to clear first."""
        rest = frozenset(self.things) if left is None else left
        return self._best(rest, seen)

    def greedy(self, left: frozenset[Thing]) -> Thing:
        """The choice of a planner that forgets the person: the most valuable thing."""
        return max(left, key=lambda t: (t.value, t.name))

    def expected(self, order: Sequence[Thing], seen: tuple[str, ...] = ()) -> float:
        """Expected gain of a fixed order; a thing the person clears teaches nothing."""
        if not order:
            return 0.0
        thing, rest = order[0], order[1:]
        p = self._stepping_in(thing, seen)
        went_on = thing.value + self.expected(rest, (*seen, thing.name))
        return p * self.expected(rest, seen) + (1.0 - p) * went_on

    def play(
        self, rng: np.random.Generator, *, trusting: bool, planner: Clearing | None = None
    ) -> tuple[float, int]:
        """One clearing with a person drawn from this human model.

        Args:
            rng: Decides what the person does.
            trusting: Choose by ``best``; otherwise by ``greedy``.
            planner: Whose human model the choice is made by; this one's own if None.

        Returns:
            What was gained, and how often the person stepped in.
        """
        left, seen = frozenset(self.things), ()
        gained, stepped_in = 0.0, 0
        while left:
            chooser = planner or self
            thing = chooser.best(left, seen)[1] if trusting else self.greedy(left)
            assert thing is not None
            left = left - {thing}
            if rng.random() < self._stepping_in(thing, seen):
                stepped_in += 1
            else:
                gained += thing.value
                seen = (*seen, thing.name)
        return gained, stepped_in

    # ----------------------------------------------------------------- private

    def _stepping_in(self, thing: Thing, seen: tuple[str, ...]) -> float:
        return self.human.intervenes(Encounter(item=thing.name, risk=thing.risk, seen=seen))

    def _best(self, left: frozenset[Thing], seen: tuple[str, ...]) -> tuple[float, Thing | None]:
        if not left:
            return 0.0, None
        if (left, seen) not in self._known:
            options: list[tuple[float, str, Thing]] = []
            for thing in left:
                p = self._stepping_in(thing, seen)
                rest = left - {thing}
                lost = self._best(rest, seen)[0]
                won = thing.value + self._best(rest, (*seen, thing.name))[0]
                options.append((p * lost + (1.0 - p) * won, thing.name, thing))
            value, _, thing = max(options, key=lambda o: (o[0], o[1]))
            self._known[left, seen] = value, thing
        return self._known[left, seen]
