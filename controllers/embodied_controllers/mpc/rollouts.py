"""Batched short simulations: `mujoco.rollout` on a persistent pool with reused buffers.

Sensor data of a step are computed from the state before that step (MuJoCo evaluates sensors in the
forward pass); state is after it. A simulation that diverges repeats its last state; it is found by
its clock standing still and marked.
"""

# pyright: reportAttributeAccessIssue=false
from __future__ import annotations

import mujoco
import numpy as np
from mujoco import rollout as mujoco_rollout

from embodied_controllers.mpc.norms import Array


class Rollouts:
    """Runs batches of rollouts of one model; one instance per planner, not re-entrant.

    Args:
        model: Plan model.
        threads: Worker threads; 0 runs on the calling thread.
    """

    def __init__(self, model: mujoco.MjModel, *, threads: int = 1) -> None:
        if threads < 0:
            raise ValueError(f"threads must be 0 or more, got {threads}")
        self.model = model
        self.n_state = mujoco.mj_stateSize(model, mujoco.mjtState.mjSTATE_FULLPHYSICS.value)
        self.steps_done = 0
        self._pool = mujoco_rollout.Rollout(nthread=threads)
        self._data = [mujoco.MjData(model) for _ in range(max(1, threads))]
        self._control_spec = mujoco.mjtState.mjSTATE_CTRL.value
        self._state_buffer = np.empty(0)
        self._sensor_buffer = np.empty(0)

    def run(self, state: Array, control: Array) -> tuple[Array, Array, Array]:
        """Simulate N samples for T steps.

        Args:
            state: Full physics states to start from, (N, nstate).
            control: Controls, (N, T, nu), C-contiguous.

        Returns:
            States (N, T, nstate), sensor data (N, T, nsensordata) and a mask (N,) of samples that
            stayed finite. The arrays are views of buffers that the next call overwrites.
        """
        n, horizon = control.shape[0], control.shape[1]
        states = self._view("_state_buffer", n, horizon, self.n_state)
        sensors = self._view("_sensor_buffer", n, horizon, self.model.nsensordata)
        self._pool.rollout(
            [self.model] * n,
            self._data,
            state,
            control,
            skip_checks=True,
            control_spec=self._control_spec,
            nstep=horizon,
            state=states,
            sensordata=sensors,
        )
        self.steps_done += n * horizon
        elapsed = states[:, -1, 0] - state[:, 0]
        ok = elapsed > (horizon - 0.5) * self.model.opt.timestep
        ok &= np.isfinite(states[:, -1]).all(axis=-1)
        return states, sensors, ok

    def _view(self, name: str, n: int, horizon: int, width: int) -> Array:
        size = n * horizon * width
        buffer: Array = getattr(self, name)
        if buffer.size < size:
            buffer = np.empty(size)
            setattr(self, name, buffer)
        return buffer[:size].reshape(n, horizon, width)

    def close(self) -> None:
        """End the worker threads."""
        self._pool.close()


def full_state(model: mujoco.MjModel, data: mujoco.MjData) -> Array:
    """The full physics state (nstate,) of a simulation: time, qpos, qvel, activations."""
    state = np.empty(mujoco.mj_stateSize(model, mujoco.mjtState.mjSTATE_FULLPHYSICS.value))
    mujoco.mj_getState(model, data, state, mujoco.mjtState.mjSTATE_FULLPHYSICS.value)
    return state
