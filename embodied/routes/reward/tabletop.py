# pyright: reportAttributeAccessIssue=false
"""Rewards for arms at a table: plan models from the scene, words from its objects.

The plan model of a program is the scene with the arm; items that the program does not name, and
that nothing it names touches, stand fast in it where they are measured.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import mujoco
import numpy as np
from embodied_controllers.mpc import OPTIMISERS, PlannerOptions, SamplingPlanner
from embodied_controllers.mpc.arm import FINGER_CLOSED, FINGER_OPEN, FINGERS
from embodied_controllers.mpc.controller import Mode, RewardController
from embodied_controllers.mpc.estimator import Estimator
from embodied_controllers.mpc.hand_directions import HandDirections
from embodied_controllers.mpc.plan_models import plan_spec
from embodied_controllers.mpc.tabletop import TabletopLayout, TabletopView
from embodied_controllers.mpc.tool import Tool, measured

from embodied.body import Body
from embodied.errors import OptionError
from embodied.language.reward.rules_tabletop import tabletop_speech
from embodied.language.reward.speech import Speech
from embodied.opening import Environment
from embodied.route import Perceive
from embodied.routes.reward.looking import Looks, handles_of
from embodied.routes.reward.moving import loose, named
from embodied.routes.reward.robots import REWARD_ROBOTS
from embodied.routes.reward.setup import NOISE
from embodied.settings import Settings
from embodied.types import Array, Atom, Command, Observation, RewardProgram
from embodied.world import robots
from embodied.world.builder import build_spec
from embodied.world.grounding import TabletopGrounder
from embodied.world.mujoco import build_world
from embodied.world.panda import panda_robot
from embodied.world.robots import Robot
from embodied.world.scene import Scene, load_scene

FORCE_N = 30.0
"""Force with which jaws close."""
SQUEEZE_M = 0.015
"""How far beyond shut the jaws of a plan model are told to close."""
HAND_GAP_M, HAND_MEASURED_M, HAND_SHUT = 0.18, 0.08, 0.455
"""Of the three-finger hand: its gap when open, its gap with straight knuckles, and the closure at
which its empty fingers meet."""
AWAY = (np.array([0.0, 0.0, -3.0]), np.array([1.0, 0.0, 0.0, 0.0]))
"""Where what is not perceived stands in a plan model: out of the way."""
CORRELATION = 0.7
OPTIONS = PlannerOptions(horizon_s=0.4, n_knots=3, n_samples=24, halvings=(0.5,))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ArmDrive:
    """Controls of an arm with jaws as commands (``Drive``).

    Attributes:
        joints: Actuators of the joints in the world's order.
        jaws: Actuator of the gap between the jaws; None for fingers that are joints of the world.
        travel: Gaps, ascending, and the jaws' controls at them.
        max_width_m: Largest gap.
        nu: Number of controls.
    """

    joints: tuple[int, ...]
    jaws: int | None
    travel: tuple[Array, Array]
    max_width_m: float
    nu: int

    def command(self, control: Array) -> Command:
        """The command of controls (nu,)."""
        q = control[list(self.joints)]
        if self.jaws is None:
            return Command(q=q)
        gaps, controls = self.travel
        gap = float(np.interp(control[self.jaws], controls, gaps))
        width = float(np.clip(gap, 0.0, self.max_width_m))
        return Command(q=q, gripper_width_m=width, gripper_force_n=FORCE_N)

    def hold(self, observation: Observation) -> Array:
        """Controls (nu,) that keep an arm and its fingers where they are measured."""
        control = np.zeros(self.nu)
        control[list(self.joints)] = observation.q
        if self.jaws is not None and observation.gripper is not None:
            gaps, controls = self.travel
            control[self.jaws] = np.interp(observation.gripper.width_m, gaps, controls)
        return control


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Arm:
    """An arm in a scene, and how its models are made.

    Attributes:
        robot: Its description.
        scene: The scene.
        environment: What it was opened with.
    """

    robot: Robot
    scene: Scene
    environment: Environment

    def spec(self, fixed: Mapping[str, tuple[Array, Array]]) -> mujoco.MjSpec:
        """Arm and scene as a plan model; items of ``fixed`` stand fast at position and turn."""
        assert self.environment.with_arm is not None
        spec = plan_spec(self._sensed(self.environment.with_arm(self.scene)))
        for name, (position, quat) in fixed.items():
            body = spec.body(name)
            spec.delete(spec.joint(name))
            body.pos, body.quat = list(position), list(quat)
        spec.option.enableflags &= ~int(mujoco.mjtEnableBit.mjENBL_SLEEP)
        grip = self.robot.gripper
        if grip is not None:
            servo = spec.actuator(grip.actuator)
            servo.forcelimited = True
            gaps, controls = grip.travel
            lever = float((gaps[-1] - gaps[0]) / (controls[-1] - controls[0]))
            servo.forcerange = [-FORCE_N * lever, FORCE_N * lever]
            damping = lever**2 * len(grip.joints) * FORCE_N / grip.speed_m_s
            for name in grip.joints:  # the jaws move at the gripper's speed under full force
                spec.joint(name).damping = [damping, 0.0, 0.0]
        return spec

    def _sensed(self, spec: mujoco.MjSpec) -> mujoco.MjSpec:
        kinds, objects = mujoco.mjtSensor, mujoco.mjtObj

        def sense(name: str, kind: mujoco.mjtSensor, on: mujoco.mjtObj, target: str) -> None:
            if all(s.name != name for s in spec.sensors):
                spec.add_sensor(name=name, type=kind, objtype=on, objname=target)

        site = self.robot.ee_site
        sense("palm", kinds.mjSENS_FRAMEPOS, objects.mjOBJ_SITE, site)
        sense("palm_facing", kinds.mjSENS_FRAMEZAXIS, objects.mjOBJ_SITE, site)
        sense("palm_closing", kinds.mjSENS_FRAMEYAXIS, objects.mjOBJ_SITE, site)
        for name, thing in self.scene.objects.items():
            sense(name, kinds.mjSENS_FRAMEPOS, objects.mjOBJ_XBODY, name)
            sense(f"{name}_up", kinds.mjSENS_FRAMEZAXIS, objects.mjOBJ_XBODY, name)
            if thing.kind == "drawer":
                handle = f"{name}-handle"
                sense(f"{name}_handle", kinds.mjSENS_FRAMEPOS, objects.mjOBJ_SITE, handle)
        for name in self.closing:
            sense(f"{name}_at", kinds.mjSENS_ACTUATORPOS, objects.mjOBJ_ACTUATOR, name)
            sense(f"{name}_force", kinds.mjSENS_ACTUATORFRC, objects.mjOBJ_ACTUATOR, name)
        return spec

    @property
    def closing(self) -> tuple[str, ...]:
        """Actuators that close the fingers."""
        grip = self.robot.gripper
        return tuple(self.fingers) if grip is None else (grip.actuator,)

    @property
    def fingers(self) -> Mapping[str, str]:
        """Joint of every actuator that closes a finger which is a joint of the world."""
        return {f: f"{f}_knuckle" for f in FINGERS if f"{f}_knuckle" in self.robot.joints}

    def tool(self, model: mujoco.MjModel) -> Tool:
        """The fingers, measured in a model."""
        grip, robot = self.robot.gripper, self.robot
        arm = [i for i, n in enumerate(robot.joints) if n not in self.fingers.values()]
        data = mujoco.MjData(model)
        if grip is not None:
            gap = measured_at = grip.spec.max_width_m
            moved = dict(zip(grip.joints, grip.spec.joint_positions(gap), strict=True))
            gaps, controls = grip.travel
            lever = float((gaps[-1] - gaps[0]) / (controls[-1] - controls[0]))
            opened = np.array([np.interp(gap, gaps, controls)])
            closed = np.array([controls[0] - SQUEEZE_M / lever])
            shut = gap / (gap + SQUEEZE_M)
        else:
            gap, measured_at, shut = HAND_GAP_M, HAND_MEASURED_M, HAND_SHUT
            moved = dict.fromkeys(self.fingers.values(), 0.0)
            n = len(self.fingers)
            opened, closed = np.full(n, FINGER_OPEN), np.full(n, FINGER_CLOSED)
        for name, position in moved.items():
            data.joint(name).qpos[0] = position
        mujoco.mj_kinematics(model, data)
        sizes = measured(model, data, robot.ee_site, tuple(moved))
        return Tool(
            site=robot.ee_site,
            joints=tuple(robot.joints[i] for i in arm),
            home=robot.q_home[arm],
            dq_max=robot.dq_max[arm],
            actuators=tuple(model.actuator(name).id for name in self.closing),
            open=opened,
            closed=closed,
            shut=shut,
            gap_m=gap,
            below_m=sizes.below_m,
            above_m=sizes.above_m,
            thickness_m=sizes.outer_m - measured_at / 2,
            half_width_m=sizes.half_width_m,
            mount_m=sizes.mount_m,
        )

    def drive(self, model: mujoco.MjModel) -> ArmDrive:
        """What the controls of a model are to the arm."""
        grip = self.robot.gripper
        on = {int(model.actuator_trnid[i, 0]): i for i in range(model.nu) if _moves_joint(model, i)}
        return ArmDrive(
            joints=tuple(on[model.joint(name).id] for name in self.robot.joints),
            jaws=None if grip is None else model.actuator(grip.actuator).id,
            travel=(np.zeros(1), np.zeros(1)) if grip is None else grip.travel,
            max_width_m=0.0 if grip is None else grip.spec.max_width_m,
            nu=model.nu,
        )

    def estimator(self, model: mujoco.MjModel) -> Estimator:
        """Reads observations into a model's state."""
        grip = self.robot.gripper
        return Estimator(
            model,
            self.robot.joints,
            TabletopView,
            gripper=None if grip is None else grip.spec,
            layout=TabletopLayout(model, self.tool(model), self.scene.objects),
        )


