"""A language model writes value-map programs: as JSON, or in Python in VoxPoser's vocabulary.

Either way what it wrote is read, checked against the scene and, with its diagnostics, sent back a
bounded number of times. Python runs in the sandbox; nothing of the model's text runs in this
process.
"""

from __future__ import annotations

from collections.abc import Sequence

from embodied.errors import ConfigurationError
from embodied.language.program_form import ProgramForm
from embodied.language.prompting import data, fill, prompt_text
from embodied.language.repair import Writer, said
from embodied.language.scene_text import Positions, scene_text
from embodied.language.value_map.describe import describe
from embodied.language.value_map.python_program import run_python
from embodied.language.value_map.serialise import json_schema, read_json, to_json
from embodied.protocols import LanguageModel, StateMemory
from embodied.types import Array, ValueMapProgram, WorldSpec

FORMS = ("json", "python")


def system_prompt(form: str) -> str:
    """What the model is told before the request, in one of ``FORMS``."""
    examples = prompt_text("value_map", f"{form}_examples")
    return fill("value_map", f"{form}_system", examples=examples)


class ValueMapTranslator(Writer):
    """Translator to value-map programs by a language model.

    Args:
        model: Who writes.
        form: One of ``FORMS``.
        positions: Where things are now, for prompts and Python programs; needed for the latter.
        repairs: How often diagnostics may go back to the model.

    Raises:
        ConfigurationError: Unknown form, or no positions for Python.
    """

    def __init__(
        self,
        model: LanguageModel,
        *,
        form: str = "json",
        positions: Positions | None = None,
        repairs: int = 2,
    ) -> None:
        if form not in FORMS:
            raise ConfigurationError(f"unknown form {form!r}, legal: {', '.join(FORMS)}")
        if form == "python" and positions is None:
            raise ConfigurationError("programs in Python need the positions of the objects")
        super().__init__(model, repairs=repairs)
        self.form, self.positions = form, positions or dict[str, Array]

    def translate(self, instruction: str, memory: StateMemory, spec: WorldSpec) -> ValueMapProgram:
        """Translate one sentence.

        Raises:
            ProgramError: The sentence is empty, or the answer stayed unusable after the repairs.
            NotUnderstoodError: The model says that it cannot be done.
            ModelError: The model could not be reached or is out of budget.
        """
        return self._write(f"Request: {said(instruction)}", memory, spec)

    def repair_motion(
        self,
        instruction: str,
        program: ValueMapProgram,
        problems: Sequence[str],
        memory: StateMemory,
        spec: WorldSpec,
    ) -> ValueMapProgram:
        """Ask for another program after one that was carried out and did not reach what it asks.

        Args:
            instruction: What the person asked for.
            program: What was tried.
            problems: What was measured of it.
            memory: What is believed now: a new program starts from there.
            spec: The world.

        Raises:
            ProgramError: The answer stayed unusable after the repairs.
            NotUnderstoodError: The model says that it cannot be done.
            ModelError: The model could not be reached or is out of budget.
        """
        tried = to_json(program) if self.form == "json" else describe(program)
        measured = "\n".join(f"- {line}" for line in problems)
        told = (
            f"Request: {said(instruction)}\n\nThis program was carried out:\n{data(tried)}\n"
            f"It did not reach what it asks:\n{data(measured)}\n"
            "Write another program for the request. It starts from the scene as it is above."
        )
        return self._write(told, memory, spec)

    def _write(self, told: str, memory: StateMemory, spec: WorldSpec) -> ValueMapProgram:
        earlier = [s for s, p in memory.exchanges if isinstance(p, ValueMapProgram)]
        before = "".join(f"Said before: {s}\n" for s in earlier[-3:])
        request = self.request(
            system_prompt(self.form),
            f"{data(scene_text(spec, memory.facts, self.positions()))}\n\n{before}{told}",
            f"value-map-{self.form}",
            schema=json_schema(tuple(spec.objects)) if self.form == "json" else None,
        )
        return self.ask(request, lambda text: self.read(text, spec)).value

    def read(self, text: str, spec: WorldSpec) -> ValueMapProgram:
        """What an answer means.

        Raises:
            ProgramError: It is not usable.
            NotUnderstoodError: It says that the request cannot be met.
        """
        if self.form == "python":
            return run_python(text, spec=spec, positions_m=self.positions(), source=self.model.name)
        return _read_in(spec, text, self.model.name)


def value_map_form(spec: WorldSpec) -> ProgramForm:
    """How value maps over a scene are written."""

    def read(text: str, memory: StateMemory, source: str) -> ValueMapProgram:
        del memory
        return _read_in(spec, text, source)

    about = f'{{"route": "value-map", "stages": [...]}}. {system_prompt("json")}'
    return ProgramForm(about=about, read=read)


def _read_in(spec: WorldSpec, text: str, source: str) -> ValueMapProgram:
    """A program about a scene."""
    (x0, y0), (x1, y1) = spec.workspace_lower[:2], spec.workspace_upper[:2]
    corners = (float(x0), float(y0)), (float(x1), float(y1))
    return read_json(text, objects=tuple(spec.objects), workspace=corners, source=source)
