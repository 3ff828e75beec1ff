"""Robots of other people's making: what their models lack is found."""

from __future__ import annotations

import sys
from pathlib import Path

import mujoco
import numpy as np
import pytest

from embodied.errors import ConfigurationError, EnvironmentMissingError
from embodied.types import Command
from embodied.world import robots
from embodied.world.mujoco import MujocoWorld, build_world
from embodied.world.scene import load_scene

LINKS = """
<body name="base"><geom type="cylinder" size=".05 .05" pos="0 0 .05"/>
 <body name="turn" pos="0 0 .1"><joint name="joint1" axis="0 0 {up}"/>
  <geom type="capsule" size=".03" fromto="0 0 0 0 0 .1" mass="1"/>
  <body name="upper" pos="0 0 .1"><joint name="joint2" axis="0 1 0" range="-2 2"/>
   <geom type="capsule" size=".03" fromto="0 0 .05 0 0 .25" mass="1"/>
   <body name="lower" pos="0 0 .3"><joint name="joint3" axis="0 1 0" range="-2.6 2.6"/>
    <geom type="capsule" size=".03" fromto="0 0 .05 0 0 .2" mass=".6"/>
    <body name="bend" pos="0 0 .25"><joint name="joint4" axis="0 1 0" range="-2.6 2.6"/>
     <geom type="capsule" size=".025" fromto="0 0 0 0 0 .03" mass=".3"/>
     <body name="roll" pos="0 0 .06"><joint name="joint5" axis="0 0 1" range="-3 3"/>
      <geom type="box" size=".03 .03 .02" pos="0 0 .02" mass=".2"/>{tool}
     </body></body></body></body></body>
</body>"""

SLIDES = """
<body name="thumb" pos="0 .0 .04"><joint name="s1" type="slide" axis="0 1 0" range="0 .04"/>
 <geom type="box" size=".01 .004 .03" pos="0 .004 .03" mass=".02"/></body>
<body name="index" pos="0 .0 .04"><joint name="s2" type="slide" axis="0 1 0" range="-.04 0"/>
 <geom type="box" size=".01 .004 .03" pos="0 -.004 .03" mass=".02"/></body>"""

JAW = """
<geom type="box" size=".01 .004 .04" pos="0 -.004 .08" mass=".02"/>
<body name="moving" pos="0 .03 .04"><joint name="jaw" axis="1 0 0" range="-1.2 0.5"/>
 <geom type="box" size=".01 .004 .04" pos="0 -.026 .04" mass=".02"/></body>"""


def model(tool: str = "", *, up: int = 1, actuators: str = "") -> str:
    body = LINKS.format(up=up, tool=tool)
    return (
        '<mujoco><compiler angle="radian" autolimits="true"/><worldbody>'
        '<geom name="floor" type="plane" size="1 1 .1"/>'
        f"{body}</worldbody><actuator>{actuators}</actuator></mujoco>"
    )


MOTORS = "".join(f'<motor joint="joint{i}" ctrlrange="-{9 * i} {9 * i}"/>' for i in range(1, 6))


def loaded(tmp_path: Path, text: str, description: str = "") -> robots.Robot:
    path = tmp_path / "arm.xml"
    path.write_text(text)
    if description:
        (tmp_path / "arm.toml").write_text(f'model = "arm.xml"\n{description}')
    return robots.load(str(path))


def world_of(robot: robots.Robot) -> MujocoWorld:
    world = build_world(load_scene("blocks"), robot)
    world.reset(seed=0)
    return world


@pytest.mark.parametrize("actuators", ["", MOTORS])
def test_servos_take_the_place_of_motors_and_of_nothing(tmp_path: Path, actuators: str) -> None:
    robot = loaded(tmp_path, model(actuators=actuators))
    assert robot.joints == tuple(f"joint{i}" for i in range(1, 6))
    expected = [9.0 * i for i in range(1, 6)] if actuators else [50.0] * 5
    np.testing.assert_allclose(robot.tau_max, expected)
    world = world_of(robot)
    assert world.model.nu == 6  # five servos and the mounted hand, not the servos of its arm
    target = robot.q_home + 0.1
    for k in range(150):
        share = min(1.0, k / 100)
        seen = world.step(Command(q=robot.q_home + share * (target - robot.q_home))).observation
    np.testing.assert_allclose(seen.q, target, atol=4e-3)


