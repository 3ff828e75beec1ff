"""Which phrases of a sentence go on at once, and which come after each other."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from embodied.language.reward.amending import subject
from embodied.language.reward.building import STANDING_HEIGHT_M
from embodied.language.reward.phrases import Wish
from embodied.language.words.cursor import Abstain
from embodied.types import RewardStage


def in_turn(found: Sequence[Wish], before: Sequence[list[Wish]] = ()) -> list[list[Wish]]:
    """Phrases that cannot go on at once: what has an end comes before what "and" adds.

    Args:
        found: Phrases that follow each other in one part of a sentence.
        before: Groups of the parts before it.
    """
    groups = list(before)
    for number, said in enumerate(found):
        wish = _turned_back(said, [w for g in groups for w in g]) if said.back else said
        if not groups or number == 0 and not wish.waits:
            groups.append([wish])
            continue
        last = groups[-1]
        if any((w.turn, w.travel) == (wish.turn, wish.travel) != (None, None) for w in last):
            continue  # "turn around and face the other way" is one turn
        if wish.waits:
            groups = _waiting(groups, wish)
        elif wish.asks and _after(last, wish):
            groups.append([wish])
        else:
            last.append(wish)
    return groups


def _turned_back(wish: Wish, before: Sequence[Wish]) -> Wish:
    """A turn back: the one before the other way, or half a turn."""
    turns = [w.turn for w in before if w.turn is not None]
    return replace(wish, turn=-turns[-1]) if turns else wish


def _after(group: Sequence[Wish], wish: Wish) -> bool:
    """Whether a wish comes after those of a group, not beside them."""
    if re.search(r"\b(?:with|while|but)\b", wish.joined):
        return False
    if any(w.turn is not None or w.travel is not None for w in group):
        return bool(wish.essential or wish.turn is not None or wish.travel is not None)
    going = any(w.moves for w in group)
    posed = any(w.pose for w in group)
    if wish.pose and going or wish.moves and posed:
        return True
    if wish.pose and _different(group, wish):
        return True
    ended = any(w.seconds is not None for w in group)
    return ended and bool(wish.essential) and (going or posed)


def _different(group: Sequence[Wish], wish: Wish) -> bool:
    """Whether a pose asks for something else of the same subject."""
    asked = {subject(t): t.parameters for w in group for t in w.essential}
    return any(asked.get(subject(t), t.parameters) != t.parameters for t in wish.essential)


def _waiting(groups: list[list[Wish]], wish: Wish) -> list[list[Wish]]:
    """Waiting goes on with a pose; after a walk or a turn it is standing still."""
    *before, last = groups
    if any(w.moves for w in last):
        return [*groups, [wish]]
    if wish.seconds is None:
        return groups
    more = wish.seconds + sum(w.seconds or 0.0 for w in last)
    return [*before, [*(replace(w, seconds=None) for w in last), Wish(seconds=more)]]


def ambiguous(texts: Sequence[str]) -> None:
    """Refuse "turn around and walk back": backwards, or the way that it came?

    Raises:
        Abstain: Where a sentence says so.
    """
    whole = " ; ".join(texts)
    found = re.search(
        r"turn (?:180 deg|around|round)\b.*?\b((?:walk|go|run|trot|move) back)\b(?! paw)", whole
    )
    if found:
        problem = "after a turn around this may be backwards, or the way it came"
        raise Abstain(f"'{found[1]}'", problem, "say forward or backward", final=True)


def gradual(
    stages: list[tuple[RewardStage, tuple[str, ...]]],
    found: Sequence[Wish],
    before: Sequence[tuple[RewardStage, tuple[str, ...]]],
) -> list[tuple[RewardStage, tuple[str, ...]]]:
    """A height that is to be reached over a time, in steps of it from the height before."""
    over = next((w.over for w in found if w.over is not None), None)
    heights = [t for t in stages[-1][0].terms if t.name == "torso_height"] if stages else []
    if over is None or not heights:
        return stages
    last, notes = stages[-1]
    earlier = [t for s, _ in before for t in s.terms if t.name == "torso_height"]
    begin = float(earlier[-1].parameters["height"]) if earlier else STANDING_HEIGHT_M
    end, count = float(heights[0].parameters["height"]), max(round(over), 1)
    steps: list[tuple[RewardStage, tuple[str, ...]]] = []
    for k in range(1, count + 1):
        height = round(begin + (end - begin) * k / count, 4)
        term = replace(heights[0], parameters={"height": height})
        terms = tuple(term if t.name == "torso_height" else t for t in last.terms)
        steps.append((replace(last, terms=terms, duration_s=round(over / count, 3)), ()))
    note = f"over {over:g} s: in {count} steps"
    return [*stages[:-1], *steps, (last, (*notes, note))]


_EACH_PAW = re.compile(
    r"(?:lift|pick up)(?: up)? (?:each|every|all)(?: of| 4)* paws?(?: (?:in turn|1 after (?:other"
    r"|another)|1 by 1|separately))+|(?:lift|pick up) (?:each|every) paw"
)


def each_paw(texts: list[str]) -> list[str]:
    """``lift each paw in turn``: one after the other."""
    found: list[str] = []
    for text in texts:
        each = _EACH_PAW.match(text)
        order = ("front left", "front right", "rear right", "rear left")
        found += [f"lift {foot} paw{text[each.end() :]}" for foot in order] if each else [text]
    return found
