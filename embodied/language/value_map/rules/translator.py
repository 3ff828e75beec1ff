"""The rules translator of the value-map route: a grammar, not a language model."""

from __future__ import annotations

from embodied.errors import NotUnderstoodError
from embodied.language.value_map.rules.clauses import Stage
from embodied.language.value_map.rules.cursor import tokens_of
from embodied.language.value_map.rules.motions import MotionReader
from embodied.language.value_map.rules.words import JOINTS
from embodied.language.value_map.vocabulary import check
from embodied.language.words.cursor import Abstain
from embodied.language.words.scene_words import SceneWords
from embodied.protocols import StateMemory
from embodied.types import ValueMapProgram, WorldSpec

FORMS = (
    "move to a place ('10 cm left of the cup', 'above the bowl', 'the front left corner of the "
    "table'), push a thing to a place or in a direction, open or close a drawer, grasp a thing, "
    "drop or put it at a place, open a bottle, set the table, sweep things; with 'staying left of "
    "X', 'keeping at least 10 cm from X', 'avoiding X', 'slowing down within 10 cm of X', "
    "'slowly', 'at 10 cm/s'"
)
"""What the grammar knows, for messages."""


class RulesValueMapTranslator:
    """A deterministic translator to value-map programs.

    It refuses every sentence that it does not understand to the last word.
    """

    @property
    def name(self) -> str:
        """``"rules"``."""
        return "rules"

    def translate(self, instruction: str, memory: StateMemory, spec: WorldSpec) -> ValueMapProgram:
        """Translate one sentence.

        Args:
            instruction: English; at most ``lexer.MAX_CHARACTERS`` characters.
            memory: Not used: every sentence stands for itself.
            spec: The scene's objects, what they are called, and its workspace.

        Raises:
            NotUnderstoodError: The sentence is outside the grammar, ambiguous or impossible in this
                scene; the diagnostics say which words, why, and what is known.
        """
        del memory
        try:
            reader = MotionReader(tokens_of(instruction), SceneWords(spec.objects), spec)
            stages = _sentence(reader)
        except Abstain as why:
            raise NotUnderstoodError(instruction, [why.diagnostic]) from None
        program = ValueMapProgram(stages=tuple(s.finished() for s in stages), source=self.name)
        found = check(program, tuple(spec.objects))
        if found:
            raise NotUnderstoodError(instruction, found)
        return program


def _sentence(reader: MotionReader) -> list[Stage]:
    stages: list[Stage] = []
    while not reader.ended:
        reader.skip_courtesy()
        if reader.ended:
            break
        stages += _clause(reader)
    if not stages:
        raise Abstain("text", "there is nothing to do in it", FORMS)
    return stages


def _clause(reader: MotionReader) -> list[Stage]:
    """A motion with its conditions; those hold for every stage that the motion has."""
    before = reader.condition()
    if before is not None:  # "while staying left of the cup, move to ..."
        if before.map == "rotation" and (reader.ended or reader.at("then", ", then", "and then")):
            return [Stage("gripper", [before])]
        reader.skip_courtesy()
    begin = reader.pos
    stages = reader.motion()
    if stages is None:
        if before is not None and before.map == "rotation":
            return [Stage("gripper", [before])]
        reader.pos = begin
        raise reader.abstain("", FORMS)
    conditions = [] if before is None else [before]
    while not reader.ended:
        found = reader.condition()
        if found is None:
            break
        conditions.append(found)
    if not reader.ended and not reader.at(*JOINTS):
        raise reader.abstain("", FORMS)
    reader.eat_all(*JOINTS)
    for stage in stages:
        stage.conditions += conditions
    return stages
