# pyright: reportAttributeAccessIssue=false
# (mujoco ships no type stubs)
"""Set-points of all kinds for the safety filter, and an independent look at what it sends.

The look shares no code with the filter's checks: differences of what was sent, and positions and
contacts in the model that planners use.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import mujoco
import numpy as np

from embodied.bridge.filter import SafetyFilter
from embodied.bridge.geometry import ArmGeometry
from embodied.bridge.limits import SafetyLimits
from embodied.bridge.messages import Acknowledgement, ArmMode, ArmState, Setpoint, Verdict
from embodied.bridge.testing.resting import resting_state
from embodied.types import Array
from embodied.world.mujoco import planning_model
from embodied.world.scene import Scene

RELATIVE = 1e-6
"""Excess over a limit that counts as rounding of differences."""

KINDS = ("garbage", "anywhere", "near", "smooth", "drive", "missing")
_LOOK_EVERY = 20


@dataclass(slots=True)
class FuzzResult:
    """What a fuzz run found.

    Attributes:
        violations: Limits broken in what was sent, the first hundred.
        verdicts: Count of each verdict.
        codes: Count of each reason.
        cost_us: Wall time of each judgement.
        cpu_us: Processor time of each judgement.
        moving_us: Wall time of those that let a moving set-point through.
        moving_cpu_us: Their processor time.
        looked: Configurations whose contacts were looked at.
    """

    violations: list[str] = field(default_factory=list[str])
    verdicts: Counter[str] = field(default_factory=Counter[str])
    codes: Counter[str] = field(default_factory=Counter[str])
    cost_us: list[float] = field(default_factory=list[float])
    cpu_us: list[float] = field(default_factory=list[float])
    moving_us: list[float] = field(default_factory=list[float])
    moving_cpu_us: list[float] = field(default_factory=list[float])
    looked: int = 0


Towards = Callable[[Array, Array], Array]


class Proposer:
    """Draws proposals: garbage, jumps, smooth motions, drives into limits and things.

    Args:
        limits: The limits that are tried.
        rng: Source of randomness.
        start: Configuration to begin at, (n,).
        towards: Joint velocity that moves the end effector at a velocity (3,) from q (n,).
    """

    def __init__(
        self, limits: SafetyLimits, rng: np.random.Generator, start: Array, towards: Towards
    ) -> None:
        self.limits = limits
        self.rng = rng
        self._towards = towards
        self.sequence = 0
        self._left = 0
        self._kind = "near"
        self._q = start.copy()
        self._direction = np.zeros(len(start))
        self._phase = 0.0

    def draw(self, sent: Array, now_s: float) -> Setpoint | None:
        """The next proposal, given the last set-point sent."""
        if self._left == 0:
            self._begin(sent)
        self._left -= 1
        self.sequence += 1
        q = self._position(sent)
        if q is None:
            return None
        created, number = now_s, self.sequence
        width: float | None = None
        if self._kind == "garbage":
            q, created, number, width = self._spoil(q, created, number)
        return Setpoint(sequence=number, created_s=created, q=q, gripper_width_m=width)

    # ----------------------------------------------------------------- private

    def _begin(self, sent: Array) -> None:
        rng, limits = self.rng, self.limits
        self._kind = str(rng.choice(KINDS, p=[0.1, 0.05, 0.15, 0.3, 0.35, 0.05]))
        self._left = int(rng.integers(1, {"garbage": 4, "missing": 6}.get(self._kind, 150)))
        self._q = sent.copy()
        speed = float(rng.choice([0.02, 0.1, 0.3, 1.0, 1.3], p=[0.3, 0.3, 0.2, 0.15, 0.05]))
        self._direction = rng.uniform(-1, 1, len(sent)) * limits.dq_max * speed
        aim = rng.random()
        if aim < 0.2:  # one joint alone gets farther
            only = np.zeros(len(sent))
            only[rng.integers(len(sent))] = 1.0
            self._direction *= only
        elif aim < 0.7:  # the hand in a straight line, mostly down: towards things
            velocity = rng.normal(size=3) + [0.0, 0.0, -1.0]
            velocity *= rng.uniform(0.02, 0.27) / np.linalg.norm(velocity)
            self._direction = self._towards(sent, velocity)
        self._phase = 0.0

    def _position(self, sent: Array) -> Array | None:
        rng, limits, h = self.rng, self.limits, self.limits.dt_s
        if self._kind == "missing":
            return None
        if self._kind == "anywhere":
            middle = (limits.q_lower + limits.q_upper) / 2
            return middle + rng.uniform(-0.8, 0.8, len(sent)) * (limits.q_upper - limits.q_lower)
        if self._kind == "near":
            return sent + rng.normal(0.0, 10.0 ** rng.uniform(-5, -0.5), len(sent))
        if self._kind == "smooth":
            self._phase += h * 2.0
            self._q = self._q + h * self._direction * np.sin(self._phase)
            return self._q
        if self._kind == "drive":
            self._phase = min(1.0, self._phase + h * 4.0)
            self._q = self._q + h * self._direction * self._phase
            return self._q
        return sent.copy()

    def _spoil(
        self, q: Array, created_s: float, number: int
    ) -> tuple[Array, float, int, float | None]:
        rng, n = self.rng, len(q)
        width: float | None = None
        match int(rng.integers(7)):
            case 0:
                q[rng.integers(n)] = rng.choice([np.nan, np.inf, -np.inf])
            case 1:
                q = np.zeros(int(rng.choice([0, 1, n - 1, n + 1, 50])))
            case 2:
                q = q * 10.0 ** rng.uniform(1, 300)
            case 3:
                created_s -= 10.0 ** rng.uniform(-2, 3)
            case 4:
                created_s += 10.0 ** rng.uniform(-2, 3)
            case 5:
                number -= int(rng.integers(1, 1000))
            case _:
                width = float(rng.choice([np.nan, -1.0, 5.0, np.inf]))
        return q, created_s, number, width


class Look:
    """Looks at what was sent.

    Args:
        limits: The limits.
        scene: The scene.
    """

    def __init__(self, limits: SafetyLimits, scene: Scene) -> None:
        self.limits = limits
        self.model = planning_model(scene, limits.robot)
        self.data = mujoco.MjData(self.model)
        self._at = np.array([int(self.model.joint(j).qposadr[0]) for j in limits.joints])
        self._site = int(self.model.site("ee").id)
        self._elbow = int(self.model.body(limits.elbow_body).id)
        items = {n for n, thing in scene.objects.items() if thing.kind in ("item", "drawer")}
        bodies = [self.model.body(int(b)).name for b in self.model.geom_bodyid]
        for geom, body in enumerate(bodies):
            if body in items:
                self.model.geom_contype[geom] = self.model.geom_conaffinity[geom] = 0
        self._bodies = bodies
        self._hand = {"hand", "left_finger", "right_finger"}
        fixed = {"world", *scene.objects, *(f"{n}-cabinet" for n in scene.objects)}
        self._of_arm = [b not in fixed for b in bodies]

    def towards(self, q: Array, velocity: Array) -> Array:
        """Joint velocity (n,) that moves the end effector at ``velocity`` (3,) from ``q``."""
        self.data.qpos[self._at] = q
        mujoco.mj_kinematics(self.model, self.data)
        mujoco.mj_comPos(self.model, self.data)
        jacobian = np.zeros((3, self.model.nv))
        mujoco.mj_jacSite(self.model, self.data, jacobian, None, self._site)
        dofs = [int(self.model.joint(j).dofadr[0]) for j in self.limits.joints]
        return np.linalg.pinv(jacobian[:, dofs]) @ velocity

    def motion(self, sent: Array, step: int) -> Iterator[str]:
        """Limits that differences of consecutive set-points (4 or more, n) break at the end."""
        limits, h = self.limits, self.limits.dt_s
        q = sent[-1]
        dq = np.diff(sent[-4:], axis=0) / h
        ddq = np.diff(dq, axis=0) / h
        dddq = np.diff(ddq, axis=0) / h
        if np.any(q < limits.q_lower - RELATIVE) or np.any(q > limits.q_upper + RELATIVE):
            yield f"step {step}: position {q}"
        for name, value, limit in (
            ("velocity", dq[-1], limits.dq_max),
            ("acceleration", ddq[-1], limits.ddq_max),
            ("jerk", dddq[-1], limits.dddq_max),
        ):
            # third differences of positions lose digits: h^3 is 1e-6
            if np.any(np.abs(value) > limit * (1 + RELATIVE) + 1e-8 / h**2):
                yield f"step {step}: {name} at {np.max(np.abs(value) / limit):.6f} of its limit"

    def places(self, before: Array, after: Array, step: int) -> Iterator[str]:
        """Cartesian limits that going from one set-point to the next breaks."""
        limits = self.limits
        points: list[Array] = []
        for q in (before, after):
            self.data.qpos[self._at] = q
            mujoco.mj_kinematics(self.model, self.data)
            ee, elbow = self.data.site_xpos[self._site], self.data.xpos[self._elbow]
            points.append(np.array([ee, elbow]))
        speeds = np.linalg.norm(points[1] - points[0], axis=1) / limits.dt_s
        for name, speed, limit in zip(
            ("end effector", "elbow"),
            speeds,
            (limits.ee_speed_m_s, limits.elbow_speed_m_s),
            strict=True,
        ):
            if speed > limit * (1 + RELATIVE):
                yield f"step {step}: {name} at {speed:.4f} m/s of {limit:.4f}"
        ee = points[1][0]
        if np.any(ee < limits.workspace_lower - 1e-6) or np.any(ee > limits.workspace_upper + 1e-6):
            yield f"step {step}: end effector outside the workspace at {ee}"

    def contacts(self, q: Array, step: int) -> Iterator[str]:
        """Parts that go into each other or into things by more than the limits' clearance."""
        self.data.qpos[self._at] = q
        mujoco.mj_kinematics(self.model, self.data)
        mujoco.mj_collision(self.model, self.data)
        limits = self.limits
        for contact in self.data.contact:
            a, b = (int(g) for g in contact.geom)
            if not (self._of_arm[a] or self._of_arm[b]):
                continue
            first, second = self._bodies[a], self._bodies[b]
            if {first, second} <= self._hand or "link0" in (first, second):
                continue
            hand = self._hand & {first, second}
            depth = -limits.hand_clearance_m if hand else max(0.0, -limits.clearance_m)
            if -float(contact.dist) > depth + 5e-4:
                yield f"step {step}: {first} in {second} by {-float(contact.dist):.4f} m"


