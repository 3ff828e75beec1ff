"""Sentences before they reach the model: case, spacing, numbers and units in one form."""

from __future__ import annotations

import re

from embodied.language.words.amounts import NUMBERS, ONES, UNIT_NAMES

_UNITS = {
    w: u for w, u in UNIT_NAMES.items() if u in ("cm", "mm", "m", "deg", "s", "rad", "hz", "%")
}
"""Words for units that the model was trained on in one form."""


_TOKEN = re.compile(r"\d+(?:\.\d+)?|[^\W\d_]+(?:['-][^\W_]+)*|->|[^\w\s]")


def normalise(sentence: str) -> str:
    """The sentence in lower case, with numbers as digits and short units.

    ``"Lift it FIFTEEN centimetres!"`` becomes ``"lift it 15 cm"``.
    """
    text = sentence.lower().replace("\u2019", "'").replace("\u00b0", " deg ")
    text = re.sub(r"(\d),(\d)", r"\1.\2", text)
    tokens = _TOKEN.findall(text)
    out: list[str] = []
    i = 0
    while i < len(tokens):
        number, used = _number(tokens, i)
        if used:
            out.append(number)
            i += used
            continue
        token = tokens[i]
        after_number = bool(out) and re.fullmatch(r"\d+(\.\d+)?", out[-1]) is not None
        if token in _UNITS and (after_number or token in ("%", "deg", "degrees", "percent")):
            out.append(_UNITS[token])
        elif token in "!?\"'`.;:()[]*~" and token != ".":
            if token in ";:":
                out.append(",")
        elif token == ".":
            if i + 1 < len(tokens):
                out.append(",")
        else:
            out.append(token)
        i += 1
    joined = " ".join(out)
    joined = re.sub(r"(m|cm|deg|rad) (?:/|per|a) (s|sec|second)\b", lambda m: f"{m[1]}/s", joined)
    joined = re.sub(r"\b0\.5 (?:a )?(meter|metre)\b", "0.5 m", joined)
    joined = re.sub(r" ,", ",", joined)
    return re.sub(r"(,)+", ",", joined).strip(" ,")


def _number(tokens: list[str], i: int) -> tuple[str, int]:
    """Digits for a number word at ``i`` and how many tokens it takes; ("", 0) if none."""
    token = tokens[i]
    follows = tokens[i + 1] if i + 1 < len(tokens) else ""
    if re.fullmatch(r"\d+(\.\d+)?", token):
        return token, 1
    if token == "half" and follows in ("a", "an") and i + 2 < len(tokens):
        if tokens[i + 2] in ("meter", "metre", "m"):
            return "0.5", 2
        return "", 0
    if token in ("a", "an") and follows in _UNITS and follows not in ("m", "s", "sec", "second"):
        return "1", 1
    parts = token.split("-")
    if all(p in NUMBERS for p in parts):
        if follows == "hundred" and len(parts) == 1:
            rest, used = _number(tokens, i + 2) if i + 2 < len(tokens) else ("", 0)
            more = int(rest) if rest.isdigit() and int(rest) < 100 else 0
            return str(100 * NUMBERS[token] + more), 2 + (used if more else 0)
        if token == "one" and follows not in _UNITS:
            return "", 0
        if len(parts) == 2:
            return str(NUMBERS[parts[0]] + NUMBERS[parts[1]]), 1
        value = NUMBERS[token]
        if 20 <= value < 100 and follows in ONES[1:10]:
            return str(value + NUMBERS[follows]), 2
        if follows == "point" and i + 2 < len(tokens) and tokens[i + 2] in ONES[:10]:
            return f"{value}.{NUMBERS[tokens[i + 2]]}", 3
        return str(value), 1
    return "", 0
