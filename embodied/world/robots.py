"""Robots as data: a simulation model and a small typed description, loaded by name.

``load`` is the one door: ``"fr3"`` and the other arms by name, ``"menagerie:NAME"``,
``"package:NAME/FILE"`` and paths of ``robot.toml``, MJCF or URDF files all come through it.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np

from embodied.errors import ConfigurationError, Diagnostic
from embodied.tables import load_toml, read_table, refused
from embodied.types import WorldSpec
from embodied.world._robot import Gripper as Gripper
from embodied.world._robot import Robot as Robot
from embodied.world._robot import compile_model as compile_model
from embodied.world._robot_description import Description, described
from embodied.world._robot_models import menagerie_path, package_path
from embodied.world._scene_types import Scene
from embodied.world.files import ARMS

HAND = "fr3"
"""The arm whose parallel hand is mounted on those that have none."""

MODELS = (".xml", ".urdf")


def robot_names() -> tuple[str, ...]:
    """Names of all arms, this project's own first."""
    return ARMS.names


def load(name: str) -> Robot:
    """Load a robot by name or path.

    Args:
        name: A name of ``robot_names()``; ``"menagerie:NAME"`` for a model of MuJoCo Menagerie
            (from the folder ``MENAGERIE_ROOT``, else through the package ``mujoco-menagerie``);
            ``"package:NAME/FILE"`` for a file in an installed package; or the path of a
            ``robot.toml``, MJCF (``.xml``) or URDF (``.urdf``) file. A model is read with the
            description beside it: the file of its name that ends in ``.toml``, else a
            ``robot.toml`` that names the model.

    Raises:
        ConfigurationError: There is no such robot, or its description is wrong.
        EnvironmentMissingError: A Menagerie model was asked for and there is no Menagerie, or a
            package is not installed.
    """
    if name in ARMS:
        path = ARMS.get(name)
    elif name.startswith("menagerie:"):
        path = menagerie_path(name.removeprefix("menagerie:"))
    elif name.startswith("package:"):
        path = package_path(name.removeprefix("package:"))
    else:
        path = Path(name).expanduser()
    if not path.is_file() or path.suffix not in (".toml", *MODELS):
        raise ConfigurationError(
            f"no robot {name!r}: give one of {', '.join(robot_names())}, menagerie:NAME,"
            " package:NAME/FILE, or the path of an existing robot.toml, MJCF (.xml) or URDF (.urdf)"
            " file"
        )
    usual = name if name.startswith("menagerie:") else path.stem
    return _loaded(path.resolve(), usual, path.stat().st_mtime_ns)


@lru_cache(maxsize=16)
def _loaded(path: Path, name: str, _changed: int) -> Robot:
    file = path if path.suffix == ".toml" else _description_beside(path)
    if file is None:
        return described(Description(), path, name, path.parent, lambda: load(HAND))
    problems: list[Diagnostic] = []
    read = read_table(Description, load_toml(file), "robot", problems)
    if read is not None and not read.model:
        problems.append(Diagnostic(where="robot.model", problem="is missing"))
    if read is None or problems:
        raise refused(str(file), "robot description", problems)
    model = file.parent / read.model
    if read.model.startswith("package:"):
        model = package_path(read.model.removeprefix("package:"))
    if model.suffix not in MODELS or not model.is_file():
        raise ConfigurationError(f"{file}: no model {read.model!r}: an MJCF (.xml) or URDF file")
    try:
        return described(read, model, read.name or name, file.parent, lambda: load(HAND))
    except (TypeError, ValueError) as error:
        raise ConfigurationError(f"{file}: {error}") from error


def _description_beside(model: Path) -> Path | None:
    own = model.with_suffix(".toml")
    if own.is_file():
        return own
    shared = model.parent / "robot.toml"
    if shared.is_file() and load_toml(shared).get("model") == model.name:
        return shared
    return None


def spec_of(scene: Scene, robot: Robot, control_dt_s: float) -> WorldSpec:
    """What a robot's description and a scene say of a world; it has no cameras yet.

    Args:
        scene: What stands there.
        robot: The robot.
        control_dt_s: Time between two commands.
    """
    return WorldSpec(
        name=scene.name,
        robot=robot.name,
        joint_names=robot.joints,
        q_lower=robot.q_lower,
        q_upper=robot.q_upper,
        dq_max=robot.dq_max,
        ddq_max=robot.ddq_max,
        dddq_max=robot.dddq_max,
        tau_max=robot.tau_max,
        q_home=robot.q_home,
        control_dt_s=control_dt_s,
        objects=scene.objects,
        gripper=None if robot.gripper is None else robot.gripper.spec,
        workspace_lower=np.array(scene.workspace_lower_m),
        workspace_upper=np.array(scene.workspace_upper_m),
        ee_site=robot.ee_site or "ee",
    )
