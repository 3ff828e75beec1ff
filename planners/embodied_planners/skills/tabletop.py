"""The skills of the tabletop domain: one generator for each action of ``tabletop.pddl``."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from embodied.protocols import Skill
from embodied.types import GroundAction, Observation, PathGoal, SkillResult, WorldSpec
from embodied_planners.motion import MotionPlanner
from embodied_planners.skills.drawers import slide
from embodied_planners.skills.picking import take
from embodied_planners.skills.placing import place, put_in, stack
from embodied_planners.skills.workcell import SkillOptions, Workcell

Start = Callable[[GroundAction, Observation, int], Skill]


class TabletopSkills:
    """Carries out ground actions of the tabletop domain with an arm and a parallel gripper.

    Every skill plans from the latest observation, yields one control goal at a time, and judges
    itself by what is measured afterwards.

    Args:
        planner: Motion planner of the same scene.
        spec: The world.
        options: Distances and speeds.
    """

    def __init__(
        self, planner: MotionPlanner, spec: WorldSpec, options: SkillOptions | None = None
    ) -> None:
        self.cell = Workcell(planner, spec, options)
        self._skills: dict[str, tuple[int, Start]] = {
            "pick": (2, self._take),
            "unstack": (2, self._take),
            "take-out": (2, self._take),
            "place": (2, self._put(place)),
            "stack": (2, self._put(stack)),
            "put-in": (2, self._put(put_in)),
            "open": (1, self._slide),
            "close": (1, self._slide),
        }

    def start(self, action: GroundAction, observation: Observation, *, attempt: int) -> Skill:
        """Start an action.

        Raises:
            ValueError: There is no such skill, or its arguments are not objects of the world.
        """
        if action.name not in self._skills:
            raise ValueError(f"no skill for {action}: there are {', '.join(self._skills)}")
        count, skill = self._skills[action.name]
        if len(action.args) != count:
            raise ValueError(f"{action.name} takes {count} arguments, got {action}")
        unknown = [n for n in action.args if n not in self.cell.spec.objects]
        if unknown:
            raise ValueError(
                f"{action} names {', '.join(unknown)}: the objects of this world are "
                f"{', '.join(self.cell.spec.objects)}"
            )
        return skill(action, observation, attempt)

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

    def _put(self, skill: Callable[..., Skill]) -> Start:
        def start(action: GroundAction, observation: Observation, attempt: int) -> Skill:
            item, support = action.args
            return skill(self.cell, item, support, observation, attempt=attempt)

        return start

    def _slide(self, action: GroundAction, observation: Observation, attempt: int) -> Skill:
        opening = action.name == "open"
        return slide(self.cell, action.args[0], observation, opening=opening, attempt=attempt)

    def _take(self, action: GroundAction, observation: Observation, attempt: int) -> Skill:
        item, source = action.args
        return take(self.cell, item, source, observation, attempt=attempt)
