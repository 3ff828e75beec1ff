"""A whole application on a fake world: the gantry of ``embodied.world.fake`` with simple skills."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from embodied_planners.pddl import Planner, explain_plan
from typer.testing import CliRunner

from embodied.app import wiring
from embodied.app.cli import main as cli
from embodied.app.show.video_options import VideoOptions
from embodied.body import Body
from embodied.opening import Environment, Opening
from embodied.protocols import Skill, StateMemory
from embodied.recovery import nobody
from embodied.routes.pddl.route import PddlOptions, PddlRoute
from embodied.routes.pddl.translators import open_translator
from embodied.session import Session
from embodied.settings import Settings
from embodied.symbolic import read_domain, render_problem
from embodied.types import (
    Command,
    ControlGoal,
    ControlStatus,
    GripperGoal,
    GroundAction,
    Observation,
    PddlProgram,
    PlanResult,
    Pose,
    SkillResult,
    WorldSpec,
)
from embodied.world.fake import FakeWorld
from embodied.world.grounding import TabletopGrounder
from embodied.world.scene import load_scene

ABOVE_M = 0.45


class GantrySkills:
    """Pick and place for the gantry: up, across, down."""

    def __init__(self, spec: WorldSpec) -> None:
        self.spec = spec
        self.fail_first = 0
        self.before_action: Callable[[GroundAction], None] = lambda action: None

    def start(self, action: GroundAction, observation: Observation, *, attempt: int) -> Skill:
        self.before_action(action)
        if self.fail_first > 0:
            self.fail_first -= 1
            yield from self._to(observation, observation.pose_ee_in_world.position)
            return SkillResult(ok=False, reason="slipped")
        if action.name in ("pick", "unstack", "take-out"):
            item = observation.poses[action.args[0]]
            observation = yield GripperGoal(width_m=0.08)
            observation = yield from self._to(observation, item.position, _yaw(item))
            observation = yield GripperGoal(width_m=0.0)
            yield from self._lift(observation)
            return SkillResult(ok=True)
        item_name, support = action.args
        spot = self._spot(observation, item_name, support)
        observation = yield from self._to(observation, spot)
        observation = yield GripperGoal(width_m=0.08)
        yield from self._lift(observation)
        return SkillResult(ok=True)

    def home(self, observation: Observation) -> Skill:
        yield from self._lift(observation)
        return SkillResult(ok=True)

    def _to(self, observation: Observation, target: np.ndarray, yaw: float = 0.0) -> Any:
        observation = yield from self._lift(observation)
        above = np.array([target[0], target[1], ABOVE_M])
        observation = yield PoseGoal(pose_ee_in_world=_pose(above, yaw))
        return (yield PoseGoal(pose_ee_in_world=_pose(target, yaw)))

    def _lift(self, observation: Observation) -> Any:
        here = observation.pose_ee_in_world.position
        yaw = float(observation.q[3])
        above = np.array([here[0], here[1], ABOVE_M])
        return (yield PoseGoal(pose_ee_in_world=_pose(above, yaw)))

    def _spot(self, observation: Observation, item: str, support: str) -> np.ndarray:
        half = self.spec.objects[item].size_m[2] / 2
        base = observation.poses[support].position
        kind = self.spec.objects[support].kind
        others = [p.position[:2] for n, p in observation.poses.items() if n not in (item, support)]
        if kind == "item":
            return np.array([*base[:2], base[2] + self.spec.objects[support].size_m[2] / 2 + half])
        reach = np.array(self.spec.objects[support].size_m[:2]) / 2 - 0.05
        if support == "table":
            base, reach = np.array([0.45, 0.0, base[2]]), np.array([0.15, 0.25])
        grid = [base[:2] + reach * np.array([i, j]) / 4 for i in range(-4, 5) for j in range(-4, 5)]
        xy = max(grid, key=lambda p: min(float(np.linalg.norm(p - o)) for o in others))
        size = self.spec.objects[support].size_m[2]
        top = base[2] + (size / 2 if kind == "surface" else -size / 2 + 0.01)
        return np.array([*xy, top + half + 0.001])


@dataclass(frozen=True, kw_only=True)
class PoseGoal:
    """Bring the gantry's hand to a pose."""

    pose_ee_in_world: Pose
    label: str = ""


class GantryController:
    """Straight to the goal at the speed limit."""

    def init(self, goal: ControlGoal, observation: Observation) -> tuple[ControlGoal, int]:
        return goal, 0

    def step(
        self, state: tuple[ControlGoal, int], observation: Observation
    ) -> tuple[Command, tuple[ControlGoal, int], ControlStatus]:
        goal, n = state
        if isinstance(goal, GripperGoal):
            settled = (
                n > 3 and observation.gripper is not None and not observation.gripper.speed_m_s
            )
            status = ControlStatus.REACHED if settled else ControlStatus.RUNNING
            return Command(q=observation.q, gripper_width_m=goal.width_m), (goal, n + 1), status
        assert isinstance(goal, PoseGoal)
        target = np.array([*goal.pose_ee_in_world.position, _yaw(goal.pose_ee_in_world)])
        step = np.clip(target - observation.q, -0.01, 0.01)
        near = float(np.abs(target - observation.q).max()) < 1e-6
        status = ControlStatus.REACHED if near else ControlStatus.RUNNING
        return Command(q=observation.q + step), (goal, n + 1), status


