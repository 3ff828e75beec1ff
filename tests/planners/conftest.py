from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from embodied_controllers.trajectory import TrajectoryController
from embodied_planners.motion import MotionPlanner
from embodied_planners.skills import TabletopSkills

from embodied.types import ControlGoal, ControlStatus, GroundAction, Observation, Pose, SkillResult
from embodied.world.layout import Layout
from embodied.world.mujoco import MujocoWorld, build_world, planning_model
from embodied.world.scene import load_scene

AWAY = {  # out of the way of everything that tests do, on the table
    "red-block": (0.35, -0.2),
    "green-block": (0.35, -0.1),
    "blue-block": (0.35, 0.0),
    "yellow-block": (0.35, 0.1),
    "orange-block": (0.35, 0.2),
    "purple-block": (0.6, 0.2),
}


def block_layout(**moved: tuple[float, ...]) -> Layout:
    """Blocks at ``name=(x, y)``, ``(x, y, z)`` or ``(x, y, z, yaw)``; the others out of the way."""
    poses: dict[str, Pose] = {}
    for name, place in AWAY.items():
        x, y, *rest = moved.get(name.replace("-", "_"), place)
        z = rest[0] if rest else 0.023
        yaw = rest[1] if len(rest) > 1 else 0.0
        quat = np.array([np.cos(yaw / 2), 0.0, 0.0, np.sin(yaw / 2)])
        poses[name] = Pose(position=np.array([x, y, z]), quat_wxyz=quat)
    return Layout(poses=poses)


@dataclass
class Cell:
    """A world with everything that moves things in it, and what was measured on the way."""

    world: MujocoWorld
    planner: MotionPlanner
    skills: TabletopSkills
    controller: TrajectoryController
    observation: Observation
    dq_share: float = 0.0
    tau_share: float = 0.0
    deepest_link_m: float = -1.0
    goals: list[ControlGoal] | None = None

    def act(self, action: str, attempt: int = 0) -> SkillResult:
        skill = self.skills.start(GroundAction.parse(action), self.observation, attempt=attempt)
        self.goals = []
        try:
            goal = next(skill)
            while True:
                self.goals.append(goal)
                status = self.control(goal)
                assert status is ControlStatus.REACHED, goal.label
                goal = skill.send(self.observation)
        except StopIteration as end:
            return end.value

    def control(
        self, goal: ControlGoal, each: Callable[[Observation], None] = lambda seen: None
    ) -> ControlStatus:
        state = self.controller.init(goal, self.observation)
        while True:
            command, state, status = self.controller.step(state, self.observation)
            result = self.world.step(command)
            assert result.reasons == ()
            self.observation = result.observation
            self._measure()
            each(self.observation)
            if status is not ControlStatus.RUNNING:
                return status

    def _measure(self) -> None:
        seen, spec = self.observation, self.world.spec
        assert np.all(seen.q >= spec.q_lower) and np.all(seen.q <= spec.q_upper)
        self.dq_share = max(self.dq_share, float(np.max(np.abs(seen.dq) / spec.dq_max)))
        self.tau_share = max(self.tau_share, float(np.max(np.abs(seen.tau) / spec.tau_max)))
        model, data = self.world.model, self.world.data
        for geoms, distance in zip(data.contact.geom, data.contact.dist, strict=True):
            bodies = [model.body(int(model.geom_bodyid[g])).name for g in geoms]
            if any(b.startswith("link") or b == "hand" for b in bodies):
                self.deepest_link_m = max(self.deepest_link_m, -float(distance))

    def position(self, name: str) -> np.ndarray:
        return np.array(self.observation.poses[name].position)


def make_cell(scene_name: str, layout: Layout | None = None, seed: int = 0) -> Cell:
    scene = load_scene(scene_name)
    world = build_world(scene)
    observation = world.set_layout(layout) if layout else world.reset(seed=seed)
    planner = MotionPlanner(planning_model(scene), world.spec, seed)
    return Cell(
        world=world,
        planner=planner,
        skills=TabletopSkills(planner, world.spec),
        controller=TrajectoryController(world.spec),
        observation=observation,
    )


@pytest.fixture
def blocks() -> Callable[..., Cell]:
    """Make a cell of the ``blocks`` scene with blocks where the test wants them."""
    return lambda **moved: make_cell("blocks", block_layout(**moved))


@pytest.fixture
def scene_cell() -> Callable[..., Cell]:
    """Make a cell of any scene from a seed."""
    return make_cell