@pytest.mark.parametrize("up", [1, -1])
@pytest.mark.parametrize("tool", ["", SLIDES, JAW])
def test_the_hand_points_down_at_home(tmp_path: Path, up: int, tool: str) -> None:
    robot = loaded(tmp_path, model(tool, up=up))
    assert np.all((robot.q_lower <= robot.q_home) & (robot.q_home <= robot.q_upper))
    seen = world_of(robot).observe()
    np.testing.assert_allclose(seen.pose_ee_in_world.rotation[:, 2], [0, 0, -1], atol=0.02)
    assert seen.pose_ee_in_world.position[0] > 0.15 and seen.pose_ee_in_world.position[2] > 0.0


def test_both_fingers_of_a_model_become_a_parallel_gripper(tmp_path: Path) -> None:
    robot = loaded(tmp_path, model(SLIDES))
    grip = robot.gripper
    assert grip is not None and grip.spec.kind == "parallel"
    assert robot.joints == tuple(f"joint{i}" for i in range(1, 6))
    assert grip.spec.max_width_m == pytest.approx(0.08, abs=2e-3)
    assert set(grip.spec.fingers) == {"thumb", "index"}
    np.testing.assert_allclose(np.abs(grip.spec.joint_positions(0.05)), 0.025, atol=2e-3)
    _gap_is_what_is_told(world_of(robot), (0.05, 0.02))


def test_a_jaw_is_no_joint_of_the_arm(tmp_path: Path) -> None:
    robot = loaded(tmp_path, model(JAW))
    grip = robot.gripper
    assert grip is not None and grip.spec.kind == "jaw"
    assert "jaw" not in robot.joints and grip.spec.joints == ("jaw",)
    assert grip.spec.max_width_m > 0.05
    world = world_of(robot)
    _gap_is_what_is_told(world, (0.05, 0.02))
    # The gap of the table is the distance of the pads.
    a, b = (world.model.geom(p).id for p in grip.pads)
    distance = mujoco.mj_geomDistance(world.model, world.data, a, b, 1.0, np.zeros(6))
    assert distance == pytest.approx(0.02, abs=3e-3)
    # The still pad is where the planner takes it to be: at -y of the end effector.
    site = world.data.site(robot.ee_site)
    y = np.array(site.xmat).reshape(3, 3)[:, 1]
    face = float((world.data.geom_xpos[b] - site.xpos) @ y) + grip.spec.pad_size_m[0] / 2
    assert face == pytest.approx(-grip.spec.fixed_side_m, abs=1e-3)


def _gap_is_what_is_told(world: MujocoWorld, gaps: tuple[float, ...]) -> None:
    for gap in gaps:
        for _ in range(120):
            seen = world.step(Command(q=world.robot.q_home, gripper_width_m=gap)).observation
        assert seen.gripper is not None
        assert seen.gripper.width_m == pytest.approx(gap, abs=3e-3)


def test_a_mounted_hand_keeps_apart_from_names_of_the_arm(tmp_path: Path) -> None:
    text = model().replace('name="roll"', 'name="hand"')
    robot = loaded(tmp_path, text)
    assert robot.gripper is not None
    assert robot.gripper.spec.bodies[0] == "tool-hand"
    assert world_of(robot).model.nu == 6


def test_a_suction_cup_lifts_by_adhesion_and_lets_go(tmp_path: Path) -> None:
    robot = loaded(tmp_path, model(), '[tool]\nkind = "suction"\nmax_force_n = 20.0\n')
    world = world_of(robot)
    model_, data = world.model, world.data
    pump = model_.actuator("suction").id
    assert model_.actuator_trntype[pump] == mujoco.mjtTrn.mjTRN_BODY
    # A block is put under the cup: it hangs there while the pump runs.
    address = int(model_.joint("red-block").qposadr[0])
    site = data.site(robot.ee_site)
    qpos = world.qpos
    qpos[address : address + 3] = site.xpos - [0.0, 0.0, 0.0222]
    qpos[address + 3 : address + 7] = [1, 0, 0, 0]
    seen = world.set_configuration(qpos)
    start = float(seen.poses["red-block"].position[2])
    for _ in range(100):
        seen = world.step(Command(q=robot.q_home, gripper_width_m=0.0)).observation
    assert seen.gripper is not None and seen.gripper.width_m == 0.0 and seen.gripper.force_n > 5.0
    assert float(seen.poses["red-block"].position[2]) == pytest.approx(start, abs=2e-3)
    for _ in range(60):
        seen = world.step(Command(q=robot.q_home, gripper_width_m=0.02)).observation
    assert float(seen.poses["red-block"].position[2]) < start - 0.03


