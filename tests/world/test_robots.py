from __future__ import annotations

import sys
from pathlib import Path

import mujoco
import numpy as np
import pytest

from embodied.errors import ConfigurationError, EnvironmentMissingError
from embodied.types import Command
from embodied.world import robots
from embodied.world.mujoco import build_world
from embodied.world.scene import load_scene

# The published Denavit-Hartenberg parameters (Craig's convention) of the FR3: a, d, alpha.
DH = (
    (0.0, 0.333, 0.0),
    (0.0, 0.0, -np.pi / 2),
    (0.0, 0.316, np.pi / 2),
    (0.0825, 0.0, np.pi / 2),
    (-0.0825, 0.384, -np.pi / 2),
    (0.0, 0.0, np.pi / 2),
    (0.088, 0.0, np.pi / 2),
)
FLANGE_M, HAND_M = 0.107, 0.1034


def _forward(q: np.ndarray) -> np.ndarray:
    """Pose of the point between the pads (4, 4) by the published parameters."""
    pose = np.eye(4)
    for (a, d, alpha), theta in zip(DH, q, strict=True):
        c, s, ca, sa = np.cos(theta), np.sin(theta), np.cos(alpha), np.sin(alpha)
        pose = pose @ np.array(
            [[c, -s, 0, a], [s * ca, c * ca, -sa, -d * sa], [s * sa, c * sa, ca, d * ca],
             [0, 0, 0, 1.0]]
        )  # fmt: skip
    hand = np.eye(4)
    c = np.sqrt(0.5)
    hand[:2, :2] = [[c, c], [-c, c]]  # the hand is mounted at -45 degrees
    hand[2, 3] = FLANGE_M + HAND_M
    return pose @ hand


def test_the_kinematics_are_the_published_ones() -> None:
    robot = robots.load("fr3")
    model = robots.compile_model(robot.mjspec())
    data = mujoco.MjData(model)
    rng = np.random.default_rng(0)
    for _ in range(50):
        q = rng.uniform(robot.q_lower, robot.q_upper)
        data.qpos[:7] = q
        mujoco.mj_kinematics(model, data)
        expected = _forward(q)
        np.testing.assert_allclose(data.site("ee").xpos, expected[:3, 3], atol=1e-9)
        np.testing.assert_allclose(data.site("ee").xmat.reshape(3, 3), expected[:3, :3], atol=1e-9)


# The published Denavit-Hartenberg parameters (classic convention) of the UR5e: a, d, alpha.
UR5E_DH = (
    (0.0, 0.1625, np.pi / 2),
    (-0.425, 0.0, 0.0),
    (-0.3922, 0.0, 0.0),
    (0.0, 0.1333, np.pi / 2),
    (0.0, 0.0997, -np.pi / 2),
    (0.0, 0.0996, 0.0),
)


def test_the_kinematics_of_the_ur5e_are_the_published_ones() -> None:
    robot = robots.load("ur5e")
    model = robots.compile_model(robot.mjspec())
    data = mujoco.MjData(model)
    rng = np.random.default_rng(0)
    for _ in range(50):
        q = rng.uniform(robot.q_lower, robot.q_upper)
        data.qpos[:6] = q
        mujoco.mj_kinematics(model, data)
        pose = np.diag([-1.0, -1.0, 1.0, 1.0])  # the base is turned half way round
        for (a, d, alpha), theta in zip(UR5E_DH, q, strict=True):
            c, s, ca, sa = np.cos(theta), np.sin(theta), np.cos(alpha), np.sin(alpha)
            pose = pose @ np.array(
                [[c, -s * ca, s * sa, a * c], [s, c * ca, -c * sa, a * s], [0, sa, ca, d],
                 [0, 0, 0, 1.0]]
            )  # fmt: skip
        np.testing.assert_allclose(data.site("flange").xpos, pose[:3, 3], atol=1e-9)
        np.testing.assert_allclose(data.site("flange").xmat.reshape(3, 3), pose[:3, :3], atol=1e-9)
        hand = data.site("ee").xpos - data.site("flange").xpos
        np.testing.assert_allclose(hand, HAND_M * pose[:3, 2], atol=1e-9)


@pytest.mark.parametrize("name", ["fr3", "ur5e"])
def test_the_model_has_the_limits_of_the_description(name: str) -> None:
    robot = robots.load(name)
    model = robots.compile_model(robot.mjspec())
    for i, name in enumerate(robot.joints):
        joint = model.joint(name)
        np.testing.assert_allclose(joint.range, [robot.q_lower[i], robot.q_upper[i]])
        np.testing.assert_allclose(
            model.jnt_actfrcrange[joint.id], [-robot.tau_max[i], robot.tau_max[i]]
        )


@pytest.mark.parametrize("name", ["fr3", "ur5e"])
def test_home_is_free_of_collisions_and_most_configurations_are_too(name: str) -> None:
    robot = robots.load(name)
    model = robots.compile_model(robot.mjspec())
    data = mujoco.MjData(model)
    n = len(robot.joints)
    rng = np.random.default_rng(0)
    colliding = 0
    for k in range(300):
        data.qpos[:n] = robot.q_home if k == 0 else rng.uniform(robot.q_lower, robot.q_upper)
        data.qpos[n : n + 2] = 0.03
        mujoco.mj_kinematics(model, data)
        mujoco.mj_collision(model, data)
        colliding += data.ncon > 0
        assert k > 0 or data.ncon == 0
    assert 0 < colliding < 90  # the arm can hit itself, but is not bound to


