"""Moves that do what a sentence demands, worked out from any description of a state."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction

from embodied.bench.statler.language import Balance, Put, Sentence, meant
from embodied.bench.statler.world import TABLE, BlockWorld
from embodied.memory import Linear, Quantities
from embodied.memory.selection import State, pointed_at, the
from embodied.types import Atom

Sign = Callable[[Mapping[str, Fraction]], int | None]
"""Sign of a weighted sum of blocks' weights; None where what is known does not settle it."""

_MAX_TRIES = 20_000


def put_moves(sentence: Put, state: State) -> tuple[tuple[str, str], ...]:
    """Moves for "put these there": what is in the way goes to the table first.

    Raises:
        NotUnderstoodError: A reference points to nothing or to several things.
    """
    names, to = meant(sentence, state)
    wanted = [n for n in names if state.place(n) != to]
    covering = [b for n in wanted for b in state.contents(n) if b not in wanted]
    if not wanted or state.scene.specs[to].kind != "item":
        order = _from_the_top([*covering, *wanted], state)
        return tuple((b, to if b in wanted else TABLE) for b in order)
    # a block takes one block: it is cleared first, and what is wanted waits beside where need be
    on_target = state.contents(to)
    waiting = [n for n in wanted if n in on_target]
    order = _from_the_top([*covering, *on_target, *waiting], state)
    return (*((b, TABLE) for b in order), *((n, to) for n in wanted))


def _from_the_top(blocks: Sequence[str], state: State) -> list[str]:
    """Each block once, before those that carry it."""
    return sorted(dict.fromkeys(blocks), key=lambda b: len(state.contents(b)))


def balance_moves(sentence: Balance, state: State, sign: Sign) -> tuple[tuple[str, str], ...]:
    """Moves after which the totals are as demanded, as few as possible; none when none is known to.

    Only blocks that nothing rests on are put in or taken out. Where as many blocks as possible are
    asked for, the most that are known to do.

    Args:
        sentence: The demand.
        state: Where things are.
        sign: What is known of weights.

    Raises:
        NotUnderstoodError: A reference points to nothing or to several things.
    """
    places, other = places_of(sentence, state)
    for moves in _candidates(sentence, state, places, other):
        if as_demanded(sentence, state, dict(moves), sign):
            return moves
    return ()


def places_of(sentence: Balance, state: State) -> tuple[tuple[str, ...], str]:
    """Where blocks are put in or taken out, and what the first of them is compared with."""
    places = tuple(n for p in sentence.places for n in the(p, state))
    return places, the(sentence.other, state)[0]


def as_demanded(sentence: Balance, state: State, moves: Mapping[str, str], sign: Sign) -> bool:
    """Whether the totals are known to be as demanded after some moves of uncovered blocks."""
    (first, *_), other = places_of(sentence, state)
    total: dict[str, Fraction] = {}
    for place, factor in ((first, Fraction(1)), (other, -sentence.factor)):
        inside = {b for b in state.contents(place) if b not in moves}
        for block in inside | {b for b, to in moves.items() if to == place}:
            total[block] = total.get(block, Fraction(0)) + factor
    known = sign({b: c for b, c in total.items() if c})
    wanted = {"=": (0,), "<": (-1,), ">": (1,), "<=": (-1, 0), ">=": (0, 1)}[sentence.relation]
    return known in wanted


def _candidates(
    sentence: Balance, state: State, places: Sequence[str], other: str
) -> Iterator[tuple[tuple[str, str], ...]]:
    """Sets of moves to try, the most wanted first."""
    items = [n for n in state.scene.items if not state.contents(n)]
    if sentence.what is not None:
        allowed = pointed_at(sentence.what, state)
        items = [n for n in items if n in allowed]
    inside = {n: p for p in (*places, other) for n in state.contents(p)}
    options: dict[str, tuple[str, ...]] = {}
    for name in items:
        if name not in inside:
            options[name] = tuple(places) if sentence.put_in else ()
        elif inside[name] in places:
            options[name] = (TABLE,) if sentence.take_out else ()
    movable = [n for n, to in options.items() if to]
    sizes = range(len(movable) + 1)
    if sentence.count is not None:
        sizes = range(sentence.count, sentence.count + 1)
    tries = 0
    for size in reversed(sizes) if sentence.most else sizes:
        for chosen in itertools.combinations(movable, size):
            for to in itertools.product(*(options[n] for n in chosen)):
                tries += 1
                if tries > _MAX_TRIES:
                    return
                yield tuple(zip(chosen, to, strict=True))


def sign_of(quantities: Quantities) -> Sign:
    """What relations between weights say of the sign of a sum."""

    def sign(total: Mapping[str, Fraction]) -> int | None:
        terms = {Atom("weight", (n,)): c for n, c in total.items()}
        rest = quantities.reduced(Linear(terms=terms))
        signs = {1 if c > 0 else -1 for c in rest.terms.values()}
        if rest.constant:
            signs.add(-1 if rest.constant > 0 else 1)
        if len(signs) > 1:
            return None
        return signs.pop() if signs else 0

    return sign


def true_sign(world: BlockWorld) -> Sign:
    """The sign of a sum by the true weights."""

    def sign(total: Mapping[str, Fraction]) -> int:
        value = sum((c * world.weights[n] for n, c in total.items()), Fraction(0))
        return (value > 0) - (value < 0)

    return sign


def plan_moves(sentence: Sentence, world: BlockWorld) -> tuple[tuple[str, str], ...]:
    """Moves for a sentence, made with full knowledge of the true state."""
    if isinstance(sentence, Put):
        return put_moves(sentence, world)
    if isinstance(sentence, Balance):
        return balance_moves(sentence, world, true_sign(world))
    return ()
