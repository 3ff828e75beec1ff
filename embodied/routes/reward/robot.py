# pyright: reportAttributeAccessIssue=false
"""The description of a robot for the reward route: its model, its words and its view."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from embodied_controllers.mpc import PlannerOptions
from embodied_controllers.mpc.terms import View

from embodied.errors import ConfigurationError
from embodied.language.reward.speech import Speech
from embodied.types import ObjectSpec
from embodied.world.mpc_world import Randomise

if TYPE_CHECKING:
    import mujoco

    from embodied.world.robots import Robot

Things = tuple[str, ...]

Place = tuple[float, float, float, bool]
"""x, y, z of the centre, and whether the thing lies on its side with its up axis along +x."""

Layout = Callable[[np.random.Generator], Mapping[str, Place]]


def _nowhere(things: Things, layout: Layout | None) -> Randomise | None:
    del things, layout
    return None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RewardRobot:
    """A robot that is moved by rewards.

    Attributes:
        name: Its name.
        speech: What may be said to it, from the things of its scene and a line on what its other
            scenes have.
        model: Its simulation model in a scene of these things, as an ``MjSpec``. Actuators are
            position servos of joints; a keyframe is its home.
        view: Evaluates the terms and sensors of the vocabulary.
        scenes: Things by name of the scene; the first one is the default.
        things: Whatever a scene of it may hold.
        options: Planner settings.
        scale: Spread of the search for each actuator, (nu,), rad; one number stands for all.
        correlation: Noise correlation of neighbouring knots: an arm should go somewhere and come to
            rest, legs should step.
        shared: Groups of actuators that move together.
        directions: Search in Cartesian directions: the site that moves, and the joints that move
            it; None for joint by joint alone.
        ee_site: Site reported as end effector; the base otherwise.
        dq_max: Speed limits, rad/s, by joint or for all joints.
        objects: The objects among the things.
        hinges_m: Radius of the handle, m, by thing that is opened about a hinge.
        scatter: Changes the home state at reset, from the things and where they are put.
        arm: How it stands in the scenes of other arms; None where it does not.
        shown: Sensors that ``state`` shows; those with an argument for every item.
    """

    name: str
    speech: Callable[[Things, str], Speech]
    model: Callable[[Things], mujoco.MjSpec]
    view: type[View]
    scenes: Mapping[str, Things] = field(default_factory=lambda: {"floor": ()})
    things: Things = ()
    options: PlannerOptions = field(default_factory=PlannerOptions)
    scale: tuple[float, ...] | float = 1.0
    correlation: float = 0.0
    shared: tuple[tuple[int, ...], ...] = ()
    directions: tuple[str, tuple[str, ...]] | None = None
    ee_site: str = ""
    dq_max: Mapping[str, float] | float = 30.0
    objects: Callable[[str], ObjectSpec] = lambda name: ObjectSpec(
        name=name, kind="item", category=name
    )
    hinges_m: Mapping[str, float] = field(default_factory=dict[str, float])
    scatter: Callable[[Things, Layout | None], Randomise | None] = _nowhere
    arm: Callable[[], Robot] | None = None
    shown: tuple[str, ...] = ()

    @property
    def default_scene(self) -> str:
        """Name of the scene that it stands in unless another one is asked for."""
        return next(iter(self.scenes))

    def check(self, things: Things) -> None:
        """Refuse what no scene of it may hold.

        Raises:
            ConfigurationError: An unknown thing; the message lists the legal ones.
        """
        unknown = [t for t in things if t not in self.things]
        if unknown:
            raise ConfigurationError(
                f"unknown object {unknown[0]!r}, legal: {', '.join(self.things) or 'none'}"
            )

    def scene_of(self, things: Things) -> str:
        """Name of the scene of these things; that of the default where none has just these."""
        return next((n for n, t in self.scenes.items() if t == things), self.default_scene)

    def words(self, things: Things) -> Speech:
        """What may be said to it among these things."""
        scenes = [
            f"{thing} (--scene {scene})"
            for scene, held in self.scenes.items()
            for thing in held
            if thing not in things
        ]
        return self.speech(things, ", ".join(scenes))
