"""Toy problems with known good costs: a double integrator and a cart-pole."""

from __future__ import annotations

import mujoco
import numpy as np
from embodied_controllers.mpc import SamplingPlanner
from embodied_controllers.mpc.rollouts import full_state

DOUBLE_INTEGRATOR = """
<mujoco><option timestep="0.02" integrator="implicitfast" gravity="0 0 0"/>
<worldbody><body><joint name="x" type="slide" axis="1 0 0"/><geom size="0.1" mass="1"/></body>
</worldbody>
<actuator><motor joint="x" ctrlrange="-1 1" ctrllimited="true"/></actuator></mujoco>
"""

CART_POLE = """
<mujoco><option timestep="0.02" integrator="implicitfast"/>
<worldbody><body name="cart"><joint name="x" type="slide" axis="1 0 0" range="-2 2"/>
<geom type="box" size="0.1 0.05 0.05" mass="1"/>
<body name="pole"><joint name="hinge" axis="0 1 0" damping="0.002"/>
<geom type="capsule" fromto="0 0 0 0 0 -0.6" size="0.03" mass="0.1"/></body></body></worldbody>
<actuator><motor joint="x" ctrlrange="-10 10" ctrllimited="true"/></actuator></mujoco>
"""


def goal_at_half(time: np.ndarray, states: np.ndarray, sensors: np.ndarray) -> np.ndarray:
    x, dx = states[:, :, 1], states[:, :, 2]
    return (x - 0.5) ** 2 + 0.1 * dx**2


def pole_up(time: np.ndarray, states: np.ndarray, sensors: np.ndarray) -> np.ndarray:
    x, angle = states[:, :, 1], states[:, :, 2]
    dx, dangle = states[:, :, 3], states[:, :, 4]
    return (1 + np.cos(angle)) * 10 + 0.2 * x**2 + 0.02 * dx**2 + 0.05 * dangle**2


def drive(planner: SamplingPlanner, cost, seconds: float) -> tuple[mujoco.MjData, float]:
    """Closed loop on the plan model itself; returns the end and the mean running cost."""
    model = planner.model
    data = mujoco.MjData(model)
    plan = planner.start(np.zeros(model.nu), 0.0)
    total, n = 0.0, round(seconds / model.opt.timestep)
    for _ in range(n):
        state = full_state(model, data)
        plan = planner.plan(state, cost, plan)
        data.ctrl[:] = plan.control(data.time)
        total += float(cost(np.array([data.time]), state[None, None], np.zeros((1, 1, 0)))[0, 0])
        mujoco.mj_step(model, data)
    return data, total / n
