from __future__ import annotations

import sys
import types

import mujoco
import numpy as np
import pytest
from embodied_controllers.mpc import PlannerOptions, SamplingPlanner
from embodied_controllers.mpc.rollouts import Rollouts, full_state
from embodied_controllers.mpc.warp_rollouts import WarpRollouts

from embodied.errors import EnvironmentMissingError

MODEL = mujoco.MjModel.from_xml_string(
    """
    <mujoco><option timestep="0.02" integrator="implicitfast" gravity="0 0 0"/>
    <worldbody><body><joint name="x" type="slide" axis="1 0 0"/><geom size="0.1" mass="1"/></body>
    </worldbody><actuator><motor joint="x" ctrlrange="-1 1" ctrllimited="true"/></actuator>
    <sensor><jointpos joint="x"/></sensor></mujoco>
    """
)


def goal_at_half(time: np.ndarray, states: np.ndarray, sensors: np.ndarray) -> np.ndarray:
    return (states[:, :, 1] - 0.5) ** 2


def test_a_missing_package_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mujoco_warp", None)
    with pytest.raises(EnvironmentMissingError, match=r"embodied-stack\[gpu\]"):
        WarpRollouts(MODEL)


def test_a_missing_gpu_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    warp = types.SimpleNamespace(
        config=types.SimpleNamespace(), init=lambda: None, is_cuda_available=lambda: False
    )
    monkeypatch.setitem(sys.modules, "mujoco_warp", types.ModuleType("mujoco_warp"))
    monkeypatch.setitem(sys.modules, "warp", warp)  # type: ignore[arg-type]
    with pytest.raises(EnvironmentMissingError, match=r"CUDA device.*plan on the CPU"):
        WarpRollouts(MODEL)


def test_it_simulates_what_the_cpu_simulates() -> None:
    """On Warp's own CPU device, where the package is installed."""
    pytest.importorskip("mujoco_warp", reason="MuJoCo Warp is not installed (extra [gpu])")
    warp, cpu = WarpRollouts(MODEL, device="cpu"), Rollouts(MODEL, threads=0)
    rng = np.random.default_rng(0)
    state = np.zeros((4, 3))
    state[:, 1:] = rng.standard_normal((4, 2))
    control = rng.uniform(-1, 1, (4, 6, 1))
    for ours, theirs in zip(warp.run(state, control), cpu.run(state, control), strict=True):
        assert ours.shape == theirs.shape
        assert ours == pytest.approx(theirs, abs=1e-5)
    cpu.close()
    warp.close()


def test_a_planner_takes_another_backend() -> None:
    backend = Rollouts(MODEL, threads=0)
    planner = SamplingPlanner(MODEL, PlannerOptions(n_samples=4), rollouts=backend)
    plan = planner.start(np.zeros(1), 0.0)
    planner.plan(full_state(MODEL, mujoco.MjData(MODEL)), goal_at_half, plan)
    assert backend.steps_done == 4 * planner.horizon
    planner.close()
