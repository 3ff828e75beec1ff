# pyright: reportAttributeAccessIssue=false
"""Plan models: a cheap version of a simulation model, generated from it by `MjSpec`.

The twin keeps bodies, joints, actuators and sensors, so states and sensor data line up by name. It
drops looks (geoms of group 2) and fine shapes (group 4), uses a pyramidal cone, a 10 ms step with
implicitfast integration and a capped solver. ``fidelity`` says what that costs in accuracy.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files

import mujoco
import numpy as np

from embodied_controllers.mpc.norms import Array

PLAN_TIMESTEP_S = 0.01
SOLVER_ITERATIONS = 8
LOOKS_GROUP, FINE_GROUP = 2, 4


def robot_spec(robot: str) -> mujoco.MjSpec:
    """The simulation model of a robot shipped in `embodied_assets`, as an `MjSpec`.

    Raises:
        ValueError: There is no such robot; the message lists those that exist.
    """
    folder = files("embodied_assets") / "robots"
    path = folder / robot / "robot.xml"
    if not path.is_file():
        known = sorted(p.name for p in folder.iterdir() if (p / "robot.xml").is_file())
        raise ValueError(f"unknown robot {robot!r}, legal: {', '.join(known)}")
    return mujoco.MjSpec.from_file(str(path))


def plan_model(spec: mujoco.MjSpec) -> mujoco.MjModel:
    """Generate the plan model of a simulation model; ``spec`` itself is left as it is."""
    return plan_spec(spec).compile()


def plan_spec(spec: mujoco.MjSpec) -> mujoco.MjSpec:
    """The plan model as an `MjSpec`, compiled once."""
    plan = spec.copy()
    plan.option.timestep = PLAN_TIMESTEP_S
    plan.option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    plan.option.cone = mujoco.mjtCone.mjCONE_PYRAMIDAL
    plan.option.impratio = 1.0
    plan.option.iterations = SOLVER_ITERATIONS
    plan.option.ls_iterations = 8
    plan.option.noslip_iterations = 0
    for geom in list(plan.geoms):
        if geom.group in (LOOKS_GROUP, FINE_GROUP):
            plan.delete(geom)
    for joint in plan.joints:
        joint.frictionloss = 0.0
    plan.compile()
    return plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Fidelity:
    """Deviation of the plan model from the simulation model under the same controls.

    Attributes:
        seconds: Length of the comparison.
        joint_error_rad: Root-mean-square difference of the actuated joints at the end.
        base_error_m: Distance between the bases at the end; 0 for a fixed base.
        realtime: Simulated seconds per second and core of the plan model.
        realtime_simulation: The same of the simulation model.
    """

    seconds: float
    joint_error_rad: float
    base_error_m: float
    realtime: float
    realtime_simulation: float


def fidelity(simulation: mujoco.MjModel, plan: mujoco.MjModel, controls: Array) -> Fidelity:
    """Run both models from home under the same set-points (n, nu), each held for 0.05 s."""
    import time

    hold_s = 0.05
    ends: list[mujoco.MjData] = []
    walls: list[float] = []
    seconds = len(controls) * hold_s
    for model in (simulation, plan):
        data = mujoco.MjData(model)
        if model.nkey:
            mujoco.mj_resetDataKeyframe(model, data, 0)
        begin = time.thread_time()
        for control in controls:
            data.ctrl[:] = control
            mujoco.mj_step(model, data, nstep=round(hold_s / model.opt.timestep))
        walls.append(max(time.thread_time() - begin, 1e-9))
        ends.append(data)
    joints = [int(simulation.jnt_qposadr[j]) for j in simulation.actuator_trnid[:, 0] if j >= 0]
    a, b = ends
    floating = simulation.njnt > 0 and simulation.jnt_type[0] == mujoco.mjtJoint.mjJNT_FREE
    return Fidelity(
        seconds=seconds,
        joint_error_rad=float(np.sqrt(np.mean((a.qpos[joints] - b.qpos[joints]) ** 2))),
        base_error_m=float(np.linalg.norm(a.qpos[:3] - b.qpos[:3])) if floating else 0.0,
        realtime=seconds / walls[1],
        realtime_simulation=seconds / walls[0],
    )
