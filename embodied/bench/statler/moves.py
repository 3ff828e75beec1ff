"""Moves that do what a sentence demands, worked out from any description of a state."""

from __future__ import annotations

from collections.abc import Sequence

from embodied.bench.statler.language import Balance, Put, Sentence, State, resolve
from embodied.bench.statler.world import TABLE, BlockWorld
from embodied.memory import Linear, Quantities
from embodied.types import Atom


def put_moves(sentence: Put, state: State) -> tuple[tuple[str, str], ...]:
    """Moves for "put these there": what is in the way goes to the table first.

    Raises:
        NotUnderstoodError: A reference points to nothing or to several things.
    """
    names = [n for reference in sentence.what for n in resolve(reference, state)]
    (to,) = resolve(sentence.to, state)
    wanted = [n for n in dict.fromkeys(names) if state.place(n) != to]
    covering = [b for n in wanted for b in state.contents(n) if b not in wanted]
    if not wanted or not state.is_block(to):
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


def balance_moves(
    sentence: Balance, state: State, blocks: Sequence[str], quantities: Quantities
) -> tuple[tuple[str, str], ...]:
    """Moves that make two totals equal, as few as possible; none when no set is known to.

    Only blocks that nothing rests on are put in or taken out.
    """
    inside = [b for b in state.contents(sentence.bowl) if state.is_block(b)]
    other = [b for b in state.contents(sentence.other) if state.is_block(b)]
    choice = [b for b in inside if sentence.take_out and not state.contents(b)]
    if sentence.put_in:
        outside = (b for b in blocks if b not in inside and b not in other)
        choice += [b for b in outside if not state.contents(b)]
    sets = quantities.balancing(_weights(inside), _weights(other), _weights(choice))
    toggled = next(sets, ())
    names = [x.args[0] for x in toggled]
    return tuple((b, TABLE if b in inside else sentence.bowl) for b in names)


def plan_moves(sentence: Sentence, world: BlockWorld) -> tuple[tuple[str, str], ...]:
    """Moves for a sentence, made with full knowledge of the true state."""
    if isinstance(sentence, Put):
        return put_moves(sentence, world)
    if isinstance(sentence, Balance):
        known = Quantities()
        for block in world.blocks:
            known = known.learned(Linear.value(Atom("weight", (block,)), world.weights[block]))
        return balance_moves(sentence, world, world.blocks, known)
    return ()


def _weights(names: Sequence[str]) -> list[Atom]:
    return [Atom("weight", (n,)) for n in names]
