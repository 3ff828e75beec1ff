"""Which words are English ones, and how usual they are (pyspellchecker)."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from embodied.errors import EnvironmentMissingError

if TYPE_CHECKING:
    from spellchecker import SpellChecker


@functools.cache
def english() -> SpellChecker:
    """The English dictionary.

    Raises:
        EnvironmentMissingError: pyspellchecker is not installed.
    """
    try:
        from spellchecker import SpellChecker
    except ImportError as error:
        raise EnvironmentMissingError(
            "the spelling of words needs the extra [local]: pip install 'embodied-stack[local]'"
        ) from error
    return SpellChecker(language="en", distance=1)
