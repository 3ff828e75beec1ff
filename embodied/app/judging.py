"""Verdicts held against measurements: by how much a goal holds, and whether recorded states agree.

Both judge parts of goals by facts alone, without the agent that carried them out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from embodied.app.record.states import STATES, States, read_states
from embodied.errors import ConfigurationError, EmbodiedError, ProgramError
from embodied.protocols import SymbolGrounder
from embodied.symbolic import And, Formula, holds, read_domain, read_goal
from embodied.types import Observation, Pose

_LADDER_M = (0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128)
_FINE_M = 0.0005
_AXES = np.concatenate([np.eye(3), -np.eye(3)])
MOVED = 1e-3
"""A coordinate that changed by less, m or rad, counts as still."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedAgain:
    """A recorded verdict against the recorded states.

    Attributes:
        agrees: Whether what was asked does hold; None where states cannot tell, as of a motion
            that is judged as a whole; False without states.
        holds: Parts that hold in the last recorded state.
        denied: Parts that were asked for and do not hold, nor were undone by a later stage.
        moved: Largest change of a coordinate between the first and any other state, m or rad.
        note: Why the states cannot tell, or that there are none; ``""`` where they can.
    """

    agrees: bool | None
    holds: tuple[str, ...] = ()
    denied: tuple[str, ...] = ()
    moved: float = 0.0
    note: str = ""


def margins(
    parts: Iterable[str], grounder: SymbolGrounder, observation: Observation
) -> dict[str, float]:
    """How far an object could be measured elsewhere before a part of a goal changes, m.

    One object that the part names is shifted along an axis of the world at a time; the smallest
    shift that makes the part false (or true, where it is false) is its margin, negative where it is
    false. Parts that are no formula of the domain, and those that 0.128 m do not change, are left
    out.
    """
    judge = _judge(grounder)
    found: dict[str, float] = {}
    for part in parts:
        formula = judge.formula(part)
        if formula is None:
            continue
        true_now = judge.holds(formula, observation)
        words = set(re.findall(r"[\w-]+", part))
        shifts = [
            shift
            for name, pose in observation.poses.items()
            if name in words
            for axis in _AXES
            if (shift := _first_change(judge, formula, observation, name, pose, axis, true_now))
        ]
        if shifts:
            found[part] = round(min(shifts) * (1.0 if true_now else -1.0), 4)
    return found


def judge_again(folder: Path, goals: Sequence[Mapping[str, object]]) -> JudgedAgain:
    """Hold the goals of a recorded verdict against the last recorded state of an arm at a table.

    Args:
        folder: The run folder.
        goals: As ``run.json`` lists them.
    """
    try:
        states = read_states(folder / STATES)
    except ConfigurationError as error:
        return JudgedAgain(agrees=False, note=str(error))
    if not len(states.qpos):
        return JudgedAgain(agrees=False, note="no state was recorded")
    moved = float(np.abs(states.qpos - states.qpos[0]).max())
    if states.header.text("route", "") == "reward":
        note = "what rewards ask for is judged over the whole motion, not from recorded states"
        return JudgedAgain(agrees=None, moved=moved, note=note)
    try:
        grounder, observation = _last_measured(states)
    except (EmbodiedError, ValueError) as error:
        return JudgedAgain(agrees=None, moved=moved, note=f"the scene cannot be built: {error}")
    judge = _judge(grounder)
    formulas = {str(f): f for goal in goals for f in _lasting(judge, goal)}
    if not formulas:
        return JudgedAgain(agrees=None, moved=moved, note="no goal that states can be held against")
    true = tuple(part for part, f in formulas.items() if judge.holds(f, observation))
    denied = tuple(part for part in formulas if part not in true)
    return JudgedAgain(agrees=not denied, holds=true, denied=denied, moved=moved)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Judge:
    formula: Callable[[str], Formula | None]
    holds: Callable[[Formula, Observation], bool]


def _judge(grounder: SymbolGrounder) -> _Judge:
    domain, objects = read_domain(grounder.domain_text), grounder.objects

    def formula(text: str) -> Formula | None:
        try:
            return read_goal(text, domain, objects)
        except ProgramError:
            return None

    return _Judge(
        formula=formula,
        holds=lambda f, observation: holds(f, grounder.facts(observation), domain, objects),
    )


def _lasting(judge: _Judge, goal: Mapping[str, object]) -> list[Formula]:
    """The parts of a goal that must hold at the end: no later stage had to undo them."""
    whole = judge.formula(str(goal.get("text")))
    if whole is None:
        found = [judge.formula(part) for part in _texts(goal.get("holds"))]
        return [f for f in found if f is not None]
    undone = _texts(goal.get("held"))
    parts = whole.parts if isinstance(whole, And) else (whole,)
    return [part for part in parts if str(part) not in undone]


def _first_change(
    judge: _Judge,
    formula: Formula,
    observation: Observation,
    name: str,
    pose: Pose,
    axis: np.ndarray,
    true_now: bool,
) -> float | None:
    """Smallest shift of an object along an axis that changes a formula, to ``_FINE_M``; or None."""

    def same(shift_m: float) -> bool:
        there = replace(pose, position=pose.position + shift_m * axis)
        seen = replace(observation, poses={**observation.poses, name: there})
        return judge.holds(formula, seen) == true_now

    low = 0.0
    for high in _LADDER_M:
        if not same(high):
            break
        low = high
    else:
        return None
    while high - low > _FINE_M:
        middle = (low + high) / 2
        low, high = (middle, high) if same(middle) else (low, middle)
    return high


def _last_measured(states: States) -> tuple[SymbolGrounder, Observation]:
    """What the last state looks like to the robot that had been there."""
    from embodied.world.grounding import TabletopGrounder
    from embodied.world.mujoco import build_world
    from embodied.world.scene import load_scene

    world = build_world(load_scene(states.header.text("scene")), states.header.text("robot"))
    try:
        observation = world.set_configuration(states.qpos[-1])
    finally:
        world.close()
    return TabletopGrounder(world.spec), observation


def _texts(value: object) -> list[str]:
    return [str(v) for v in value] if isinstance(value, list) else []  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
