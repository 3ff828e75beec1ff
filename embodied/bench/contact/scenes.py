# pyright: reportAttributeAccessIssue=false
# (mujoco ships no type stubs)
"""A door with a lever handle, a sash window and a fridge, opened by a free gripper.

The gripper is not carried by an arm: three sliding joints with position servos of limited force
move it, its wrist gives way by springs, and two fingers close with limited force. What it holds is
held by contact and friction alone. The lever's bolt stands in a strike plate and blocks the door by
contact until the lever is turned; fridge and window stick until a break-away force is exceeded.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import mujoco
import numpy as np

from embodied.types import Array

STEP_S = 0.2
REACH_FORCE_N, FINGER_FORCE_N, SERVO_N_M = 60.0, 50.0, 1500.0
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
    """

    name: str
    pull_in_world: tuple[float, float, float]
    goal: float
    steps: int
    upright: bool
    break_away: tuple[float, float]
    fade: float
    build: Callable[[mujoco.MjSpec, Array], None]


def _box(body: mujoco.MjsBody, pos: Array, size: list[float], **more: object) -> None:
    body.add_geom(type=mujoco.mjtGeom.mjGEOM_BOX, pos=list(pos), size=size, **more)


def _handle(body: mujoco.MjsBody, pos: Array, half: list[float]) -> None:
    _box(body, pos, half, friction=[1.0, 0.01, 0.001], condim=4, solref=[0.005, 1.0], mass=0.2)


def _door(spec: mujoco.MjSpec, handle: Array) -> None:
    x, y, z = handle + [0.06, -0.09, 0.0]
    door = spec.worldbody.add_body(name="door", pos=[x, y + 0.79, z])
    door.add_joint(
        name="opening", axis=[0, 0, -1], range=[-0.01, 1.5], damping=[1.0], frictionloss=0.5
    )
    _box(door, np.array([0, -0.4, 0]), [0.015, 0.42, 0.4], mass=12.0)
    lever = door.add_body(name="lever", pos=[-0.06, -0.79, 0])
    lever.add_joint(
        name="lever", axis=[-1, 0, 0], range=[-0.02, 0.9], stiffness=[1.5], springref=-0.4,
        damping=[0.05],
    )  # fmt: skip
    _handle(lever, np.array([0, 0.07, 0]), [0.008, 0.07, 0.01])
    bolt = door.add_body(name="bolt", pos=[0, -0.82, 0])
    bolt.add_joint(
        name="bolt", type=mujoco.mjtJoint.mjJNT_SLIDE, axis=[0, 1, 0], range=[-0.001, 0.04],
        damping=[5.0],
    )  # fmt: skip
    _box(bolt, np.array([0, -0.015, 0.0]), [0.006, 0.015, 0.01], mass=0.1)
    # The bolt reaches 1.3 cm behind the plate; 0.29 rad of the lever draw it back.
    strike = spec.worldbody.add_body(name="strike", pos=[x - 0.02, y - 0.061, z])
    _box(strike, np.zeros(3), [0.013, 0.014, 0.05])
    coupling = spec.add_equality(name="coupling", type=mujoco.mjtEq.mjEQ_JOINT)
    coupling.name1, coupling.name2 = "bolt", "lever"
    coupling.objtype = mujoco.mjtObj.mjOBJ_JOINT
    coupling.data[:5] = [0.0, 0.02 / 0.45, 0.0, 0.0, 0.0]


def _fridge(spec: mujoco.MjSpec, handle: Array) -> None:
    x, y, z = handle + [0.06, 0.0, 0.0]
    door = spec.worldbody.add_body(name="door", pos=[x, y + 0.5, z])
    door.add_joint(
        name="opening", axis=[0, 0, -1], range=[-0.01, 1.8], damping=[1.0], frictionloss=0.5
    )
    _box(door, np.array([0, -0.27, 0]), [0.02, 0.27, 0.4], mass=10.0)
    _handle(door, np.array([-0.06, -0.5, 0]), [0.008, 0.008, 0.12])


def _window(spec: mujoco.MjSpec, handle: Array) -> None:
    x, y, z = handle + [0.06, 0.0, 0.0]
    sash = spec.worldbody.add_body(name="sash", pos=[x, y, z])
    sash.add_joint(
        name="opening", type=mujoco.mjtJoint.mjJNT_SLIDE, axis=[0, 1, 0], range=[-0.002, 0.4],
        damping=[10.0], frictionloss=12.0,
    )  # fmt: skip
    _box(sash, np.array([0, 0.2, 0]), [0.012, 0.22, 0.25], mass=6.0)
    _handle(sash, np.array([-0.06, 0, 0]), [0.008, 0.05, 0.008])


