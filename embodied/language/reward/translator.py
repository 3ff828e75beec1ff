"""A language model writes reward programs, in two steps as published or in one.

Two steps (Yu et al. 2023, arXiv 2306.08647): the model first fills in a description of the motion
from a template, then codes it as a reward program; both prompts are Markdown files of this package.
The answer is JSON under the vocabulary's schema, never code. What is wrong with it goes back to the
model as diagnostics, a bounded number of times. The program in force is part of the prompt, so a
correction edits it instead of starting over.
"""

from __future__ import annotations

from embodied.errors import Diagnostic, ProgramError
from embodied.language.reward.amending import current
from embodied.language.reward.serialise import json_schema, program_from_json, program_to_json
from embodied.language.reward.speech import Speech
from embodied.language.reward.vocabulary import describe, prompt
from embodied.protocols import LanguageModel, Message, Request, StateMemory
from embodied.types import RewardProgram, WorldSpec


def coding_prompt(speech: Speech) -> str:
    """System prompt of the reward coder for a robot in its scene."""
    words = speech.vocabulary
    text = prompt("reward_coding").replace("{{robot}}", words.robot)
    text = text.replace("{{vocabulary}}", describe(words))
    return text.replace("{{examples}}", speech.legal_examples())


class RewardTranslator:
    """Translator to reward programs by a language model.

    Args:
        model: Who writes.
        speech: What may be said to the robot in its scene.
        two_step: Describe the motion first (published), or code the sentence at once.
        repairs: How often diagnostics may go back to the model.
    """

    def __init__(
        self,
        model: LanguageModel,
        speech: Speech,
        *,
        two_step: bool = True,
        repairs: int = 2,
    ) -> None:
        self.model, self.speech, self.two_step, self.repairs = model, speech, two_step, repairs

    @property
    def name(self) -> str:
        """Who answers."""
        return self.model.name

    def translate(self, instruction: str, memory: StateMemory, spec: WorldSpec) -> RewardProgram:
        """Translate one sentence.

        Raises:
            ProgramError: The sentence is empty, or the answer stayed unusable after the repairs.
            ModelError: The model could not be reached or is out of budget.
        """
        del spec
        if not instruction.strip():
            raise ProgramError(
                instruction,
                [Diagnostic(where="sentence", problem="it is empty", hint="say what to do")],
            )
        asked = instruction.strip()
        before = current(memory)
        if before is not None:
            asked = (
                f"Program in force:\n{program_to_json(before, indent=None)}\n\n"
                f"The person now says: {asked}\n"
                "Keep everything of the program in force that the person does not change."
            )
        if self.two_step:
            asked = f"{asked}\n\nDescription of the motion:\n{self.describe_motion(asked)}"
        return self.code(asked)

    def describe_motion(self, asked: str) -> str:
        """First step: the sentence as a filled-in description of the motion."""
        request = Request(
            messages=(
                Message(role="system", text=self.speech.describing()),
                Message(role="user", text=asked),
            ),
            purpose="motion-description",
        )
        return self.model.complete(request).text.strip()

    def code(self, asked: str) -> RewardProgram:
        """Second step: a description (or a sentence) as a reward program, with repairs."""
        messages: tuple[Message, ...] = (
            Message(role="system", text=coding_prompt(self.speech)),
            Message(role="user", text=asked),
        )
        attempt = 0
        while True:
            answer = self.model.complete(
                Request(
                    messages=messages,
                    schema=json_schema(self.speech.vocabulary),
                    max_tokens=2048,
                    purpose="reward-program" if attempt == 0 else "reward-repair",
                )
            ).text
            try:
                return program_from_json(answer, self.speech.vocabulary, source=self.model.name)
            except ProgramError as error:
                if attempt >= self.repairs:
                    raise
                attempt += 1
                problems = "\n".join(f"- {d}" for d in error.diagnostics)
                messages = (
                    *messages,
                    Message(role="assistant", text=answer),
                    Message(
                        role="user",
                        text=f"That program cannot be used:\n{problems}\nWrite it again, mended.",
                    ),
                )

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
        return self.code(
            f"The person asked: {instruction}\nThis program was tried:\n"
            f"{program_to_json(program, indent=None)}\nMeasured afterwards:\n{problems}\n"
            "Change weights, targets or stages so that the motion succeeds."
        )