def test_looks_touch_nothing_and_enclosing_geoms_do() -> None:
    model = robots.load("fr3").mjspec().compile()
    for geom in range(model.ngeom):
        if model.geom_group[geom] == 2:
            assert model.geom_contype[geom] == 0 and model.geom_conaffinity[geom] == 0
        if model.geom_group[geom] == 3:
            assert model.geom_contype[geom] == 1


def test_an_unknown_name_lists_what_there_is() -> None:
    with pytest.raises(ConfigurationError, match=r"fr3.*menagerie:NAME"):
        robots.load("no-such-robot")


def test_menagerie_without_menagerie_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MENAGERIE_ROOT", raising=False)
    monkeypatch.setitem(sys.modules, "mujoco_menagerie", None)
    with pytest.raises(EnvironmentMissingError, match="pip install mujoco-menagerie"):
        robots.load("menagerie:franka_fr3")


ARM = """
<mujoco model="toy">
  <compiler angle="radian" autolimits="true"/>
  <worldbody>
    <body name="base" pos="0 0 0.1">
      <geom type="cylinder" size="0.05 0.1"/>
      <body name="upper" pos="0 0 0.1">
        <joint name="shoulder" axis="0 1 0" range="-1.5 1.5"/>
        <geom type="capsule" size="0.03" fromto="0 0 0 0 0 0.3" mass="1"/>
        <body name="lower" pos="0 0 0.3">
          <joint name="elbow" axis="0 1 0" range="-2 2"/>
          <geom type="capsule" size="0.03" fromto="0 0 0 0 0 0.2" mass="0.5"/>
          <site name="attachment_site" pos="0 0 0.25"/>
        </body>
      </body>
    </body>
  </worldbody>
  <actuator>
    <position name="shoulder" joint="shoulder" kp="400" kv="40" forcerange="-60 60"/>
    <position name="elbow" joint="elbow" kp="200" kv="20" forcerange="-20 20"/>
  </actuator>
</mujoco>
"""


def test_a_menagerie_folder_and_a_users_model_load_through_the_same_door(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "toy_arm"
    folder.mkdir()
    (folder / "arm.xml").write_text(ARM)
    (folder / "scene.xml").write_text("<mujoco><include file='arm.xml'/></mujoco>")
    monkeypatch.setenv("MENAGERIE_ROOT", str(tmp_path))
    for name in ("menagerie:toy_arm", str(folder / "arm.xml")):
        robot = robots.load(name)
        assert robot.joints == ("shoulder", "elbow")
        np.testing.assert_allclose(robot.tau_max, [60.0, 20.0])
        assert any("assumed" in note for note in robot.notes)
        world = build_world(load_scene("blocks"), robot)
        world.reset(seed=0)
        for k in range(100):
            result = world.step(Command(q=np.array([0.5, 0.2]) * min(1.0, k / 80)))
        np.testing.assert_allclose(result.observation.q, [0.5, 0.2], atol=0.05)
        # The arm got this project's hand: 0.25 m beyond the elbow, then the hand.
        tilt = 0.7
        reach = 0.25 + HAND_M
        expected = 0.3 * np.sin(0.5) + reach * np.sin(tilt)
        assert result.observation.pose_ee_in_world.position[0] == pytest.approx(expected, abs=0.03)
        for _ in range(100):
            result = world.step(Command(q=np.array([0.5, 0.2]), gripper_width_m=0.03))
        assert result.observation.gripper is not None
        assert result.observation.gripper.width_m == pytest.approx(0.03, abs=2e-3)
    with pytest.raises(ConfigurationError, match="toy_arm"):
        robots.load("menagerie:other")


def test_a_model_without_actuators_is_explained(tmp_path: Path) -> None:
    path = tmp_path / "bare.xml"
    path.write_text("<mujoco><worldbody><body><geom size='.1'/></body></worldbody></mujoco>")
    with pytest.raises(ConfigurationError, match="no chain of hinge joints"):
        robots.load(str(path))


def test_a_description_with_a_missing_key_is_explained(tmp_path: Path) -> None:
    path = tmp_path / "robot.toml"
    path.write_text("name = 'x'")
    with pytest.raises(ConfigurationError, match="robot.model: is missing"):
        robots.load(str(path))


URDF = """
<robot name="toy">
  <link name="base"><inertial><mass value="1"/>
    <inertia ixx="0.01" iyy="0.01" izz="0.01" ixy="0" ixz="0" iyz="0"/></inertial></link>
  <link name="arm"><inertial><origin xyz="0 0 0.2"/><mass value="1"/>
    <inertia ixx="0.01" iyy="0.01" izz="0.01" ixy="0" ixz="0" iyz="0"/></inertial></link>
  <joint name="shoulder" type="revolute">
    <parent link="base"/><child link="arm"/><origin xyz="0 0 0.2"/><axis xyz="0 1 0"/>
    <limit lower="-1" upper="1.2" velocity="2.5" effort="40"/>
  </joint>
</robot>
"""


def test_a_urdf_gets_servos_and_its_own_limits(tmp_path: Path) -> None:
    path = tmp_path / "toy.urdf"
    path.write_text(URDF)
    robot = robots.load(str(path))
    limits = (robot.q_lower, robot.q_upper, robot.dq_max, robot.tau_max)
    assert [float(v[0]) for v in limits] == [-1.0, 1.2, 2.5, 40.0]
    world = build_world(load_scene("blocks"), robot)
    world.reset(seed=0)
    for k in range(200):
        result = world.step(Command(q=np.array([0.8 * min(1.0, k / 80)])))
    assert result.observation.q[0] == pytest.approx(0.8, abs=0.01)
    with pytest.raises(ConfigurationError, match="cannot load it"):
        path.write_text("<robot>")
        robots.load(str(path))
