from __future__ import annotations

import math

import mujoco
import numpy as np
import pytest
from embodied_controllers.mpc import hand_directions
from embodied_controllers.mpc.arm import ArmView
from embodied_controllers.mpc.arm_models import arm_spec
from embodied_controllers.mpc.estimator import Estimator
from embodied_controllers.mpc.hand_directions import HandDirections
from embodied_controllers.mpc.plan_models import fidelity, plan_model, robot_spec
from embodied_controllers.mpc.quadruped import HOME_JOINTS, QuadrupedView
from embodied_controllers.mpc.rollouts import full_state

from embodied.language.reward.vocabulary import make_term

SPEC = robot_spec("quadruped")


@pytest.fixture(scope="module")
def dog() -> mujoco.MjModel:
    return SPEC.compile()


def view_at(model: mujoco.MjModel, quat: list[float], height: float = 0.3) -> QuadrupedView:
    data = mujoco.MjData(model)
    mujoco.mj_resetDataKeyframe(model, data, 0)
    data.qpos[2] = height
    data.qpos[3:7] = quat
    names = tuple(model.joint(int(j)).name for j in model.actuator_trnid[:, 0])
    view = Estimator(model, names, QuadrupedView).view_of(full_state(model, data)[None, None])
    assert isinstance(view, QuadrupedView)
    return view


def test_the_quadruped_has_published_mass_joints_and_limits(dog: mujoco.MjModel) -> None:
    assert dog.nu == 12
    assert dog.body_mass.sum() == pytest.approx(15.0, abs=0.1)
    assert dog.actuator_forcerange[:, 1].tolist() == [23.7, 23.7, 45.43] * 4


def test_signs_of_pitch_roll_and_heading(dog: mujoco.MjModel) -> None:
    h = math.sin(0.2), math.cos(0.2)
    nose_up = view_at(dog, [h[1], 0, -h[0], 0])
    assert nose_up.pitch()[0, 0] == pytest.approx(0.4)
    left_up = view_at(dog, [h[1], h[0], 0, 0])
    assert left_up._torso_roll({"angle": 0.4})[0, 0] == pytest.approx([0, 0], abs=1e-9)
    assert left_up.roll_size()[0, 0] == pytest.approx(0.4)
    left = view_at(dog, [h[1], 0, 0, h[0]])
    assert left.heading()[0, 0] == pytest.approx(0.4)
    assert view_at(dog, [0, 1, 0, 0]).roll_size()[0, 0] == pytest.approx(math.pi)


def test_feet_are_at_home_in_the_home_stance(dog: mujoco.MjModel) -> None:
    view = view_at(dog, [1, 0, 0, 0], height=0.287)
    for foot in ("front_left", "rear_right"):
        assert abs(view._foot_forward({"foot": foot, "offset": 0.0})[0, 0, 0]) < 0.01
        assert abs(view._foot_inward({"foot": foot, "offset": 0.0})[0, 0, 0]) < 0.01
        assert abs(view.foot_height(foot)[0, 0]) < 0.01


def test_stepping_is_down_then_up_within_a_cycle(dog: mujoco.MjModel) -> None:
    view = view_at(dog, [1, 0, 0, 0])
    gait = {"foot": "front_left", "frequency": 1.0, "air_ratio": 0.5, "phase": 0.0}
    gait |= {"swing_height": 0.1, "swing_forward": 0.0}
    foot = view.foot_height("front_left")[0, 0]
    for time, target in ((0.25, 0.1), (0.75, 0.0)):
        view.time = np.array([time])
        assert foot - view._foot_stepping(gait)[0, 0, 0] == pytest.approx(target)


def test_the_plan_model_lines_up_with_the_simulation_and_is_cheaper(dog: mujoco.MjModel) -> None:
    plan = plan_model(SPEC)
    assert (plan.nq, plan.nv, plan.nu, plan.nsensordata) == (
        dog.nq,
        dog.nv,
        dog.nu,
        dog.nsensordata,
    )
    assert plan.ngeom < dog.ngeom
    assert plan.opt.timestep == 0.01
    assert plan.body_mass.sum() == pytest.approx(dog.body_mass.sum())
    rng = np.random.default_rng(0)
    controls = HOME_JOINTS + 0.1 * rng.standard_normal((20, 12))
    report = fidelity(dog, plan, controls)
    assert report.joint_error_rad < 0.1
    assert report.base_error_m < 0.15
    assert report.realtime > report.realtime_simulation


