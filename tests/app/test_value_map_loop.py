"""The closed loop in MuJoCo. Eyes are the simulator's own poses, named so, or pixels."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest

from embodied.errors import NotUnderstoodError
from embodied.outcome import Outcome
from embodied.perception import PerceivedObject, Percept
from embodied.perception.cameras import SensorFaults
from embodied.perception.perceivers import TRUTH, camera_perceiver
from embodied.recovery import RecoveryStep
from embodied.routes.value_map.route import run_value_map
from embodied.routes.value_map.setup import ValueMapSetup
from embodied.routes.value_map.state import LoopOptions
from embodied.types import (
    MapOperation,
    Observation,
    Pose,
    Region,
    ValueMapCondition,
    ValueMapProgram,
    ValueMapStage,
)
from embodied.world.layout import Layout
from embodied.world.mujoco import MujocoWorld, build_world
from embodied.world.scene import TABLE, load_scene

SCENE = load_scene("blocks")
ROOT = float(np.sqrt(0.5))
PLACES = {
    "red-block": (0.45, 0.05),
    "green-block": (0.62, -0.15),
    "blue-block": (0.62, 0.2),
    "yellow-block": (0.35, 0.2),
    "orange-block": (0.35, -0.2),
    "purple-block": (0.62, 0.05),
}
EVERYWHERE = Region(shape="box")


def point(frame: str, x: float = 0.0, y: float = 0.0, z: float = 0.0) -> Region:
    return Region(shape="point", frame=frame, parameters={"x": x, "y": y, "z": z})


def near(frame: str, radius: float) -> Region:
    return Region(shape="near-object", frame=frame, parameters={"radius": radius})


def op(name: str, region: Region, value: Any = 1.0) -> MapOperation:
    return MapOperation(map=name, region=region, value=value)


def stage(moving: str, *operations: MapOperation, **more: Any) -> ValueMapStage:
    return ValueMapStage(moving=moving, operations=operations, **more)


GRASP = stage(
    "gripper", op("affordance", point("red-block")), op("gripper", point("red-block"), 0.0)
)
ABOVE = stage("gripper", op("affordance", point("red-block", z=0.1)))


@dataclass
class Bench:
    """A world with what runs in it, and everything that was measured."""

    world: MujocoWorld
    rig: ValueMapSetup
    seen: list[Observation] = field(default_factory=list)
    disturb: Callable[[MujocoWorld, Observation], None] = lambda world, seen: None

    def run(self, *stages: ValueMapStage, **options: Any) -> Outcome:
        def each(observation: Observation) -> None:
            self.seen.append(observation)
            self.disturb(self.world, observation)

        return run_value_map(
            ValueMapProgram(stages=stages, source="test"),
            self.world,
            self.rig,
            options=LoopOptions(patience_s=0.8, **options),
            each_step=each,
        )

    @property
    def hand(self) -> np.ndarray:
        return np.array([o.pose_ee_in_world.position for o in self.seen])

    @property
    def speed(self) -> np.ndarray:
        """Measured speed of the hand over 50 ms."""
        hand = self.hand
        return np.linalg.norm(hand[5:] - hand[:-5], axis=1) / 0.05

    def where(self, name: str) -> np.ndarray:
        return self.world.observe().poses[name].position

    def at_rest(self) -> bool:
        return bool(np.max(np.abs(self.world.observe().dq)) < 0.05)


@dataclass(frozen=True, slots=True, kw_only=True)
class GroundTruthPerceiver:
    """The simulator's own poses as a percept: ground truth, not perception."""

    world: Any

    @property
    def source(self) -> str:
        """Where object poses come from, for people."""
        return TRUTH

    def __call__(self, observation: Observation) -> Percept:
        """Poses of all objects of the spec."""
        objects = {
            name: PerceivedObject(
                name=name,
                color=thing.color,
                shape=thing.shape,
                pose=observation.poses[name],
                size_m=thing.size_m,
                points_in_world=np.empty((0, 3)),
                position_std_m=np.zeros(3),
                last_seen_s=observation.time,
                source="ground truth",
            )
            for name, thing in self.world.spec.objects.items()
            if name != TABLE
        }
        return Percept(
            time=observation.time,
            objects=objects,
            table_height_m=0.0,
            obstacle_points_in_world=np.empty((0, 3)),
            openings_m=dict(observation.openings_m),
        )


