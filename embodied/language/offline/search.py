"""More readings of a sentence than the first: best-first search beside the greedy answer.

Taking the likeliest legal token each time need not end in the likeliest answer: the grammar may
leave only unlikely words behind a likely one. At each place of an answer the model also says which
other tokens it thought of. The likeliest of those that the grammar allows is written instead, and
the answer continued greedily from there; what stood before is not computed again. The probability
of a beginning bounds that of all its answers from above, so once no beginning is as likely as the
best answer found, there is no better one (A* with the probability so far, as in Och, Ueffing and
Ney, 2001, "An efficient A* search algorithm for statistical machine translation").
"""

from __future__ import annotations

import heapq
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from embodied.language.offline.answer import Answer, AnswersSlots, Step
from embodied.language.offline.grammar import Grammar, Rests

WANTED = 20.0
"""A beginning with a wanted word is followed as if it were so many times likelier."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How long to look.

    Attributes:
        readings: Most readings besides the first.
        tokens: No further reading is begun once so many tokens were written besides the first's.
        ratio: Beginnings less likely than this share of the best answer are not followed.
    """

    readings: int = 6
    tokens: int = 40
    ratio: float = 0.02


@dataclass(order=True, slots=True)
class _Branch:
    """A beginning that was not followed yet; the likeliest comes first, or one that is wanted."""

    order: float
    number: int
    cost: float = field(compare=False)
    steps: tuple[Step, ...] = field(compare=False)
    rests: Rests = field(compare=False)


def readings(
    model: AnswersSlots,
    prompt: str,
    grammar: Grammar,
    first: Answer,
    effort: Effort,
    wanted: frozenset[str] = frozenset(),
) -> tuple[Answer, ...]:
    """The first answer and others of the same prompt and grammar, in the order found.

    Args:
        model: Who is asked.
        prompt: The prompt that the first answer continues.
        grammar: Its grammar.
        first: The greedy answer, with its steps; without them it is the only one.
        effort: How long to look.
        wanted: Words that the first answer should have had: where one of them can begin, that is
            looked into first.
    """
    found = [first]
    if not first.complete or not first.steps:
        return (first,)
    end = first.steps[-1].token.id
    numbers = itertools.count()
    queue: list[_Branch] = []
    _beside(queue, numbers, grammar, first.steps, 0, end, wanted)
    written = 0
    best = _log_probability(first.steps)
    while queue and len(found) <= effort.readings and written < effort.tokens:
        branch = heapq.heappop(queue)
        if -branch.order < best + math.log(effort.ratio):
            break
        answer = _followed(model, prompt, grammar, branch, end)
        if not answer.complete:
            continue
        written += len(answer.steps) - len(branch.steps)
        _beside(queue, numbers, grammar, answer.steps, len(branch.steps), end, wanted)
        best = max(best, _log_probability(answer.steps))
        found.append(answer)
    return tuple(found)


def _followed(
    model: AnswersSlots, prompt: str, grammar: Grammar, branch: _Branch, end: int
) -> Answer:
    """The whole answer that a beginning leads to."""
    said = "".join(s.token.text for s in branch.steps)
    if branch.steps[-1].token.id == end:
        return Answer(
            slots=said.strip(),
            confidence=math.exp(-branch.cost),
            complete=True,
            latency_s=0.0,
            input_tokens=0,
            cached_tokens=0,
            output_tokens=0,
            steps=branch.steps,
        )
    answer = model.answer(
        prompt,
        grammar.continued(branch.rests).gbnf(),
        written=[s.token.id for s in branch.steps],
    )
    steps = (*branch.steps, *answer.steps)
    return replace(
        answer,
        slots="".join(s.token.text for s in steps).strip(),
        confidence=math.exp(_log_probability(steps)),
        steps=steps,
    )


def _beside(
    queue: list[_Branch],
    numbers: itertools.count[int],
    grammar: Grammar,
    steps: tuple[Step, ...],
    start: int,
    end: int,
    wanted: frozenset[str],
) -> None:
    """Queue every legal beginning that leaves these steps at ``start`` or later."""
    rests = grammar.after("".join(s.token.text for s in steps[:start]))
    cost = -_log_probability(steps[:start])
    for k in range(start, len(steps)):
        for other in steps[k].others:
            if other.id == end:
                legal, left = grammar.may_end(rests), frozenset[tuple[str, ...]]()
            else:
                left = grammar.after(other.text, rests) if other.text else frozenset()
                legal = bool(left)
            if legal:
                beginning = (*steps[:k], Step(other))
                own = cost - other.log_probability
                begun = other.text.strip()
                hoped = bool(begun) and any(w.startswith(begun) for w in wanted)
                order = own - (math.log(WANTED) if hoped else 0.0)
                branch = _Branch(order, next(numbers), own, beginning, left)
                heapq.heappush(queue, branch)
        rests = grammar.after(steps[k].token.text, rests)
        cost -= steps[k].token.log_probability


def _log_probability(steps: Sequence[Step]) -> float:
    return sum(s.token.log_probability for s in steps)
