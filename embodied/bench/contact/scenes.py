# pyright: reportAttributeAccessIssue=false
# (mujoco ships no type stubs)
"""A door with a lever handle, a sash window and a fridge, opened by a free gripper.

The gripper is not carried by an arm: three sliding joints with position servos of limited force
move it, its wrist gives way by springs, and two fingers close with limited force. What it holds is
held by contact and friction alone. The lever's bolt stands in a strike plate and blocks the door by
contact until the lever is turned; fridge and window stick until a break-away force is exceeded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources

import mujoco
import numpy as np

from embodied.types import Array

STEP_S = 0.2
_BEHIND, _BESIDE = np.array([0.06, 0.0, 0.0]), np.array([0.06, -0.09, 0.0])
HANDLE = np.array([0.44, 0.0, 0.5])
"""Where the middle of the part that is held is, nominally, in the world, m."""
START = np.array([0.18, 0.0, 0.5])
"""Where the gripper starts, nominally, in the world, m."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactScene:
    """One scene.

    Attributes:
        name: Its name.
        pull_in_world: The straight way that opens it as far as one sees: direction times length, m.
        goal: Joint position from which on it counts as open, rad or m.
        steps: Steps of 0.2 s in a trial.
        upright: Whether the part that is held stands upright (otherwise it lies).
        break_away: Range of the largest sticking torque or force, N m or N.
        fade: It has fallen to 1/e at this joint position, rad or m.
        bodies: Where its bodies are, from a point 6 cm behind what is held (beside it at the door),
            in the world, m.
    """

    name: str
    pull_in_world: tuple[float, float, float]
    goal: float
    steps: int
    upright: bool
    break_away: tuple[float, float]
    fade: float
    bodies: Mapping[str, tuple[float, float, float]]


SCENES = {
    scene.name: scene
    for scene in (
        ContactScene(
            name="door", pull_in_world=(-0.33, 0.0, 0.0), goal=0.35, steps=50, upright=False,
            break_away=(0.0, 0.0), fade=1.0,
            bodies={"door": (0.0, 0.79, 0.0), "strike": (-0.02, -0.061, 0.0)},
        ),
        ContactScene(
            name="window", pull_in_world=(0.0, 0.22, 0.0), goal=0.15, steps=30, upright=False,
            break_away=(28.0, 36.0), fade=0.02, bodies={"sash": (0.0, 0.0, 0.0)},
        ),
        ContactScene(
            name="fridge", pull_in_world=(-0.33, 0.0, 0.0), goal=0.5, steps=36, upright=True,
            break_away=(20.0, 25.0), fade=0.03, bodies={"door": (0.0, 0.5, 0.0)},
        ),
    )
}  # fmt: skip


class ContactWorld:
    """One scene as a ``ContactTask``.

    A state is (6,): gripper position in the world (3), m; gap between the fingers, m; joint
    position of what opens; of the lever, 0 where there is none. Both joint positions are read from
    the simulator: ground truth in place of perception. Each trial has its own small displacement of
    the scene and sticking force.

    Args:
        scene: The scene.
    """

    n_state = 6

    def __init__(self, scene: ContactScene) -> None:
        self.scene, self.steps = scene, scene.steps
        self._models: dict[int, mujoco.MjModel] = {}
        self.reset(0)

    def reset(self, seed: int) -> Array:
        """Begin a trial."""
        rng = np.random.default_rng([seed, 7])
        spec = read_model(self.scene.name)
        origin = (
            HANDLE
            + rng.uniform(-0.006, 0.006, 3)
            + (_BESIDE if self.scene.name == "door" else _BEHIND)
        )
        for name, offset in self.scene.bodies.items():
            spec.body(name).pos = origin + offset
        place_gripper(spec, START + rng.uniform(-0.02, 0.02, 3), upright=self.scene.upright)
        self._break_away = rng.uniform(*self.scene.break_away)
        self.model = spec.compile()
        self.data = mujoco.MjData(self.model)
        self._qpos = int(self.model.joint("opening").qposadr[0])
        self._dof = int(self.model.joint("opening").dofadr[0])
        mujoco.mj_forward(self.model, self.data)
        return self.state

    @property
    def state(self) -> Array:
        """The state now."""
        lever = self.data.joint("lever").qpos[0] if self.scene.name == "door" else 0.0
        return np.array([*gripper_state(self.data), self.data.qpos[self._qpos], lever], np.float64)

    def step(self, action: Array) -> Array:
        """Move the set-point for 0.2 s: displacement (3,) m from where the gripper is, command."""
        command_gripper(self.data, action)
        for _ in range(round(STEP_S / self.model.opt.timestep)):
            q = max(0.0, float(self.data.qpos[self._qpos]))
            self.data.qfrc_applied[self._dof] = -self._break_away * np.exp(-q / self.scene.fade)
            mujoco.mj_step(self.model, self.data)
        return self.state

    def opening(self, states: Array) -> Array:
        """Joint position over the goal, clipped to 0 and 1."""
        return np.clip(states[..., 4] / self.scene.goal, 0.0, 1.0)


def read_model(name: str) -> mujoco.MjSpec:
    """The model of a scene, with the gripper."""
    return mujoco.MjSpec.from_file(
        str(resources.files("embodied.bench.contact") / "models" / f"{name}.xml")
    )


def command_gripper(data: mujoco.MjData, action: Array) -> None:
    """Set-points of an action (4,): displacement from where the gripper is, m, and opening."""
    here = np.array([data.joint(n).qpos[0] for n in ("x", "y", "z")])
    data.ctrl[:3] = here + np.clip(action[:3], -0.06, 0.06)
    data.ctrl[3:] = 0.04 * float(action[3] > 0.5)


def gripper_state(data: mujoco.MjData) -> tuple[float, float, float, float]:
    """Position between the fingers in the world (3), and the gap between them, m."""
    x, y, z = data.site("pinch").xpos
    return x, y, z, data.joint("left").qpos[0] + data.joint("right").qpos[0]


def place_gripper(spec: mujoco.MjSpec, position: Array, *, upright: bool) -> None:
    """Place the free gripper.

    Args:
        spec: A model with it.
        position: Of the point between its fingers, in the world, (3,), m.
        upright: Fingers point along x; they close along y on what stands upright, else along z.
    """
    spec.body("gripper").pos = position
    if upright:
        for name, sign in (("left", 1.0), ("right", -1.0)):
            spec.joint(name).axis = [0.0, sign, 0.0]
            spec.geom(name).pos = [-0.015, sign * 0.006, 0.0]
            spec.geom(name).size = [0.03, 0.006, 0.012]
