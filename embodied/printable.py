"""Text from outside, made safe to show: a terminal obeys control characters that it is sent.

Names in scene files, answers of models and messages of other processes may hold them: to clear the
screen, to set its title or the clipboard, or to write from right to left over what was said.
"""

from __future__ import annotations

import re

_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 but tab and newline, DEL, C1
    "\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"  # bidi, invisible
    "\ud800-\udfff\U000e0000-\U000e0fff]"  # lone surrogates, tags
)


def printable(text: str) -> str:
    """The text with control and invisible characters shown: ESC as ``␛``, others as ``�``.

    Tabs, newlines and everything that people read stay.
    """
    return _UNSAFE.sub(_shown, text)


def escaped(json_text: str) -> str:
    """JSON text with the same characters as Unicode escapes: it says what it said."""
    return _UNSAFE.sub(_escape, json_text)


def _shown(match: re.Match[str]) -> str:
    code = ord(match[0])
    return chr(0x2400 + code) if code < 0x20 else "␡" if code == 0x7F else "�"


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    if match[0] in "\r\n":
        return match[0]
    if code < 0x10000:
        return f"\\u{code:04x}"
    high, low = divmod(code - 0x10000, 0x400)
    return f"\\u{0xD800 + high:04x}\\u{0xDC00 + low:04x}"
