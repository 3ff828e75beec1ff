# pyright: reportAttributeAccessIssue=false
# (mujoco ships no type stubs)
"""A description of a robot (``robot.toml``) and its model become a ``Robot``.

What the description says holds; what neither says is found from the model or assumed, and a note
says so. A description that says everything leaves the model as it is.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import mujoco
import numpy as np

from embodied.errors import ConfigurationError
from embodied.types import Array
from embodied.world import _robot_edits as edits
from embodied.world import _robot_guesses as guesses
from embodied.world._robot import Edit, Robot, compile_model, edited
from embodied.world._robot_models import package_path, urdf_limits, urdf_text
from embodied.world._robot_tools import (
    NO_TOOL,
    FittedTool,
    ToolTable,
    hand_on,
    own_fingers,
    ready_made,
    suction_on,
)

Numbers = tuple[float, ...]

MOUNTS = ("attachment_site", "flange", "tool0", "right_hand")
"""Sites and bodies at the end of an arm by the names that they usually have, z outwards."""

USUAL = {"dq_max": 1.0, "ddq_max": 5.0, "dddq_max": 500.0, "tau_max": 50.0}
"""Limits that are assumed where nothing is stated: rad/s, rad/s^2, rad/s^3, N m."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """``[limits]``, each a number per joint."""

    q_lower: Numbers = ()
    q_upper: Numbers = ()
    dq_max: Numbers = ()
    ddq_max: Numbers = ()
    dddq_max: Numbers = ()
    tau_max: Numbers = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Servo:
    """``[servo]``: gains of position servos, N m/rad and N m s/rad, in place of the model's."""

    kp: Numbers
    kv: Numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """``[base]``: where the arm stands in the world."""

    position_m: tuple[float, float, float] = (0.0, 0.0, 0.0)
    yaw_deg: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """A whole ``robot.toml``."""

    name: str = ""
    model: str = ""
    joints: tuple[str, ...] = ()
    q_home: Numbers = ()
    ee_site: str = ""
    floating_base: str = ""
    floating_home: Numbers = ()
    limits: Limits = Limits()
    tool: ToolTable = ToolTable()
    servo: Servo | None = None
    base: Base = Base()
    packages: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def complete(self) -> bool:
        """Whether the model is used as it is, with a hand mounted perhaps."""
        limits = dataclasses.astuple(self.limits)
        fitted = self.tool.actuator or (self.tool.mount and not self.tool.model)
        plain = self.servo is None and self.base == Base() and self.tool.kind in ("", "parallel")
        return bool(all((*limits, self.joints, self.q_home, fitted))) and plain


def described(
    read: Description, path: Path, name: str, folder: Path, hand: Callable[[], Robot]
) -> Robot:
    """The robot of a description and a model.

    Args:
        read: The description; one that says nothing leaves everything to be found.
        path: The model.
        name: Name of the robot.
        folder: What the description's paths are relative to.
        hand: Loads the arm whose hand is mounted on those that have none.

    Raises:
        ConfigurationError: The model cannot be loaded, or misses what the description names.
    """
    if read.complete:
        limits = read.limits
        tool = ready_made(read.tool, read.ee_site)
        if not read.tool.actuator:
            tool = hand_on(read.tool.mount, hand(), "")
        return Robot(
            name=name,
            model_path=path,
            joints=read.joints,
            q_home=np.array(read.q_home),
            ee_site=read.ee_site or tool.ee_site,
            base=read.floating_base,
            base_home=read.floating_home,
            gripper=tool.gripper,
            edits=tool.edits,
            q_lower=np.array(limits.q_lower),
            q_upper=np.array(limits.q_upper),
            dq_max=np.array(limits.dq_max),
            ddq_max=np.array(limits.ddq_max),
            dddq_max=np.array(limits.dddq_max),
            tau_max=np.array(limits.tau_max),
        )
    return _Finder(read, path, name, folder, hand).robot()


