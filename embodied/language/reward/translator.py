"""A language model writes reward programs, in two steps as published or in one.

Two steps (Yu et al. 2023, arXiv 2306.08647): the model first fills in a description of the motion
from a template, then codes it as a reward program; both prompts are Markdown files of this package.
The answer is JSON under the vocabulary's schema, never code. What is wrong with it goes back to the
model as diagnostics, a bounded number of times. The program in force is part of the prompt, so a
correction edits it instead of starting over.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from embodied.language.program_form import ProgramForm
from embodied.language.prompting import data, fill
from embodied.language.repair import Writer, said
from embodied.language.reward.amending import current
from embodied.language.reward.serialise import json_schema, program_from_json, program_to_json
from embodied.language.reward.speech import Speech
from embodied.language.reward.vocabulary import describe
from embodied.protocols import LanguageModel, StateMemory
from embodied.types import RewardProgram, WorldSpec


def coding_prompt(speech: Speech) -> str:
    """System prompt of the reward coder for a robot in its scene."""
    words = speech.vocabulary
    return fill(
        "reward",
        "reward_coding",
        robot=words.robot,
        vocabulary=describe(words),
        examples=speech.legal_examples(),
    )


def reward_form(speech: Speech) -> ProgramForm:
    """How reward programs for a robot in its scene are written."""

    def read(text: str, memory: StateMemory, source: str) -> RewardProgram:
        del memory
        return program_from_json(text, speech.vocabulary, source=source)

    about = f'{{"route": "reward", "stages": [...]}}. {coding_prompt(speech)}'
    return ProgramForm(about=about, read=read)


class RewardTranslator(Writer):
    """Translator to reward programs by a language model.

    Args:
        model: Who writes.
        speech: What may be said to the robot in its scene.
        two_step: Describe the motion first (published), or code the sentence at once.
        repairs: How often diagnostics may go back to the model.

    Attributes:
        now: What there is and what is measured now, for prompts.
    """

    def __init__(
        self,
        model: LanguageModel,
        speech: Speech,
        *,
        two_step: bool = True,
        repairs: int = 2,
        now: Callable[[], Sequence[str]] = tuple,
    ) -> None:
        super().__init__(model, repairs=repairs)
        self.speech, self.two_step = speech, two_step
        self.now = now

    def translate(self, instruction: str, memory: StateMemory, spec: WorldSpec) -> RewardProgram:
        """Translate one sentence.

        Raises:
            ProgramError: The sentence is empty, or the answer stayed unusable after the repairs.
            ModelError: The model could not be reached or is out of budget.
        """
        del spec
        asked, now = said(instruction), "\n".join(self.now())
        before = current(memory)
        if before is not None:
            asked = (
                f"Program in force:\n{program_to_json(before, indent=None)}\n\n"
                f"The person now says: {asked}\n"
                "Keep everything of the program in force that the person does not change."
            )
        if now:
            asked = f"Now, before the motion:\n{data(now)}\n\n{asked}"
        if self.two_step:
            asked = f"{asked}\n\nDescription of the motion:\n{self._description(asked)}"
        return self._code(asked)

    def _description(self, asked: str) -> str:
        """First step: the sentence as a filled-in description of the motion."""
        request = self.request(self.speech.describing(), asked, "motion-description")
        return self.ask(request, str.strip).value

    def _code(self, asked: str) -> RewardProgram:
        """Second step: a description (or a sentence) as a reward program, with repairs."""
        words, source = self.speech.vocabulary, self.model.name
        system = coding_prompt(self.speech)
        request = self.request(system, asked, "reward-program", schema=json_schema(words))
        return self.ask(request, lambda t: program_from_json(t, words, source=source)).value

    def repair_motion(
        self, instruction: str, program: RewardProgram, unmet: tuple[str, ...]
    ) -> RewardProgram:
        """Ask for a better program when terms stayed far from their targets.

        Args:
            instruction: What the person asked for.
            program: What was tried.
            unmet: For each such term what was measured.
        """
        problems = "\n".join(f"- {line}" for line in unmet)
        now = "\n".join(self.now())
        start = f"A new program starts from what is measured now:\n{data(now)}\n" if now else ""
        return self._code(
            f"The person asked: {instruction}\nThis program was tried:\n"
            f"{program_to_json(program, indent=None)}\nMeasured afterwards:\n{data(problems)}\n"
            f"{start}"
            "Change weights, targets or stages so that the motion succeeds."
        )
