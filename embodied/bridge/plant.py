"""A simulated arm in a process of its own, with the functions of a real arm's controller.

It steps a world by one period per set-point, brakes by itself when set-points stop coming or the
supervisor dies, refuses motion while stopped, and keeps stops until they are cleared.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from embodied.bridge.messages import ArmMode
from embodied.bridge.setpoint_driver import Report
from embodied.bridge.stopping import Stopper
from embodied.bridge.vendors.vendor_process import START_S, Session
from embodied.types import Array, Command, Observation, Pose

PATIENCE_PERIODS = 2.5
"""Timeout for the next set-point of an arm in real time; then it brakes, s."""

REST_RAD_S = 0.02
LONGEST_BRAKING = 1000


Answer = tuple[Report, dict[str, object], str]
"""The arm's report, where things are, and what was in the way of what was asked for."""


class Plant:
    """Steps a world as an arm's controller would.

    Args:
        world: The simulated world, not yet reset.
        lockstep: Time advances with set-points only.
    """

    def __init__(self, world: Any, *, lockstep: bool) -> None:
        self.world = world
        self.lockstep = lockstep
        self.spec = world.spec
        self.dt_s = float(self.spec.control_dt_s)
        self._stopper = Stopper(self.spec.dq_max, self.spec.ddq_max, self.spec.dddq_max, self.dt_s)
        self.mode = ArmMode.IDLE
        self.sequence = 0
        self._braking: list[list[float]] = []
        self._ticks = 0
        self._stamp_s = 0.0
        self.reset(0)

    def reset(self, seed: int) -> None:
        """Start an episode."""
        self._observed: Observation = self.world.reset(seed=seed)
        self._q = np.array(self._observed.q)
        self._dq = np.zeros(len(self._q))
        self._ddq = np.zeros(len(self._q))
        self._braking = []
        self.mode = ArmMode.IDLE
        self.sequence += 1
        self._stamp_s = time.monotonic()

    def enable(self) -> str:
        """Hold the measured pose; returns what is in the way."""
        if self.mode not in (ArmMode.IDLE, ArmMode.RUNNING):
            return f"the arm is in {self.mode.value}"
        self.mode = ArmMode.RUNNING
        return ""

    def stream(self, q: Array, grip: tuple[float, float] | None) -> str:
        """Move to a set-point within one period; returns what is in the way."""
        if self.mode is not ArmMode.RUNNING:
            return f"the arm takes no set-points while it is {self.mode.value}"
        if q.shape != self._q.shape:
            return f"{len(self._q)} joints, not {q.size}"
        self._braking = []
        self._step(q, grip)
        return ""

    def stop(self, category: int) -> None:
        """Brake and refuse motion; category 2 leaves the arm holding."""
        self._brake()
        self.mode = ArmMode.PROTECTIVE_STOP if category == 2 else ArmMode.EMERGENCY_STOP
        if self.lockstep:
            for _ in range(LONGEST_BRAKING):
                if self.at_rest:
                    break
                self.idle()

    def recover(self) -> None:
        """Clear a stop."""
        if self.mode is not ArmMode.RUNNING:
            self.mode = ArmMode.IDLE

    def idle(self) -> None:
        """One period without a set-point: brake, then hold."""
        if self.mode is ArmMode.RUNNING and not self._braking:
            self._brake()
        if self._braking:
            dq = np.array(self._braking.pop(0))
            rest = self._braking
            self._step(self._q + self.dt_s * dq, None)
            self._braking = rest
        else:
            self._step(self._q, None)

    @property
    def at_rest(self) -> bool:
        """Nothing moves any more."""
        return not self._braking and self.speed_rad_s < REST_RAD_S

    @property
    def speed_rad_s(self) -> float:
        """Measured, of the fastest joint."""
        return float(np.max(np.abs(self._observed.dq)))

    def report(self) -> Report:
        """The latest measurement."""
        seen = self._observed
        return Report(
            sequence=self.sequence,
            stamp_s=self._ticks * self.dt_s if self.lockstep else self._stamp_s,
            q=seen.q,
            dq=seen.dq,
            q_commanded=self._q,
            dq_commanded=self._dq,
            tau=seen.tau,
            mode=None if self.mode is ArmMode.IDLE else self.mode,  # it may be enabled
            gripper=seen.gripper,
        )

    def scene(self) -> dict[str, object]:
        """Where things are, as the simulator knows it."""
        seen = self._observed
        return {**ground_truth(seen), "pose_ee": numbers(seen.pose_ee_in_world)}

    # ----------------------------------------------------------------- private

    def _brake(self) -> None:
        # Set-points after a break may have jumped; what is braked from is within the limits.
        dq = np.clip(self._dq, -self.spec.dq_max, self.spec.dq_max)
        ddq = np.clip(self._ddq, -self.spec.ddq_max, self.spec.ddq_max)
        rows = self._stopper.velocities(dq.tolist(), ddq.tolist())
        self._braking = rows or []

    def _step(self, q: Array, grip: tuple[float, float] | None) -> None:
        command = Command(q=q, dq=(q - self._q) / self.dt_s)
        if grip is not None:
            command = replace(command, gripper_width_m=grip[0], gripper_force_n=grip[1])
        result = self.world.step(command)
        applied = result.applied.q
        dq = (applied - self._q) / self.dt_s
        self._ddq = (dq - self._dq) / self.dt_s
        self._dq, self._q = dq, applied
        self._observed = result.observation
        self._ticks += 1
        self.sequence += 1
        self._stamp_s = time.monotonic()


