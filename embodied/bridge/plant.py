"""A simulated arm in a process of its own, with the functions of a real arm's controller.

It steps a world by one period per set-point, brakes by itself when set-points stop coming or the
supervisor dies, refuses motion while stopped, and keeps stops until they are cleared.

    python -m embodied.bridge.plant '{"socket": ..., "simulator": ..., ...}'
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from embodied.bridge.channel import BadFrameError, ChannelClosedError, Listener, Schema
from embodied.bridge.stopping import Stopper
from embodied.types import Array, Command, Observation, Pose

PATIENCE_PERIODS = 2.5
"""So long after a set-point, an arm that keeps its own time waits for the next; then it brakes."""

REST_RAD_S = 0.02
LONGEST_BRAKING = 1000

REQUESTS: Schema = MappingProxyType(
    {
        "state": {},
        "enable": {},
        "stream": {
            "q": "vector",
            "dq": "vector",
            "gripper_width_m": "number?",
            "gripper_force_n": "number",
        },
        "stop": {"category": "integer"},
        "recover": {},
        "reset": {"seed": "integer"},
        "bye": {},
    }
)
ANSWERS: Schema = MappingProxyType(
    {
        "state": {
            "sequence": "integer",
            "source_time_s": "number",
            "q": "vector",
            "dq": "vector",
            "q_commanded": "vector",
            "dq_commanded": "vector",
            "tau": "vector",
            "mode": "text",
            "gripper": "vector?",
            "scene": "object",
            "problem": "text",
        }
    }
)


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
        self.mode = "idle"
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
        self.mode = "idle"
        self.sequence += 1
        self._stamp_s = time.monotonic()

    def enable(self) -> str:
        """Hold the measured pose; returns what is in the way."""
        if self.mode in ("protective-stop", "emergency-stop", "fault"):
            return f"the arm is in {self.mode}"
        self.mode = "running"
        return ""

    def stream(self, message: Mapping[str, Any]) -> str:
        """Move to a set-point within one period; returns what is in the way."""
        if self.mode != "running":
            return f"the arm takes no set-points while it is {self.mode}"
        q = np.array(message["q"], dtype=np.float64)
        if q.shape != self._q.shape:
            return f"{len(self._q)} joints, not {q.size}"
        self._braking = []
        self._step(q, message["gripper_width_m"], message["gripper_force_n"])
        return ""

    def stop(self, category: int) -> None:
        """Brake and refuse motion; category 2 leaves the arm holding."""
        self._brake()
        self.mode = "protective-stop" if category == 2 else "emergency-stop"
        if self.lockstep:
            for _ in range(LONGEST_BRAKING):
                if self.at_rest:
                    break
                self.idle()

    def recover(self) -> None:
        """Clear a stop."""
        if self.mode in ("protective-stop", "emergency-stop"):
            self.mode = "idle"

    def idle(self) -> None:
        """One period without a set-point: brake, then hold."""
        if self.mode == "running" and not self._braking:
            self._brake()
        if self._braking:
            dq = np.array(self._braking.pop(0))
            rest = self._braking
            self._step(self._q + self.dt_s * dq, None, 0.0)
            self._braking = rest
        else:
            self._step(self._q, None, 0.0)

    @property
    def at_rest(self) -> bool:
        """Nothing moves any more."""
        return not self._braking and self.speed_rad_s < REST_RAD_S

    @property
    def speed_rad_s(self) -> float:
        """Measured, of the fastest joint."""
        return float(np.max(np.abs(self._observed.dq)))

    def report(self, problem: str = "") -> dict[str, Any]:
        """The state as a message."""
        seen = self._observed
        grip = seen.gripper
        ticks = self._ticks * self.dt_s
        return {
            "kind": "state",
            "sequence": self.sequence,
            "source_time_s": ticks if self.lockstep else self._stamp_s,
            "q": seen.q.tolist(),
            "dq": seen.dq.tolist(),
            "q_commanded": self._q.tolist(),
            "dq_commanded": self._dq.tolist(),
            "tau": seen.tau.tolist(),
            "mode": self.mode,
            "gripper": None if grip is None else [grip.width_m, grip.speed_m_s, grip.force_n],
            "scene": {
                "source": "ground truth",
                "poses": {n: _numbers(p) for n, p in seen.poses.items()},
                "openings_m": dict(seen.openings_m),
                "pose_ee": _numbers(seen.pose_ee_in_world),
            },
            "problem": problem,
        }

    # ----------------------------------------------------------------- private

    def _brake(self) -> None:
        # Set-points after a break may have jumped; what is braked from is within the limits.
        dq = np.clip(self._dq, -self.spec.dq_max, self.spec.dq_max)
        ddq = np.clip(self._ddq, -self.spec.ddq_max, self.spec.ddq_max)
        rows = self._stopper.velocities(dq.tolist(), ddq.tolist())
        self._braking = rows or []

    def _step(self, q: Array, width: float | None, force: float) -> None:
        result = self.world.step(
            Command(q=q, dq=(q - self._q) / self.dt_s, gripper_width_m=width, gripper_force_n=force)
            if width is not None
            else Command(q=q, dq=(q - self._q) / self.dt_s)
        )
        applied = result.applied.q
        dq = (applied - self._q) / self.dt_s
        self._ddq = (dq - self._dq) / self.dt_s
        self._dq, self._q = dq, applied
        self._observed = result.observation
        self._ticks += 1
        self.sequence += 1
        self._stamp_s = time.monotonic()


def serve(plant: Plant, listener: Listener, farewell: Path | None) -> None:
    """Answer one supervisor until it goes; then brake, say how that went, and end."""
    channel = listener.accept(60.0)
    if channel is None:
        return
    next_s = time.monotonic()
    try:
        while True:
            wait = 60.0 if plant.lockstep else max(next_s - time.monotonic(), 0.0)
            try:
                message = channel.receive(wait)
            except BadFrameError:
                continue
            now = time.monotonic()
            if message is None:
                if plant.lockstep:
                    continue
                plant.idle()
                next_s = max(next_s + plant.dt_s, now)
                continue
            problem = ""
            kind = message["kind"]
            if kind == "stream":
                problem = plant.stream(message)
                next_s = now + PATIENCE_PERIODS * plant.dt_s
            elif kind == "enable":
                problem = plant.enable()
            elif kind == "stop":
                plant.stop(message["category"])
                next_s = now
            elif kind == "recover":
                plant.recover()
            elif kind == "reset":
                plant.reset(message["seed"])
            elif kind == "bye":
                return
            channel.send(plant.report(problem))
    except ChannelClosedError:
        pass
    finally:
        _leave(plant, farewell)
        channel.close()


def _leave(plant: Plant, farewell: Path | None) -> None:
    """Brake to rest, then write down how long that took."""
    speed_rad_s = plant.speed_rad_s
    plant.stop(1)
    periods = 0
    while not plant.at_rest and periods < LONGEST_BRAKING:
        plant.idle()
        periods += 1
    if farewell is not None:
        text = json.dumps(
            {
                "at_rest": plant.at_rest,
                "braked_s": periods * plant.dt_s,
                "from_rad_s": round(speed_rad_s, 4),
            }
        )
        farewell.write_text(text, "utf-8")


def _numbers(pose: Pose) -> list[float]:
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


def main() -> None:
    """Entry point of the process."""
    os.setpgid(0, 0)  # an interrupt at the terminal is the supervisor's to handle
    config = json.loads(sys.argv[1])
    listener = Listener(Path(config["socket"]), REQUESTS)
    farewell = config.get("farewell")
    serve(build_plant(config), listener, Path(farewell) if farewell else None)
    listener.close()


if __name__ == "__main__":
    main()