WORLD: dict[str, Any] = {}


def blocks() -> Layout:
    return Layout(
        poses={
            name: Pose(position=np.array([x, y, 0.023]), quat_wxyz=np.array([1.0, 0, 0, 0]))
            for name, (x, y) in PLACES.items()
        }
    )


@pytest.fixture
def bench() -> Bench:
    """The world is made once and laid out anew for every test."""
    if not WORLD:
        world = build_world(SCENE)
        WORLD["world"] = world
        WORLD["rig"] = ValueMapSetup.build(SCENE, world.spec, GroundTruthPerceiver(world=world))
    WORLD["world"].set_layout(blocks())
    WORLD["world"].data.xfrc_applied[:] = 0.0
    return Bench(world=WORLD["world"], rig=WORLD["rig"])


def with_eyes(bench: Bench, see: Callable[[Observation], Percept]) -> Bench:
    return replace(bench, rig=replace(bench.rig, see=see))


def teleport(world: MujocoWorld, name: str, x: float, y: float, z: float = 0.0226) -> None:
    joint = world.data.joint(name)
    joint.qpos[:] = [x, y, z, 1, 0, 0, 0]
    joint.qvel[:] = 0.0


# ---- maps are enforced


def test_the_velocity_map_is_kept_by_the_measured_hand(bench: Bench) -> None:
    outcome = bench.run(
        replace(ABOVE, operations=(*ABOVE.operations, op("velocity", near("red-block", 0.2), 0.06)))
    )
    assert outcome.reached, outcome.message
    block = bench.where("red-block")
    inside = np.all(np.abs(bench.hand - block) < 0.0225 + 0.12, axis=1)[5:]
    assert inside.any()
    assert bench.speed[inside].max() < 0.066
    assert bench.speed.max() > 0.15


def test_the_rotation_map_is_kept_by_the_measured_hand(bench: Bench) -> None:
    turned = (0.0, float(np.cos(0.6)), float(np.sin(0.6)), 0.0)
    region = Region(shape="half-space", parameters={"nx": 0, "ny": 0, "nz": -1, "offset": -0.3})
    outcome = bench.run(
        replace(ABOVE, operations=(*ABOVE.operations, op("rotation", region, turned)))
    )
    assert outcome.reached, outcome.message
    low = [o for o in bench.seen if o.pose_ee_in_world.position[2] < 0.295]
    cosine = [abs(float(o.pose_ee_in_world.quat_wxyz @ np.array(turned))) for o in low]
    assert len(low) > 20
    assert 2 * np.arccos(min(cosine)) < 0.05


def test_avoided_space_is_kept_out_of(bench: Bench) -> None:
    first = stage("gripper", op("affordance", point("blue-block", z=0.06)))
    second = stage(
        "gripper",
        op("affordance", point("green-block", z=0.06)),
        op("avoidance", near("purple-block", 0.12)),
    )
    outcome = bench.run(first, second)
    assert outcome.reached, outcome.message
    gap = np.maximum(np.abs(bench.hand - bench.where("purple-block")) - 0.0225, 0.0)
    half = len(bench.seen) // 2
    assert np.linalg.norm(gap[half:], axis=1).min() > 0.115


def test_a_thing_is_grasped_carried_and_dropped_by_contact(bench: Bench) -> None:
    over = point("bin", z=0.15)
    outcome = bench.run(GRASP, stage("gripper", op("affordance", over), op("gripper", over, 1.0)))
    assert outcome.reached, outcome.message
    assert "(holding red-block)" in outcome.verdicts[0].holds
    highest = max(o.poses["red-block"].position[2] for o in bench.seen)
    assert highest > 0.12
    away = np.abs(bench.where("red-block")[:2] - bench.where("bin")[:2])
    assert np.all(away < 0.1)


