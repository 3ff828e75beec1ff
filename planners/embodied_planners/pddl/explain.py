"""Plans in English sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from embodied.types import GroundAction


def explain_plan(
    plan: Sequence[GroundAction], objects: Mapping[str, object] | None = None
) -> tuple[str, ...]:
    """One sentence per step.

    Args:
        plan: Ground actions.
        objects: Names of the scene's objects; those are spoken of as "the red block". Names that
            are not among them stay as they are. None speaks of every argument so.

    Returns:
        As many sentences as steps. Actions without a phrase of their own are spelled out from
        their name and arguments.
    """
    return tuple(_sentence(action, objects) for action in plan)


def _sentence(action: GroundAction, objects: Mapping[str, object] | None) -> str:
    from embodied_planners.skills.skill import all_skills  # brings the simulator

    spoken = [_spoken(a, objects) for a in action.args]
    skill = next((s for s in all_skills() if s.name == action.name), None)
    if skill is not None and skill.arity == len(spoken):
        return skill.explanation.format(*spoken)
    verb = action.name.replace("-", " ").replace("_", " ")
    listed = ", ".join(spoken)
    return f"{verb.capitalize()}{f': {listed}' if listed else ''}."


def _spoken(name: str, objects: Mapping[str, object] | None) -> str:
    if objects is not None and name not in objects:
        return name
    return f"the {name.replace('-', ' ').replace('_', ' ')}"
