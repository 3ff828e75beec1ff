"""State of a value-map run: the scene as seen, and what is in the hand."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from embodied_planners.value_map import Mover, ObjectGeometry

from embodied.body import Body
from embodied.perception import Percept, with_perceived_poses
from embodied.protocols import Emit, Event
from embodied.routes.value_map.setup import ValueMapSetup, geometries, unexplained
from embodied.types import Array, Atom, GripperGoal, Observation, Pose
from embodied.world.grounding import TabletopGrounder

HOLDS_M = 0.004
"""Fingers that stop this far apart have something between them."""

GRASP_FORCE_N = 25.0

PUSHED_RAD = 0.06
"""An arm this far from its set-points is held back or was pushed away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopOptions:
    """Rates and patience of a run; times are simulated unless they say otherwise.

    Attributes:
        look_s: Time between two looks while moving; each look is planned from.
        patience_s: Timeout for a path, for a target to be seen, and for the cameras.
        stage_s: Longest time of one stage.
        settle_s: Holding still before the verdict.
        attempts: Tries of one grasp, and of one push.
    """

    look_s: float = 0.2
    patience_s: float = 2.0
    stage_s: float = 60.0
    settle_s: float = 0.3
    attempts: int = 4


@dataclass(slots=True, kw_only=True)
class Counts:
    """What happened how often, and what it cost in wall time."""

    looks: int = 0
    plans: int = 0
    adopted: int = 0
    pushed: int = 0
    look_s: list[float] = field(default_factory=list[float])
    plan_s: list[float] = field(default_factory=list[float])
    cycle_s: list[float] = field(default_factory=list[float])