def test_the_hand_turns_where_it_would_hit_something_straight_on(bench: Bench) -> None:
    teleport(bench.world, "purple-block", 0.45, 0.05, z=0.0677)  # on the red one
    outcome = bench.run(stage("gripper", op("affordance", point("red-block", y=-0.11))))
    assert outcome.reached, outcome.message
    turned = abs(float(bench.seen[-1].pose_ee_in_world.rotation[1, 1]))
    assert turned < 0.8  # the fingers no longer close towards the stack
    assert np.linalg.norm(bench.where("purple-block")[:2] - [0.45, 0.05]) < 0.004


def test_moving_a_thing_upwards_takes_hold_of_it_first(bench: Bench) -> None:
    outcome = bench.run(stage("red-block", op("affordance", point("green-block", z=0.12))))
    assert outcome.reached, outcome.message
    expected = bench.where("green-block") + [0, 0, 0.12]
    assert np.linalg.norm(bench.where("red-block") - expected) < 0.015


def test_a_thing_is_pushed_along_a_line_by_contact(bench: Bench) -> None:
    shift = Region(shape="along", frame="red-block", parameters={"x": 0.0, "y": -0.12, "z": 0.0})
    start = np.array(bench.where("red-block"))
    outcome = bench.run(stage("red-block", op("affordance", shift)))
    assert outcome.reached, outcome.message
    moved = bench.where("red-block") - start
    assert np.linalg.norm(moved - [0, -0.12, 0]) < 0.015
    heights = [o.poses["red-block"].position[2] for o in bench.seen]
    assert max(heights) < 0.03  # it slid


# ---- disturbances


def test_a_target_that_moves_is_followed(bench: Bench) -> None:
    def move(world: MujocoWorld, seen: Observation) -> None:
        if abs(seen.time - 0.8) < 1e-6:
            teleport(world, "red-block", 0.5, -0.05)

    bench.disturb = move
    outcome = bench.run(ABOVE)
    assert outcome.reached, outcome.message
    np.testing.assert_allclose(bench.hand[-1], [0.5, -0.05, 0.1226], atol=0.006)


def test_an_obstacle_that_appears_on_the_way_is_gone_around(bench: Bench) -> None:
    bench.run(stage("gripper", op("affordance", point("blue-block", z=0.08))))
    bench.seen.clear()
    begun = bench.world.observe().time

    def move(world: MujocoWorld, seen: Observation) -> None:
        if abs(seen.time - begun - 0.3) < 1e-6:
            teleport(world, "yellow-block", 0.62, 0.0, 0.09)
        if seen.time > begun + 0.3:  # held there: it floats
            teleport(world, "yellow-block", 0.62, 0.0, 0.09)

    bench.disturb = move
    outcome = bench.run(stage("gripper", op("affordance", point("green-block", z=0.08))))
    assert outcome.reached, outcome.message
    gap = np.abs(bench.hand - [0.62, 0.0, 0.09]).max(axis=1)
    assert gap.min() > 0.0225


def test_an_arm_that_is_pushed_goes_on(bench: Bench) -> None:
    link = bench.world.model.body("link6").id

    def push(world: MujocoWorld, seen: Observation) -> None:
        world.data.xfrc_applied[link, 1] = 130.0 if 0.6 < seen.time < 0.9 else 0.0

    bench.disturb = push
    outcome = bench.run(ABOVE)
    assert outcome.reached, outcome.message
    expected = bench.where("red-block") + [0, 0, 0.1]
    np.testing.assert_allclose(bench.hand[-1], expected, atol=0.006)


def test_a_grasp_of_a_thing_that_slips_away_is_tried_again(bench: Bench) -> None:
    done: list[float] = []

    def snatch(world: MujocoWorld, seen: Observation) -> None:
        low = seen.pose_ee_in_world.position[2] < 0.03
        if low and not done:
            done.append(seen.time)
            teleport(world, "red-block", 0.45, -0.05)

    bench.disturb = snatch
    outcome = bench.run(GRASP)
    assert done
    assert outcome.reached, outcome.message


