"""What may be said to a robot that is moved by rewards, and how it is read."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from embodied.errors import ProgramError
from embodied.language.reward.phrases import Phrase, Wish
from embodied.language.reward.serialise import program_from_json
from embodied.language.reward.vocabulary import Vocabulary
from embodied.language.words.cursor import Abstain
from embodied.types import Atom, RewardProgram

_EXAMPLE = re.compile(r"(?:^|(?<=```\n)).*?```json\n(.*?)```\n?", re.DOTALL)
_NAMES = re.compile(r"\{\{(\w+)\}\}")


def _unpaced(wish: Wish, factor: float) -> Wish:
    raise Abstain("sentence", f"I know no way to do this {factor:g} times as fast")


@dataclass(frozen=True, slots=True, kw_only=True)
class Speech:
    """The words of a robot in its scene.

    Attributes:
        vocabulary: Terms, sensors and names that programs may use.
        patterns: Phrases that the rules translator knows.
        known: What it knows, for people, e.g. ``"sit, stand, walk"``.
        elsewhere: What other scenes of the robot have, for people; ``""`` for nothing.
        synonyms: Words that stand for others.
        spoken: Phrases that stand for one object of the scene, with its name.
        first: Puts before a program what has to be done first, from the facts that hold.
        paced: A wish so many times as fast as usual, for "slowly"; itself where that means nothing.
        description: Prompt in which a language model describes the motion. ``{{objects}}`` stands
            for the names that the vocabulary calls so; a line with none of them is left out.
        examples: Prompt text: sentences, each with a program in a ``json`` fence.
    """

    vocabulary: Vocabulary
    patterns: tuple[Phrase, ...] = ()
    known: str = ""
    elsewhere: str = ""
    synonyms: Mapping[str, str] = field(default_factory=dict[str, str])
    spoken: Mapping[str, str] = field(default_factory=dict[str, str])
    first: Callable[[RewardProgram, frozenset[Atom]], RewardProgram] | None = None
    paced: Callable[[Wish, float], Wish] = _unpaced
    description: str = ""
    examples: str = ""

    def named(self, text: str) -> str:
        """A text with the names of objects in place of the phrases that stand for them."""
        if not self.spoken:
            return text
        longest = sorted(self.spoken, key=len, reverse=True)
        phrases = "|".join(re.escape(phrase) for phrase in longest)
        found = rf"(?<![\w-])(?:{phrases})(?![\w-])"
        return re.sub(found, lambda m: self.spoken[m.group(0)], text)

    def describing(self) -> str:
        """The prompt for the description, with the scene's names."""
        lines = (self._named(line) for line in self.description.splitlines())
        return "\n".join(line for line in lines if line is not None)

    def legal_examples(self) -> str:
        """The examples that can be carried out in this scene."""
        found = [m for m in _EXAMPLE.finditer(self.examples) if self._legal(m.group(1))]
        return "".join(m.group(0) for m in found)

    def _legal(self, text: str) -> bool:
        try:
            program_from_json(text, self.vocabulary, source="prompt")
        except ProgramError:
            return False
        return True

    def _named(self, line: str) -> str | None:
        asked = _NAMES.findall(line)
        if not all(self.vocabulary.names.get(name) for name in asked):
            return None
        return _NAMES.sub(lambda m: ", ".join(self.vocabulary.names[m.group(1)]), line)
