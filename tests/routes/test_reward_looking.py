"""Rewards planned from camera images: looks a few times a second, and what happens in between."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from embodied.app.wiring import open_session
from embodied.errors import OptionError
from embodied.opening import Opening
from embodied.perception import PerceivedObject, Percept
from embodied.routes.reward.looking import JUMP_M, LOOK_S, Looks
from embodied.routes.reward.route import RewardRoute
from embodied.settings import Settings
from embodied.types import GripperState, Observation, Pose

UPRIGHT = np.array([1.0, 0.0, 0.0, 0.0])
HANDLE = np.array([0.5, 0.2, 0.1])


def pose(*position: float) -> Pose:
    return Pose(position=np.array(position), quat_wxyz=UPRIGHT)


def seen(time: float, hand: Pose, force_n: float = 0.0) -> Observation:
    return Observation(
        time=time,
        q=np.zeros(7),
        dq=np.zeros(7),
        tau=np.zeros(7),
        pose_ee_in_world=hand,
        gripper=GripperState(width_m=0.04, speed_m_s=0.0, force_n=force_n),
        poses={},
        openings_m={},
    )


class Camera:
    """Believes what the test says, and counts its looks."""

    def __init__(self) -> None:
        self.poses = {"apple": pose(0.4, 0.0, 0.03), "drawer": pose(0.5, 0.3, 0.05)}
        self.opening_m, self.held, self.looks = 0.0, False, 0

    def perceive(self, observation: Observation) -> Observation:
        self.looks += 1
        return replace(observation, poses=self.poses, openings_m={"drawer": self.opening_m})

    def see(self, observation: Observation) -> Percept:
        apple = PerceivedObject(
            name="apple",
            color="red",
            shape="sphere",
            pose=self.poses["apple"],
            size_m=(0.06, 0.06, 0.06),
            points_in_world=np.empty((0, 3)),
            position_std_m=np.full(3, 0.001),
            last_seen_s=observation.time,
            held=self.held,
            source="test",
        )
        return Percept(
            time=observation.time,
            objects={"apple": apple},
            table_height_m=0.0,
            obstacle_points_in_world=np.empty((0, 3)),
        )

    def looks_of(self) -> Looks:
        handles = {"drawer": (HANDLE, np.array([0.0, -1.0, 0.0]))}
        return Looks(perceive=self.perceive, see=self.see, handles=handles)


def test_cameras_look_a_few_times_a_second_and_once_an_instant() -> None:
    camera = Camera()
    looks = camera.looks_of()
    for step in range(21):
        for _ in range(2):
            looks(seen(0.01 * step, pose(0.4, 0.0, 0.3)))
    assert camera.looks == 1 + round(0.2 / LOOK_S)


def test_between_looks_what_is_held_moves_with_the_hand() -> None:
    camera = Camera()
    camera.held = True
    looks = camera.looks_of()
    looks(seen(0.0, pose(0.4, 0.0, 0.03), 20.0))
    later = looks(seen(0.05, pose(0.4, 0.02, 0.05), 20.0))
    assert camera.looks == 1
    assert later.poses["apple"].position == pytest.approx([0.4, 0.02, 0.05])
    assert later.poses["drawer"].position == pytest.approx([0.5, 0.3, 0.05])


@pytest.mark.parametrize(("force_n", "opening_m"), [(20.0, 0.02), (0.0, 0.0)])
def test_a_drawer_moves_with_the_hand_that_holds_its_handle(
    force_n: float, opening_m: float
) -> None:
    looks = Camera().looks_of()
    looks(seen(0.0, Pose(position=HANDLE, quat_wxyz=UPRIGHT), force_n))
    later = looks(seen(0.05, pose(0.5, 0.18, 0.11), force_n))
    assert later.openings_m["drawer"] == pytest.approx(opening_m)
    assert later.poses["drawer"].position == pytest.approx([0.5, 0.3 - opening_m, 0.05])


def test_a_small_correction_comes_little_by_little_and_a_large_one_at_once() -> None:
    camera = Camera()
    looks = camera.looks_of()
    hand = pose(0.4, 0.0, 0.3)
    looks(seen(0.0, hand))
    camera.poses = {**camera.poses, "apple": pose(0.41, 0.0, 0.03)}
    first = looks(seen(LOOK_S, hand)).poses["apple"].position[0]
    assert 0.4 < first < 0.41
    steps = (looks(seen(LOOK_S + 0.01 * step, hand)) for step in range(1, 9))
    *_, last = (at.poses["apple"].position[0] for at in steps)
    assert first < last < 0.41
    camera.poses = {**camera.poses, "apple": pose(0.41 + 2 * JUMP_M, 0.0, 0.03)}
    at = looks(seen(2 * LOOK_S, hand)).poses["apple"].position[0]
    assert at == pytest.approx(0.41 + 2 * JUMP_M)


def test_time_that_goes_back_is_another_episode() -> None:
    camera = Camera()
    looks = camera.looks_of()
    looks(seen(5.0, pose(0.4, 0.0, 0.3)))
    camera.poses = {"apple": pose(0.3, 0.1, 0.03)}
    again = looks(seen(0.0, pose(0.4, 0.0, 0.3)))
    assert again.poses["apple"].position == pytest.approx([0.3, 0.1, 0.03])


def test_rewards_open_a_drawer_that_cameras_see() -> None:
    settings = Settings(route="reward", scene="kitchen", perception="pixels", seed=1)
    session = open_session(replace(settings, pictures=False))
    try:
        assert session.about["perception"] == "pixels"
        outcome = session.run("open the drawer")
        assert outcome.reached, outcome.message
        seen = session.environment.body.observe()
        travel = session.environment.body.spec.objects["drawer"].travel_m
        assert seen.openings_m["drawer"] > 0.8 * travel
    finally:
        session.close()


def test_rewards_move_a_simulated_arm_behind_the_supervisor() -> None:
    settings = Settings(route="reward", scene="kitchen", world="bridge", robot="ur5e", seed=1)
    session = open_session(replace(settings, pictures=False))
    try:
        outcome = session.run("lift the apple")
        assert outcome.reached, outcome.message
        apple = session.environment.body.observe().poses["apple"]
        assert apple.position[2] > 0.2
    finally:
        session.close()


def test_an_arm_that_takes_no_streamed_set_points_is_refused_with_the_reason() -> None:
    settings = Settings(route="reward", pictures=False)
    session = open_session(settings)
    try:
        session.environment.no_streaming = "an operator approves whole paths"
        with pytest.raises(OptionError, match="an operator approves whole paths"):
            RewardRoute.open(Opening(environment=session.environment, settings=settings))
    finally:
        session.close()
