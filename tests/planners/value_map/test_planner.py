from __future__ import annotations

import numpy as np
import pytest
from embodied_planners.value_map import (
    Mover,
    ObjectGeometry,
    ValueMapPlan,
    ValueMapPlanner,
    ValueMapStatus,
    VoxelGrid,
)
from embodied_planners.value_map.profiles import orientations, slerp
from embodied_planners.value_map.regions import UnknownFrameError, volume

from embodied.types import GripperSpec, MapOperation, Pose, Region, ValueMapStage

GRID = VoxelGrid(
    origin_in_world=np.array([-0.1, -0.5, -0.02]), resolution_m=0.01, shape=(100, 100, 100)
)
GRIPPER = GripperSpec(max_width_m=0.08, max_force_n=70.0, pad_size_m=(0.006, 0.02, 0.0184))
PLANNER = ValueMapPlanner(GRID, gripper=GRIPPER)
DOWN = np.array([0.0, 1.0, 0.0, 0.0])
EVERYWHERE = Region(shape="box")
ROOT = float(np.sqrt(0.5))


def at(x: float, y: float, z: float, yaw: float = 0.0) -> Pose:
    quat = np.array([np.cos(yaw / 2), 0.0, 0.0, np.sin(yaw / 2)])
    return Pose(position=np.array([x, y, z]), quat_wxyz=quat)


def block(x: float, y: float, z: float = 0.0225, yaw: float = 0.0) -> ObjectGeometry:
    return ObjectGeometry(pose=at(x, y, z, yaw), size_m=(0.045, 0.045, 0.045))


THINGS = {"red": block(0.4, 0.1), "blue": block(0.5, -0.2)}
HOME = Pose(position=np.array([0.31, 0.0, 0.45]), quat_wxyz=DOWN)


def point(frame: str, x: float = 0.0, y: float = 0.0, z: float = 0.0) -> Region:
    return Region(shape="point", frame=frame, parameters={"x": x, "y": y, "z": z})


def near(frame: str, radius: float) -> Region:
    return Region(shape="near-object", frame=frame, parameters={"radius": radius})


def op(name: str, region: Region, value: object = 1.0) -> MapOperation:
    return MapOperation(map=name, region=region, value=value)  # type: ignore[arg-type]


def plan(*operations: MapOperation, **options: object) -> ValueMapPlan:
    arguments: dict[str, object] = {"mover": Mover.hand(GRIPPER, 0.08), "table_height_m": 0.0}
    stage = ValueMapStage(moving="gripper", operations=operations)
    things = options.pop("things", THINGS)
    start = options.pop("start", HOME)
    return PLANNER.plan(stage, things, start, **{**arguments, **options})  # type: ignore[arg-type]


def test_a_way_ends_exactly_at_a_point_beside_a_thing() -> None:
    result = plan(op("affordance", point("red", z=0.1)))
    assert result.status is ValueMapStatus.FOUND
    np.testing.assert_allclose(result.path_in_world[0], HOME.position, atol=1e-9)
    np.testing.assert_allclose(result.path_in_world[-1], [0.4, 0.1, 0.1225], atol=1e-9)


def test_what_is_avoided_is_gone_around() -> None:
    start = Pose(position=np.array([0.4, 0.3, 0.1]), quat_wxyz=DOWN)
    target = op("affordance", point("red", y=-0.2, z=0.08))
    straight = plan(target, start=start)
    around = plan(target, op("avoidance", near("red", 0.15)), start=start)
    clear = THINGS["red"].distance_to(around.path_in_world).min()
    assert THINGS["red"].distance_to(straight.path_in_world).min() < 0.12
    assert clear > 0.15
    assert around.length_m > straight.length_m


def test_what_cannot_be_avoided_is_crossed_and_said_so() -> None:
    result = plan(op("affordance", point("red", z=0.1)), op("avoidance", near("red", 0.2)))
    assert result.found
    assert "to be avoided" in result.notes[0]


def test_a_later_operation_wins_where_two_overlap() -> None:
    start = Pose(position=np.array([0.4, 0.3, 0.1]), quat_wxyz=DOWN)
    target = op("affordance", point("red", y=-0.2, z=0.08))
    lifted = op("avoidance", EVERYWHERE, 0.0)
    result = plan(target, op("avoidance", near("red", 0.15)), lifted, start=start)
    assert THINGS["red"].distance_to(result.path_in_world).min() < 0.15


def test_a_thing_itself_means_the_nearest_free_place_to_it() -> None:
    result = plan(op("affordance", point("red")))
    gap = float(THINGS["red"].distance_to(result.path_in_world[-1:])[0])
    assert 0.0 < gap < 0.05
    assert "nearest free place" in result.notes[0]