SCENES = {
    scene.name: scene
    for scene in (
        ContactScene(
            name="door", pull_in_world=(-0.33, 0.0, 0.0), goal=0.35, steps=50, upright=False,
            break_away=(0.0, 0.0), fade=1.0, build=_door,
        ),
        ContactScene(
            name="window", pull_in_world=(0.0, 0.22, 0.0), goal=0.15, steps=30, upright=False,
            break_away=(28.0, 36.0), fade=0.02, build=_window,
        ),
        ContactScene(
            name="fridge", pull_in_world=(-0.33, 0.0, 0.0), goal=0.5, steps=36, upright=True,
            break_away=(20.0, 25.0), fade=0.03, build=_fridge,
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
        spec = contact_spec()
        self.scene.build(spec, HANDLE + rng.uniform(-0.006, 0.006, 3))
        add_gripper(spec, START + rng.uniform(-0.02, 0.02, 3), upright=self.scene.upright)
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


def contact_spec() -> mujoco.MjSpec:
    """An empty model with the integrator and contacts of these scenes."""
    spec = mujoco.MjSpec()
    spec.compiler.degree = False
    spec.option.timestep = 0.002
    spec.option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    spec.option.cone = mujoco.mjtCone.mjCONE_ELLIPTIC
    spec.option.impratio = 10.0
    return spec


def command_gripper(data: mujoco.MjData, action: Array) -> None:
    """Set-points of an action (4,): displacement from where the gripper is, m, and opening."""
    here = np.array([data.joint(n).qpos[0] for n in ("x", "y", "z")])
    data.ctrl[:3] = here + np.clip(action[:3], -0.06, 0.06)
    data.ctrl[3:] = 0.04 * float(action[3] > 0.5)


def gripper_state(data: mujoco.MjData) -> tuple[float, float, float, float]:
    """Position between the fingers in the world (3), and the gap between them, m."""
    x, y, z = data.site("pinch").xpos
    return x, y, z, data.joint("left").qpos[0] + data.joint("right").qpos[0]


def add_gripper(spec: mujoco.MjSpec, position: Array, *, upright: bool) -> None:
    """Add the free gripper.

    Args:
        spec: Model that gets it.
        position: Of the point between its fingers, in the world, (3,), m.
        upright: Fingers point along x; they close along y on what stands upright, else along z.
    """
    hand = spec.worldbody.add_body(name="gripper", pos=list(position), gravcomp=1.0)
    for name, axis in zip("xyz", np.eye(3), strict=True):
        hand.add_joint(name=name, type=mujoco.mjtJoint.mjJNT_SLIDE, axis=list(axis), damping=[80.0])
        _servo(spec, name, SERVO_N_M, REACH_FORCE_N)
    hand.add_geom(
        type=mujoco.mjtGeom.mjGEOM_SPHERE, size=[0.02, 0, 0], pos=[-0.1, 0, 0], mass=1.0,
        contype=0, conaffinity=0,
    )  # fmt: skip
    wrist = hand.add_body(name="wrist", gravcomp=1.0)
    for name, axis in (("pitch", [0, 1, 0]), ("yaw", [0, 0, 1]), ("roll", [1, 0, 0])):
        wrist.add_joint(name=name, axis=axis, stiffness=[2.0], damping=[0.2], armature=0.002)
    _box(wrist, np.array([-0.07, 0, 0]), [0.02, 0.02, 0.02], mass=0.3)
    wrist.add_site(name="pinch")
    along = np.array([0.0, 1.0, 0.0]) if upright else np.array([0.0, 0.0, 1.0])
    for name, sign in (("left", 1.0), ("right", -1.0)):
        finger = wrist.add_body(name=name, gravcomp=1.0)
        finger.add_joint(
            name=name, type=mujoco.mjtJoint.mjJNT_SLIDE, axis=list(sign * along),
            range=[0.0, 0.04], damping=[200.0], armature=1.0,
        )  # fmt: skip
        size = [0.03, 0.006, 0.012] if upright else [0.03, 0.012, 0.006]
        _box(
            finger, sign * along * 0.006 - np.array([0.015, 0, 0]), size, mass=0.05,
            friction=[1.0, 0.01, 0.001], condim=4, solref=[0.005, 1.0],
        )  # fmt: skip
        _servo(spec, name, 10000.0, FINGER_FORCE_N)


def _servo(spec: mujoco.MjSpec, joint: str, gain: float, force: float) -> None:
    actuator = spec.add_actuator(name=joint, target=joint, trntype=mujoco.mjtTrn.mjTRN_JOINT)
    actuator.set_to_position(kp=gain)
    actuator.forcelimited = True
    actuator.forcerange = [-force, force]
