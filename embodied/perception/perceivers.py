"""Perceivers of a run: from pixels, and the simulator's own state, labelled as such."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np

from embodied.perception import Detector, PerceivedObject, Percept, Perception
from embodied.perception.cameras import ImageSource, SensorFaults, look
from embodied.perception.perception import TABLE, with_perceived_poses
from embodied.perception.robot_filter import ModelRobotFilter
from embodied.perception.tracking import GRASP_FORCE_N, between_pads
from embodied.types import Array, CameraImage, Observation, WorldSpec

if TYPE_CHECKING:
    from mujoco import MjData, MjModel  # pyright: ignore  # no stubs

    from embodied.world.raycast import RayRenderer
    from embodied.world.rendering import Renderer
    from embodied.world.scene import Scene

TRUTH = "ground truth of the simulator"


def _as_it_is(observation: Observation) -> Observation:
    return observation


_SPACING_M = 0.015
_TRUE_STD_M = 1e-4


class Perceiver(Protocol):
    """Says what is believed about the scene now."""

    @property
    def source(self) -> str:
        """Where object poses come from, for people."""
        ...

    def __call__(self, observation: Observation) -> Percept:
        """Look at the present instant, of which this is the observation."""
        ...


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


@dataclass(slots=True, kw_only=True, eq=False)
class SharedPerceiver:
    """One look an instant, whoever asks: the memory, a route, a person.

    Attributes:
        perceiver: Looks.
    """

    perceiver: Perceiver
    _last: Percept | None = field(init=False, default=None)
    _instant: tuple[float, bytes] | None = field(init=False, default=None)

    @property
    def source(self) -> str:
        """Where object poses come from, for people."""
        return self.perceiver.source

    def __call__(self, observation: Observation) -> Percept:
        """What is believed at the instant of an observation."""
        instant = (observation.time, observation.q.tobytes())
        if self._last is None or self._instant != instant:
            self._last, self._instant = self.perceiver(observation), instant
        return self._last

    def perceive(self, observation: Observation) -> Observation:
        """The observation with the objects where they are believed to be."""
        return with_perceived_poses(observation, self(observation))


class TruthPerceiver:
    """Takes the simulator's own poses for what is perceived; implements ``Perceiver``.

    Args:
        spec: The world.
        scene: Its scene, for what stands there and is no object: the housings of drawers.
        sight: Takes out what is hidden.
        source: Where the poses come from, for people.
    """

    def __init__(
        self,
        spec: WorldSpec,
        scene: Scene,
        sight: Callable[[Observation], Observation] = _as_it_is,
        *,
        source: str = TRUTH,
    ) -> None:
        self.spec, self._sight, self.source = spec, sight, source
        housings = [
            _box_points(b.cabinet_size_m, b.cabinet_position_m, b.yaw_rad)
            for b in scene.bodies.values()
            if any(b.cabinet_size_m)
        ]
        self._points = np.concatenate([np.empty((0, 3)), *housings])

    def __call__(self, observation: Observation) -> Percept:
        """Everything that the observation has a pose of and nothing hides."""
        observation = self._sight(observation)
        grip = observation.gripper
        closed_on = grip is not None and grip.force_n > GRASP_FORCE_N
        objects: dict[str, PerceivedObject] = {}
        for name, pose in observation.poses.items():
            spec = self.spec.objects[name]
            if name == TABLE:
                continue
            held = closed_on and spec.kind == "item" and between_pads(spec, pose, observation)
            objects[name] = PerceivedObject.known(
                spec,
                pose,
                time_s=observation.time,
                std_m=_TRUE_STD_M,
                source="ground truth" if self.source == TRUTH else "scene file",
                held=held,
            )
        return Percept(
            time=observation.time,
            objects=objects,
            table_height_m=0.0,
            obstacle_points_in_world=self._points,
            openings_m=observation.openings_m,
        )


def _box_points(
    size_m: tuple[float, float, float], center_m: tuple[float, float, float], yaw_rad: float
) -> Array:
    """Points (n, 3) in a grid over a box that is turned about the vertical, world frame, m."""
    axes = [np.linspace(-s / 2, s / 2, max(2, round(s / _SPACING_M))) for s in size_m]
    local = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    c, s = np.cos(yaw_rad), np.sin(yaw_rad)
    turned = local @ np.array([[c, s, 0.0], [-s, c, 0.0], [0.0, 0.0, 1.0]])
    return turned + np.array(center_m)


@runtime_checkable
class DrawnWorld(Protocol):
    """A world that says in which state of a MuJoCo model it is, without cameras of its own."""

    @property
    def spec(self) -> WorldSpec:
        """What does not change while the world runs."""
        ...

    @property
    def model(self) -> MjModel:
        """MuJoCo model of the scene with the arm."""
        ...

    @property
    def data(self) -> MjData:
        """The present state of it."""
        ...


class TwinCameras:
    """Cameras of a simulated arm behind a supervisor: a twin is drawn in the arm's own state.

    The images show what the simulated arm's cameras would; implements ``CameraWorld``. A real arm
    has no such state: its images would have to come from its own cameras.

    Args:
        world: Says what state to draw.
    """

    def __init__(self, world: DrawnWorld) -> None:
        self._world = world
        self._renderer: Renderer | RayRenderer | None = None

    @property
    def spec(self) -> WorldSpec:
        """What does not change while the world runs."""
        return self._world.spec

    @property
    def model(self) -> MjModel:
        """MuJoCo model that holds the robot."""
        return self._world.model

    def render(self, camera: str, *, width: int, height: int, segmentation: bool) -> CameraImage:
        """Take an RGB-D image of this instant; raises as ``ImageSource.render`` does."""
        from embodied.world.rendering import open_renderer

        if self._renderer is None or self._renderer.size != (width, height):
            self.close()
            self._renderer = open_renderer(self.model, width=width, height=height, quality="sensor")
        names = tuple(self.spec.objects) if segmentation else None
        return self._renderer.image(self._world.data, camera, names=names)

    def close(self) -> None:
        """Release the renderer; may be called twice."""
        if self._renderer is not None:
            self._renderer.close()
            self._renderer = None


def perception_errors(percept: Percept, truth: Observation) -> dict[str, float]:
    """Distance between perceived and true centres by object, m: for reports, never for control."""
    return {
        name: float(np.linalg.norm(thing.pose.position - truth.poses[name].position))
        for name, thing in percept.objects.items()
        if name in truth.poses
    }
