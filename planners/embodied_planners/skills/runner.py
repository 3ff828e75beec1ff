"""Ground actions of the tabletop domain become control goals."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from embodied.protocols import Skill
from embodied.types import (
    GroundAction,
    Manner,
    Observation,
    PathGoal,
    Pose,
    SkillResult,
    WorldSpec,
)
from embodied_planners.motion import MotionPlanner, PlanningScene
from embodied_planners.skills.skill import all_skills
from embodied_planners.skills.workcell import Workcell


class HandNearness:
    """Where the hand is, in the geometry that motions are planned with.

    Args:
        cell: The work cell; its scene is left as it is.
    """

    def __init__(self, cell: Workcell) -> None:
        self._cell = cell
        self._scene = PlanningScene(cell.scene.model, cell.spec)

    def look(self, observation: Observation) -> str:
        """Take over an observation; returns what the hand holds, ``""`` for nothing."""
        held = self._cell.held_item(observation)
        self._scene.update(observation)
        if held:
            relative = observation.pose_ee_in_world.inverse() @ observation.poses[held]
            self._scene.hold(held, relative)
        self._scene.place_robot(observation.q)
        return held

    def distance(self, name: str) -> float:
        """Distance of the hand and what it holds to an object, m."""
        return self._scene.hand_distance(name)


class TabletopSkills:
    """Carries out ground actions of the tabletop domain with an arm and a parallel gripper.

    Every skill plans from the latest observation, yields one control goal at a time, and judges
    itself by what is measured afterwards.

    Args:
        planner: Motion planner of the same scene.
        spec: The world.
    """

    def __init__(self, planner: MotionPlanner, spec: WorldSpec) -> None:
        self.cell = Workcell(planner, spec)
        self._skills = {skill.name: skill for skill in all_skills()}

    def start(self, action: GroundAction, observation: Observation, *, attempt: int) -> Skill:
        """Start an action.

        Raises:
            ValueError: There is no such skill, or its arguments are not objects of the world.
        """
        if action.name not in self._skills:
            raise ValueError(f"no skill for {action}: there are {', '.join(self._skills)}")
        skill = self._skills[action.name]
        if len(action.args) != skill.arity:
            raise ValueError(f"{action.name} takes {skill.arity} arguments, got {action}")
        unknown = [n for n in action.args if n not in self.cell.spec.objects]
        if unknown:
            raise ValueError(
                f"{action} names {', '.join(unknown)}: the objects of this world are "
                f"{', '.join(self.cell.spec.objects)}"
            )
        return skill.generate(self.cell, action.args, observation, attempt)

    def keep(self, manner: Manner, poses: Mapping[str, Pose] | None = None) -> None:
        """Move like that from the next motion on; ``poses`` are those when it was said."""
        self.cell.keep(manner, poses)

    def nearness(self) -> HandNearness:
        """What measures how near the hand comes to objects."""
        return HandNearness(self.cell)

    def home(self, observation: Observation) -> Skill:
        """Bring the arm to its rest configuration, keeping hold of what it holds."""
        cell = self.cell
        rest = np.array(cell.spec.q_home)
        if float(np.max(np.abs(observation.q - rest))) < 0.01:
            return SkillResult(ok=True)
        cell.look(observation, holding=cell.held_item(observation))
        way = cell.travel(observation.q, rest)
        if not way.found:
            return SkillResult(ok=False, reason=f"no way to the rest configuration: {way.reason}")
        goal: PathGoal = cell.path(way.segments, "go home")
        yield goal
        return SkillResult(ok=True)