# ---- what cannot be done is said, and the arm holds


def test_a_target_that_is_gone_is_reported(bench: Bench) -> None:
    true = GroundTruthPerceiver(world=bench.world)

    def see(observation: Observation) -> Percept:
        percept = true(observation)
        if observation.time < 0.6:
            return percept
        left = {n: o for n, o in percept.objects.items() if n != "red-block"}
        return replace(percept, objects=left)

    bench = with_eyes(bench, see)
    outcome = bench.run(ABOVE)
    assert not outcome.reached
    assert "'red-block' is not seen; seen are: bin" in outcome.message
    assert bench.at_rest()


@pytest.mark.parametrize(
    ("program", "words"),
    [
        ((), "there is no stage"),
        ((stage("gripper", op("affordance", point("cup", z=0.1))),), "unknown frame 'cup'"),
        ((stage("gripper"),), "the stage has no operation"),
    ],
)
def test_illegal_programs_are_refused_before_anything_moves(
    bench: Bench, program: tuple[ValueMapStage, ...], words: str
) -> None:
    with pytest.raises(NotUnderstoodError) as refused:
        bench.run(*program)
    assert words in str(refused.value)
    assert not bench.seen, "nothing moves"


@pytest.mark.parametrize(
    ("program", "words"),
    [
        (
            (stage("gripper", op("affordance", point("world", 0.62, -0.15, 0.022))),),
            "inside green-block",
        ),
        ((stage("gripper", op("affordance", point("world", 0.5, 0.0, 1.5))),), "outside"),
        ((stage("gripper", op("affordance", point("world", 0.85, 0.45, 0.5))),), "the arm"),
    ],
)
def test_impossible_programs_end_clearly(
    bench: Bench, program: tuple[ValueMapStage, ...], words: str
) -> None:
    outcome = bench.run(*program)
    assert not outcome.reached
    assert words in outcome.message
    assert bench.at_rest()


def test_conditions_are_measured(bench: Bench) -> None:
    holding = ValueMapCondition(what="holding")
    low = ValueMapCondition(what="inside", region=Region(shape="box", parameters={"z_upper": 0.3}))
    outcome = bench.run(
        replace(ABOVE, when=holding), replace(ABOVE, until=low), replace(GRASP, until=holding)
    )
    assert outcome.verdicts[0].skipped
    assert outcome.verdicts[1].reached
    stopped = bench.hand[[o.time for o in bench.seen].index(bench.seen[-1].time)]
    assert outcome.reached, outcome.message
    assert stopped[2] < 0.1


def test_what_holds_already_ends_no_stage(bench: Bench) -> None:
    outcome = bench.run(replace(ABOVE, until=ValueMapCondition(what="free")))
    assert not outcome.reached  # the hand was free before: nothing has come true
    assert np.linalg.norm(bench.hand[-1] - bench.where("red-block") - [0, 0, 0.1]) < 0.015
    assert "until the gripper holds nothing" in outcome.verdicts[0].text


def test_a_condition_on_something_else_ends_the_motion_but_targets_count(bench: Bench) -> None:
    near_green = Region(shape="half-space", parameters={"nx": 0, "ny": 0, "nz": -1, "offset": -0.3})
    seen = ValueMapCondition(what="inside", subject="gripper", region=near_green)
    moved = bench.run(stage("red-block", op("affordance", point("red-block", y=0.1)), until=seen))
    assert not moved.reached
    assert any("from 10 cm left of the red-block" in u for u in moved.verdicts[0].unmet)


# ---- relations are judged by the grounder


def on_green() -> tuple[ValueMapStage, ...]:
    over = point("green-block", z=0.1)
    return GRASP, stage("gripper", op("affordance", over), op("gripper", over, 1.0))


