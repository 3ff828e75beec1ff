"""From a sentence to a reading: the only way from words to a program that may move a robot."""

from __future__ import annotations

import re

from embodied.errors import NotUnderstoodError
from embodied.language.interpreter.reading import Act, Reading, Refuse
from embodied.protocols import StateMemory, Translator
from embodied.types import WorldSpec

_CONFIDENCE = re.compile(r"\(confidence ([\d.]+)\)$")


def interpret(
    sentence: str, translator: Translator, memory: StateMemory, spec: WorldSpec
) -> Reading:
    """Read one sentence.

    Args:
        sentence: What was said.
        translator: Writes the program of something to be done.
        memory: What is believed, and what was said before.
        spec: The world.

    Raises:
        ProgramError: The model's answer stayed unusable after the allowed repairs.
        ModelError: The model could not be reached or is out of budget.
    """
    try:
        program = translator.translate(sentence, memory, spec)
    except NotUnderstoodError as error:
        reasons = tuple(str(d) for d in error.diagnostics)
        return Refuse(by=translator.name, reason=reasons[0], evidence=reasons[1:])
    sure = [float(m[1]) for n in program.notes if (m := _CONFIDENCE.search(n))]
    return Act(by=program.source, program=program, confidence=min(sure, default=1.0))
