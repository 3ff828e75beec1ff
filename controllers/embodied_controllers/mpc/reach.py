# pyright: reportAttributeAccessIssue=false
"""The reach of an arm as a space to search in: few numbers move the hand, kinematics moves joints.

The problem of a replan stays that of the reward program,

    min_z  1/T sum_t J(x_t)      x_{t+1} = f(x_t, u_t)      u_t = controls(t, z(t)),

but the knots of z (5,) are shifts of the hand (3), a turn about its approach and a change of
closure against a guess, not joint set-points: noise on single joints hardly ever puts two jaws
around a thing. The guess is a motion of the hand towards the place at which the residuals of the
stage's own terms are zero (``aims``):

    v = min(GAIN |e|, speed) e / |e|       dq = J^+ (v, w) + (I - J^+ J) EASE (home - q)
    u = q + dq k_v / k_p + J^+ z           fingers: closure + z_5

and over what stands in between: below the clear height the hand goes up before it goes across. The
term in k_v / k_p is what a servo lags behind at that speed. Rollouts in the plan model, with its
contacts, decide which z is followed; nothing is attached to anything.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import ClassVar

import mujoco
import numpy as np

from embodied.types import RewardStage
from embodied_controllers.mpc.aims import TERMS, Aim, Scene, aim_of
from embodied_controllers.mpc.norms import Array
from embodied_controllers.mpc.tabletop import TabletopLayout

SPAN_S, STEP_S = 0.5, 0.04
GAIN = 5.0
TURN_RATE = 1.6
EASE = 1.0
DAMPING = 2e-4
SPEED_SHARE = 0.6
"""Share of a joint's speed limit that the guess uses at the most."""
LEVEL_M, FUNNEL_M = 0.015, 0.04
"""Horizontal distances to the goal below which the hand goes straight down, and down at all."""


class Kinematics:
    """Jacobians of the site between the fingers; scratch data, so for one thread at a time.

    Args:
        layout: Of the plan model.
    """

    def __init__(self, layout: TabletopLayout) -> None:
        model, tool = layout.model, layout.tool
        self.layout, self.data = layout, mujoco.MjData(model)
        self.site = model.site(tool.site).id
        joints = [model.joint(name) for name in tool.joints]
        self.qpos = np.array([int(j.qposadr[0]) for j in joints])
        self.dofs = [int(j.dofadr[0]) for j in joints]
        ids = [j.id for j in joints]
        self.lower, self.upper = _limits(model.jnt_range[ids], model.jnt_limited[ids], 0.01)
        drive = {int(model.actuator_trnid[i, 0]): i for i in range(model.nu) if _on_joint(model, i)}
        self.actuators = np.array([drive[j] for j in ids])
        gain, bias = model.actuator_gainprm, model.actuator_biasprm
        self.lowest, self.highest = _limits(model.actuator_ctrlrange, model.actuator_ctrllimited)
        self.lag_s = -bias[self.actuators, 2] / gain[self.actuators, 0]
        self._jacobian = np.zeros((6, model.nv))

    def take(self, state: Array) -> None:
        """Take up a full physics state (nstate,)."""
        model = self.layout.model
        self.data.qpos[:] = state[1 : 1 + model.nq]
        mujoco.mj_kinematics(model, self.data)
        mujoco.mj_tendon(model, self.data)
        mujoco.mj_transmission(model, self.data)

    def place(self, q: Array) -> Array:
        """Jacobian (6, n) of the site with the arm at q (n,)."""
        model, data = self.layout.model, self.data
        data.qpos[self.qpos] = q
        mujoco.mj_kinematics(model, data)
        mujoco.mj_comPos(model, data)
        mujoco.mj_jacSite(model, data, self._jacobian[:3], self._jacobian[3:], self.site)
        return self._jacobian[:, self.dofs].copy()


def _limits(ranges: Array, limited: Array, inset: float = 0.0) -> tuple[Array, Array]:
    """Lower and upper limits (n,) of ranges (n, 2), infinite where there are none."""
    ends = np.where(limited.astype(bool), ranges.T, [[-np.inf], [np.inf]])
    return ends[0] + inset, ends[1] - inset


def _on_joint(model: mujoco.MjModel, actuator: int) -> bool:
    return bool(model.actuator_trntype[actuator] == mujoco.mjtTrn.mjTRN_JOINT)