def test_the_description_beside_a_model_holds(tmp_path: Path) -> None:
    text = "[limits]\ndq_max = [2.0, 2.0, 2.0, 2.0, 2.0]\n[base]\nposition_m = [-0.1, 0.0, 0.0]\n"
    text += '[tool]\nkind = "none"\n'
    robot = loaded(tmp_path, model(), text)
    assert robot.gripper is None and robot.ee_site
    np.testing.assert_allclose(robot.dq_max, 2.0)
    assert not any(" dq_max" in note for note in robot.notes)
    world = world_of(robot)
    np.testing.assert_allclose(world.model.body("base").pos, [-0.1, 0.0, 0.0])
    with pytest.raises(ConfigurationError, match=r"kind.*parallel"):
        loaded(tmp_path, model(), '[tool]\nkind = "magnet"\n')


def test_a_model_without_shapes_gets_bones(tmp_path: Path) -> None:
    import re

    inertia = '<inertial pos="0 0 .05" mass=".3" diaginertia=".001 .001 .001"/>'
    text = re.sub(r'<geom type="(capsule|box|cylinder)"[^>]*/>', inertia, model(SLIDES))
    robot = loaded(tmp_path, text)
    assert any("no shapes" in note for note in robot.notes)
    assert robot.gripper is not None
    _gap_is_what_is_told(world_of(robot), (0.03,))


def test_a_package_names_a_file_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "some_arms"
    package.mkdir()
    (package / "__init__.py").write_text("raise RuntimeError('not to be imported')")
    (package / "arm.xml").write_text(model())
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    assert len(robots.load("package:some_arms/arm.xml").joints) == 5
    with pytest.raises(ConfigurationError, match=r"models in it: arm\.xml"):
        robots.load("package:some_arms/other.xml")
    with pytest.raises(EnvironmentMissingError, match="no package 'no_such_arms'"):
        robots.load("package:no_such_arms/arm.xml")


CUBE = "\n".join(
    [*(f"v {x} {y} {z}" for x in (0, 0.1) for y in (0, 0.1) for z in (0, 0.1))]
    + ["f 1 3 4 2", "f 5 6 8 7", "f 1 2 6 5", "f 3 7 8 4", "f 1 5 7 3", "f 2 4 8 6"]
)


def test_meshes_of_ros_packages_are_found(tmp_path: Path) -> None:
    """Above the file by the package's name, or where the description says."""
    text = """<robot name="toy"><link name="base"/><link name="arm">
      <inertial><origin xyz="0 0 0.2"/><mass value="1"/>
       <inertia ixx="0.01" iyy="0.01" izz="0.01" ixy="0" ixz="0" iyz="0"/></inertial>
      <visual><geometry><mesh filename="package://toy_description/looks/arm.dae"/></geometry></visual>
      <collision><geometry><mesh filename="package://toy_description/arm.obj"/></geometry></collision>
     </link>
     <joint name="shoulder" type="revolute"><parent link="base"/><child link="arm"/>
      <axis xyz="0 1 0"/><limit lower="-1" upper="1.2" velocity="2.5" effort="40"/></joint>
     </robot>"""
    meshes = tmp_path / "one" / "toy_description"
    (meshes / "urdf").mkdir(parents=True)
    (meshes / "arm.obj").write_text(CUBE)
    (meshes / "urdf" / "toy.urdf").write_text(text)
    robot = robots.load(str(meshes / "urdf" / "toy.urdf"))
    assert robots.compile_model(robot.mjspec()).nmesh >= 1
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "toy.urdf").write_text(text)
    with pytest.raises(ConfigurationError, match=r"\[packages\] toy_description"):
        robots.load(str(elsewhere / "toy.urdf"))
    (elsewhere / "toy.toml").write_text(
        'model = "toy.urdf"\n[packages]\ntoy_description = "../one/toy_description"\n'
    )
    assert robots.load(str(elsewhere / "toy.urdf")).joints == ("shoulder",)