def _yaw(pose: Pose) -> float:
    """Rotation about z, folded into a quarter turn: items are square."""
    x_axis = pose.rotation[:, 0]
    yaw = float(np.arctan2(x_axis[1], x_axis[0]))
    return (yaw + np.pi / 4) % (np.pi / 2) - np.pi / 4


def _pose(position: np.ndarray, yaw: float) -> Pose:
    half = yaw / 2
    turn = Pose(position=position, quat_wxyz=np.array([np.cos(half), 0.0, 0.0, np.sin(half)]))
    down = Pose(position=np.zeros(3), quat_wxyz=np.array([0.0, 1.0, 0.0, 0.0]))
    return turn @ down


class GoalTranslator:
    """Takes the sentence itself as the goal in PDDL; what is no list is another matter."""

    name = "goals"

    def __init__(self, grounder: TabletopGrounder) -> None:
        self.grounder = grounder
        self.answer: Callable[[str], str] = lambda sentence: sentence

    def translate(self, instruction: str, memory: StateMemory, spec: WorldSpec) -> PddlProgram:
        stages = tuple(self.answer(instruction).split(" then "))
        objects = dict(self.grounder.objects)
        domain = read_domain(self.grounder.domain_text)
        return PddlProgram(
            domain=self.grounder.domain_text,
            problem=render_problem("asked", domain, objects, memory.facts, stages),
            stages=stages,
            source=self.name,
        )


@dataclass
class App:
    """The command line on a fake world.

    Attributes:
        out: Where run folders go.
        opened: Sessions that were opened, oldest first.
        translate_goals: Take sentences as PDDL goals instead of opening the translator asked for.
        change: Changes the route's parts before a session is made of them; "world" and "ask" too.
        video: How runs are filmed when they are.
    """

    out: Path
    opened: list[Session]
    monkeypatch: pytest.MonkeyPatch
    translate_goals: bool = True
    change: Callable[[dict[str, Any]], None] = lambda parts: None

    def open(self, settings: Settings, **rest: Any) -> Session:
        scene = load_scene(settings.scene)
        world = FakeWorld(scene)
        grounder = TabletopGrounder(world.spec)

        def read_qpos() -> np.ndarray:
            seen = world.observe()
            return np.concatenate([seen.q, *(p.position for p in seen.poses.values())])

        parts: dict[str, Any] = {
            "world": world,
            "ask": nobody,
            "options": None,
            "grounder": grounder,
            "planner": Planner(),
            "skills": GantrySkills(world.spec),
            "controller": GantryController(),
            "explain": explain_plan,
            "static_facts": grounder.static_facts,
            "bounds": PddlOptions(plan_time_s=settings.plan_time_s),
        }
        self.change(parts)
        body = Body(parts.pop("world"))
        body.reset(seed=settings.seed)
        place = Environment(
            body=body,
            grounder=grounder,
            static_facts=grounder.static_facts,
            read_qpos=read_qpos,
            states_header={"route": "pddl", "scene": settings.scene, "robot": "fake-gantry"},
            object_source=body.spec.object_source,
        )
        translator: Any = GoalTranslator(grounder)
        model, ask, options = None, parts.pop("ask"), parts.pop("options")
        if not self.translate_goals:
            model = wiring.open_named_model(settings)
            opening = Opening(environment=place, settings=settings, model=model)
            translator = open_translator(opening)
        parts.setdefault("translator", translator)
        route = PddlRoute(**parts)
        session = Session(
            place,
            {PddlProgram: route},
            translator=parts["translator"],
            route=route,
            model=model,
            about={
                "scene": settings.scene,
                "robot": "fake-gantry",
                "route": "pddl",
                "model": settings.model,
                "seed": settings.seed,
            },
            ask=ask,
            options=options,
        )
        self.opened.append(session)
        return session

    def __call__(self, *arguments: str, input: str | None = None) -> Any:  # noqa: A002
        command, *rest = arguments
        films = command in ("run", "chat", "replay") and "--no-video" not in rest
        extra = ["--no-video"] if films else []
        return CliRunner().invoke(
            cli.app, [command, *rest, *extra, "--out", str(self.out)], input=input
        )

    def folders(self) -> list[Path]:
        """Run folders, oldest first."""
        return sorted(p.parent for p in self.out.rglob("run.json"))


@pytest.fixture(autouse=True)
def _no_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    """The offline model's weights are not here, whatever the machine has: rules answer alone."""
    monkeypatch.setattr("embodied.language.offline.offline.find_base", lambda: None)


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> App:
    made = App(out=tmp_path / "runs", opened=[], monkeypatch=monkeypatch)
    monkeypatch.setattr(wiring, "open_session", made.open)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.delenv("EMBODIED_DEBUG", raising=False)
    return made


@pytest.fixture
def small_video() -> VideoOptions:
    return VideoOptions(width_px=160, height_px=120, rate_hz=4.0)


class FixedPlanner:
    """Answers every task with the same result."""

    def __init__(self, result: PlanResult) -> None:
        self.result = result

    def solve(self, program: PddlProgram, *, deadline_s: float) -> PlanResult:
        return dataclasses.replace(self.result)


@pytest.fixture
def fixed_planner() -> type[FixedPlanner]:
    return FixedPlanner