def test_closing_on_a_thing_is_a_grasp_from_straight_above() -> None:
    things = {**THINGS, "red": block(0.4, 0.1, yaw=0.5)}
    here = point("red")
    result = plan(op("affordance", here), op("gripper", here, 0.0), things=things)
    assert result.grasp == "red"
    last = result.path_in_world[result.path_in_world[:, 2] < 0.06]
    assert np.all(np.linalg.norm(last[:, :2] - [0.4, 0.1], axis=1) < 0.015)
    closing = Pose(position=np.zeros(3), quat_wxyz=result.quats_wxyz[-1]).rotation[:, 1]
    along = np.abs(things["red"].pose.rotation.T @ closing)
    assert max(along) == pytest.approx(1.0, abs=1e-6)  # across one of its sides
    assert np.isnan(result.gripper[0]) and result.gripper[-1] == 0.0


@pytest.mark.parametrize("shape", ["box", "sphere"])
def test_between_two_neighbours_the_fingers_close_the_other_way(shape: str) -> None:
    things = {
        "red": ObjectGeometry(pose=at(0.4, 0.1, 0.0225), size_m=(0.045,) * 3, shape=shape),
        "left": block(0.4, 0.1775),
        "right": block(0.4, 0.0225),
    }
    here = point("red")
    result = plan(op("affordance", here), op("gripper", here, 0.0), things=things)
    assert result.grasp == "red"
    closing = Pose(position=np.zeros(3), quat_wxyz=result.quats_wxyz[-1]).rotation[:, 1]
    assert abs(closing[0]) == pytest.approx(1.0, abs=1e-6)


def test_what_is_too_wide_is_not_grasped() -> None:
    wide = ObjectGeometry(pose=at(0.4, 0.1, 0.05), size_m=(0.2, 0.15, 0.1))
    here = point("wide")
    result = plan(op("affordance", here), op("gripper", here, 0.0), things={"wide": wide})
    assert result.status is ValueMapStatus.TARGET_OCCUPIED
    assert "15.0 cm wide" in result.reason


@pytest.mark.parametrize(
    ("operation", "status", "words"),
    [
        (op("affordance", point("world", 0.5, 0.0, 1.4)), ValueMapStatus.OUTSIDE, "outside"),
        (op("affordance", point("cup", z=0.1)), ValueMapStatus.UNKNOWN_OBJECT, "seen are: blue"),
        (
            op("affordance", point("world", 0.5, -0.2, 0.02)),
            ValueMapStatus.TARGET_OCCUPIED,
            "is inside blue",
        ),
        (
            op("affordance", point("world", 0.2, 0.3, -0.015)),
            ValueMapStatus.TARGET_OCCUPIED,
            "table",
        ),
        (op("affordance", near("red", 0.1), 0.0), ValueMapStatus.OUTSIDE, "positive"),
    ],
)
def test_impossible_targets_are_named(
    operation: MapOperation, status: ValueMapStatus, words: str
) -> None:
    result = plan(operation)
    assert result.status is status
    assert words in result.reason
    assert len(result.path_in_world) == 0


def test_a_place_that_is_too_low_for_what_is_held_is_raised_to_where_it_fits() -> None:
    can = ObjectGeometry(
        pose=at(0.31, 0.0, 0.44), size_m=(0.06, 0.06, 0.09), shape="cylinder", obstacle=False
    )
    in_hand = Pose(position=np.array([0.0, 0.0, 0.02]), quat_wxyz=np.array([1.0, 0.0, 0.0, 0.0]))
    low = point("red", y=0.15)
    opening = op("gripper", low)
    result = plan(
        op("affordance", low), opening, mover=Mover.hand(GRIPPER, 0.06).holding(can, in_hand)
    )
    assert result.found
    np.testing.assert_allclose(result.path_in_world[-1, :2], [0.4, 0.25], atol=0.01)
    assert 0.065 <= result.path_in_world[-1, 2] < 0.085  # 4.5 cm of can below, 2 cm in the hand
    assert result.gripper[-1] == 1.0  # the fingers open there, although the point lies lower
    crowded = plan(
        op("affordance", point("red", y=0.06)),
        mover=Mover.hand(GRIPPER, 0.06).holding(can, in_hand),
    )
    assert crowded.status is ValueMapStatus.TARGET_OCCUPIED  # not raised over what stands there