def _moves_joint(model: mujoco.MjModel, actuator: int) -> bool:
    return bool(model.actuator_trntype[actuator] == mujoco.mjtTrn.mjTRN_JOINT)


@dataclass(slots=True, kw_only=True, eq=False)
class TabletopSetup:
    """An arm in a scene that is moved by rewards (``Rig``).

    Attributes:
        arm: The arm in its scene.
        settings: What a person asked for.
        view: Evaluates the terms.
        speech: What may be said.
        judge: Reads what is perceived into the model in which everything may move.
        look: Says what is perceived at an instant.
    """

    arm: Arm
    settings: Settings
    speech: Speech
    judge: Estimator
    look: Perceive
    view: type[TabletopView] = TabletopView
    _controllers: list[RewardController] = field(default_factory=list[RewardController])
    _last: Observation | None = None

    def seen(self, observation: Observation) -> Observation:
        """An observation as the robot perceives it."""
        return self.look(observation) or observation

    def controller_of(self, program: RewardProgram, observation: Observation) -> RewardController:
        """A controller with the plan model of a program."""
        arm, objects = self.arm, self.arm.scene.objects
        moving = loose(named(program), objects, observation)
        fixed = dict.fromkeys(arm.scene.of_kind("item"), AWAY)
        fixed |= {
            name: (pose.position, pose.quat_wxyz)
            for name, pose in observation.poses.items()
            if name in fixed
        }
        for name in moving:
            del fixed[name]
        model = arm.spec(fixed).compile()
        estimator = arm.estimator(model)
        drive = arm.drive(model)
        scale = np.zeros(model.nu)  # what drives neither arm nor fingers stays as it is
        scale[list(drive.joints)] = 0.25
        scale[list(arm.tool(model).actuators)] = 1.0 if drive.jaws is None else 0.04
        options = replace(OPTIONS, seed=self.settings.seed)
        make = OPTIMISERS.get(self.settings.optimiser)
        planner = SamplingPlanner(
            model,
            options,
            make(noise=NOISE, correlation=CORRELATION),
            scale=scale,
            directions=HandDirections(model, arm.robot.ee_site, arm.tool(model).joints),
        )
        mode = Mode.ASYNCHRONOUS if self.settings.asynchronous else Mode.SYNCHRONOUS
        controller = RewardController(planner, estimator, mode=mode, drive=drive)
        self._controllers.append(controller)
        return controller

    def record(self, observation: Observation, control: Array) -> tuple[Array, Array]:
        """State (nstate,) and sensor data of the judge's model for a perceived observation."""
        state = self.judge.state(observation, self._last)
        self._last = observation
        return state, self.judge.sensors_of(state, control)

    def facts(self, observation: Observation) -> frozenset[Atom]:
        """Relations between objects as the scene's grounder measures them."""
        return self.arm.environment.grounder.facts(observation)

    def missing(self, program: RewardProgram, observation: Observation) -> tuple[str, ...]:
        """Things that a program is about and that are not perceived."""
        known = self.arm.scene.objects
        return tuple(sorted(n for n in named(program) if n in known and n not in observation.poses))

    def state(self) -> tuple[str, ...]:
        """What is measured to hold now, one line each."""
        observation = self.seen(self.arm.environment.body.observe())
        return tuple(str(f) for f in sorted(self.facts(observation)))

    def close(self) -> None:
        """End the planners' threads; the world belongs to the environment."""
        for controller in self._controllers:
            controller.close()
        self._controllers.clear()


