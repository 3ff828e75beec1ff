"""Byte-pair encoding from a GGUF file's own tables, for training; llama.cpp does it at run time."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence


def byte_letters() -> dict[int, str]:
    """GPT-2's printable stand-in for each byte."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    letters = {b: chr(b) for b in plain}
    others = [b for b in range(256) if b not in letters]
    return letters | {b: chr(256 + i) for i, b in enumerate(others)}


_PIECE = re.compile(r"'s|'t|'re|'ve|'m|'ll|'d| ?[^\W\d_]+| ?(?:[^\s\w]|_)+|\s+(?!\S)|\s+")


class Bpe:
    """Encodes text as SmolLM2 does: digits one by one, otherwise GPT-2's rules.

    Args:
        tokens: Token texts by id.
        merges: Merges, best first, as ``"left right"``.
    """

    def __init__(self, tokens: Sequence[str], merges: Sequence[str]) -> None:
        self._ids = {t: i for i, t in enumerate(tokens)}
        self._ranks = {tuple(m.split(" ")): i for i, m in enumerate(merges)}
        self._letters = byte_letters()
        self.tokens = tuple(tokens)
        self._encode_piece = functools.lru_cache(maxsize=50_000)(self._piece)

    def encode(self, text: str) -> list[int]:
        """Token ids of ``text``, no special tokens added."""
        ids: list[int] = []
        for part in re.split(r"(\d)", text):
            if part.isdigit():
                ids += self._encode_piece(part)
            elif part:
                for piece in _PIECE.findall(part):
                    ids += self._encode_piece(piece)
        return ids

    def _piece(self, piece: str) -> tuple[int, ...]:
        word = [self._letters[b] for b in piece.encode()]
        while len(word) > 1:
            pairs = [
                (self._ranks.get((a, b), 1 << 30), i)
                for i, (a, b) in enumerate(zip(word, word[1:], strict=False))
            ]
            rank, i = min(pairs)
            if rank == 1 << 30:
                break
            word[i : i + 2] = [word[i] + word[i + 1]]
        return tuple(self._ids[w] for w in word)
