"""Perceivers of a run: from pixels, and the simulator's own state, labelled as such."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np

from embodied.perception import Detector, Percept, Perception
from embodied.perception.cameras import ImageSource, SensorFaults, look
from embodied.perception.robot_filter import ModelRobotFilter
from embodied.types import Observation, WorldSpec

if TYPE_CHECKING:
    from mujoco import MjModel  # pyright: ignore  # no stubs

TRUTH = "ground truth of the simulator"


@runtime_checkable
class CameraWorld(ImageSource, Protocol):
    """A simulated world with cameras, whose robot is known to the last link."""

    @property
    def spec(self) -> WorldSpec:
        """What does not change while the world runs."""
        ...

    @property
    def model(self) -> MjModel:
        """MuJoCo model that holds the robot."""
        ...


@dataclass(slots=True, kw_only=True)
class CameraPerceiver:
    """RGB-D cameras of a simulated world and perception on their images.

    Attributes:
        world: Renders the images; only its cameras are used.
        perception: Turns them into objects.
        faults: What is wrong with the cameras now, asked at every look.
    """

    world: ImageSource
    perception: Perception
    faults: Callable[[], SensorFaults | None] = lambda: None
    segmentation: bool = False
    rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(0))

    @property
    def source(self) -> str:
        """Where object poses come from, for people."""
        names = self.perception.detector.source
        views = len(self.perception.cameras)
        if names != "pixels":
            return f"RGB-D pixels of {views} cameras, names from the {TRUTH}"
        return f"RGB-D pixels of {views} cameras"

    def __call__(self, observation: Observation) -> Percept:
        """Look at the present instant."""
        seen = look(
            self.world,
            observation,
            cameras=self.perception.cameras,
            segmentation=self.segmentation,
            faults=self.faults(),
            rng=self.rng,
        )
        return self.perception.update(seen)


def camera_perceiver(
    world: CameraWorld,
    *,
    detector: Detector | None = None,
    faults: Callable[[], SensorFaults | None] = lambda: None,
) -> CameraPerceiver:
    """Eyes that see a simulated world through its cameras.

    Args:
        world: The world.
        detector: Gives names; colour and shape by default.
        faults: What is wrong with the cameras, asked at every look.
    """
    robot = ModelRobotFilter.of(world.model, world.spec)
    perception = Perception(world.spec, detector=detector, robot_filter=robot)
    return CameraPerceiver(world=world, perception=perception, faults=faults)


def perception_errors(percept: Percept, truth: Observation) -> dict[str, float]:
    """Distance between perceived and true centres by object, m: for reports, never for control."""
    return {
        name: float(np.linalg.norm(thing.pose.position - truth.poses[name].position))
        for name, thing in percept.objects.items()
        if name in truth.poses
    }
