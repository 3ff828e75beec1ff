# pyright: reportAttributeAccessIssue=false
# (mujoco ships no type stubs)
"""Setup of a value-map run: perceiver, planner, arm check and controller of one world."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import mujoco
import numpy as np
from embodied_controllers.trajectory import TrajectoryController
from embodied_planners.motion import JointLimits
from embodied_planners.value_map import ObjectGeometry, ValueMapPlanner, VoxelGrid
from embodied_planners.value_map.arm import SLOT, SLOTS, ArmChecker

from embodied.opening import as_planned
from embodied.perception import PerceivedObject, Percept
from embodied.types import Array, JointTrajectory, Observation, WorldSpec
from embodied.world import robots
from embodied.world.builder import build_spec
from embodied.world.scene import TABLE, Scene

See = Callable[[Observation], Percept]
"""Says what is believed about the scene at the present instant."""

Pace = Callable[[JointTrajectory], JointTrajectory]
"""Makes a trajectory keep the speeds that a supervisor allows."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ValueMapSetup:
    """Everything that runs value-map programs in one world.

    Attributes:
        spec: The world's spec.
        see: The perceiver.
        planner: Plans stages over voxels.
        arm: Checks that the whole arm can follow.
        controller: Follows joint trajectories.
        limits: Joint limits that trajectories keep.
        pace: Slows trajectories down for an arm behind a supervisor.
    """

    spec: WorldSpec
    see: See
    planner: ValueMapPlanner
    arm: ArmChecker
    controller: TrajectoryController
    limits: JointLimits
    pace: Pace = as_planned

    @staticmethod
    def build(
        scene: Scene,
        spec: WorldSpec,
        see: See,
        *,
        robot: str = "fr3",
        with_arm: Callable[[Scene], mujoco.MjSpec] | None = None,
        side: int = 100,
        pace: Pace = as_planned,
    ) -> ValueMapSetup:
        """Everything for one world.

        Args:
            scene: The scene; only its table is taken from it.
            spec: The world's spec.
            see: The perceiver.
            robot: Name of the robot.
            with_arm: Puts another arm into a scene: for worlds whose arm is none of those.
            side: Voxels along each axis of the grid, of 1 cm each.
            pace: Slows trajectories down for an arm behind a supervisor.
        """
        return ValueMapSetup(
            spec=spec,
            see=see,
            planner=ValueMapPlanner(VoxelGrid.over(spec, side=side), gripper=spec.gripper),
            arm=ArmChecker(
                arm_model(scene, with_arm or (lambda s: build_spec(s, robots.load(robot)))), spec
            ),
            controller=TrajectoryController(spec),
            limits=JointLimits.of(spec, velocity=0.7, acceleration=0.5),
            pace=pace,
        )


def arm_model(scene: Scene, with_arm: Callable[[Scene], mujoco.MjSpec]) -> mujoco.MjModel:
    """The robot at its table with spare bodies for what will be seen, and nothing else."""
    bare = replace(
        scene, objects={TABLE: scene.objects[TABLE]}, bodies={TABLE: scene.bodies[TABLE]}
    )
    spec = with_arm(bare)
    for i in range(SLOTS):
        body = spec.worldbody.add_body(name=f"{SLOT}{i}", pos=[0, 0, -5])
        body.add_freejoint(name=f"{SLOT}{i}")
        body.add_geom(
            name=f"{SLOT}{i}", type=mujoco.mjtGeom.mjGEOM_BOX, size=[0.02, 0.02, 0.02], mass=0.1
        )
    model = robots.compile_model(spec)
    model.opt.enableflags &= ~int(mujoco.mjtEnableBit.mjENBL_SLEEP)
    return model


def geometries(
    percept: Percept, spec: WorldSpec, *, passing: tuple[str, ...] = ()
) -> dict[str, ObjectGeometry]:
    """What the planner is told of what is seen.

    Args:
        percept: What is seen.
        spec: Fallback for the size of things of which little is visible.
        passing: Things that are no obstacles: what is held or pushed.
    """
    return {
        name: ObjectGeometry(
            pose=thing.pose,
            size_m=_size(thing, spec),
            shape=thing.shape,
            obstacle=name not in passing and not thing.held,
        )
        for name, thing in percept.objects.items()
    }


def _size(thing: PerceivedObject, spec: WorldSpec) -> tuple[float, float, float]:
    """Measured extents, never less than half of what things of that name have."""
    known = spec.objects.get(thing.name)
    if known is None or not any(known.size_m):
        return thing.size_m
    return tuple(  # type: ignore[return-value]
        float(np.clip(a, 0.5 * b, 1.25 * b))
        for a, b in zip(thing.size_m, known.size_m, strict=True)
    )


def unexplained(percept: Percept, things: Mapping[str, ObjectGeometry]) -> Array:
    """Obstacle points (n, 3) that belong to no thing that has a name, m."""
    points = percept.obstacle_points_in_world
    if len(points) == 0:
        return points
    points = points[:: max(1, len(points) // 4000)]
    keep = np.ones(len(points), np.bool_)
    for thing in things.values():
        keep &= thing.distance_to(points) > 0.015
    return points[keep]