class _Finder:
    """Finds what a description does not say."""

    def __init__(
        self, read: Description, path: Path, name: str, folder: Path, hand: Callable[[], Robot]
    ) -> None:
        self.read, self.path, self.name, self.folder, self.hand = read, path, name, folder, hand
        self.text = ""
        self.stated: Mapping[str, tuple[float, float]] = {}
        if path.suffix == ".urdf":
            self.text = urdf_text(path, read.packages, folder)
            self.stated = urdf_limits(path)
        self.edits: list[Edit] = [edits.clean]
        self.notes: list[str] = []

    def robot(self) -> Robot:
        """The whole of it."""
        read = self.read
        base = read.base
        if base != Base():
            yaw = float(np.deg2rad(base.yaw_deg))
            self.edits.append(partial(edits.place_base, position_m=base.position_m, yaw_rad=yaw))
        model = self._compiled()
        free = [j for j in range(model.njnt) if model.jnt_type[j] == mujoco.mjtJoint.mjJNT_FREE]
        arm = self._arm(model, walks=bool(free))
        if not model.ngeom:
            self.edits.append(partial(edits.add_bones, bones=guesses.bones(model, arm)))
            self.notes.append("the model has no shapes: capsules from joint to joint stand in")
            model = self._compiled()
        joints = tuple(str(model.joint(j).name) for j in arm)
        limits = self._limits(model, arm)
        self._servos(model, arm, joints, limits["tau_max"])
        if not free:
            self.edits.append(edits.compensate_gravity)
        tool = NO_TOOL if free else self._tool(arm)
        self.edits += tool.edits
        key = model.qpos0 if model.nkey == 0 else model.key_qpos[0]
        home = np.clip(key[model.jnt_qposadr[arm]], limits["q_lower"], limits["q_upper"])
        if read.q_home:
            home = np.array(read.q_home)
        elif tool.ee_site:
            lower, upper = limits["q_lower"], limits["q_upper"]
            lean = self._compiled(lean=True)
            found = guesses.find_home(lean, joints, tool.ee_site, lower, upper)
            home = home if found is None else found
        if not free:
            model = self._compiled(lean=True)
            lower, upper = limits["q_lower"], limits["q_upper"]
            usual = guesses.usual_contacts(model, joints, lower, upper, home)
            self.edits.append(partial(edits.exclude_contacts, pairs=usual))
        floating = str(model.body(int(model.jnt_bodyid[free[0]])).name) if free else ""
        pose = tuple(float(v) for v in key[model.jnt_qposadr[free[0]] :][:7]) if free else ()
        return Robot(
            name=self.name,
            model_path=self.path,
            joints=joints,
            q_home=home,
            ee_site=read.ee_site or tool.ee_site,
            base=floating,
            base_home=pose,
            gripper=tool.gripper,
            model_text=self.text,
            edits=tuple(self.edits),
            notes=tuple(self.notes),
            q_lower=limits["q_lower"],
            q_upper=limits["q_upper"],
            dq_max=limits["dq_max"],
            ddq_max=limits["ddq_max"],
            dddq_max=limits["dddq_max"],
            tau_max=limits["tau_max"],
        )

    def _compiled(self, *, lean: bool = False) -> mujoco.MjModel:
        """The model with the changes so far; lean: without what is only drawn, which is faster."""
        try:
            spec = edited(self.path, self.text, tuple(self.edits))
            spec.compiler.discardvisual = lean
            return compile_model(spec)
        except (ValueError, mujoco.FatalError) as error:
            raise ConfigurationError(f"{self.path}: MuJoCo cannot load it: {error}") from error

    def _with(self, extra: tuple[Edit, ...]) -> mujoco.MjModel:
        return compile_model(edited(self.path, self.text, (*self.edits, *extra)))

    def _arm(self, model: mujoco.MjModel, *, walks: bool) -> list[int]:
        if self.read.joints:
            known = {str(model.joint(j).name): j for j in range(model.njnt)}
            if missing := [n for n in self.read.joints if n not in known]:
                raise ConfigurationError(
                    f"{self.path}: no joint {', '.join(missing)}; it has: {', '.join(known)}"
                )
            return [known[n] for n in self.read.joints]
        if walks:
            moved = (int(model.actuator_trnid[i, 0]) for i in range(model.nu))
            arm = [j for j in moved if model.jnt_type[j] == guesses.HINGE]
        else:
            arm = guesses.arm_joints(model)
        if not arm:
            raise ConfigurationError(
                f"{self.path}: it has no chain of hinge joints from the ground: write a robot.toml"
                " that names the joints (docs/own_robot.md)"
            )
        return arm

    def _limits(self, model: mujoco.MjModel, arm: list[int]) -> dict[str, Array]:
        limited = model.jnt_limited[arm].astype(bool)
        lower = np.where(limited, model.jnt_range[arm, 0], -np.pi)
        upper = np.where(limited, model.jnt_range[arm, 1], np.pi)
        turns = upper - lower > 2 * np.pi + 1e-3  # equal windings: one of them is enough
        found = {
            "q_lower": np.where(turns, np.maximum(lower, -np.pi), lower),
            "q_upper": np.where(turns, np.minimum(upper, np.pi), upper),
            "tau_max": np.array([self._torque(model, j) for j in arm]),
        }
        speeds = [self.stated.get(str(model.joint(j).name), (0.0, 0.0))[0] for j in arm]
        if all(speeds):
            found["dq_max"] = np.array(speeds)
        assumed: list[str] = []
        for key, usual in USUAL.items():
            if key not in found and not getattr(self.read.limits, key):
                found[key] = np.full(len(arm), usual)
                assumed.append(f"{key} {usual:g}")
        if assumed:
            self.notes.append(
                f"{self.path.name} states no {', '.join(assumed)} (SI): assumed for every joint;"
                " [limits] in a robot.toml states them"
            )
        for key in ("q_lower", "q_upper", *USUAL):
            if stated := getattr(self.read.limits, key):
                found[key] = np.array(stated)
        return found

    def _torque(self, model: mujoco.MjModel, joint: int) -> float:
        """Largest torque of a joint: what its actuator or the joint itself is limited to."""
        stated = self.stated.get(str(model.joint(joint).name), (0.0, 0.0))[1]
        if stated > 0:
            return stated
        for i in _actuators_of(model, joint):
            if model.actuator_forcelimited[i]:
                return float(model.actuator_forcerange[i, 1])
            if not _is_servo(model, i) and model.actuator_ctrllimited[i]:
                gain = model.actuator_gainprm[i, 0] * model.actuator_gear[i, 0]
                return float(model.actuator_ctrlrange[i, 1] * gain)
        if model.jnt_actfrclimited[joint]:
            return float(model.jnt_actfrcrange[joint, 1])
        return USUAL["tau_max"]

    def _servos(
        self, model: mujoco.MjModel, arm: list[int], names: tuple[str, ...], tau_max: Array
    ) -> None:
        gains = self.read.servo
        if gains is not None:
            kp, kv = np.array(gains.kp), np.array(gains.kv)
            if len(kp) != len(arm) or len(kv) != len(arm):
                raise ValueError(f"[servo] kp and kv have a number for each of {len(arm)} joints")
            self.edits.append(
                partial(edits.add_servos, joints=names, tau_max=tau_max, kp=kp, kv=kv)
            )
            return
        bare = [
            i
            for i, j in enumerate(arm)
            if not any(_is_servo(model, a) for a in _actuators_of(model, j))
        ]
        if bare:
            lacking = tuple(names[i] for i in bare)
            self.edits.append(partial(edits.add_servos, joints=lacking, tau_max=tau_max[bare]))
            self.notes.append(f"position servos were added to {', '.join(lacking)}")

    def _tool(self, arm: list[int]) -> FittedTool:
        """What the arm takes things with."""
        table = self.read.tool
        model = self._compiled()
        names = [str(model.joint(j).name) for j in arm]
        if table.actuator:
            return ready_made(table, self.read.ee_site)
        if table.model:
            file = self.folder / table.model
            if table.model.startswith("package:"):
                file = package_path(table.model.removeprefix("package:"))
            site = self._mount(model, arm)
            body = edited(file, "", (edits.clean,))
            prefix = edits.prefix_for(edited(self.path, self.text, tuple(self.edits)), body)
            self.edits.append(partial(edits.mount_model, site=site, path=str(file), prefix=prefix))
            self.edits.append(edits.compensate_gravity)
            model = self._compiled()
            arm = [int(model.joint(n).id) for n in names]
        last = int(model.jnt_bodyid[arm[-1]])
        beyond = [j for j in guesses.joints_of(model, guesses.subtree(model, last)) if j not in arm]
        if table.joints:
            beyond = [int(model.joint(n).id) for n in table.joints]
        if table.kind == "suction":
            return suction_on(self._mount(model, arm), table.max_force_n)
        if table.kind == "none":
            return dataclasses.replace(NO_TOOL, ee_site=self._mount(model, arm))
        if beyond and not table.mount or table.model:
            fingers = [str(model.joint(j).name) for j in beyond]
            try:
                return own_fingers(self._with, names, fingers, table, self.notes)
            except ValueError as error:
                raise ConfigurationError(
                    f"{self.path}: {error}: name one or two joints in [tool] joints, a tool in"
                    ' [tool] model, or kind = "none"'
                ) from error
        hand = self.hand()
        site = self._mount(model, arm)
        prefix = edits.prefix_for(
            edited(self.path, self.text, tuple(self.edits)), _subtree_names(hand)
        )
        self.notes.append(f"the model has no tool: the hand of {hand.name} is mounted on {site}")
        return hand_on(site, hand, prefix)

    def _mount(self, model: mujoco.MjModel, arm: list[int]) -> str:
        """The site to mount a tool on; made where there is none."""
        sites = {str(model.site(i).name) for i in range(model.nsite)}
        bodies = {str(model.body(i).name) for i in range(model.nbody)}
        wanted = self.read.tool.mount
        for name in (wanted,) if wanted else MOUNTS:
            if name in sites:
                return name
            if name in bodies:
                place = (name, np.zeros(3), np.array([1.0, 0.0, 0.0, 0.0]))
                break
        else:
            if wanted:
                raise ConfigurationError(
                    f"{self.path}: no site or body {wanted!r} to mount a tool on; sites:"
                    f" {', '.join(sorted(sites - {''}))}; bodies: {', '.join(sorted(bodies))}"
                )
            data = mujoco.MjData(model)
            mujoco.mj_kinematics(model, data)
            place = guesses.mount_frame(model, data, arm)
        self.edits.append(
            partial(edits.add_mount, name="tool-mount", body=place[0], pos=place[1], quat=place[2])
        )
        return "tool-mount"


def _subtree_names(hand: Robot) -> mujoco.MjSpec:
    """The mounted part of an arm alone, for its names."""
    alone = mujoco.MjSpec()
    edits.attach_subtree(hand, alone.worldbody.add_site(name="tool-mount"))
    return alone


def _actuators_of(model: mujoco.MjModel, joint: int) -> list[int]:
    return [
        i
        for i in range(model.nu)
        if model.actuator_trntype[i] == mujoco.mjtTrn.mjTRN_JOINT
        and model.actuator_trnid[i, 0] == joint
    ]


def _is_servo(model: mujoco.MjModel, actuator: int) -> bool:
    """Whether an actuator takes positions: its force grows with their error."""
    gain, bias = model.actuator_gainprm[actuator, 0], model.actuator_biasprm[actuator, 1]
    affine = model.actuator_biastype[actuator] == mujoco.mjtBias.mjBIAS_AFFINE
    return bool(affine and bias < 0 and abs(gain + bias) < 1e-3 * gain)
