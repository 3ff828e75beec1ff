"""Judges a turn by its consequences in the simulator, and the published expectations by physics.

What a sentence demands is worked out in the true state before it: which blocks must end where, and
which may have been moved to make room. Any moves that lead there count. The published moves and
answers are held against the same demand; where they do not meet it, they are listed.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from scipy.cluster.hierarchy import DisjointSet

from embodied.bench.statler.data import Episode, Step
from embodied.bench.statler.language import (
    Balance,
    Put,
    Sentence,
    affected,
    meant,
    names_in,
    place_of,
    read_sentence,
    words_of,
)
from embodied.bench.statler.moves import as_demanded, places_of, plan_moves, true_sign
from embodied.bench.statler.world import TABLE, UNDETERMINED, BlockWorld, Impossible
from embodied.errors import NotUnderstoodError
from embodied.language.words.amounts import NUMBERS
from embodied.memory.questions import Question
from embodied.memory.selection import pointed_at, the
from embodied.memory.statements import Statement

Moves = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """What must be so after a turn.

    Attributes:
        places: Where blocks must end.
        free: Blocks that may have been moved out of the way, to wherever.
        balance: Totals that must be equal, with what may be moved.
        say: The true answer; None when nothing is asked.
    """

    places: Mapping[str, str] = field(default_factory=dict[str, str])
    free: frozenset[str] = frozenset()
    balance: Balance | None = None
    say: tuple[str, ...] | None = None

    def unmet(self, before: BlockWorld, after: BlockWorld) -> tuple[str, ...]:
        """What is not as demanded, one sentence each; empty when all is."""
        if self.balance is not None:
            return _unbalanced(self.balance, before, after)
        found = [
            f"{b} is on {after.under[b]}, not {p}"
            for b, p in self.places.items()
            if after.under[b] != p
        ]
        found += [
            f"{b} was moved to {after.under[b]} without need"
            for b in after.blocks
            if b not in self.places and b not in self.free and after.under[b] != before.under[b]
        ]
        return tuple(found)


def demand_of(sentence: Sentence, world: BlockWorld) -> Demand:
    """What a sentence demands in a state.

    Raises:
        NotUnderstoodError: A reference points to nothing or to several things.
    """
    match sentence:
        case Put():
            names, place = meant(sentence, world)
            free = {b for n in names if world.under[n] != place for b in world.contents(n)}
            if place in world.blocks and any(world.under[n] != place for n in names):
                free.update(world.contents(place))
            return Demand(places=dict.fromkeys(names, place), free=frozenset(free - set(names)))
        case Balance():
            return Demand(balance=sentence)
        case Question():
            return Demand(say=world.answer(sentence))
        case _:
            return Demand()


def happen(sentence: Sentence, world: BlockWorld, spoken: Collection[str]) -> None:
    """What a sentence says has happened, or is so.

    Args:
        sentence: The sentence.
        world: Where.
        spoken: Blocks whose state was spoken of before; "the other blocks" are the rest.
    """
    if not isinstance(sentence, Statement):
        return
    names, where = affected(sentence, world, spoken), place_of(sentence)
    for block in sorted(names, key=lambda b: len(world.contents(b))):
        if where is not None and where.other is not None:
            (place,) = the(where.other, world)
            world.move(block, place)
        for word in words_of(sentence):
            world.tell(block, word)


def _unbalanced(balance: Balance, before: BlockWorld, after: BlockWorld) -> tuple[str, ...]:
    places, other = places_of(balance, before)
    moved = [b for b in after.blocks if after.under[b] != before.under[b]]
    found: list[str] = []
    if not as_demanded(balance, after, {}, true_sign(after)):
        left, right = after.total(places[0]), after.total(other)
        factor = "" if balance.factor == 1 else f"{balance.factor} times "
        found.append(f"{places[0]} holds {left}, not {balance.relation} {factor}{right} in {other}")
    for block in moved:
        was, now = before.under[block], after.under[block]
        put_in = any(block in after.contents(p) for p in places)
        taken = any(block in before.contents(p) for p in places)
        if put_in and not taken and not balance.put_in:
            found.append(f"{block} was put in")
        elif taken and not put_in and not balance.take_out:
            found.append(f"{block} was taken out")
        elif taken and not put_in and now != TABLE:
            found.append(f"{block} was not put on the table")
        elif not put_in and not taken:
            found.append(f"{block} was moved from {was} to {now} without need")
    if balance.what is not None:
        allowed = pointed_at(balance.what, before)
        found += [f"{b} was moved" for b in moved if b not in allowed]
    if balance.most and len(moved) < (most := len(plan_moves(balance, before))):
        found.append(f"{len(moved)} were moved, and {most} can be")
    if balance.count is not None and len(moved) != balance.count:
        found.append(f"{len(moved)} were moved, not {balance.count}")
    return tuple(found)


# ------------------------------------------------------------------ beliefs


@dataclass(frozen=True, slots=True, kw_only=True)
class Belief:
    """What a method holds true.

    Attributes:
        under: What each block rests on; missing when it is not known.
        state: ``"dirty"``, ``"clean"`` or ``"undetermined"`` of each block.
        ratios: Weight of the first in units of the second, for the pairs that were asked for.
    """

    under: Mapping[str, str]
    state: Mapping[str, str]
    ratios: Mapping[tuple[str, str], Fraction | None] = field(
        default_factory=dict[tuple[str, str], "Fraction | None"]
    )


def compare(belief: Belief, world: BlockWorld, groups: DisjointSet) -> tuple[int, list[str]]:
    """Hold a belief against the truth.

    Args:
        belief: The belief.
        world: The truth.
        groups: Blocks whose weights are related by what was said; others cannot be known.

    Returns:
        How many statements were compared, and those that are wrong.
    """
    wrong: list[str] = []
    for block in world.blocks:
        if belief.under.get(block) != world.under[block]:
            wrong.append(f"{block} on {belief.under.get(block)}, truly {world.under[block]}")
        if belief.state.get(block, UNDETERMINED) != world.state[block]:
            wrong.append(f"{block} {belief.state.get(block)}, truly {world.state[block]}")
    for (x, y), ratio in belief.ratios.items():
        truth = world.weights[x] / world.weights[y] if groups.connected(x, y) else None
        if ratio != truth:
            wrong.append(f"{x}/{y} = {ratio}, truly {truth}")
    return 2 * len(world.blocks) + len(belief.ratios), wrong


# ------------------------------------------------------- published expectations


@dataclass(frozen=True, slots=True, kw_only=True)
class Flaw:
    """Something amiss in a published episode.

    Attributes:
        episode: Which one.
        step: Turn, from 0; -1 for the initial state.
        kind: ``"covered"`` (a move that physics forbids), ``"unknown"`` (a name that does not
            exist), ``"moves"`` (they do not do what was asked), ``"answer"`` (it is not true or
            missing), ``"state"``, or ``"unread"`` (the sentence; the rest is not looked at).
        text: What is amiss.
    """

    episode: str
    step: int
    kind: str
    text: str


def audit(episode: Episode) -> tuple[Flaw, ...]:
    """Hold the published moves and answers of an episode against physics and the sentences.

    After each turn the world is brought to what the sentence demands, in a physically possible way,
    so that one flaw does not cause others.
    """
    world = BlockWorld(episode.names, episode.weights)
    flaws = [Flaw(episode=episode.id, step=-1, kind="state", text=o) for o in episode.oddities]
    spoken: set[str] = set()
    for number, step in enumerate(episode.steps):
        try:
            sentence = read_sentence(step.query, world.names())
            happen(sentence, world, spoken)
            spoken.update(names_in(step.query) if isinstance(sentence, Statement) else ())
            demand = demand_of(sentence, world)
        except (NotUnderstoodError, Impossible) as error:
            text = f"'{step.query}': {error}"
            flaws.append(Flaw(episode=episode.id, step=number, kind="unread", text=text))
            break
        found = [*_impossible_moves(step, world), *_wrong_moves(step, world, demand)]
        found += _wrong_answer(step, demand)
        flaws += [Flaw(episode=episode.id, step=number, kind=k, text=t) for k, t in found]
        for block, place in plan_moves(sentence, world):
            world.move(block, place)
    return tuple(flaws)


def _impossible_moves(step: Step, world: BlockWorld) -> list[tuple[str, str]]:
    """The published moves that cannot be made; a block that is moved anyway drags nothing along."""
    found: list[tuple[str, str]] = []
    trial = world.copy()
    for block, place in step.moves:
        try:
            trial.move(block, place)
        except Impossible as error:
            exists = block in trial.blocks and place in trial.names()
            found.append(("covered" if exists else "unknown", f"{block} to {place}: {error}"))
            if exists:
                trial.under[block] = place
    return found


def _wrong_moves(step: Step, world: BlockWorld, demand: Demand) -> list[tuple[str, str]]:
    after = world.copy()
    for block, place in step.moves:
        if block in after.blocks and place in after.names():
            after.under[block] = place
        else:
            return []  # listed as unknown
    if any(b in _towers_above(after, b) for b in after.blocks):
        return [("moves", f"'{step.query}': two blocks would rest on each other")]
    return [("moves", f"'{step.query}': {text}") for text in demand.unmet(world, after)]


def _towers_above(world: BlockWorld, block: str) -> set[str]:
    found: set[str] = set()
    place = world.under[block]
    while place in world.blocks and place not in found:
        found.add(place)
        place = world.under[place]
    return found


def _wrong_answer(step: Step, demand: Demand) -> list[tuple[str, str]]:
    if demand.say is None:
        return [("answer", f"'{step.query}' is no question")] if step.say else []
    if same_answer(step.say, demand.say):
        return []
    truth = ", ".join(demand.say) or "nothing"
    given = ", ".join(step.say) or "no answer"
    return [("answer", f"'{step.query}': {given}; truly {truth}")]


def same_answer(given: Sequence[str], truth: Sequence[str]) -> bool:
    """Whether two answers mean the same; "blue" stands for "blue block", "two blocks" for 2."""
    if len(truth) == 1 and truth[0].isdigit():
        return len(given) == 1 and _number(given[0]) == int(truth[0])
    return _meaning(given) == _meaning(truth)


def _number(text: str) -> int | None:
    """The number that an answer begins with, as "there are two blocks in the bowl" does."""
    for word in re.findall(r"[a-z]+|\d+", text.lower()):
        if word in ("no", "none", "nothing"):
            return 0
        if word.isdigit() or word in NUMBERS:
            return int(word) if word.isdigit() else NUMBERS[word]
    return None


def _meaning(words: Sequence[str]) -> set[str]:
    found: set[str] = set()
    for word in words:
        text = word.lower().replace("-", " ").strip()
        if match := re.match(r"(yes|no)\b(?! )|(yes|no) \(", text):
            found.add(match[1] or match[2])
            continue
        parts = re.findall(r"[a-z]+(?: [a-z]+)*", text)
        found.update(p.removesuffix(" block").strip() for p in parts)
    return found - {"nothing", ""}