def test_a_thing_is_on_another_when_it_lies_there(bench: Bench) -> None:
    outcome = bench.run(*on_green())
    assert outcome.reached, outcome.message
    assert "(on red-block green-block)" in outcome.verdicts[1].holds
    above = bench.where("red-block") - bench.where("green-block")
    assert np.linalg.norm(above[:2]) < 0.02 and abs(above[2] - 0.045) < 0.003


def test_lifting_lowering_and_leaving_keep_the_speed_asked_for(bench: Bench) -> None:
    grasp, put = on_green()
    slow = op("velocity", EVERYWHERE, 0.08)
    outcome = bench.run(grasp, replace(put, operations=(*put.operations, slow)))
    assert outcome.reached, outcome.message
    numbers = outcome.verdicts[1].numbers
    assert numbers["top_speed_m_s"] < 1.05 * 0.08 + 0.01


@dataclass
class Knocks:
    """Puts the red block elsewhere whenever it was let go on the green one."""

    times: int
    done: int = 0

    def __call__(self, world: MujocoWorld, seen: Observation) -> None:
        red, green = (seen.poses[n].position for n in ("red-block", "green-block"))
        on = np.linalg.norm(red[:2] - green[:2]) < 0.02 and abs(red[2] - green[2] - 0.045) < 0.003
        assert seen.gripper is not None
        if on and seen.gripper.force_n < 0.1 and self.done < self.times:
            if seen.pose_ee_in_world.position[2] > 0.12:
                self.done += 1
                teleport(world, "red-block", 0.42, -0.22)


def test_a_thing_that_does_not_stay_is_put_there_again(bench: Bench) -> None:
    bench = replace(bench, disturb=Knocks(1))
    outcome = bench.run(*on_green())
    assert outcome.reached, outcome.message
    assert [e.step for e in outcome.escalations] == [RecoveryStep.RETRY]
    assert bench.where("red-block")[2] > 0.06


def test_where_a_thing_was_let_go_is_no_verdict(bench: Bench) -> None:
    bench = replace(bench, disturb=Knocks(9))
    outcome = bench.run(*on_green())
    assert not outcome.reached
    assert "(on red-block green-block), measured: (on red-block table)" in outcome.message
    assert bench.where("red-block")[2] < 0.03


# ---- from pixels


class Lost:
    """Cameras that fail from a time on."""

    def __init__(self, after_s: float, faults: SensorFaults) -> None:
        self.after_s, self.faults, self.now = after_s, faults, 0.0

    def __call__(self) -> SensorFaults | None:
        return self.faults if self.now >= self.after_s else None


ALL = ("top", "front-left", "front-right", "rear-right")
FAULTS: Mapping[str, SensorFaults] = {
    "no camera": SensorFaults(lost=ALL),
    "all depth unknown": SensorFaults(dropout=1.0),
}


@pytest.mark.parametrize("fault", list(FAULTS))
def test_losing_the_cameras_stops_the_arm_and_nothing_is_lost(bench: Bench, fault: str) -> None:
    lost = Lost(0.7, FAULTS[fault])
    eyes = camera_perceiver(bench.world, faults=lost)

    def see(observation: Observation) -> Percept:
        lost.now = observation.time
        return eyes(observation)

    bench = with_eyes(bench, see)
    outcome = bench.run(ABOVE)
    assert not outcome.reached
    assert "no usable camera" in outcome.message
    assert bench.at_rest()
    assert 0.13 < bench.hand[-1][2] < 0.45  # it had begun, and has not gone on blindly
    assert outcome.details["loop"]["looks"] >= 6


def test_a_thing_is_grasped_by_what_the_cameras_see(bench: Bench) -> None:
    outcome = with_eyes(bench, camera_perceiver(bench.world)).run(GRASP)
    assert outcome.reached, outcome.message
    # another run begins with the block in the hand
    lifted = bench.run(stage("gripper", op("affordance", point("gripper", z=0.1))))
    assert lifted.reached
    assert bench.where("red-block")[2] > 0.09