def test_the_hand_arrives_as_it_is_asked_to_where_the_program_says_nothing() -> None:
    quarter = np.array([0.0, ROOT, -ROOT, 0.0])
    free = plan(op("affordance", point("red", z=0.1)), arrive_wxyz=quarter)
    assert abs(float(free.quats_wxyz[-1] @ quarter)) > 0.999
    assert abs(float(free.quats_wxyz[0] @ DOWN)) > 0.999
    said = op("rotation", EVERYWHERE, tuple(float(v) for v in DOWN))
    told = plan(op("affordance", point("red", z=0.1)), said, arrive_wxyz=quarter)
    assert abs(float(told.quats_wxyz[-1] @ DOWN)) > 0.999


def test_a_target_that_is_walled_in_is_unreachable() -> None:
    walls = np.array(
        [
            [0.6 + 0.1 * a, 0.1 * b, 0.3 + 0.1 * c]
            for a in np.linspace(-1, 1, 25)
            for b in np.linspace(-1, 1, 25)
            for c in np.linspace(-1, 1, 25)
            if max(abs(a), abs(b), abs(c)) > 0.95
        ]
    )
    target = op("affordance", point("world", 0.6, 0.0, 0.3))
    result = plan(target, mover=Mover.point(0.012), obstacle_points_in_world=walls)
    assert result.status is ValueMapStatus.UNREACHABLE
    assert plan(target, mover=Mover.point(0.012)).found


def test_no_target_means_staying_where_it_is() -> None:
    result = plan(op("gripper", EVERYWHERE, 0.0))
    np.testing.assert_allclose(result.path_in_world, np.stack([HOME.position] * 2))
    assert result.gripper.tolist() == [0.0, 0.0]


def test_only_a_way_needs_to_begin_inside_the_workspace() -> None:
    far = Pose(position=np.array([0.4, 0.0, 1.2]), quat_wxyz=DOWN)
    assert plan(op("gripper", EVERYWHERE, 1.0), start=far).found
    leaving = plan(op("affordance", point("red", z=0.1)), start=far)
    assert leaving.status is ValueMapStatus.START_BLOCKED


def test_regions_end_the_way_inside_them() -> None:
    half = Region(shape="box", parameters={"y_upper": -0.2, "z_upper": 0.3})
    result = plan(op("affordance", half))
    assert result.path_in_world[-1][1] < -0.2
    assert result.path_in_world[-1][2] < 0.3


def test_anywhere_but_near_a_thing_is_reached_by_going_away_from_it() -> None:
    start = Pose(position=np.array([0.4, 0.2, 0.1]), quat_wxyz=DOWN)
    result = plan(op("affordance", EVERYWHERE), op("avoidance", near("red", 0.2)), start=start)
    assert result.status is ValueMapStatus.FOUND
    gaps = THINGS["red"].distance_to(result.path_in_world)
    assert gaps[-1] > 0.2 and np.all(np.diff(gaps) > -1e-3), "it never comes nearer"
    far = Pose(position=np.array([0.4, 0.42, 0.1]), quat_wxyz=DOWN)
    stays = plan(op("affordance", EVERYWHERE), op("avoidance", near("red", 0.2)), start=far)
    assert stays.length_m < 0.02


def test_frames_can_be_anchored() -> None:
    shift = Region(shape="along", frame="gripper", parameters={"x": 0.0, "y": 0.1, "z": 0.0})
    anchor = {"gripper": HOME.position}
    moved = Pose(position=HOME.position + [0.0, 0.05, 0.0], quat_wxyz=DOWN)
    result = plan(op("affordance", shift), start=moved, anchors=anchor)
    np.testing.assert_allclose(result.path_in_world[-1], HOME.position + [0, 0.1, 0], atol=1e-9)


def test_speeds_follow_the_velocity_map_with_a_margin() -> None:
    result = plan(op("affordance", point("red", z=0.06)), op("velocity", near("red", 0.15), 0.05))
    close = THINGS["red"].distance_to(result.path_in_world) < 0.155
    assert np.all(result.speeds_m_s[close] < 0.05)
    assert result.speeds_m_s.max() == pytest.approx(0.25)


def test_an_orientation_is_taken_before_its_region_begins() -> None:
    sideways = (ROOT, -ROOT, 0.0, 0.0)
    region = near("red", 0.15)
    result = plan(op("affordance", point("red", z=0.16)), op("rotation", region, sideways))
    inside = THINGS["red"].distance_to(result.path_in_world) < 0.15
    away = np.arccos(np.minimum(1.0, np.abs(result.quats_wxyz @ np.array(sideways))))
    assert np.all(away[inside] < 1e-5)
    assert away[0] == pytest.approx(np.pi / 4, abs=1e-6)


