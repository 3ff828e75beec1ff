from __future__ import annotations

import math

import numpy as np
import pytest

from embodied.perception.cameras import CameraModel
from embodied.perception.tracking import (
    LOST_STD_M,
    Measurement,
    Tracker,
    nearest_equivalent,
)
from embodied.perception.types import CameraView
from embodied.types import GripperState, ObjectSpec, Observation, Pose

BLOCK = ObjectSpec(
    name="red-block", kind="item", category="block", color="red", size_m=(0.04, 0.04, 0.04)
)
HERE = np.array([0.4, 0.1, 0.02])
UNTURNED = np.array([1.0, 0.0, 0.0, 0.0])


def observed(time: float, ee: np.ndarray | None = None, force: float = 0.0) -> Observation:
    return Observation(
        time=time,
        q=np.zeros(7),
        dq=np.zeros(7),
        tau=np.zeros(7),
        pose_ee_in_world=Pose(
            position=np.array([0.3, 0.0, 0.5]) if ee is None else ee, quat_wxyz=UNTURNED
        ),
        gripper=GripperState(width_m=0.04, force_n=force),
    )


def measured(position: np.ndarray, std: float = 0.002) -> Measurement:
    rng = np.random.default_rng(0)
    points = position + rng.uniform(-0.02, 0.02, (40, 3))
    points[:, 2] = position[2] + 0.02
    return Measurement(
        color="red",
        pose=Pose(position=position, quat_wxyz=UNTURNED),
        size_m=np.full(3, 0.04),
        points_in_world=points,
        position_std_m=np.full(3, std),
        source="pixels",
    )


def above(depth_m: float) -> dict[str, CameraView]:
    """A camera 1 m above the block that measures one depth everywhere."""
    return {
        "above": CameraView(
            name="above",
            pose_camera_in_world=Pose(position=np.array([0.4, 0.1, 1.0]), quat_wxyz=UNTURNED),
            model=CameraModel(width=80, height=60, fx=100.0, fy=100.0, cx=39.5, cy=29.5),
            rgb=np.zeros((60, 80, 3), np.uint8),
            depth=np.full((60, 80), depth_m, np.float32),
        )
    }


def tracker() -> Tracker:
    return Tracker({"red-block": BLOCK})


def test_repeated_measurements_sharpen_a_place_that_does_not_move() -> None:
    rng, it = np.random.default_rng(0), tracker()
    for k in range(30):
        it.update(observed(0.1 * k), {"red-block": measured(HERE + rng.normal(0, 0.002, 3))}, {})
    track = it.tracks["red-block"]
    assert np.linalg.norm(track.pose.position - HERE) < 0.002
    assert np.all(track.position_std_m < 0.002)


def test_a_jump_is_believed_at_once() -> None:
    it = tracker()
    it.update(observed(0.0), {"red-block": measured(HERE)}, {})
    there = HERE + [0.1, 0.0, 0.0]
    it.update(observed(0.2), {"red-block": measured(there)}, {})
    np.testing.assert_allclose(it.tracks["red-block"].pose.position, there)


def test_what_is_hidden_stays_with_growing_uncertainty() -> None:
    it = tracker()
    it.update(observed(0.0), {"red-block": measured(HERE)}, {})
    stds: list[float] = []
    for k in range(1, 5):
        reasons = it.update(observed(0.5 * k), {}, above(0.5))  # an arm at half the distance
        track = it.tracks["red-block"]
        assert not track.seen and track.last_seen_s == 0.0
        np.testing.assert_allclose(track.pose.position, HERE)
        assert "hidden" in reasons[0]
        stds.append(float(track.position_std_m.max()))
    assert stds == sorted(stds) and stds[0] < stds[-1] < LOST_STD_M


def test_what_is_looked_through_is_not_where_it_was() -> None:
    it = tracker()
    it.update(observed(0.0), {"red-block": measured(HERE)}, {})
    reasons = it.update(observed(0.1), {}, above(1.0))  # the table itself
    assert "not where it was" in reasons[0]
    assert it.tracks["red-block"].position_std_m.max() >= LOST_STD_M
    assert "red-block" not in it.predict(observed(0.2))


def test_without_cameras_nothing_is_declared_gone() -> None:
    it = tracker()
    it.update(observed(0.0), {"red-block": measured(HERE)}, {})
    reasons = it.update(observed(0.1), {}, {})
    assert "hidden" in reasons[0]


