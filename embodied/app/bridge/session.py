"""An arm behind a supervisor process, ready for a session."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
    from embodied.world.scene import Scene

GOAL_TIME_S = 300.0
"""Longest time for one motion: in reduced mode they take several times as long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BridgeOptions:
    """What the operator chooses.

    Attributes:
        driver: Name of the driver.
        options: Its options.
        mode: What reaches the arm.
        limits: Signed-off limits file; None takes the one shipped for the simulated arm.
        journal: File of events, None for none.
        mcap: Recording of every period, None for none.
        stacks: Chance that an item of a simulated arm's scene starts on another one.
    """

    driver: str = "simulated"
    options: Mapping[str, object] = field(default_factory=dict[str, object])
    mode: OperationMode = OperationMode.AUTO
    limits: Path | None = None
    journal: Path | None = None
    mcap: Path | None = None
    stacks: float | None = None


class SupervisedWorld(BridgeWorld):
    """A bridge world that ends its supervisor when it is closed.

    Attributes:
        process: The supervisor; the process that holds this object is its operator.
    """

    process: SupervisorProcess

    def close(self) -> None:
        """Let go of the arm and end the supervisor; may be called twice."""
        super().close()
        self.process.close()


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
    options = {**twin, **bridge.options} if simulated else dict(bridge.options)
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
    try:
        client = PlannerClient(process.planner_path, heartbeat_s=limits.heartbeat_s / 5)
        world = SupervisedWorld(client, world_spec(scene, robot, model), model)
        world.process = process
    except BaseException:
        process.close()
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
        no_streaming=refusal,
    )