def described(name: str) -> Robot:
    """The description of an arm by name, those that only rewards move included.

    Raises:
        ConfigurationError: There is no such arm, or it does not stand at tables.
    """
    if name == "panda":
        return panda_robot()
    if name in REWARD_ROBOTS:
        arm = REWARD_ROBOTS.get(name).arm
        if arm is None:
            raise OptionError(f"the {name} does not stand at a table")
        return arm()
    return robots.load(name)


def open_at_table(settings: Settings) -> Environment:
    """An arm that only rewards move, in a scene of other arms, reset from the seed.

    Raises:
        ConfigurationError: There is no such scene, or the robot does not stand at tables.
    """
    scene, robot = load_scene(settings.scene), described(settings.robot)
    world = build_world(scene, robot)
    body = Body(world, real_time=settings.asynchronous)
    body.reset(seed=settings.seed)
    grounder = TabletopGrounder(world.spec)
    path = Path(settings.scene).expanduser()
    name = str(path.resolve()) if path.is_file() else settings.scene
    return Environment(
        body=body,
        grounder=grounder,
        static_facts=grounder.static_facts,
        scene=scene,
        with_arm=lambda other: build_spec(other, robot),
        read_qpos=lambda: world.qpos,
        states_header={"route": "reward", "robot": settings.robot, "scene": name},
        about={"perception": "truth"},
        object_source=world.spec.object_source,
    )


