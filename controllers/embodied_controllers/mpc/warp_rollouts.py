# pyright: reportMissingImports=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportAttributeAccessIssue=false
"""The rollouts of ``rollouts.py`` on a GPU, by MuJoCo Warp (extra ``[gpu]``).

The interface and the meaning of the arrays are the same; the physics is in single precision, so
plans are close to those of the CPU, not bit-identical. On a CUDA device all steps of a batch are
one captured graph. Variants of the model for domain randomisation are a matter of the CPU path.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import mujoco
import numpy as np

from embodied.errors import EnvironmentMissingError
from embodied_controllers.mpc.norms import Array


def open_warp(device: str = "") -> tuple[Any, Any, str]:
    """Load Warp and MuJoCo Warp and choose a device.

    Args:
        device: Of Warp, e.g. ``"cuda:0"``; the first CUDA device by default. ``"cpu"`` is for
            checking results: it is slower than ``mujoco.rollout``.

    Raises:
        EnvironmentMissingError: The package or a CUDA device is missing.
    """
    try:
        import mujoco_warp
        import warp
    except ImportError as error:
        raise EnvironmentMissingError(
            "planning on a GPU needs MuJoCo Warp: pip install 'embodied-stack[gpu]'"
        ) from error
    warp.config.quiet = True
    warp.init()
    if not device:
        if not warp.is_cuda_available():
            raise EnvironmentMissingError(
                "planning on a GPU needs a CUDA device and its driver, and Warp finds none here: "
                "plan on the CPU with Rollouts"
            )
        device = "cuda:0"
    return mujoco_warp, warp, device


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Batch:
    """Device arrays of one batch size and horizon, and the captured graph."""

    data: Any
    control: Any
    time: Any
    qpos: Any
    qvel: Any
    sensors: Any
    graph: Any


class WarpRollouts:
    """Runs batches of rollouts of one model on a GPU; the same methods as ``Rollouts``.

    Args:
        model: Plan model without actuator activations.
        device: Of Warp; the first CUDA device by default.

    Raises:
        EnvironmentMissingError: The package or a CUDA device is missing.
        ValueError: The model has activations.
    """

    def __init__(self, model: mujoco.MjModel, *, device: str = "") -> None:
        if model.na:
            raise ValueError("WarpRollouts handles models without actuator activations")
        self._mjw, self._wp, self.device = open_warp(device)
        self.model = model
        self.n_state = 1 + model.nq + model.nv
        self.steps_done = 0
        self._batches: dict[tuple[int, int], _Batch] = {}
        with self._wp.ScopedDevice(self.device):
            self._model = self._mjw.put_model(model)

    def run(self, state: Array, control: Array) -> tuple[Array, Array, Array]:
        """Simulate N samples for T steps; see ``Rollouts.run``.

        Args:
            state: Full physics states to start from, (N, nstate).
            control: Controls, (N, T, nu).

        Returns:
            States (N, T, nstate), sensor data (N, T, nsensordata) of the state before each step,
            and a mask (N,) of samples that stayed finite.
        """
        n, horizon = control.shape[0], control.shape[1]
        with self._wp.ScopedDevice(self.device):
            batch = self._batches.get((n, horizon))
            if batch is None:
                batch = self._prepared(n, horizon)
                self._batches[n, horizon] = batch
            self._set(batch, state, control)
            if batch.graph is None:
                self._steps(batch, horizon)
            else:
                self._wp.capture_launch(batch.graph)
            parts = [a.numpy() for a in (batch.time, batch.qpos, batch.qvel)]
            parts[0] = parts[0][..., None]
            states = np.concatenate(parts, axis=-1).astype(np.float64).transpose(1, 0, 2)
            sensors = batch.sensors.numpy().astype(np.float64).transpose(1, 0, 2)
        self.steps_done += n * horizon
        return states, sensors, np.isfinite(states[:, -1].sum(axis=-1))

    def _prepared(self, n: int, horizon: int) -> _Batch:
        """Allocate for N samples of T steps and, on a GPU, capture the steps as a graph."""
        wp, model = self._wp, self.model
        shapes = {"time": (), "qpos": (model.nq,), "qvel": (model.nv,)}
        shapes |= {"sensors": (model.nsensordata,), "control": (model.nu,)}
        arrays = {k: wp.zeros((horizon, n, *s), dtype=float) for k, s in shapes.items()}
        batch = _Batch(data=self._mjw.make_data(model, nworld=n), graph=None, **arrays)
        if not self.device.startswith("cuda"):
            return batch
        self._steps(batch, horizon)  # compiles the kernels
        with wp.ScopedCapture() as capture:
            self._steps(batch, horizon)
        return _Batch(data=batch.data, graph=capture.graph, **arrays)

    def _set(self, batch: _Batch, state: Array, control: Array) -> None:
        nq, data = self.model.nq, batch.data
        x = np.ascontiguousarray(state, dtype=np.float32)
        data.time.assign(np.ascontiguousarray(x[:, 0]))
        data.qpos.assign(np.ascontiguousarray(x[:, 1 : 1 + nq]))
        data.qvel.assign(np.ascontiguousarray(x[:, 1 + nq :]))
        data.qacc_warmstart.zero_()
        batch.control.assign(np.ascontiguousarray(control.transpose(1, 0, 2), dtype=np.float32))

    def _steps(self, batch: _Batch, horizon: int) -> None:
        wp, data = self._wp, batch.data
        for t in range(horizon):
            wp.copy(data.ctrl, batch.control[t])
            self._mjw.step(self._model, data)
            wp.copy(batch.time[t], data.time)
            wp.copy(batch.qpos[t], data.qpos)
            wp.copy(batch.qvel[t], data.qvel)
            wp.copy(batch.sensors[t], data.sensordata)

    def close(self) -> None:
        """Free the device arrays."""
        self._batches.clear()
