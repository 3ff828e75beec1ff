# pyright: reportAttributeAccessIssue=false
"""A MuJoCo world for any actuated model: floating or fixed base, objects, drawers and hinges.

Built for reward-driven robots (quadruped, arm with a dexterous hand). Position actuators take the
commanded set-points. Set-points are clipped to the joints' ranges and may move no faster than their
speed limits; the result says so. Besides, every servo limits its own speed, as drives do: its
position loop asks its velocity loop for ``kp / kv * (set-point - q)`` rad/s, never for more than
75% of the joint's limit, so a joint that was held back by a contact does not shoot off when it
comes free, and what other joints and contacts add on top stays within the limit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import mujoco
import numpy as np

from embodied.errors import WorldError
from embodied.types import BaseState, Command, ObjectSpec, Observation, Pose, StepResult, WorldSpec

SERVO_SPEED_SHARE = 0.75
"""Share of its speed limit that a servo asks of a joint at the most."""

Randomise = Callable[[mujoco.MjModel, mujoco.MjData, np.random.Generator], None]


def spec_of(
    model: mujoco.MjModel,
    *,
    name: str,
    robot: str,
    control_dt_s: float,
    dq_max: Mapping[str, float] | float = 30.0,
    objects: Mapping[str, ObjectSpec] | None = None,
) -> WorldSpec:
    """The specification of a model: its actuated joints in the order of the actuators."""
    joints = model.actuator_trnid[:, 0]
    n = len(joints)
    names = tuple(model.joint(int(j)).name for j in joints)
    addresses = model.jnt_qposadr[joints]
    home = model.key_qpos[0][addresses] if model.nkey else np.zeros(n)
    return WorldSpec(
        name=name,
        robot=robot,
        joint_names=names,
        q_lower=model.jnt_range[joints, 0],
        q_upper=model.jnt_range[joints, 1],
        dq_max=np.array(
            [dq_max if isinstance(dq_max, float) else dq_max.get(name, 30.0) for name in names]
        ),
        ddq_max=np.full(n, 1000.0),
        dddq_max=np.full(n, 1e6),
        tau_max=np.where(
            model.actuator_forcelimited.astype(bool),
            model.actuator_forcerange[:, 1],
            model.jnt_actfrcrange[joints, 1],
        ),
        q_home=home,
        control_dt_s=control_dt_s,
        objects=objects or {},
    )


class MpcWorld:
    """World protocol over a compiled model whose actuators are joint position servos.

    Args:
        model: Simulation model.
        spec: From ``spec_of``.
        randomise: Changes the home state at reset, from the seed.
        hinge_radii_m: Hinged handles: name -> radius, for openings in metres.
        sliders: Sliding joints that are reported as openings.
        ee_site: Site reported as end effector; the base otherwise.
    """

    def __init__(
        self,
        model: mujoco.MjModel,
        spec: WorldSpec,
        *,
        randomise: Randomise | None = None,
        hinge_radii_m: Mapping[str, float] | None = None,
        sliders: tuple[str, ...] = (),
        ee_site: str = "",
    ) -> None:
        self.model, self.data = model, mujoco.MjData(model)
        self._spec = spec
        self._randomise = randomise
        self._radii = dict(hinge_radii_m or {})
        self._sliders = sliders
        self._site = model.site(ee_site).id if ee_site else -1
        self._joints = model.actuator_trnid[:, 0]
        self._qpos = model.jnt_qposadr[self._joints]
        kp, kv = model.actuator_gainprm[:, 0], -model.actuator_biasprm[:, 2]
        self._lag = SERVO_SPEED_SHARE * spec.dq_max * kv / kp
        """Largest distance of set-point and joint that a servo acts on, rad."""
        self._substeps = round(spec.control_dt_s / model.opt.timestep)
        self._floating = bool(
            model.njnt and model.jnt_type[0] == mujoco.mjtJoint.mjJNT_FREE and not spec.objects
        )
        self._set_point = spec.q_home
        self._closed = False
        self._ready = False

    @property
    def spec(self) -> WorldSpec:
        """What does not change."""
        return self._spec

    def reset(self, *, seed: int) -> Observation:
        """Home state, randomised from the seed.

        Raises:
            WorldError: The world is closed.
        """
        if self._closed:
            raise WorldError("the world is closed")
        self._ready = True
        if self.model.nkey:
            mujoco.mj_resetDataKeyframe(self.model, self.data, 0)
        else:
            mujoco.mj_resetData(self.model, self.data)
        if self._randomise is not None:
            self._randomise(self.model, self.data, np.random.default_rng(seed))
        mujoco.mj_forward(self.model, self.data)
        self._set_point = self.data.qpos[self.model.jnt_qposadr[self._joints]].copy()
        self.data.ctrl[:] = self._set_point
        return self.observe()

    def observe(self) -> Observation:
        """Measure without advancing time.

        Raises:
            WorldError: The world is closed or was never reset.
        """
        self._check_open()
        data, model = self.data, self.model
        q = data.qpos[model.jnt_qposadr[self._joints]]
        dq = data.qvel[model.jnt_dofadr[self._joints]]
        base = None
        if self._floating:
            base = BaseState(
                pose_base_in_world=Pose(position=data.qpos[:3], quat_wxyz=data.qpos[3:7]),
                linear_velocity_base_in_world=data.qvel[:3].copy(),
                angular_velocity_base_in_base=data.qvel[3:6].copy(),
            )
        poses = {
            name: Pose(position=data.body(name).xpos, quat_wxyz=data.body(name).xquat)
            for name in self._spec.objects
        }
        openings = {n: float(data.joint(n).qpos[0]) for n in self._sliders}
        openings |= {n: float(data.joint(n).qpos[0]) * r for n, r in self._radii.items()}
        if self._site >= 0:
            rotation = data.site_xmat[self._site].reshape(3, 3)
            ee = Pose.from_rotation(rotation, data.site_xpos[self._site])
        elif base is not None:
            ee = base.pose_base_in_world
        else:
            ee = Pose.from_rotation(np.eye(3))
        return Observation(
            time=data.time,
            q=q,
            dq=dq,
            tau=data.actuator_force,
            pose_ee_in_world=ee,
            poses=poses,
            openings_m=openings,
            base=base,
        )

    def step(self, command: Command) -> StepResult:
        """Apply set-points for one control period.

        Raises:
            WorldError: The simulation diverged or the world was closed.
            ValueError: The command has the wrong shape or is not finite.
        """
        self._check_open()
        n = len(self._spec.joint_names)
        if command.q.shape != (n,) or not np.isfinite(command.q).all():
            raise ValueError(f"command.q must be {n} finite numbers, got {command.q}")
        reach = self._spec.dq_max * self._spec.control_dt_s
        q = np.clip(command.q, self._spec.q_lower, self._spec.q_upper)
        q = np.clip(q, self._set_point - reach, self._set_point + reach)
        reasons = tuple(
            f"{name}: {asked:.3f} rad is beyond its position or speed limit, applied {given:.3f}"
            for name, asked, given in zip(self._spec.joint_names, command.q, q, strict=True)
            if abs(asked - given) > 1e-9
        )
        self._set_point = q
        before = self.data.time
        for _ in range(self._substeps):
            measured = self.data.qpos[self._qpos]
            self.data.ctrl[:] = np.clip(q, measured - self._lag, measured + self._lag)
            mujoco.mj_step(self.model, self.data)
        if self.data.time <= before or not np.isfinite(self.data.qpos).all():
            raise WorldError(f"the simulation diverged at {before:.3f} s")
        mujoco.mj_kinematics(self.model, self.data)
        return StepResult(observation=self.observe(), applied=Command(q=q), reasons=reasons)

    def _check_open(self) -> None:
        if self._closed:
            raise WorldError("the world is closed")
        if not self._ready:
            raise WorldError("reset the world before it is used")

    def full_state(self) -> np.ndarray:
        """Full physics state (nstate,): time, qpos, qvel, activations."""
        flag = mujoco.mjtState.mjSTATE_FULLPHYSICS.value
        state = np.empty(mujoco.mj_stateSize(self.model, flag))
        mujoco.mj_getState(self.model, self.data, state, flag)
        return state

    def close(self) -> None:
        """Release everything; may be called twice."""
        self._closed = True