@lru_cache(maxsize=4)
def _kinematics(layout: TabletopLayout) -> Kinematics:
    return Kinematics(layout)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ReachSpace:
    """Search space of an arm with fingers (``SearchSpace``).

    Attributes:
        stage: Whose terms are asked for.
        arm: Of the plan model.
        times: Times of the guess, (M,), s.
        guess: Controls of the guess, (M, nu).
        moves: Joint motions per unit of the first four numbers, (M, n, 4).
    """

    scale: ClassVar[Array] = np.array([0.05, 0.05, 0.05, 0.2, 0.2])
    limit: ClassVar[Array] = np.array([0.012, 0.012, 0.012, 0.1, 0.05])
    keep: ClassVar[Array] = np.array([0.5, 0.5, 0.5, 0.5, 0.5])
    samples: ClassVar[int] = 8

    stage: RewardStage
    arm: Kinematics
    times: Array = field(default_factory=lambda: np.zeros(0))
    guess: Array = field(default_factory=lambda: np.zeros((0, 0)))
    moves: Array = field(default_factory=lambda: np.zeros((0, 0, 0)))

    def at(self, state: Array) -> ReachSpace:
        """The guess of a hand in a full physics state (nstate,)."""
        arm, layout = self.arm, self.arm.layout
        arm.take(state)
        scene = Scene(layout=layout, data=arm.data)
        aim = aim_of(self.stage, scene)
        n_steps = round(SPAN_S / STEP_S) + 1
        q = np.clip(arm.data.qpos[arm.qpos], arm.lower, arm.upper)
        guess = np.zeros((n_steps, layout.model.nu))
        guess[:, list(layout.tool.actuators)] = layout.tool.controls(np.array(aim.closure))
        moves = np.zeros((n_steps, len(q), 4))
        most = SPEED_SHARE * layout.tool.dq_max
        for k in range(n_steps):
            jacobian = arm.place(q)
            inverse = jacobian.T @ np.linalg.inv(jacobian @ jacobian.T + DAMPING * np.eye(6))
            hand = scene.hand
            v = np.zeros(6) if aim.wait else np.concatenate(_towards(aim, scene.palm, hand))
            ease = EASE * (layout.tool.home - q)
            dq = inverse @ v + ease - inverse @ (jacobian @ ease)
            dq *= min(1.0, float((most / np.maximum(np.abs(dq), 1e-9)).min()))
            guess[k, arm.actuators] = q + arm.lag_s * dq
            moves[k, :, :3] = inverse[:, :3]
            moves[k, :, 3] = inverse[:, 3:] @ hand[:, 2]
            q = np.clip(q + STEP_S * dq, arm.lower, arm.upper)
        times = float(state[0]) + STEP_S * np.arange(n_steps)
        return replace(self, times=times, guess=guess, moves=moves)

    def controls(self, times: Array, numbers: Array) -> Array:
        """Controls (N, T, nu) of numbers (N, T, 5) at simulated times (T,)."""
        where = np.clip((times - self.times[0]) / STEP_S, 0.0, len(self.times) - 1.001)
        before = where.astype(int)
        share = where - before
        u = (1 - share)[:, None] * self.guess[before] + share[:, None] * self.guess[before + 1]
        moves = self.moves[before]
        out = np.repeat(u[None], numbers.shape[0], axis=0)
        out[..., self.arm.actuators] += np.einsum("tjm,ntm->ntj", moves, numbers[..., :4])
        tool = self.arm.layout.tool
        fingers = list(tool.actuators)
        out[..., fingers] += numbers[..., 4:] * (tool.closed - tool.open)
        return np.clip(out, self.arm.lowest, self.arm.highest)


def _towards(aim: Aim, palm: Array, hand: Array) -> tuple[Array, Array]:
    """Velocity (3,) and turn rate (3,) of a hand at a place with an orientation (3, 3)."""
    error = aim.position - palm
    level = float(np.hypot(error[0], error[1]))
    if aim.clear_m is not None and level > LEVEL_M:
        short = max(aim.clear_m, aim.position[2]) - palm[2]
        if level > FUNNEL_M:
            error[2] = short
            error[:2] *= min(1.0, max(0.0, 1.0 - short / FUNNEL_M))
        elif error[2] < 0:
            error[2] *= 1.0 - (level - LEVEL_M) / (FUNNEL_M - LEVEL_M)
    v = GAIN * error
    v *= min(1.0, aim.speed / max(float(np.linalg.norm(v)), 1e-9))
    w = np.cross(hand[:, 2], aim.facing) * 3.0
    if hand[:, 2] @ aim.facing < -0.5:
        w = w + 3.0 * hand[:, 1]  # any way round
    if aim.closing is not None:
        sine = float(np.cross(hand[:, 1], aim.closing) @ hand[:, 2])
        w = w + 3.0 * hand[:, 2] * np.arctan2(sine, float(hand[:, 1] @ aim.closing))
    w *= min(1.0, TURN_RATE / max(float(np.linalg.norm(w)), 1e-9))
    return v, w


def reach_of(stage: RewardStage, layout: TabletopLayout) -> ReachSpace | None:
    """The space of a stage that moves the hand and what it holds, and nothing else."""
    if any(t.name not in TERMS for t in stage.terms if t.weight > 0):
        return None
    return ReachSpace(stage=stage, arm=_kinematics(layout))
