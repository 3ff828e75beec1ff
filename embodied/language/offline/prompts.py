"""The prompt of the narrow model: one line, split where the parts are trained apart.

``G red-block blue-block , bin table | put the red block in the bin >`` is answered by
`` put red-block in bin``. An earlier sentence comes before with its answer. The first part depends
on the scene only, so training reads it once for all sentences of a scene.
"""

from __future__ import annotations

from embodied.language.offline.scene_view import SceneView
from embodied.language.offline.text import normalise

MAX_SENTENCE_CHARACTERS = 400
"""Longer sentences are outside what the model was trained on: the translator abstains."""


def scene_part(kind: str, scene: SceneView) -> str:
    """First part of the prompt: which kind of program, and what is there."""
    if kind == "reward" and scene.robot == "quadruped":
        return "Q"
    if kind == "reward":
        names = " ".join((*scene.names("item"), *scene.handles, *scene.joints))
        return f"A {names}"
    return f"{'G' if kind == 'goal' else 'V'} {scene.line()}"


def sentence_part(sentence: str, previous: tuple[str, str] | None = None) -> str:
    """Second part: the sentence, after the one before with its slots (``""`` if not known)."""
    said = f" | {normalise(sentence)} >"
    if previous is None:
        return said
    before, slots = previous
    return f" | {normalise(before)} > {slots}".rstrip() + said