def tabletop_setup(environment: Environment, settings: Settings) -> TabletopSetup:
    """Rewards for an arm in the scene of an environment.

    Raises:
        OptionError: There is no scene, or the arm has nothing to take things with.
    """
    if environment.no_streaming:
        raise OptionError(
            "the route reward plans every set-point while the arm moves: "
            + environment.no_streaming
        )
    if environment.scene is None or environment.with_arm is None:
        raise OptionError(f"the route reward knows no scene of {settings.robot!r}")
    robot = described(settings.robot)
    arm = Arm(robot=robot, scene=environment.scene, environment=environment)
    sucks = robot.gripper is not None and robot.gripper.spec.kind == "suction"
    if sucks or (robot.gripper is None and not arm.fingers):
        raise OptionError(
            f"the route reward takes things with fingers: {settings.robot!r} has none"
        )
    model, look = arm.spec({}).compile(), environment.perceive
    if environment.see is not None and environment.about["perception"] == "pixels":
        handles = handles_of(model, environment.scene.of_kind("drawer"))
        look = Looks(perceive=look, see=environment.see, handles=handles)
    return TabletopSetup(
        arm=arm,
        settings=settings,
        speech=tabletop_speech(environment.body.spec.robot, environment.scene.objects),
        judge=arm.estimator(model),
        look=look,
    )
