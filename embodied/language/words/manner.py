"""How fast: the phrases for speeds that every route reads, and factors such as "at 0.5x speed"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from embodied.language.words.amounts import number_at

_SLOWLY = (
    "slowly slow gently gentle carefully careful softly cautiously delicately calmly easy".split()
)
_QUICKLY = "quickly quick rapidly swiftly fast briskly speedily".split()
_VERY = (
    "very",
    "really",
    "quite",
    "pretty",
    "nice and",
    "very very",
    "extra",
    "real",
    "super",
    "too",
)
PACES: Mapping[str, tuple[str, ...]] = {
    "slowest": (
        *(f"as {w} as {end}" for w in ("slowly", "slow") for end in
          ("possible", "you can", "can be")),
        "at the slowest speed", "at the lowest speed", "at minimum speed", "at your slowest",
        "at the slowest possible speed", "at the slowest pace",
    ),
    "slow": (
        *(w for w in _SLOWLY if w not in ("easy", "gentle", "careful")),
        *(f"{very} {w}" for very in _VERY for w in _SLOWLY if very != "too"),
        "at a slow speed", "at slow speed", "at low speed", "at a low speed", "at a slow pace",
        "with care", "with great care", "with caution", "with the utmost care", "with extreme care",
        "with utmost care", "with the greatest care", "with all due care", "with extra care",
        "with the greatest of care", "as gently as you can", "as gently as possible",
        "as carefully as you can", "as carefully as possible", "in slow motion", "without haste",
        "at a crawl", "at a snail pace", "at a snail s pace", "at snail pace", "in slow mo",
        "without rushing", "without hurrying", "taking your time", "take your time", "leisurely",
        "at a leisurely pace", "at a gentle pace", "at walking pace", "at a gentle speed",
        "in no hurry", "slower than usual", "slower than normal", "more slowly than usual",
        "unhurriedly", "lazily", "gingerly", "at an easy pace",
    ),
    "normal": (
        "at the usual speed", "at normal speed", "at regular speed", "at the normal speed",
        "at your usual speed", "at your normal speed",
    ),
    "fast": (
        *_QUICKLY,
        *(f"{very} {w}" for very in _VERY for w in _QUICKLY if very != "too"),
        "at high speed", "at a high speed", "at a fast pace", "at a quick pace", "in a hurry",
        "at a fast speed", "at fast speed", "at speed", "faster than usual", "faster than normal",
        "more quickly than usual", "at a good pace", "at a brisk pace", "hurriedly",
    ),
    "fastest": (
        *(f"as {w} as {end}" for w in ("fast", "quickly", "quick") for end in
          ("possible", "you can", "can", "can be")),
        "at full speed", "at top speed", "at maximum speed", "at your fastest", "flat out",
        "at the highest speed", "at full pelt", "full speed ahead", "full speed", "at full tilt",
        *(f"{w} as you can" for w in ("fast", "quickly", "quick")), "chop chop", "quick smart",
        "hurry up and", "hurry up", "be quick", "make it quick", "make it snappy",
        "look sharp",
    ),
}  # fmt: skip
"""Named speeds; each route says how fast each is for its robot."""

_PHRASES = {tuple(p.split()): name for name, phrases in PACES.items() for p in phrases}
_LONGEST = max(map(len, _PHRASES))
_PARTS: Mapping[str, float] = {
    "half": 1 / 2, "third": 1 / 3, "quarter": 1 / 4, "fifth": 1 / 5, "tenth": 1 / 10, "twice": 2.0,
    "double": 2.0, "triple": 3.0, "thirds": 1 / 3, "quarters": 1 / 4, "fifths": 1 / 5,
    "tenths": 1 / 10,
}  # fmt: skip
_TIMES = frozenset(("x", "\u00d7", "times"))
_PERCENT = frozenset(("%", "percent", "pct"))
_BEFORE = frozenset("of the your its a an my that this".split())
_USUAL = frozenset("normal usual regular default full original standard ordinary".split())
_SPEED = frozenset(("speed", "pace", "velocity"))


def pace_at(words: Sequence[str], start: int) -> tuple[str | float | None, int]:
    """The speed that begins at ``start``, and how many words it takes.

    Returns:
        A key of ``PACES``, or a factor of the usual speed ("at a quarter of the speed" is 0.25,
        "at 0.5x speed" is 0.5); None and 0 where no speed begins.
    """
    extreme, used = _extreme_at(words, start)
    if extreme:
        return extreme, used
    for read in (_factor_at, _compared_at):
        factor, used = read(words, start)
        if factor is not None:
            return factor, used
    for length in range(min(_LONGEST, len(words) - start), 0, -1):
        name = _PHRASES.get(tuple(words[start : start + length]))
        if name is not None:
            return name, length
    return None, 0


def _factor_at(words: Sequence[str], start: int) -> tuple[float | None, int]:
    """A share such as "at half speed", "at 0.5x the usual speed", "at 20 % speed"."""
    after = [*words, *[""] * 8]
    pos = start
    preposition = after[pos] in ("at", "with")
    if not preposition and after[pos] not in ("half", "double", "full"):
        return None, 0
    pos += preposition
    pos += after[pos] in ("only", "about", "around", "roughly")
    pos += after[pos] in ("a", "an", "one")
    factor, used = (None, 0) if pos >= len(words) else number_at(words, pos)
    pos += used
    if after[pos] in _PARTS:
        factor = (1.0 if factor is None else factor) * _PARTS[after[pos]]
        pos += 1
    elif factor is not None and after[pos] in _PERCENT:
        factor, pos = factor / 100, pos + 1
    elif factor is not None and after[pos] in _TIMES:
        pos += 1
    if factor is None:
        return None, 0
    while after[pos] in _BEFORE:
        pos += 1
    pos += after[pos] in _USUAL
    if after[pos] not in _SPEED:
        return None, 0
    return round(factor, 6), pos + 1 - start


def _extreme_at(words: Sequence[str], start: int) -> tuple[str, int]:
    """The slowest or fastest pace, such as "as fast as you safely can"."""
    after = [*words[start : start + 8], *[""] * 8]
    if after[0] != "as" or after[2] != "as":
        return "", 0
    name = "fastest" if after[1] in ("fast", "quickly", "quick", "briskly", "swiftly") else ""
    name = name or ("slowest" if after[1] in ("slowly", "slow", "gently", "carefully") else "")
    for used in range(4, 7):
        if name and after[used - 1] in ("can", "possible", "able", "dare", "manage"):
            return name, used + (after[used] in ("go", "walk", "move"))
    return "", 0


def _compared_at(words: Sequence[str], start: int) -> tuple[float | None, int]:
    """A share of the usual speed, such as "twice as fast", "20 % faster than usual"."""
    after = [*words, *[""] * 8]
    value, pos = number_at(words, start) if start < len(words) else (None, 0)
    if after[start] in ("half", "twice"):
        value, pos = _PARTS[after[start]], 1
    if value is None:
        return None, 0
    pos += start
    percent = after[pos] in _PERCENT
    pos += percent or after[pos] in _TIMES
    way = 1.0 if after[pos] in ("faster", "quicker") else -1.0
    if after[pos] == "as" and after[pos + 1] in ("fast", "quick", "quickly"):
        factor, pos = value, pos + 2
    elif after[pos] == "as" and after[pos + 1] in ("slow", "slowly"):
        factor, pos = 1 / max(value, 1e-3), pos + 2
    elif after[pos] in ("faster", "quicker", "slower"):
        factor = 1 + way * value / 100 if percent else value**way
        pos += 1
    else:
        return None, 0
    if after[pos] in ("as", "than"):
        pos += 1 + (after[pos + 1] in ("you", "it"))
        if after[pos] not in _USUAL and after[pos] not in ("usually", "normally", "before"):
            return None, 0
        pos += 1 + (after[pos + 1] in ("do", "does", "go", "walk", "move"))
    return (round(factor, 6), pos - start) if factor > 0 else (None, 0)
