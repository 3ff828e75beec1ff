"""A language model writes value-map programs: as JSON, or in Python in VoxPoser's vocabulary.

Either way what it wrote is read, checked against the scene and, with its diagnostics, sent back a
bounded number of times. Python runs in the sandbox; nothing of the model's text runs in this
process.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from embodied.errors import ConfigurationError
from embodied.language.prompting import data, fill, prompt_text, short
from embodied.language.repair import Writer, said
from embodied.language.value_map.python_program import run_python
from embodied.language.value_map.serialise import json_schema, read_json
from embodied.protocols import LanguageModel, StateMemory
from embodied.types import Array, ObjectSpec, ValueMapProgram, WorldSpec

FORMS = ("json", "python")

Positions = Callable[[], Mapping[str, Array]]
"""Where objects and ``"gripper"`` are believed to be now, (3,) each, world frame, m."""


def system_prompt(form: str) -> str:
    """What the model is told before the request, in one of ``FORMS``."""
    examples = prompt_text("value_map", f"{form}_examples")
    return fill("value_map", f"{form}_system", examples=examples)


def scene_text(spec: WorldSpec) -> str:
    """The scene in a few lines."""
    lower, upper = spec.workspace_lower, spec.workspace_upper
    bounds = ", ".join(
        f"{a} {lo:.2f} to {up:.2f}" for a, lo, up in zip("xyz", lower, upper, strict=True)
    )
    lines = [f"Workspace, metres: {bounds}.", "Objects:"]
    lines += [_object_text(o) for o in spec.objects.values()]
    return "\n".join(lines)


def _object_text(spec: ObjectSpec) -> str:
    size = " x ".join(f"{100 * s:.0f}" for s in spec.size_m)
    words = " ".join(short(w) for w in (spec.color, spec.category) if w)
    text = f"- {spec.name}: {spec.kind}, {words}, {size} cm"
    if spec.kind == "drawer":
        way = ", ".join(f"{v:g}" for v in spec.opens_along)
        text += f", opens by up to {100 * spec.travel_m:.0f} cm along ({way})"
    return text


class ValueMapTranslator(Writer):
    """Translator to value-map programs by a language model.

    Args:
        model: Who writes.
        form: One of ``FORMS``.
        positions: Where things are, asked when a Python program is run; needed for that form.
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
        self.form, self._positions = form, positions

    def translate(self, instruction: str, memory: StateMemory, spec: WorldSpec) -> ValueMapProgram:
        """Translate one sentence.

        Raises:
            ProgramError: The sentence is empty, or the answer stayed unusable after the repairs.
            NotUnderstoodError: The model says that it cannot be done.
            ModelError: The model could not be reached or is out of budget.
        """
        asked = said(instruction)
        earlier = [s for s, p in memory.exchanges if isinstance(p, ValueMapProgram)]
        before = "".join(f"Said before: {s}\n" for s in earlier[-3:])
        request = self.request(
            system_prompt(self.form),
            f"{data(scene_text(spec))}\n\n{before}Request: {asked}",
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
            assert self._positions is not None
            return run_python(
                text, spec=spec, positions_m=self._positions(), source=self.model.name
            )
        (x0, y0), (x1, y1) = spec.workspace_lower[:2], spec.workspace_upper[:2]
        corners = (float(x0), float(y0)), (float(x1), float(y1))
        return read_json(
            text, objects=tuple(spec.objects), workspace=corners, source=self.model.name
        )