class RunState:
    """The scene as last seen and what the hand holds, kept from program to program.

    Args:
        body: The robot.
        setup: Perceiver, planner, arm check and controller.
        options: Rates and patience.

    Attributes:
        emit: Receives every event; whoever carries out a program sets it.
    """

    def __init__(
        self, body: Body, setup: ValueMapSetup, options: LoopOptions | None = None
    ) -> None:
        self.body, self.setup = body, setup
        self.options = options or LoopOptions()
        self.emit: Emit = lambda event: None
        self.opening = self.measured_opening()
        self.percept: Percept | None = None
        self.objects: dict[str, ObjectGeometry] = {}
        self.points: Array = np.empty((0, 3))
        self.held = ""
        self.held_in_hand: Pose | None = None
        self.held_size: tuple[float, float, float] = (0.0, 0.0, 0.0)
        self.counts = Counts()
        self._first = True

    @property
    def observation(self) -> Observation:
        """What was measured last."""
        return self.body.observation

    def say(self, kind: str, **data: object) -> None:
        """Emit an event with the time of the world in it."""
        self.emit(Event(kind=kind, data={"time_s": round(self.observation.time, 3), **data}))

    # ---- looking

    def look(self, passing: tuple[str, ...] = ()) -> None:
        """See the scene anew; ``passing`` things are no obstacles."""
        started = time.perf_counter()
        percept = self.setup.see(self.observation)
        self.counts.looks += 1
        self.counts.look_s.append(time.perf_counter() - started)
        self.percept = percept
        self._check_held()
        if self._first:
            self._first = False
            self._already_held(geometries(percept, self.setup.spec))
        passing = (*passing, self.held) if self.held else passing
        self.objects = geometries(percept, self.setup.spec, passing=passing)
        if self.held and self.held_in_hand is not None:
            pose = self.observation.pose_ee_in_world @ self.held_in_hand
            known = self.objects.get(self.held)
            size, shape = (known.size_m, known.shape) if known else (self.held_size, "box")
            self.objects[self.held] = ObjectGeometry(
                pose=pose, size_m=size, shape=shape, obstacle=False
            )
        self.points = unexplained(percept, self.objects)

    def places(self) -> dict[str, tuple[float, ...]]:
        """Where things are seen now: x, y, z by name, world frame, m."""
        self.look()
        return {n: tuple(map(float, o.pose.position)) for n, o in self.objects.items()}

    @property
    def blind(self) -> str:
        """Why nothing is seen now; empty when something is."""
        reasons = self.percept.reasons if self.percept is not None else ("no image yet",)
        for reason in reasons:
            if "no usable camera" in reason:
                return reason
        return ""

    @property
    def table_height_m(self) -> float:
        """Height of the table as last seen."""
        return self.percept.table_height_m if self.percept is not None else 0.0

    def _already_held(self, things: dict[str, ObjectGeometry]) -> None:
        """Something may be in the hand when a run begins."""
        gripper = self.observation.gripper
        if gripper is None or gripper.force_n < 1.0 or gripper.width_m < HOLDS_M:
            return
        place = np.array(self.observation.pose_ee_in_world.position)[None]
        for name, thing in things.items():
            if float(thing.distance_to(place)[0]) < 0.0:
                self.objects, self.opening = things, 0.0
                self.take(name)

    def _check_held(self) -> None:
        """What was in the hand is no longer there when the fingers have closed on nothing."""
        if self.held and self.observation.gripper is not None:
            width = self.observation.gripper.width_m
            if width < HOLDS_M and self.opening < 0.5:
                self.say("observation", text=f"{self.held} is no longer between the fingers")
                self.held, self.held_in_hand = "", None

    def facts(self) -> frozenset[Atom]:
        """What the grounder makes of what was seen last."""
        if self.percept is None:
            return frozenset()
        return self._grounder.facts(with_perceived_poses(self.observation, self.percept))

    @cached_property
    def _grounder(self) -> TabletopGrounder:
        return TabletopGrounder(self.setup.spec)

    # ---- the robot

    def measured_opening(self) -> float:
        """Measured gap as a share of the largest one."""
        gripper, spec = self.observation.gripper, self.setup.spec.gripper
        if gripper is None or spec is None:
            return 1.0
        return float(np.clip(gripper.width_m / spec.max_width_m, 0.0, 1.0))

    def mover(self) -> Mover:
        """The hand as it is now, with what it holds."""
        spec, gripper = self.setup.spec.gripper, self.observation.gripper
        if spec is None:
            return Mover.point(0.03)
        hand = Mover.hand(spec, gripper.width_m if gripper is not None else 0.0)
        if self.held and self.held_in_hand is not None and self.held in self.objects:
            return hand.holding(self.objects[self.held], self.held_in_hand)
        return hand

    def unless_pushed(self, q: Array) -> Array:
        """Set-points (n,), or the measured joints when the arm is far from them."""
        far = float(np.max(np.abs(q - self.observation.q))) > PUSHED_RAD
        return np.array(self.observation.q) if far else q

    def q_now(self) -> Array:
        """The set-points, or the measured joints when the arm is far from them, (n,)."""
        return self.unless_pushed(self.body.q_set)

    def fingers(self, opening: float) -> bool:
        """Bring the fingers to an opening; True when something is between them at the end."""
        spec = self.setup.spec.gripper
        if spec is None:
            return False
        goal = GripperGoal(width_m=opening * spec.max_width_m, force_n=GRASP_FORCE_N)
        self.say("goal", type="GripperGoal", label=f"gripper to {opening:.1f}")
        self.body.follow(self.setup.controller, goal, 3.0)
        self.opening = opening
        if opening > 0.5:
            self.held, self.held_in_hand = "", None
            self.body.hold(0.15)
            return False
        gripper = self.observation.gripper
        return gripper is not None and gripper.width_m > max(HOLDS_M, opening * spec.max_width_m)

    def take(self, name: str) -> None:
        """Note what is between the fingers; its centre lies midway between the pads."""
        thing = self.objects.get(name)
        if thing is None:
            return
        relative = self.observation.pose_ee_in_world.inverse() @ thing.pose
        position = np.array(relative.position)
        position[1] = 0.0
        self.held_in_hand = Pose(position=position, quat_wxyz=relative.quat_wxyz)
        self.held, self.held_size = name, thing.size_m