class PlantSession(Session):
    """The arm's process: answers one driver until it goes, then brakes and says how that went.

    Args:
        config: ``simulator``, ``scene``, ``robot``, ``stacks``, ``lockstep``, ``farewell``.
    """

    vendor = "simulated arm's"
    answer_s = 5.0
    answers_s = {"reset": START_S, "end": 10.0}

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._plant = build_plant(config)
        self._farewell: str | None = config.get("farewell")
        self._next_s = time.monotonic()

    def wait_s(self) -> float | None:
        """In real time, until the arm's next period without a set-point."""
        return None if self._plant.lockstep else max(self._next_s - time.monotonic(), 0.0)

    def idle(self) -> None:
        """One such period."""
        now = time.monotonic()
        self._plant.idle()
        self._next_s = max(self._next_s + self._plant.dt_s, now)

    def state(self, problem: str = "") -> Answer:
        """The arm's report, where things are, and what was in the way."""
        return self._plant.report(), self._plant.scene(), problem

    def enable(self) -> Answer:
        """Hold the measured pose."""
        return self.state(self._plant.enable())

    def stream(self, q: Array, grip: tuple[float, float] | None) -> Answer:
        """Move to a set-point; the arm then waits for the next."""
        now = time.monotonic()
        problem = self._plant.stream(q, grip)
        self._next_s = now + PATIENCE_PERIODS * self._plant.dt_s
        return self.state(problem)

    def stop(self, category: int) -> Answer:
        """Brake and refuse motion."""
        self._next_s = time.monotonic()
        self._plant.stop(category)
        return self.state()

    def recover(self) -> Answer:
        """Clear a stop."""
        self._plant.recover()
        return self.state()

    def reset(self, seed: int) -> Answer:
        """Start an episode."""
        self._plant.reset(seed)
        return self.state()

    def end(self) -> None:
        """Brake to rest, then write down how long that took."""
        plant, speed_rad_s, periods = self._plant, self._plant.speed_rad_s, 0
        plant.stop(1)
        while not plant.at_rest and periods < LONGEST_BRAKING:
            plant.idle()
            periods += 1
        if self._farewell is not None:
            said = {
                "at_rest": plant.at_rest,
                "braked_s": periods * plant.dt_s,
                "from_rad_s": round(speed_rad_s, 4),
            }
            Path(self._farewell).write_text(json.dumps(said), "utf-8")


def ground_truth(seen: Observation) -> dict[str, object]:
    """Where things are, for messages: the simulator's own knowledge, and named so."""
    return {
        "source": "ground truth",
        "poses": {name: numbers(pose) for name, pose in seen.poses.items()},
        "openings_m": dict(seen.openings_m),
    }


def numbers(pose: Pose) -> list[float]:
    """Position and quaternion, wxyz."""
    return [*pose.position.tolist(), *pose.quat_wxyz.tolist()]


def build_plant(config: Mapping[str, Any]) -> Plant:
    """Build the world that a configuration names and the plant around it."""
    from embodied.world.scene import load_scene

    scene = load_scene(config["scene"])
    if config["simulator"] == "pybullet":
        from embodied.world import pybullet

        world: Any = pybullet.build_world(scene, stacks=config.get("stacks"))
    else:
        from embodied.world import mujoco

        world = mujoco.build_world(scene, config.get("robot", "fr3"), stacks=config.get("stacks"))
    return Plant(world, lockstep=bool(config["lockstep"]))
