"""A language model small enough to be checked by hand: a table of what follows what."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from embodied.language.offline.answer import Answer, Step, Token
from embodied.language.offline.grammar import Grammar, Rests

END = 0


class ToyModel:
    """Writes the likeliest legal token each time; keeps what it was asked.

    Args:
        grammar: Of whole answers.
        follows: For a text so far the share of each token behind it; the last ``share`` of 1 goes
            to nothing. ``""`` is the end. Texts that are not listed end for certain.
    """

    def __init__(self, grammar: Grammar, follows: Mapping[str, Mapping[str, float]]) -> None:
        self.grammar = grammar
        self.follows = follows
        pieces = sorted({t for shares in follows.values() for t in shares if t})
        self.ids = {"": END, **{t: k for k, t in enumerate(pieces, start=1)}}
        self.asked: list[tuple[int, ...]] = []

    def answer(self, prompt: str, grammar: str, *, written: Sequence[int] = ()) -> Answer:
        self.asked.append(tuple(written))
        by_id = {k: t for t, k in self.ids.items()}
        text = "".join(by_id[k] for k in written)
        rests = self.grammar.after(text)
        if written:
            assert grammar == self.grammar.continued(rests).gbnf()
        steps: list[Step] = []
        start = len(text)
        while not steps or steps[-1].token.id != END:
            shares = self.follows.get(text, {"": 1.0})
            tokens = [Token(self.ids[t], t, math.log(p)) for t, p in shares.items()]
            legal = [t for t in tokens if self._legal(t, rests)]
            best = max(legal, key=lambda t: t.log_probability)
            steps.append(Step(best, tuple(t for t in tokens if t is not best)))
            text += best.text
            rests = self.grammar.after(best.text, rests)
        return Answer(
            slots=text[start:].strip(),
            confidence=math.exp(sum(s.token.log_probability for s in steps)),
            complete=True,
            latency_s=0.0,
            input_tokens=1,
            cached_tokens=0,
            output_tokens=len(steps),
            steps=tuple(steps),
        )

    def _legal(self, token: Token, rests: Rests) -> bool:
        if token.id == END:
            return self.grammar.may_end(rests)
        return bool(self.grammar.after(token.text, rests))
