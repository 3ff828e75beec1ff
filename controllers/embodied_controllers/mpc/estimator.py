# pyright: reportAttributeAccessIssue=false
"""From an observation to the full physics state and sensor data of a model.

Joints are found by name; a floating base is the model's first free joint; objects are free joints
called like the object; openings are sliding joints in metres, or hinges whose handle has a radius
(given in ``radii_m``). Velocities of objects are differences of two observations.
"""

from __future__ import annotations

from collections.abc import Mapping

import mujoco
import numpy as np

from embodied.types import GripperSpec, Observation
from embodied_controllers.mpc.norms import Array
from embodied_controllers.mpc.rollouts import full_state
from embodied_controllers.mpc.terms import Layout, View


class Estimator:
    """Writes observations into a model's state.

    Args:
        model: Plan model (or simulation model).
        joint_names: Order of ``Observation.q``.
        view: View class for ``measure``.
        radii_m: Hinge name -> radius that turns an opening in metres into radians.
        gripper: Says where its finger joints are at a gap.
        layout: Of the model, where the view wants more than names.
    """

    def __init__(
        self,
        model: mujoco.MjModel,
        joint_names: tuple[str, ...],
        view: type[View],
        radii_m: Mapping[str, float] | None = None,
        *,
        gripper: GripperSpec | None = None,
        layout: Layout | None = None,
    ) -> None:
        self.model, self.view = model, view
        self.layout = Layout(model) if layout is None else layout
        self._data = mujoco.MjData(model)
        self._radii, self._gripper = dict(radii_m or {}), gripper
        ids = [model.joint(name).id for name in joint_names]
        self._q = model.jnt_qposadr[ids]
        self._v = model.jnt_dofadr[ids]
        self._free = {
            model.joint(j).name: (int(model.jnt_qposadr[j]), int(model.jnt_dofadr[j]))
            for j in range(model.njnt)
            if model.jnt_type[j] == mujoco.mjtJoint.mjJNT_FREE
        }
        self._scalar = {
            model.joint(j).name: (int(model.jnt_qposadr[j]), int(model.jnt_dofadr[j]))
            for j in range(model.njnt)
            if model.jnt_type[j] not in (mujoco.mjtJoint.mjJNT_FREE, mujoco.mjtJoint.mjJNT_BALL)
        }

    def state(self, observation: Observation, previous: Observation | None = None) -> Array:
        """Full physics state (nstate,): time, qpos, qvel, activations."""
        data = self._data
        data.time = observation.time
        data.qpos[self._q] = observation.q
        data.qvel[self._v] = observation.dq
        if observation.base is not None:
            (q, v) = next(iter(self._free.values()))
            base = observation.base
            data.qpos[q : q + 3] = base.pose_base_in_world.position
            data.qpos[q + 3 : q + 7] = base.pose_base_in_world.quat_wxyz
            data.qvel[v : v + 3] = base.linear_velocity_base_in_world
            data.qvel[v + 3 : v + 6] = base.angular_velocity_base_in_base
        grip, seen = self._gripper, observation.gripper
        if grip is not None and seen is not None:
            places = grip.joint_positions(seen.width_m)
            speeds = grip.joint_speeds(seen.width_m, seen.speed_m_s)
            for name, place, speed in zip(grip.joints, places, speeds, strict=True):
                q, v = self._scalar[name]
                data.qpos[q] = place
                data.qvel[v] = speed
        dt = 0.0 if previous is None else observation.time - previous.time
        for name, pose in observation.poses.items():
            if name not in self._free:
                continue
            q, v = self._free[name]
            data.qpos[q : q + 3] = pose.position
            data.qpos[q + 3 : q + 7] = pose.quat_wxyz
            data.qvel[v : v + 6] = 0.0
            if dt > 0 and previous is not None and name in previous.poses:
                old = previous.poses[name]
                data.qvel[v : v + 3] = (pose.position - old.position) / dt
                angular = np.zeros(3)
                mujoco.mju_subQuat(angular, np.array(pose.quat_wxyz), np.array(old.quat_wxyz))
                data.qvel[v + 3 : v + 6] = angular / dt
        for name, opening in observation.openings_m.items():
            if name not in self._scalar:
                continue
            q, v = self._scalar[name]
            radius = self._radii.get(name, 1.0)
            data.qpos[q] = opening / radius
            speed = 0.0
            if dt > 0 and previous is not None and name in previous.openings_m:
                speed = (opening - previous.openings_m[name]) / dt / radius
            data.qvel[v] = speed
        return full_state(self.model, data)

    def measure(self, observation: Observation, previous: Observation | None = None) -> View:
        """The view (1, 1) of one observation."""
        return self.view_of(self.state(observation, previous)[None, None])

    def sensors_of(self, state: Array, control: Array | None = None) -> Array:
        """Sensor data (nsensordata,) that belong to a full physics state (nstate,).

        Args:
            state: The state.
            control: Set-points (nu,) in force, for sensors of forces; zero otherwise.
        """
        data = self._data
        data.ctrl[:] = 0.0 if control is None else control
        mujoco.mj_setState(self.model, data, state, mujoco.mjtState.mjSTATE_FULLPHYSICS.value)
        mujoco.mj_forward(self.model, data)
        return np.array(data.sensordata)

    def view_of(self, states: Array, sensors: Array | None = None) -> View:
        """The view (1, T) of recorded full physics states (1, T, nstate).

        Args:
            states: The record.
            sensors: Its sensor data (1, T, nsensordata), where they are known already.
        """
        if sensors is None:
            sensors = np.array([[self.sensors_of(state) for state in states[0]]])
        return self.view(self.layout, states[0, :, 0], states, sensors)
