# pyright: reportAttributeAccessIssue=false
"""Wiring of reward-driven robots: world, plan model, controller and judge, by robot and scene."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

import numpy as np
from embodied_controllers.mpc import OPTIMISERS, Optimiser, Plan, PlannerOptions, SamplingPlanner
from embodied_controllers.mpc.controller import Mode, PlanInputs, RewardController
from embodied_controllers.mpc.estimator import Estimator
from embodied_controllers.mpc.hand_directions import HandDirections
from embodied_controllers.mpc.plan_models import plan_model
from embodied_controllers.mpc.terms import View

from embodied.body import Body
from embodied.language.reward.speech import Speech
from embodied.opening import Environment
from embodied.registry import unknown
from embodied.routes.reward.robot import Layout, RewardRobot, Things
from embodied.routes.reward.robots import REWARD_ROBOTS, recorded_name
from embodied.settings import Settings
from embodied.types import Array, Atom, Observation, RewardProgram, WorldSpec
from embodied.world.builder import build_model
from embodied.world.mpc_world import MpcWorld, spec_of
from embodied.world.scene import load_scene

if TYPE_CHECKING:
    import mujoco

CONTROL_DT_S = 0.01
NOISE = 0.15


class Rig(Protocol):
    """What the route needs of a robot in its scene."""

    @property
    def speech(self) -> Speech:
        """What may be said to it there."""
        ...

    @property
    def view(self) -> type[View]:
        """Evaluates the terms."""
        ...

    @property
    def judge(self) -> Estimator:
        """Reads recorded states."""
        ...

    def seen(self, observation: Observation) -> Observation:
        """An observation as the robot perceives it."""
        ...

    def controller_of(self, program: RewardProgram, observation: Observation) -> RewardController:
        """The controller that carries out a program that begins in a perceived observation."""
        ...

    def record(self, observation: Observation, control: Array) -> tuple[Array, Array]:
        """State (nstate,) and sensor data of the judge's model.

        Args:
            observation: What is perceived.
            control: Controls of the plan in force, (nu,).
        """
        ...

    def facts(self, observation: Observation) -> frozenset[Atom]:
        """Relations between objects, as perceived."""
        ...

    def missing(self, program: RewardProgram, observation: Observation) -> tuple[str, ...]:
        """Things that a program is about and that are not perceived."""
        ...

    def state(self) -> tuple[str, ...]:
        """What is measured now, one line each."""
        ...

    def close(self) -> None:
        """Release threads, and the world that belongs to it."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RewardSetup:
    """Everything that runs one robot in a scene of its own (``Rig``).

    Attributes:
        robot: What is known of the robot.
        things: What its scene holds.
        speech: What may be said to it there.
        world: The simulation.
        controller: Model-predictive control of it.
        judge: Reads recorded states of the simulation model.
    """

    robot: RewardRobot
    things: Things
    speech: Speech
    world: MpcWorld
    controller: RewardController
    judge: Estimator

    @property
    def view(self) -> type[View]:
        """Evaluates the terms."""
        return self.robot.view

    def seen(self, observation: Observation) -> Observation:
        """It measures its own state."""
        return observation

    def controller_of(self, program: RewardProgram, observation: Observation) -> RewardController:
        """The same for every program."""
        del program, observation
        return self.controller

    def record(self, observation: Observation, control: Array) -> tuple[Array, Array]:
        """State (nstate,) and sensor data of the simulation."""
        del observation, control
        state = self.world.full_state()
        return state, self.judge.sensors_of(state, self.world.data.ctrl)

    def facts(self, observation: Observation) -> frozenset[Atom]:
        """None: motions are judged by their terms."""
        del observation
        return frozenset()

    def missing(self, program: RewardProgram, observation: Observation) -> tuple[str, ...]:
        """None: all that its scene has is measured."""
        del program, observation
        return ()

    def state(self) -> tuple[str, ...]:
        """What is measured now, one line each."""
        view = self.judge.view_of(self.world.full_state()[None, None])
        lines: list[str] = []
        for name in self.robot.shown:
            sensor = self.speech.vocabulary.sensors.get(name)
            if sensor is None:
                continue  # it is about things that this scene lacks
            if not sensor.arguments:
                lines.append(f"{name} = {float(view.value(name)[0, 0]):.3f}")
            for thing in sensor.arguments[0] if sensor.arguments else ():
                value = float(view.value(name, (thing,))[0, 0])
                lines.append(f"{name}({thing}) = {value:.3f} {sensor.unit}")
        return tuple(lines)

    def close(self) -> None:
        """Release threads and the world."""
        self.controller.close()
        self.world.close()