def fuzz(
    limits: SafetyLimits,
    scene: Scene,
    *,
    count: int,
    seed: int,
    geometry: ArmGeometry | None = None,
    look: Look | None = None,
    faults: bool = True,
) -> FuzzResult:
    """Propose ``count`` set-points from a random start and look at everything that is sent.

    Args:
        limits: The limits.
        scene: The scene.
        count: Number of periods.
        seed: Seed of all randomness.
        geometry: Of the filter; built if None.
        look: Judges what is sent; built if None.
        faults: Let the arm report faults now and then.
    """
    rng = np.random.default_rng(seed)
    geometry = geometry or ArmGeometry(limits, scene)
    look = look or Look(limits, scene)
    safety = SafetyFilter(limits, geometry, lockstep=True)
    q = _start(limits, geometry, rng)
    number, now = 0, 1000.0
    assert safety.start(resting_state(q, number)) == ()
    proposer = Proposer(limits, rng, q, look.towards)
    result = FuzzResult()
    sent = [q, q, q, q]
    for step in range(count):
        now += limits.dt_s
        number += 1
        state = resting_state(safety.q, number)
        if faults and rng.random() < 1e-3:
            state = _faulty(state, rng)
        proposal = proposer.draw(safety.q, now)
        begun, cpu_begun = time.perf_counter(), time.thread_time()
        decision = safety.judge(proposal, state, now)
        cpu = (time.thread_time() - cpu_begun) * 1e6
        cost = (time.perf_counter() - begun) * 1e6
        result.cost_us.append(cost)
        result.cpu_us.append(cpu)
        result.verdicts[decision.verdict.value] += 1
        result.codes.update(r.code for r in decision.reasons)
        accepted = decision.verdict in (Verdict.PASS, Verdict.CLAMP)
        if accepted and proposal is not None and not decision.at_rest:
            result.moving_us.append(cost)
            result.moving_cpu_us.append(cpu)
        sent = [*sent[1:], np.array(decision.q)]
        found = [*look.motion(np.array(sent), step), *look.places(sent[-2], sent[-1], step)]
        if step % _LOOK_EVERY == 0:
            result.looked += 1
            found += look.contacts(sent[-1], step)
        if decision.verdict is not Verdict.PASS and not decision.reasons:
            found.append(f"step {step}: {decision.verdict.value} without a reason")
        result.violations += [f"seed {seed}, {f}" for f in found[: 100 - len(result.violations)]]
        if safety.latched is not None and safety.at_rest:
            safety.recover(Acknowledgement(operator="fuzz", statement="seen"))
            number += 1
            assert safety.start(resting_state(safety.q, number)) == ()
    return result


def _start(limits: SafetyLimits, geometry: ArmGeometry, rng: np.random.Generator) -> Array:
    """A random configuration that keeps the limits."""
    box = (limits.workspace_lower, limits.workspace_upper)
    while True:
        q = rng.uniform(limits.q_lower, limits.q_upper)
        ee, _ = geometry.points(q)
        inside = bool(np.all(ee > box[0]) and np.all(ee < box[1]))
        free = inside and geometry.nearest(q).margin_m > 0.0
        if free and geometry.least_singular_value(q) > limits.least_singular_value:
            return q


def _faulty(state: ArmState, rng: np.random.Generator) -> ArmState:
    from dataclasses import replace

    match int(rng.integers(6)):
        case 0:
            return replace(state, tau=np.full(len(state.q), 1e4))
        case 1:
            return replace(state, q=state.q + 1.0)
        case 2:
            return replace(state, q=state.q[:-1])
        case 3:
            return replace(state, mode=ArmMode.PROTECTIVE_STOP, protective_stop=True)
        case 4:
            return replace(state, source_time_s=state.source_time_s + 3.0)
        case _:
            return replace(state, dq=np.full(len(state.q), np.nan))
