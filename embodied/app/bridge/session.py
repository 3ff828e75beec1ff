"""An arm behind a supervisor process, ready for a session."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from embodied.app.bridge.options import BridgeOptions as BridgeOptions
from embodied.app.bridge.seeing import fixed_poses, open_eyes, source_of
from embodied.bridge.client import PlannerClient
from embodied.bridge.limits import SafetyLimits, load_limits, shipped_limits
from embodied.bridge.messages import OperationMode
from embodied.bridge.process import BridgeConfig, SupervisorProcess
from embodied.bridge.retiming import Approve, SupervisedController, within_speeds
from embodied.bridge.world import BridgeWorld
from embodied.protocols import Controller
from embodied.settings import Settings
from embodied.types import JointTrajectory

if TYPE_CHECKING:
    from embodied.perception.cameras.eyes import CameraEyes
    from embodied.world.scene import Scene

GOAL_TIME_S = 300.0
"""Longest time for one motion: in reduced mode they take several times as long."""


class SupervisedWorld(BridgeWorld):
    """A bridge world that ends its supervisor when it is closed.

    Attributes:
        process: The supervisor; the process that holds this object is its operator.
    """

    process: SupervisorProcess
    cameras: CameraEyes | None = None

    def close(self) -> None:
        """Let go of the arm, end the supervisor and close the cameras; may be called twice."""
        super().close()
        self.process.close()
        if self.cameras is not None:
            self.cameras.close()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Supervised:
    """An arm behind a supervisor, ready for a session.

    Attributes:
        world: The world; closing it ends the supervisor.
        planning_model: MuJoCo model that planners check motions in.
        wrap: Makes a controller keep the speeds of the limits and ask for approvals.
        limits: What the supervisor was started with.
        pace: Makes a trajectory keep those speeds.
        simulated: Whether the arm is a simulated one, whose state a twin can be drawn in.
        source: Where object poses come from, in words; empty for the simulator's own.
        perception: ``"cameras"``, ``"none"``, or ``""`` for what the settings say.
        goal_time_s: Longest time for one motion.
        no_streaming: Why it takes no set-points that are planned while it moves; empty where it
            takes them.
    """

    world: SupervisedWorld
    planning_model: Any
    wrap: Callable[[Controller[Any]], Controller[Any]]
    limits: SafetyLimits
    pace: Callable[[JointTrajectory], JointTrajectory]
    simulated: bool
    source: str = ""
    perception: str = ""
    goal_time_s: float = GOAL_TIME_S
    no_streaming: str = ""


def open_supervised(
    settings: Settings, bridge: BridgeOptions, scene: Scene, *, approve: Approve | None = None
) -> Supervised:
    """Start a supervisor and connect a planner to it.

    Args:
        settings: Scene, robot and simulator.
        bridge: The operator's choice.
        scene: The scene.
        approve: Mode confirm: asks the operator about a motion.

    Raises:
        ConfigurationError: Driver, limits or robot do not exist or do not fit.
        EnvironmentMissingError: A package is missing.
        WorldError: The supervisor did not start.
    """
    from embodied.bridge.geometry import ArmGeometry
    from embodied.world import robots
    from embodied.world.mujoco import planning_model, world_spec

    bullet = settings.world == "bridge-pybullet"
    names = (f"{settings.robot}-simulated", f"{settings.robot}-emulated")
    path = bridge.limits or shipped_limits(*names)
    limits = load_limits(path)
    robot = robots.load(limits.robot)
    if bullet:
        from embodied.world import pybullet
        from embodied.world.panda import panda_robot

        robot, model = panda_robot(), pybullet.planning_model(scene)
    else:
        model = planning_model(scene, limits.robot)
    twin: dict[str, object] = {
        "simulator": "pybullet" if bullet else "mujoco",
        "scene": settings.scene,
        "stacks": bridge.stacks,
        "robot": limits.robot,
    }
    simulated = bridge.driver == "simulated"
    spec, fixtures = world_spec(scene, robot, model), fixed_poses(scene)
    eyes = open_eyes(bridge, spec, model, fixtures)
    options = {**twin, **bridge.options} if simulated else dict(bridge.options)
    try:
        process = SupervisorProcess(
            BridgeConfig(
                driver=bridge.driver,
                options=options,
                limits=path,
                scene=settings.scene,
                mode=bridge.mode,
                journal=bridge.journal,
                mcap=bridge.mcap,
                twin={**twin, **(bridge.options if simulated else {})},
            )
        )
    except BaseException:
        if eyes is not None:
            eyes.close()
        raise
    try:
        client = PlannerClient(process.planner_path, heartbeat_s=limits.heartbeat_s / 5)
        world = SupervisedWorld(client, spec, model, fixtures=fixtures, eyes=eyes)
        world.process, world.cameras = process, eyes
    except BaseException:
        process.close()
        if eyes is not None:
            eyes.close()
        raise
    geometry = ArmGeometry(limits, scene)

    def wrap(controller: Controller[Any]) -> Controller[Any]:
        return SupervisedController(
            controller,
            geometry,
            ee_speed_m_s=limits.ee_speed_m_s,
            elbow_speed_m_s=limits.elbow_speed_m_s,
            sent=lambda: world.sent,
            approve=approve,
        )

    def pace(trajectory: JointTrajectory) -> JointTrajectory:
        return within_speeds(
            trajectory,
            geometry,
            ee_speed_m_s=limits.ee_speed_m_s,
            elbow_speed_m_s=limits.elbow_speed_m_s,
        )

    refusal = ""
    if bridge.mode is OperationMode.CONFIRM:
        refusal = "in mode confirm an operator approves whole paths, and there is none beforehand"
    elif not simulated or bridge.mode is OperationMode.SHADOW:
        refusal = "a real arm does not stand still while the next set-point is planned"
    return Supervised(
        world=world,
        planning_model=model,
        wrap=wrap,
        limits=limits,
        pace=pace,
        simulated=simulated,
        source=source_of(bridge, eyes),
        perception="cameras" if eyes is not None else "none" if bridge.blind else "",
        no_streaming=refusal,
    )