def open_environment(settings: Settings) -> Environment:
    """A robot that is moved by rewards, in a scene of its own, reset from the seed.

    Raises:
        ConfigurationError: Unknown robot or scene.
    """
    mode = Mode.ASYNCHRONOUS if settings.asynchronous else Mode.SYNCHRONOUS
    robot = REWARD_ROBOTS.get(settings.robot)
    scene = settings.scene
    if robot.arm is None and scene == Settings().scene:
        scene = robot.default_scene
    if scene not in robot.scenes and robot.arm is not None:
        from embodied.routes.reward.tabletop import open_at_table

        return open_at_table(settings)
    if scene not in robot.scenes:
        raise unknown(f"scene of the {robot.name}", scene, tuple(robot.scenes))
    setup = build_setup(
        robot,
        scene=robot.scenes[scene],
        seed=settings.seed,
        mode=mode,
        optimiser=settings.optimiser,
    )
    return environment_of(setup, settings)


def environment_of(setup: RewardSetup, settings: Settings) -> Environment:
    """The environment of a robot that is moved by rewards, reset from the seed."""
    world, robot = setup.world, setup.robot.name
    body = Body(world, real_time=settings.asynchronous)
    body.reset(seed=settings.seed)
    return Environment(
        body=body,
        grounder=NoFacts(world.spec),
        read_qpos=lambda: np.array(world.data.qpos),
        states_header={"route": "reward", "robot": robot, "things": list(setup.things)},
        about={
            "scene": world.spec.name,
            "robot": robot,
            "planning": setup.controller.mode.value,
        },
        object_source=world.spec.object_source,
        setup=setup,
    )


def drawing_model(header: Mapping[str, object]) -> mujoco.MjModel:
    """The simulation model that recorded states of this route belong to."""
    if "scene" in header:
        from embodied.routes.reward.tabletop import described

        return build_model(load_scene(str(header["scene"])), described(str(header["robot"])))
    things = header["things"]
    assert isinstance(things, list)
    robot = REWARD_ROBOTS.get(recorded_name(str(header["robot"])))
    return robot.model(tuple(things)).compile()


class NoFacts:
    """A ``SymbolGrounder`` for robots whose posture has no symbols: it knows the objects by name.

    Args:
        spec: The world.
    """

    domain_text = "(define (domain motion) (:requirements :typing) (:types thing))"

    def __init__(self, spec: WorldSpec) -> None:
        self.objects = dict.fromkeys(spec.objects, "thing")

    def facts(self, observation: Observation) -> frozenset[Atom]:
        """None: motions are judged by their terms."""
        del observation
        return frozenset()


@lru_cache(maxsize=8)
def _models(robot: RewardRobot, things: Things) -> tuple[mujoco.MjModel, mujoco.MjModel]:
    spec = robot.model(things)
    return spec.compile(), plan_model(spec)


def build_setup(
    robot: RewardRobot | str,
    *,
    scene: Things | None = None,
    layout: Layout | None = None,
    seed: int = 0,
    options: PlannerOptions | None = None,
    optimiser: Optimiser | str = "mppi",
    mode: Mode = Mode.SYNCHRONOUS,
    record: Callable[[PlanInputs, Plan], None] | None = None,
) -> RewardSetup:
    """Build the robot in its scene.

    Args:
        robot: The robot, or the name of one.
        scene: Things in its scene; those of its default scene otherwise.
        layout: Where they are, from the seed of ``world.reset``.
        seed: Of the planner.
        options: Planner settings; the robot's own otherwise.
        optimiser: Searches for plans; a name takes the robot's own noise.
        mode: When planning happens.
        record: Receives the inputs and result of every replan.

    Raises:
        ConfigurationError: Unknown robot or thing.
    """
    if isinstance(robot, str):
        robot = REWARD_ROBOTS.get(robot)
    things = robot.scenes[robot.default_scene] if scene is None else scene
    robot.check(things)
    simulation, plan = _models(robot, things)
    options = replace(options or robot.options, seed=seed)
    if isinstance(optimiser, str):
        make = OPTIMISERS.get(optimiser)
        optimiser = make(noise=NOISE, correlation=robot.correlation)
    objects = {n: robot.objects(n) for n in things}
    spec = spec_of(
        simulation,
        name=robot.scene_of(things),
        robot=robot.name,
        control_dt_s=CONTROL_DT_S,
        dq_max=robot.dq_max,
        objects=objects,
    )
    radii = {n: r for n, r in robot.hinges_m.items() if n in things}
    world = MpcWorld(
        simulation,
        spec,
        randomise=robot.scatter(things, layout),
        sliders=tuple(n for n, o in objects.items() if o.kind == "drawer" and n not in radii),
        hinge_radii_m=radii,
        ee_site=robot.ee_site,
    )
    hand = None if robot.directions is None else HandDirections(plan, *robot.directions)
    scale = np.broadcast_to(np.array(robot.scale), (plan.nu,))
    planner = SamplingPlanner(
        plan, options, optimiser, scale=scale, shared=robot.shared, directions=hand
    )
    controller = RewardController(
        planner,
        Estimator(plan, spec.joint_names, robot.view, radii),
        mode=mode,
        record=record,
    )
    judge = Estimator(simulation, spec.joint_names, robot.view, radii)
    return RewardSetup(
        robot=robot,
        things=things,
        speech=robot.words(things),
        world=world,
        controller=controller,
        judge=judge,
    )
