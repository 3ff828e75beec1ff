"""The arm goes around the board by itself, behind the supervisor."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
from embodied_controllers.trajectory import TrajectoryController
from embodied_planners.motion.planner import MotionPlanner

from embodied.app.bridge.session import Supervised
from embodied.app.calibrate.sources import take_view
from embodied.bridge.geometry import ArmGeometry
from embodied.bridge.messages import OperationMode
from embodied.calibration.board import Board
from embodied.calibration.errors import CalibrationError
from embodied.calibration.hand_eye import closed_form
from embodied.calibration.least_squares import Problem, solve
from embodied.calibration.poses import first_moves, plan_views
from embodied.calibration.views import HandEyeOptions, View
from embodied.perception.cameras.types import Camera, CameraModel
from embodied.types import Array, Command, ControlStatus, JointTrajectory, PathGoal, Pose
from embodied.world.mujoco import planning_model
from embodied.world.scene import Scene

PADDING_M = 0.02
"""Between the arm and everything else on the way."""

ABOVE_TABLE_M = 0.04
"""Of the camera on the hand, or of the board on it."""

_SLOW = 0.5
_SINGULAR = 2.0
"""Of the limit: how far poses stay from singularities."""

_ENOUGH = 6
"""Views with which the camera's pose is known well enough to plan the others."""

_SETTLE_S = 0.4
_LONGEST_S = 5.0
_STILL_RAD_S = 0.01
_TRIES = 3
_MOST_FAILURES = 6
_NO_WAY = "no safe way there"
_STEP_RAD = 0.02

Say = Callable[[str], None]


class HandMover:
    """Moves a supervised arm between poses that its supervisor allows.

    Args:
        supervised: The arm; reset its world before it moves.
        scene: Its fixed things are obstacles; items are not, nobody has seen them.
        seed: Of the planner.
    """

    def __init__(self, supervised: Supervised, scene: Scene, seed: int = 0) -> None:
        self.world = supervised.world
        self._limits = limits = supervised.limits
        self._geometry = ArmGeometry(limits, scene)
        fixed = {n: o for n, o in scene.objects.items() if o.kind != "item"}
        bodies = {n: scene.bodies[n] for n in fixed if n in scene.bodies}
        bare = replace(scene, objects=fixed, bodies=bodies)
        spec = replace(self.world.spec, objects=fixed)
        self._planner = MotionPlanner(planning_model(bare, limits.robot), spec, seed)
        self.kinematics = self._planner.kinematics
        self._clearance = self._planner.scene.clearance(padding_m=PADDING_M)
        self._controller = supervised.wrap(TrajectoryController(spec))
        self._dt_s = spec.control_dt_s
        self._confirmed = supervised.world.process.config.mode is OperationMode.CONFIRM
        self.keep_above: Callable[[Array], float] | None = None
        """Height of the lowest thing that the model does not know, at joints (n,), m."""

    def joints(self) -> Array:
        """Measured joints of the arm at rest, (n,), rad."""
        seen: list[Array] = []
        for _ in range(max(3, round(0.2 / self._dt_s))):
            seen.append(self.world.step(Command(q=self.world.sent)).observation.q)
        return np.mean(seen, axis=0)

    def safe(self, q: Array) -> bool:
        """Whether the supervisor would let the arm be at ``q`` (n,)."""
        limits, geometry = self._limits, self._geometry
        if (q < limits.q_lower).any() or (q > limits.q_upper).any():
            return False
        if geometry.nearest(q).margin_m < 0.0:
            return False
        ee, _ = geometry.points(q)
        if (ee < limits.workspace_lower).any() or (ee > limits.workspace_upper).any():
            return False
        if geometry.least_singular_value(q) < _SINGULAR * limits.least_singular_value:
            return False
        return self.keep_above is None or self.keep_above(q) >= ABOVE_TABLE_M

    def reach(self, pose: Pose) -> Array | None:
        """Safe joints (n,) for a pose of the end effector; None if there are none."""
        found = self._planner.ik(pose, self._clearance, near=self.world.sent, seeds=2)
        q = np.array(found.q)
        return q if found.found and self.safe(q) else None

    def go(self, q: Array, label: str) -> str:
        """Bring the arm to ``q`` (n,) and wait until it is at rest; returns why it is not there.

        Raises:
            HardwareFault: The arm was stopped.
        """
        why = ""
        for _ in range(1 if self._confirmed else _TRIES):
            why = self._go(q, label)
            self._settle()
            if not why or why == _NO_WAY:
                break
        return why

    def _go(self, q: Array, label: str) -> str:
        segment = self._planner.transit(np.array(self.world.sent), q, self._clearance)
        if not segment.found:
            return _NO_WAY
        trajectory = self._planner.trajectory([segment], speed=_SLOW)
        if not all(self.safe(row) for row in _sampled(trajectory)):
            return _NO_WAY
        goal = PathGoal(trajectory=trajectory, tolerance_rad=0.02, label=label)
        state = self._controller.init(goal, self.world.observe())
        status = ControlStatus.RUNNING
        while status is ControlStatus.RUNNING:
            command, state, status = self._controller.step(state, self.world.observe())
            self.world.step(command)
        if status is ControlStatus.REACHED:
            return ""
        return "the motion was refused or held up"

    def _settle(self) -> None:
        rest = 0.0
        for _ in range(round(_LONGEST_S / self._dt_s)):
            seen = self.world.step(Command(q=self.world.sent)).observation
            rest = rest + self._dt_s if np.abs(seen.dq).max() < _STILL_RAD_S else 0.0
            if rest >= _SETTLE_S:
                break


