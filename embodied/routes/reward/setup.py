"""Wiring of reward-driven robots: world, plan model, controller and judge, by robot and scene."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
from embodied_controllers.mpc import OPTIMISERS, Optimiser, Plan, PlannerOptions, SamplingPlanner
from embodied_controllers.mpc.arm import ArmView
from embodied_controllers.mpc.arm_models import (
    ARM_DQ_MAX,
    FAUCET_RADIUS_M,
    FIXTURES,
    ITEMS,
    arm_spec,
)
from embodied_controllers.mpc.controller import Mode, PlanInputs, RewardController
from embodied_controllers.mpc.estimator import Estimator
from embodied_controllers.mpc.hand_directions import HandDirections
from embodied_controllers.mpc.plan_models import plan_model, robot_spec
from embodied_controllers.mpc.quadruped import QuadrupedView

from embodied.body import Body
from embodied.errors import ConfigurationError
from embodied.opening import Environment
from embodied.routes.reward.robots import REWARD_ROBOTS
from embodied.settings import Settings
from embodied.types import Atom, ObjectSpec, Observation, WorldSpec
from embodied.world.mpc_world import MpcWorld, spec_of

CONTROL_DT_S = 0.01
DEFAULT_SCENE: Mapping[str, tuple[str, ...]] = {
    "quadruped": (),
    "arm": ("apple", "bowl", "box", "cup"),
}
HALVINGS = (0.5,)
OPTIONS: Mapping[str, PlannerOptions] = {
    "quadruped": PlannerOptions(horizon_s=0.6, n_knots=4, n_samples=40, halvings=HALVINGS),
    "arm": PlannerOptions(horizon_s=0.5, n_knots=3, n_samples=32, halvings=HALVINGS),
}
"""Planner settings by robot, tuned on the l2r tasks with oracle rewards."""
NOISE = 0.15
NOISE_CORRELATION: Mapping[str, float] = {"quadruped": 0.0, "arm": 0.7}
"""Of neighbouring knots: an arm should go somewhere and come to rest, legs should step."""

Place = tuple[float, float, float, bool]
"""x, y, z of the centre, and whether the thing lies on its side with its up axis along +x."""
Layout = Callable[[np.random.Generator], Mapping[str, Place]]

STANDING_HEIGHT = {"apple": 0.035, "bowl": 0.03, "box": 0.04, "cup": 0.05}


def default_layout(items: tuple[str, ...]) -> Layout:
    """One item in front of the robot, or several on an arc, moved by up to 6 cm."""
    angles = np.linspace(-0.45, 0.45, len(items)) if len(items) > 1 else np.zeros(len(items))

    def layout(rng: np.random.Generator) -> Mapping[str, Place]:
        places: dict[str, Place] = {}
        for item, angle in zip(items, angles, strict=True):
            reach = 0.05 if len(items) > 1 else 0.0
            x, y = (0.5 + reach) * math.cos(angle), (0.5 + reach) * math.sin(angle)
            spread = 0.06 if len(items) == 1 else 0.02
            dx, dy = rng.uniform(-spread, spread, 2)
            places[item] = (x + dx, y + dy, STANDING_HEIGHT[item], False)
        return places

    return layout


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RewardSetup:
    """Everything that runs one reward-driven robot.

    Attributes:
        robot: ``"quadruped"`` or ``"arm"``.
        world: The simulation.
        controller: Model-predictive control of it.
        judge: Reads recorded states of the simulation model.
    """

    robot: str
    world: MpcWorld
    controller: RewardController
    judge: Estimator

    def state(self) -> tuple[str, ...]:
        """What is measured now, one line each."""
        view = self.judge.view_of(self.world.full_state()[None, None])
        if self.robot == "quadruped":
            names = ("height", "pitch", "roll", "heading", "turn_rate")
            return tuple(f"torso_{n} = {float(view.value(f'torso_{n}')[0, 0]):.3f}" for n in names)
        items = [n for n, o in self.world.spec.objects.items() if o.kind == "item"]
        return tuple(
            f"object_height({n}) = {float(view.value('object_height', (n,))[0, 0]):.3f} m"
            for n in items
        )

    def close(self) -> None:
        """Release threads and the world."""
        self.controller.close()
        self.world.close()


def open_environment(settings: Settings) -> Environment:
    """A robot that is moved by rewards, in its own scene, reset from the seed.

    Raises:
        ConfigurationError: Unknown robot.
    """
    mode = Mode.ASYNCHRONOUS if settings.asynchronous else Mode.SYNCHRONOUS
    return environment_of(
        build_setup(settings.robot, seed=settings.seed, mode=mode, optimiser=settings.optimiser),
        settings,
    )


def environment_of(setup: RewardSetup, settings: Settings) -> Environment:
    """The environment of a robot that is moved by rewards, reset from the seed."""
    world = setup.world
    body = Body(world, real_time=settings.asynchronous)
    body.reset(seed=settings.seed)
    things = list(DEFAULT_SCENE[setup.robot])
    return Environment(
        body=body,
        grounder=NoFacts(world.spec),
        read_qpos=lambda: np.array(world.data.qpos),
        states_header={"route": "reward", "robot": setup.robot, "things": things},
        about={
            "scene": world.spec.name,
            "robot": setup.robot,
            "planning": setup.controller.mode.value,
        },
        object_source=world.spec.object_source,
        setup=setup,
    )


def drawing_model(header: Mapping[str, Any]) -> Any:
    """The simulation model that recorded states of this route belong to."""
    return drawing_spec(str(header["robot"]), tuple(header["things"])).compile()


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


def drawing_spec(robot: str, scene: tuple[str, ...]) -> Any:
    """The simulation model of a robot in its scene, as an `MjSpec`."""
    return robot_spec("quadruped") if robot == "quadruped" else arm_spec(scene)


@lru_cache(maxsize=8)
def _models(robot: str, scene: tuple[str, ...]) -> tuple[Any, Any]:
    spec = drawing_spec(robot, scene)
    return spec.compile(), plan_model(spec)


def build_setup(
    robot: str,
    *,
    scene: tuple[str, ...] | None = None,
    layout: Layout | None = None,
    seed: int = 0,
    options: PlannerOptions | None = None,
    optimiser: Optimiser | str = "mppi",
    mode: Mode = Mode.SYNCHRONOUS,
    record: Callable[[PlanInputs, Plan], None] | None = None,
) -> RewardSetup:
    """Build the robot in its scene.

    Args:
        robot: One of ``REWARD_ROBOTS``.
        scene: Things on the arm's table.
        layout: Where they are, from the seed of ``world.reset``.
        seed: Of the planner.
        options: Planner settings; tuned defaults otherwise.
        optimiser: Searches for plans; a name takes the robot's own noise.
        mode: When planning happens.
        record: Receives the inputs and result of every replan.

    Raises:
        ConfigurationError: Unknown robot or thing.
    """
    if robot not in REWARD_ROBOTS:
        raise ConfigurationError(f"unknown robot {robot!r}, legal: {', '.join(REWARD_ROBOTS)}")
    things = DEFAULT_SCENE[robot] if scene is None else scene
    unknown = [t for t in things if t not in (*ITEMS, *FIXTURES)]
    if unknown:
        raise ConfigurationError(
            f"unknown thing {unknown[0]!r}, legal: {', '.join((*ITEMS, *FIXTURES))}"
        )
    simulation, plan = _models(robot, things)
    options = replace(options or OPTIONS[robot], seed=seed)
    if isinstance(optimiser, str):
        make = OPTIMISERS.get(optimiser)
        optimiser = make(noise=NOISE, correlation=NOISE_CORRELATION[robot])
    if robot == "quadruped":
        spec = spec_of(simulation, name="floor", robot=robot, control_dt_s=CONTROL_DT_S)
        world = MpcWorld(simulation, spec, randomise=_scatter_quadruped)
        view, radii, scale = QuadrupedView, {}, np.ones(12)
    else:
        items = tuple(t for t in things if t in ITEMS)
        spec = spec_of(
            simulation,
            name="table",
            robot=robot,
            control_dt_s=CONTROL_DT_S,
            dq_max=ARM_DQ_MAX,
            objects={n: _object(n) for n in things},
        )
        radii = {n: FAUCET_RADIUS_M for n in things if n == "faucet"}
        world = MpcWorld(
            simulation,
            spec,
            randomise=_scatter_arm(layout or default_layout(items)),
            sliders=tuple(n for n in things if n == "drawer"),
            hinge_radii_m=radii,
            ee_site="palm",
        )
        view, scale = ArmView, np.array([0.25] * 7 + [1.0] * 3)
    shared = ((7, 8, 9),) if robot == "arm" else ()  # the fingers open and close together
    hand = HandDirections(plan, "palm", tuple(ARM_DQ_MAX)) if robot == "arm" else None
    planner = SamplingPlanner(plan, options, optimiser, scale=scale, shared=shared, directions=hand)
    controller = RewardController(
        planner,
        Estimator(plan, spec.joint_names, view, radii),
        mode=mode,
        record=record,
    )
    judge = Estimator(simulation, spec.joint_names, view, radii)
    return RewardSetup(robot=robot, world=world, controller=controller, judge=judge)


def _object(name: str) -> ObjectSpec:
    travel = {"drawer": 0.2, "faucet": FAUCET_RADIUS_M * math.pi / 2}
    if name in travel:
        return ObjectSpec(name=name, kind="drawer", category=name, travel_m=travel[name])
    return ObjectSpec(name=name, kind="item", category=name)


def _scatter_quadruped(model: Any, data: Any, rng: np.random.Generator) -> None:
    """Any heading, small changes of place and joints."""
    del model
    yaw = rng.uniform(-math.pi, math.pi)
    data.qpos[:2] += rng.uniform(-0.1, 0.1, 2)
    data.qpos[3:7] = [math.cos(yaw / 2), 0.0, 0.0, math.sin(yaw / 2)]
    data.qpos[7:] += 0.05 * rng.standard_normal(12)


def _scatter_arm(layout: Layout) -> Callable[[Any, Any, np.random.Generator], None]:
    half = math.sqrt(0.5)

    def scatter(model: Any, data: Any, rng: np.random.Generator) -> None:
        del model
        for name, (x, y, z, lying) in layout(rng).items():
            joint = data.joint(name)
            joint.qpos[:3] = (x, y, z)
            joint.qpos[3:] = (half, 0.0, half, 0.0) if lying else (1.0, 0.0, 0.0, 0.0)
        for i in range(7):
            data.joint(f"joint{i + 1}").qpos[0] += 0.03 * rng.standard_normal()

    return scatter