@pytest.mark.parametrize("things", [("apple", "bowl", "box", "cup"), ("drawer",), ("faucet",)])
def test_the_arm_rests_above_the_table_and_things_lie_still(things: tuple[str, ...]) -> None:
    model = arm_spec(things).compile()
    data = mujoco.MjData(model)
    mujoco.mj_resetDataKeyframe(model, data, 0)
    mujoco.mj_step(model, data, nstep=500)
    assert data.site("palm").xpos == pytest.approx([0.417, 0.0, 0.434], abs=0.01)
    assert np.abs(data.qvel).max() < 0.1
    for item in set(things) - {"drawer", "faucet"}:
        assert 0.02 < data.body(item).xpos[2] < 0.06


def test_a_cup_on_its_side_rolls_and_comes_to_rest() -> None:
    model = arm_spec(("cup",)).compile()
    data = mujoco.MjData(model)
    mujoco.mj_resetDataKeyframe(model, data, 0)
    cup = data.joint("cup")
    cup.qpos[:] = (0.5, 0.2, 0.033, math.sqrt(0.5), 0.0, math.sqrt(0.5), 0.0)
    cup.qvel[1] = 0.15
    mujoco.mj_step(model, data, nstep=round(3.0 / model.opt.timestep))
    assert 0.005 < cup.qpos[1] - 0.2 < 0.2
    assert np.linalg.norm(cup.qvel[:3]) < 0.005


@pytest.mark.parametrize("axis", range(3))
def test_hand_directions_shift_and_turn_the_hand(
    axis: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = arm_spec(()).compile()
    data = mujoco.MjData(model)
    mujoco.mj_resetDataKeyframe(model, data, 0)
    monkeypatch.setattr(hand_directions, "SHIFT_M", 0.01)
    monkeypatch.setattr(hand_directions, "TURN_RAD", 0.02)
    directions = HandDirections(model, "palm", [f"joint{i}" for i in range(1, 8)])
    bases = directions(full_state(model, data))

    def hand(controls: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        mujoco.mj_resetDataKeyframe(model, data, 0)
        for i in range(7):
            data.joint(f"joint{i + 1}").qpos[0] += controls[i]
        mujoco.mj_kinematics(model, data)
        return data.site("palm").xpos.copy(), data.site("palm").xmat.reshape(3, 3).copy()

    at, facing = hand(np.zeros(model.nu))
    wanted = np.eye(3)[axis]
    shifted, still = hand(bases[0][:, axis])
    assert shifted - at == pytest.approx(0.01 * wanted, abs=0.001)
    assert still == pytest.approx(facing, abs=0.004)
    same, turned = hand(bases[1][:, axis])
    assert same == pytest.approx(at, abs=0.001)
    turn = turned @ facing.T
    rotation = np.array([turn[2, 1] - turn[1, 2], turn[0, 2] - turn[2, 0], turn[1, 0] - turn[0, 1]])
    assert rotation / 2 == pytest.approx(0.02 * wanted, abs=0.002)
    assert bases[2] == pytest.approx(0.2 * bases[0])
    assert not any(basis[7:].any() for basis in bases)


@pytest.mark.parametrize(
    ("turn", "off"), [(0.0, 0.0), (math.pi / 4, math.sqrt(0.5)), (math.pi / 2, 1.0)]
)
def test_the_closing_direction_is_measured_against_lines_and_axes(turn: float, off: float) -> None:
    model = arm_spec(("box", "cup")).compile()
    data = mujoco.MjData(model)
    mujoco.mj_resetDataKeyframe(model, data, 0)
    data.joint("joint7").qpos[0] += turn
    data.joint("box").qpos[:3] = (0.5, 0.1, 0.033)
    lying_along_x = (math.sqrt(0.5), 0.0, math.sqrt(0.5), 0.0)
    data.joint("cup").qpos[:] = (0.5, -0.1, 0.033, *lying_along_x)
    mujoco.mj_forward(model, data)
    names = tuple(model.joint(int(j)).name for j in model.actuator_trnid[:, 0])
    estimator = Estimator(model, names, ArmView, {})
    states, sensors = full_state(model, data)[None, None], data.sensordata.copy()[None, None]
    view = estimator.view_of(states, sensors)
    along = view.residual(make_term("closing_along", robot="fr3-hand", a="box", b="cup"))
    across = view.residual(make_term("closing_across", robot="fr3-hand", object="cup"))
    assert np.linalg.norm(along) == pytest.approx(off, abs=0.02)
    assert np.linalg.norm(across) == pytest.approx(off, abs=0.02)


def test_unknown_robot_and_thing_name_the_legal_ones() -> None:
    with pytest.raises(ValueError, match="legal: .*quadruped"):
        robot_spec("snake")
    with pytest.raises(ValueError, match="legal: apple, bowl, box, cup, drawer, faucet"):
        arm_spec(("anvil",))