def _sampled(trajectory: JointTrajectory) -> Iterator[Array]:
    """Configurations along a trajectory, close to each other."""
    last = np.full(trajectory.q.shape[1], np.inf)
    for row in trajectory.q:
        if np.abs(row - last).max() >= _STEP_RAD:
            last = row
            yield row
    yield trajectory.q[-1]


def collect_moving(
    mover: HandMover,
    camera: Camera,
    model: CameraModel,
    board: Board,
    options: HandEyeOptions,
    *,
    count: int,
    lens: Array | None,
    seed: int,
    say: Say,
) -> list[View]:
    """Take views of the board: first around where the hand is, then where they tell the most.

    Args:
        mover: Moves the arm.
        camera: The camera, which sees the board now.
        model: Its intrinsics.
        board: The board.
        options: Where the camera is, and the noise.
        count: How many views to plan for.
        lens: What is known of the intrinsics.
        seed: Of the poses.
        say: Tells people how it goes.

    Raises:
        CalibrationError: The board is not in view at the start, or the arm can hardly move.
        HardwareFault: The arm was stopped.
        CameraError: The camera gives no image.
    """
    views: list[View] = []

    failures = 0

    def visit(q: Array, label: str) -> str:
        nonlocal failures
        why = mover.go(q, label)
        failures = failures + 1 if why and why != _NO_WAY else 0
        if failures >= _MOST_FAILURES:
            raise CalibrationError(f"{failures} motions in a row did not get there: {why}")
        if why:
            return why
        view, problem = take_view(camera, board, mover.joints)
        if not problem:
            views.append(view)
        return problem

    first, problem = take_view(camera, board, mover.joints)
    if problem:
        raise CalibrationError(
            f"{problem}; before the start the hand must be where the camera sees the board"
        )
    start = mover.kinematics.pose(first.q)
    for number, pose in enumerate(first_moves(start)):
        q = mover.reach(pose)
        why = "out of reach" if q is None else visit(q, f"look around {number + 1}")
        say(f"look around {number + 1}: {why or 'taken'}")
        if len(views) > _ENOUGH:
            break
    if len(views) < 4:
        raise CalibrationError(
            f"the board was seen from {len(views)} of the small motions around the start only:"
            " start with the board in the middle of the image, not filling it, the hand free to"
            " turn, and away from the limits"
        )
    problem_so_far = Problem(
        views=tuple(views), arm=mover.kinematics, model=model,
        options=replace(options, intrinsics=False), lens=lens,
    )  # fmt: skip
    about = solve(problem_so_far, *closed_form(problem_so_far))
    x, y = about.x, about.y
    mover.keep_above = _height(mover, board, x, y, options.mount)
    if mover.keep_above(np.array(mover.world.sent)) < ABOVE_TABLE_M:
        mover.keep_above = None
        say("the camera or board is close to the table at the start: its height is not checked")
    planned = plan_views(
        Problem(
            views=(), arm=mover.kinematics, model=model, options=options, lens=lens
        ), board, x, y, mover.reach, count=count, rng=np.random.default_rng(seed),
    )  # fmt: skip
    say(f"{len(planned)} poses around the board")
    for number, q in enumerate(_in_order(planned, np.array(mover.world.sent))):
        why = visit(q, f"pose {number + 1} of {len(planned)}")
        say(f"pose {number + 1} of {len(planned)}: {why or 'taken'}")
    home = mover.reach(start)
    if home is not None:
        mover.go(home, "back to the start")
    return views


def _height(
    mover: HandMover, board: Board, x: Pose, y: Pose, mount: str
) -> Callable[[Array], float]:
    """Height of what is on the hand over the table, which the arm's model does not know."""
    outline = y.apply(board.outline) if mount == "world" else x.position[None]

    def height(q: Array) -> float:
        return float(mover.kinematics.pose(q).apply(outline)[:, 2].min())

    return height


def _in_order(goals: list[Array], start: Array) -> Iterator[Array]:
    """Each goal once, the nearest one next."""
    left, at = list(goals), start
    while left:
        nearest = int(np.argmin([np.abs(q - at).max() for q in left]))
        at = left.pop(nearest)
        yield at
