# pyright: reportAttributeAccessIssue=false
# (mujoco ships no type stubs)
"""A world whose arm is behind a supervisor; implements the ``World`` protocol."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import mujoco
import numpy as np

from embodied.bridge.client import PlannerClient, Report
from embodied.bridge.messages import Reason
from embodied.errors import HardwareFault, WorldError
from embodied.types import (
    Array,
    Command,
    GripperState,
    JointTrajectory,
    Observation,
    Pose,
    StepResult,
    WorldSpec,
)

_HIDDEN_M = -5.0
"""Height at which things that are not seen are drawn: under the floor."""


class Eyes(Protocol):
    """Whoever perceives the scene of a real arm."""

    def tell(self, observation: Observation) -> None:
        """Take in how the robot is now."""
        ...

    def poses(self) -> tuple[Mapping[str, Pose], Mapping[str, float]]:
        """Where things were seen last, in the world, and openings of drawers, m; never waits."""
        ...

    def problem(self) -> str:
        """Why the arm must not go on moving; empty when all is well."""
        ...


class BridgeWorld:
    """Moves an arm by proposals to its supervisor.

    The clock is the supervisor's count of periods in which the arm was moved or told to stay; it
    stands still while nobody proposes anything, so planning takes no time of it.

    Args:
        client: Connected to the supervisor.
        spec: Scene and arm; its limits are those of the signed-off file.
        model: MuJoCo model of the scene with the arm: draws states, and gives the pose of the end
            effector and, for arms without a scene of their own, where fixed things are.
        fixtures: Where what does not move is, for arms without a scene of their own.
        eyes: Perceives; None takes what a simulated arm knows ("ground truth").

    Attributes:
        spec: What does not change while the world runs.
        model: The MuJoCo model.
        refusals: Reasons of all set-points that were not sent as proposed, oldest first.
    """

    def __init__(
        self,
        client: PlannerClient,
        spec: WorldSpec,
        model: mujoco.MjModel,
        *,
        fixtures: Mapping[str, Pose] | None = None,
        eyes: Eyes | None = None,
    ) -> None:
        self.spec = spec
        self.model = model
        self.refusals: list[Reason] = []
        self._client = client
        self._fixtures, self._eyes = fixtures or {}, eyes
        self._data = mujoco.MjData(model)
        self._joints = [int(model.joint(j).qposadr[0]) for j in spec.joint_names]
        self._observation: Observation | None = None
        self._sent: Array | None = None
        self._started_s = 0.0
        self._state = "new"  # then "running", at last "closed"

    # ---------------------------------------------------------------- protocol

    def reset(self, *, seed: int) -> Observation:
        """Start: a simulated arm begins the episode of the seed, a real one is taken over.

        Raises:
            HardwareFault: The arm is stopped and an operator has not acknowledged it.
            WorldError: The supervisor has gone.
        """
        self._refuse_when("closed")
        self._client.reset(seed)
        report = self._client.enable()
        status = report["status"]
        if status["latched"] is not None:
            raise HardwareFault(f"the arm is stopped: {status['latched_reason']}")
        if not status["enabled"]:
            raise WorldError("the supervisor did not enable the arm: see its journal")
        self._sent = None
        self._started_s = report["time_s"]
        self._state = "running"
        return self._take(report)

    def observe(self) -> Observation:
        """The latest measurement; asks for a new one when there is none."""
        self._refuse_when("new", "closed")
        assert self._observation is not None
        return self._observation

    def step(self, command: Command) -> StepResult:
        """Propose a command for one period.

        Raises:
            HardwareFault: The arm was stopped and stays so until an operator acknowledges it.
            WorldError: The supervisor has gone.
            ValueError: The command has the wrong shape or is not finite.
        """
        self._refuse_when("new", "closed")
        if self._eyes is not None and (problem := self._eyes.problem()):
            raise WorldError(f"{problem}; the arm holds its pose")
        n = len(self.spec.joint_names)
        if command.q.shape != (n,):
            raise ValueError(f"command.q must have shape ({n},), got {command.q.shape}")
        width = command.gripper_width_m
        numbers = [*command.q, command.gripper_force_n, 0.0 if width is None else width]
        if command.dq is not None:
            numbers.extend(command.dq)
        if not np.isfinite(numbers).all():
            raise ValueError("the command holds values that are not finite")
        report = self._client.propose(command.q, width, command.gripper_force_n)
        status, decision = report["status"], report["decision"]
        if status["latched"] is not None:
            raise HardwareFault(
                f"the arm was stopped: {status['latched_reason']}; an operator must acknowledge it"
            )
        if decision is None:
            raise WorldError("the supervisor did not take the set-point: the arm is not enabled")
        reasons = tuple(Reason(**r) for r in decision["reasons"])
        self.refusals.extend(reasons)
        applied = Command(
            q=np.array(decision["q"]),
            dq=np.array(decision["dq"]),
            gripper_width_m=decision["gripper_width_m"],
            gripper_force_n=decision["gripper_force_n"] if width is not None else 20.0,
        )
        self._sent = applied.q
        observation = self._take(report)
        verdict = decision["verdict"]
        return StepResult(
            observation=observation,
            applied=applied,
            reasons=tuple(f"{verdict}: {r}" for r in reasons),
        )

    def close(self) -> None:
        """Let go of the supervisor, which holds the arm; may be called twice."""
        if self._state != "closed":
            self._client.close()
        self._state = "closed"

    # ------------------------------------------------------------------ extras

    def announce(
        self, label: str, trajectory: JointTrajectory, gripper_width_m: float | None
    ) -> str:
        """Say what will be carried out next; returns the hash that an operator approves.

        Raises:
            WorldError: The supervisor has gone.
        """
        report = self._client.plan(
            label, trajectory.time.tolist(), trajectory.q.tolist(), gripper_width_m
        )
        status = report["status"]
        return str(status["pending"] or status["approved"] or "")

    def answered(self, plan_hash: str) -> bool | None:
        """Whether an operator approved a plan; None while it waits.

        Raises:
            HardwareFault: The arm was stopped meanwhile.
        """
        status = self._client.observe()["status"]
        if status["latched"] is not None:
            raise HardwareFault(f"the arm was stopped: {status['latched_reason']}")
        if status["approved"] == plan_hash:
            return True
        return False if status["refused"] == plan_hash else None

    @property
    def sent(self) -> Array:
        """Last set-point that went to the arm, (n,), rad; the measured pose before the first."""
        return self.observe().q if self._sent is None else self._sent

    @property
    def qpos(self) -> Array:
        """This instant as a configuration of ``model``, (model.nq,): enough to draw it."""
        seen = self.observe()
        model, qpos = self.model, self.model.qpos0.copy()
        for address, value in zip(self._joints, seen.q, strict=True):
            qpos[address] = value
        names = {model.joint(i).name for i in range(model.njnt)}
        if seen.gripper is not None:
            grip = self.spec.gripper
            places = () if grip is None else grip.joint_positions(seen.gripper.width_m)
            for name, place in zip(() if grip is None else grip.joints, places, strict=True):
                if name in names:
                    qpos[int(model.joint(name).qposadr[0])] = place
        for name, opening in seen.openings_m.items():
            qpos[int(model.joint(name).qposadr[0])] = opening
        for name in [n for n, o in self.spec.objects.items() if o.kind == "item"]:
            at, pose = int(model.joint(name).qposadr[0]), seen.poses.get(name)
            qpos[at + 2] = _HIDDEN_M
            if pose is not None:
                qpos[at : at + 3] = pose.position
                qpos[at + 3 : at + 7] = pose.quat_wxyz
        return qpos

    @property
    def data(self) -> mujoco.MjData:
        """This instant as a state of ``model``, for windows; not simulated."""
        self._data.qpos[:] = self.qpos
        mujoco.mj_forward(self.model, self._data)
        return self._data

    # ----------------------------------------------------------------- private

    def _take(self, report: Report) -> Observation:
        state = report["state"]
        if state is None:
            raise WorldError("the supervisor has no state of the arm")
        grip, scene = state["gripper"], state["scene"]
        if self._eyes is not None:
            poses, openings = self._eyes.poses()
        else:
            known = scene.get("poses")
            poses = self._fixtures if known is None else {n: _pose(v) for n, v in known.items()}
            openings = scene.get("openings_m", {})
        q = np.array(state["q"])
        self._observation = Observation(
            time=report["time_s"] - self._started_s,
            q=q,
            dq=np.array(state["dq"]),
            tau=np.array(state["tau"]),
            pose_ee_in_world=_pose(scene["pose_ee"]) if "pose_ee" in scene else self._ee(q),
            gripper=None
            if grip is None
            else GripperState(width_m=grip[0], speed_m_s=grip[1], force_n=grip[2]),
            poses=poses,
            openings_m=openings,
        )
        if self._eyes is not None:
            self._eyes.tell(self._observation)
        return self._observation

    def _ee(self, q: Array) -> Pose:
        self._data.qpos[self._joints] = q
        mujoco.mj_kinematics(self.model, self._data)
        site = self._data.site(self.spec.ee_site)
        matrix = np.eye(4)
        matrix[:3, :3] = site.xmat.reshape(3, 3)
        matrix[:3, 3] = site.xpos
        return Pose.from_matrix(matrix)

    def _refuse_when(self, *states: str) -> None:
        if self._state in states:
            advice = {"new": "call reset first", "closed": "the world is closed"}
            raise WorldError(advice[self._state])


def _pose(numbers: list[float]) -> Pose:
    return Pose(position=np.array(numbers[:3]), quat_wxyz=np.array(numbers[3:]))