def test_only_what_moved_is_rasterised_again() -> None:
    planner = ValueMapPlanner(GRID, gripper=GRIPPER)
    stage = ValueMapStage(moving="gripper", operations=(op("affordance", point("red", z=0.1)),))
    mover = Mover.hand(GRIPPER, 0.08)
    planner.plan(stage, THINGS, HOME, mover=mover)
    assert set(planner.obstacles.rasterised) == {"red", "blue"}
    planner.plan(stage, THINGS, HOME, mover=mover)
    assert planner.obstacles.rasterised == ()
    planner.plan(stage, {**THINGS, "blue": block(0.5, -0.1)}, HOME, mover=mover)
    assert planner.obstacles.rasterised == ("blue",)
    fresh = ValueMapPlanner(GRID, gripper=GRIPPER)
    fresh.plan(stage, {**THINGS, "blue": block(0.5, -0.1)}, HOME, mover=mover)
    np.testing.assert_array_equal(planner.obstacles.distance, fresh.obstacles.distance)


def test_things_that_slide_stay_at_their_height() -> None:
    start = Pose(position=THINGS["red"].pose.position, quat_wxyz=DOWN)
    things = {
        "red": ObjectGeometry(pose=start, size_m=(0.045,) * 3, obstacle=False),
        "wall": ObjectGeometry(pose=at(0.4, -0.05, 0.05), size_m=(0.2, 0.03, 0.1)),
    }
    shift = Region(shape="along", frame="red", parameters={"x": 0.0, "y": -0.25, "z": 0.0})
    result = plan(
        op("affordance", shift),
        start=start,
        things=things,
        mover=Mover.sliding(things["red"]),
        anchors={"red": start.position},
    )
    assert result.found
    assert np.ptp(result.path_in_world[:, 2]) < 0.01
    assert things["wall"].distance_to(result.path_in_world).min() > 0.02


@pytest.mark.parametrize("shape", ["box", "cylinder", "sphere"])
def test_signed_distances_agree_with_points_sampled_on_the_surface(shape: str) -> None:
    quat = np.array([0.9, 0.2, -0.3, 0.1])
    pose = Pose(position=np.array([0.1, 0.2, 0.3]), quat_wxyz=quat)
    size = (0.2, 0.2, 0.2) if shape == "sphere" else (0.2, 0.2, 0.3)
    thing = ObjectGeometry(pose=pose, size_m=size, shape=shape)
    rng = np.random.default_rng(0)
    if shape == "box":
        inside = rng.uniform(-0.5, 0.5, (40_000, 3)) * size
    else:
        u = rng.normal(size=(40_000, 3 if shape == "sphere" else 2))
        u /= np.linalg.norm(u, axis=1, keepdims=True)
        u *= 0.1 * rng.random((len(u), 1)) ** (1 / u.shape[1])
        inside = u if shape == "sphere" else np.column_stack([u, rng.uniform(-0.15, 0.15, len(u))])
    points = pose.apply(inside)
    assert np.all(thing.distance_to(points) <= 1e-6)
    outside = pose.position + rng.uniform(-0.4, 0.4, (50, 3))
    outside = outside[thing.distance_to(outside) > 0.02]
    nearest = np.array([np.linalg.norm(points - p, axis=1).min() for p in outside])
    np.testing.assert_allclose(thing.distance_to(outside), nearest, atol=0.012)


def test_an_unknown_frame_names_those_that_are_seen() -> None:
    with pytest.raises(UnknownFrameError, match="'cup' is not seen; seen are: red"):
        volume(point("cup"), {}, {"red": np.zeros(3)})


def test_turning_is_even_and_goes_the_shorter_way() -> None:
    a, b = np.array([1.0, 0, 0, 0]), np.array([-ROOT, 0, 0, -ROOT])
    half = slerp(a, b, 0.5)
    assert abs(half @ a) == pytest.approx(np.cos(np.pi / 8))
    path = np.zeros((5, 3))
    quats = orientations(path, [], a, b)
    angles = 2 * np.arccos(np.minimum(1.0, np.abs(quats @ a)))
    np.testing.assert_allclose(np.diff(angles), np.pi / 8, atol=1e-6)


def test_grids_say_where_voxels_are() -> None:
    assert GRID.index([-0.1, -0.5, -0.02]).tolist() == [0, 0, 0]
    np.testing.assert_allclose(GRID.centre([0, 0, 0]), [-0.095, -0.495, -0.015])
    assert GRID.contains([0.3, 0.0, 0.3]) and not GRID.contains([0.3, 0.0, 1.3])
    with pytest.raises(ValueError, match="at least 8 voxels"):
        VoxelGrid(origin_in_world=np.zeros(3), resolution_m=0.01, shape=(4, 9, 9))