def test_what_is_held_moves_with_the_hand_until_it_is_let_go() -> None:
    it = tracker()
    it.update(observed(0.0, HERE, force=20.0), {"red-block": measured(HERE)}, {})
    assert it.tracks["red-block"].held
    lifted = HERE + [0.0, 0.1, 0.2]
    reasons = it.update(observed(0.5, lifted, force=20.0), {}, above(1.0))
    track = it.tracks["red-block"]
    np.testing.assert_allclose(track.pose.position, lifted, atol=1e-9)
    np.testing.assert_allclose(track.points_in_world.mean(axis=0)[2], lifted[2] + 0.02, atol=1e-6)
    assert track.held and "in the hand" in reasons[0]
    it.update(observed(0.6, lifted, force=0.0), {"red-block": measured(lifted)}, {})
    assert not it.tracks["red-block"].held


def test_squeezing_something_else_holds_nothing_here() -> None:
    it = tracker()
    it.update(observed(0.0, HERE + [0.2, 0, 0], force=20.0), {"red-block": measured(HERE)}, {})
    assert not it.tracks["red-block"].held


def test_time_that_runs_back_is_a_new_episode() -> None:
    it = tracker()
    it.update(observed(5.0), {"red-block": measured(HERE)}, {})
    it.predict(observed(0.0))
    assert it.tracks == {}


@pytest.mark.parametrize("turns", range(4))
def test_of_equal_looking_rotations_the_nearest_is_taken(turns: int) -> None:
    yaw = math.radians(10.0) + turns * math.pi / 2
    pose = Pose(position=HERE, quat_wxyz=np.array([math.cos(yaw / 2), 0.0, 0.0, math.sin(yaw / 2)]))
    quat = nearest_equivalent(BLOCK, pose, None)
    expected = [math.cos(math.radians(5.0)), 0.0, 0.0, math.sin(math.radians(5.0))]
    np.testing.assert_allclose(quat * np.sign(quat[0]), expected, atol=1e-9)


def test_a_long_box_turned_by_a_right_angle_stays_turned() -> None:
    long = ObjectSpec(name="bar", kind="item", category="bar", size_m=(0.09, 0.04, 0.04))
    half = math.sqrt(0.5)
    pose = Pose(position=HERE, quat_wxyz=np.array([half, 0.0, 0.0, half]))
    found = Pose(position=HERE, quat_wxyz=nearest_equivalent(long, pose, None))
    assert abs(found.rotation[1, 0]) == pytest.approx(1.0)


def test_a_cylinder_keeps_its_reference_about_its_own_axis() -> None:
    can = ObjectSpec(
        name="can", kind="item", category="can", shape="cylinder", size_m=(0.05, 0.05, 0.1)
    )
    spun = Pose(position=HERE, quat_wxyz=np.array([math.cos(1.0), 0.0, 0.0, math.sin(1.0)]))
    np.testing.assert_allclose(nearest_equivalent(can, spun, None), UNTURNED, atol=1e-9)


def test_what_is_hidden_in_a_drawer_moves_with_it() -> None:
    drawer = ObjectSpec(
        name="drawer", kind="drawer", category="drawer", size_m=(0.2, 0.2, 0.1), travel_m=0.15
    )
    it = Tracker({"red-block": BLOCK, "drawer": drawer})
    inside, beside = HERE.copy(), HERE + [0.15, 0.0, 0.0]
    for place, moves in ((inside, True), (beside, False)):
        it.reset()
        it.update(observed(0.0), {"red-block": measured(place), "drawer": measured(HERE)}, {})
        it.update(observed(1.0), {"drawer": measured(HERE + [0.1, 0.0, 0.0])}, above(0.5))
        track = it.tracks["red-block"]
        assert not track.seen and not track.gone
        moved = float(track.pose.position[0] - place[0])
        assert moved == pytest.approx(0.1 if moves else 0.0, abs=1e-9)


def test_what_the_cameras_look_through_is_gone_until_it_is_seen_again() -> None:
    it = tracker()
    it.update(observed(0.0), {"red-block": measured(HERE)}, {})
    it.update(observed(1.0), {}, above(1.2))
    assert it.tracks["red-block"].gone
    it.update(observed(2.0), {}, above(0.5))  # something is in front now: still not there
    assert it.tracks["red-block"].gone
    it.update(observed(3.0), {"red-block": measured(HERE)}, {})
    assert not it.tracks["red-block"].gone
