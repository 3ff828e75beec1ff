"""Ways of saying: alternatives in templates, politeness, typos, spelled numbers."""

from __future__ import annotations

import random
import re
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources

_CHOICE = re.compile(r"\(([^()]*)\)")


@cache
def templates(section: str) -> Mapping[str, str]:
    """Templates of ``templates.toml`` by name.

    Those with ``{{a}}`` are formatted by the module that uses them before ``say`` fills ``{a}`` in.
    """
    text = resources.files("embodied.training.corpus").joinpath("templates.toml").read_text("utf-8")
    return tomllib.loads(text)[section]


def say(rng: random.Random, template: str, **parts: str) -> str:
    """Pick one of each ``(a|b|c)`` in the template (innermost first), then fill in the parts."""
    while True:
        match = _CHOICE.search(template)
        if match is None:
            break
        chosen = rng.choice(match[1].split("|"))
        template = template[: match.start()] + chosen + template[match.end() :]
    for name, text in parts.items():
        template = template.replace("{" + name + "}", text)
    return re.sub(r"\s+", " ", template).replace(" ,", ",").strip()


_BEFORE = (
    "please ",
    "could you ",
    "can you ",
    "would you ",
    "i want you to ",
    "i'd like you to ",
    "kindly ",
    "robot, ",
    "hey, ",
    "ok, ",
    "now ",
    "go ahead and ",
    "let's ",
    "you should ",
    "pls ",
    "hey robot ",
    "ok now ",
    "would you mind to ",
    "time to ",
    "try to ",
    "i need you to ",
    "just ",
    "so, ",
    "be so kind and ",
    "can u ",
    "next, ",
    "alright, ",
    "ok so ",
    "um, ",
    "well, ",
    "if possible, ",
    "your task: ",
    "we need to ",
    "listen, ",
    "one more thing, ",
    "do me a favour and ",
    "i think you should ",
    "would you be able to ",
)
_AFTER = (
    " please",
    " pls",
    ", thanks",
    " now",
    ", will you",
    ", ok",
    ", thank you",
    " for me",
    " if you can",
    ", would you",
    ", buddy",
    " when you have a moment",
    ", cheers",
    "!",
)

_ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen"
    " fifteen sixteen seventeen eighteen nineteen"
).split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()

_NEIGHBOURS = {
    "a": "sq", "b": "vn", "c": "xv", "d": "sf", "e": "wr", "f": "dg", "g": "fh", "h": "gj",
    "i": "uo", "j": "hk", "k": "jl", "l": "k", "m": "n", "n": "bm", "o": "ip", "p": "o",
    "q": "w", "r": "et", "s": "ad", "t": "ry", "u": "yi", "v": "cb", "w": "qe", "x": "zc",
    "y": "tu", "z": "x",
}  # fmt: skip


def polite(rng: random.Random, sentence: str) -> str:
    """Sometimes with a courtesy in front or behind."""
    draw = rng.random()
    if draw < 0.22:
        return rng.choice(_BEFORE) + sentence
    if draw < 0.32:
        return sentence + rng.choice(_AFTER)
    return sentence


def noisy(rng: random.Random, sentence: str) -> str:
    """Sometimes with dropped articles, abbreviations or a typing mistake."""
    if rng.random() < 0.15:
        # not "a" alone, which is also the name of a block
        sentence = re.sub(
            r"\b(the|an|a(?= (?:bit|little|pile|point|spot|stack|tower|turn))) ", "", sentence
        )
    if rng.random() < 0.05:
        sentence = sentence.replace(" and ", rng.choice((" & ", " n ", " + ")))
    if rng.random() < 0.04:
        sentence = sentence.replace(" with ", " w/ ").replace("you ", "u ")
    if rng.random() < 0.10:
        for _ in range(rng.choice((1, 1, 2))):
            sentence = _typo(rng, sentence)
    return sentence


def _typo(rng: random.Random, sentence: str) -> str:
    places = [m for m in re.finditer(r"[a-z]{4,}", sentence)]
    if not places:
        return sentence
    word = rng.choice(places)
    i = rng.randrange(word.start() + 1, word.end() - 1)
    letters = sentence
    kind = rng.randrange(4)
    if kind == 0:
        return letters[:i] + letters[i + 1 :]
    if kind == 1:
        return letters[:i] + letters[i + 1] + letters[i] + letters[i + 2 :]
    if kind == 2:
        return letters[:i] + letters[i] + letters[i:]
    return letters[:i] + rng.choice(_NEIGHBOURS[letters[i]]) + letters[i + 1 :]


def number_words(n: int) -> str:
    """``25`` as ``"twenty five"``, up to 199."""
    if n >= 100:
        return ("one hundred " + (number_words(n - 100) if n > 100 else "")).strip()
    if n < 20:
        return _ONES[n]
    return _TENS[n // 10 - 2] + (f" {_ONES[n % 10]}" if n % 10 else "")


_UNIT_NAMES = {
    "cm": ("cm", "cm", "centimeters", "centimetres"),
    "m": ("m", "meters", "metres"),
    "deg": ("degrees", "deg", "degrees"),
    "s": ("s", "seconds", "sec", "seconds"),
    "hz": ("hz", "hertz"),
    "m/s": ("m/s", "meters per second", "m per second", "metres a second"),
    "rad/s": ("rad/s", "radians per second", "rad per second"),
    "deg/s": ("deg/s", "degrees per second", "degrees a second"),
    "%": ("%", "percent", "per cent"),
}


def amount(rng: random.Random, number: float, unit: str) -> tuple[str, str]:
    """How a person says a quantity, and its slot: ``("fifteen centimetres", "15 cm")``."""
    digits = f"{number:g}"
    slot = f"{digits} {unit}"
    name = rng.choice(_UNIT_NAMES[unit])
    if name == "per cent":
        name = "percent"
    if number == 0.5 and unit == "m" and rng.random() < 0.5:
        return rng.choice(("half a meter", "half a metre")), slot
    if number == int(number) and 0 < number < 200 and rng.random() < 0.3:
        spelled = number_words(int(number))
        return f"{spelled} {name if len(name) > 2 else rng.choice(_UNIT_NAMES[unit][1:])}", slot
    glue = "" if len(name) <= 2 and rng.random() < 0.4 else " "
    return f"{digits}{glue}{name}", slot
