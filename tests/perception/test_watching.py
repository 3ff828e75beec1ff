"""Looks through cameras: agreement, states at the exposure, cameras on the hand, trouble."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pytest

from embodied.errors import ConfigurationError
from embodied.perception.cameras import CameraError, CameraHealth, CameraModel, Frame
from embodied.perception.cameras.drivers import CAMERAS, CameraDriver
from embodied.perception.cameras.files import CameraEntry
from embodied.perception.cameras.watching import CHECKS, Look, Motion, Trouble, Watch, Watching
from embodied.types import Observation, Pose
from embodied.world.mujoco import MujocoWorld, build_world
from embodied.world.scene import load_scene
from tests.perception.ray_camera import CORNERS, LENS, looking_at, shoot


@dataclass
class Still:
    """A camera that gives one image again and again, exposed when it is told."""

    name: str
    model: CameraModel
    pose: Pose | None
    mount: str
    images: tuple[np.ndarray, np.ndarray]
    exposed_s: float | None = None
    gone: str = ""

    def read(self, *, newer_than_s: float = -np.inf, timeout_s: float = 1.0) -> Frame:
        if self.gone:
            raise CameraError(self.gone)
        at_s = time.monotonic() if self.exposed_s is None else self.exposed_s
        return Frame(time_s=at_s, number=1, rgb=self.images[0], depth=self.images[1])

    def health(self) -> CameraHealth:
        return CameraHealth(frames=1, lost=0, rate_hz=0.0, age_s=0.0, problem=self.gone)

    def close(self) -> None:
        pass


@pytest.fixture
def world() -> Iterator[MujocoWorld]:
    made = build_world(load_scene("blocks"), "ur5e")
    made.reset(seed=1)
    yield made
    made.close()


def _off(pose: Pose, rng: np.random.Generator, shift_m: float, turn_rad: float) -> Pose:
    """The pose with an error of calibration, in a random direction."""
    shift, axis = (v / np.linalg.norm(v) for v in rng.normal(size=(2, 3)))
    quat = np.concatenate([[np.cos(turn_rad / 2)], np.sin(turn_rad / 2) * axis])
    return pose @ Pose(position=shift_m * shift, quat_wxyz=quat)


def _watching(
    world: MujocoWorld,
    monkeypatch: pytest.MonkeyPatch,
    told: Mapping[str, Pose | None],
    really: Mapping[str, Pose],
    mount: str = "world",
) -> tuple[Watching, dict[str, Still]]:
    rng = np.random.default_rng(0)
    opened: dict[str, Still] = {}

    def make(entry: CameraEntry) -> Still:
        rgb, depth = shoot(world.model, world.data, LENS, really[entry.name])
        depth = depth + (1e-3 * depth**2 * rng.standard_normal(depth.shape)).astype(np.float32)
        opened[entry.name] = Still(entry.name, LENS, entry.pose, mount, (rgb, depth))
        return opened[entry.name]

    monkeypatch.setattr(
        CAMERAS, "_added", {"still": CameraDriver(make=make, tested_against="", cameras="")}
    )
    entries = tuple(
        CameraEntry(name=n, driver="still", pose=p, mount=mount) for n, p in told.items()
    )
    watch = Watch(cameras=entries, spec=world.spec, model=world.model, fixtures={})
    return Watching(watch), opened


def _worst(look: Look | Trouble | None, truth: Observation, world: MujocoWorld) -> float:
    assert isinstance(look, Look)
    found = look.percept.objects
    items = [n for n, o in world.spec.objects.items() if o.kind == "item"]
    return max(
        float(np.linalg.norm(found[n].pose.position - truth.poses[n].position)) for n in items
    )


@pytest.mark.parametrize(("shift_m", "turn_deg", "agree"), [(3e-4, 0.06, True), (3e-3, 0.5, False)])
def test_cameras_that_disagree_by_more_than_three_millimetres_are_noticed(
    world: MujocoWorld,
    monkeypatch: pytest.MonkeyPatch,
    shift_m: float,
    turn_deg: float,
    agree: bool,
) -> None:
    rng = np.random.default_rng(5)
    told = {n: _off(p, rng, shift_m, np.deg2rad(turn_deg)) for n, p in CORNERS.items()}
    watching, _ = _watching(world, monkeypatch, told, CORNERS)
    assert watching.look() is None  # before the robot's state is known
    watching.motion.add(time.monotonic(), world.observe())
    for _ in range(CHECKS):
        look = watching.look()
    assert isinstance(look, Look) and look.checks == CHECKS
    beyond = [d for d in look.disagreements if d.distance_m > d.most_m]
    assert bool(beyond) is not agree, [str(d) for d in look.disagreements]
    if agree:
        assert _worst(look, world.observe(), world) < 0.003
    else:
        assert "disagree by" in str(beyond[0]) and " mm at " in str(beyond[0])


def test_a_state_between_two_reports_is_interpolated() -> None:
    still = np.zeros(2)
    pose = Pose(position=np.zeros(3), quat_wxyz=np.array([1.0, 0, 0, 0]))
    motion = Motion()
    for at_s, q in ((10.0, 0.0), (10.1, 1.0), (10.05, 7.0), (10.2, 1.5)):  # one comes too late
        state = Observation(
            time=at_s - 10.0, q=still + q, dq=still, tau=still,
            pose_ee_in_world=replace(pose, position=np.full(3, q)),
        )  # fmt: skip
        motion.add(at_s, state)
    between = motion.at(10.025)
    np.testing.assert_allclose(between.q, 0.25)
    np.testing.assert_allclose(between.pose_ee_in_world.position, 0.25)
    assert between.time == pytest.approx(0.025)
    np.testing.assert_allclose(motion.at(10.15).q, 1.25)
    assert motion.at(9.0).q[0] == 0.0 and motion.at(11.0).q[0] == 1.5


def test_a_camera_on_a_moving_hand_is_where_the_joints_were_at_the_exposure(
    world: MujocoWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    truth = world.observe()
    over = looking_at((0.3, 0.15, 0.75), (0.5, 0.0, 0.0))
    on_hand = truth.pose_ee_in_world.inverse() @ over
    watching, cameras = _watching(world, monkeypatch, {"wrist": on_hand}, {"wrist": over}, "ee")
    # The arm turns at its base at 2 rad/s through where it was when the image was exposed.
    turn = np.eye(len(truth.q))[0]
    for at_s in (99.9, 100.1):
        turned = truth.q + 2.0 * (at_s - 100.0) * turn
        watching.motion.add(at_s, replace(truth, q=turned, time=at_s))
    cameras["wrist"].exposed_s = 100.0
    seen = watching.look()
    assert isinstance(seen, Look) and seen.percept.time == pytest.approx(100.0)
    found = [n for n in seen.percept.objects if world.spec.objects[n].kind == "item"]
    errors = [
        np.linalg.norm(seen.percept.objects[n].pose.position - truth.poses[n].position)
        for n in found
    ]
    assert len(found) >= 2 and max(errors) < 0.004, dict(zip(found, errors, strict=True))


def test_a_camera_without_images_is_named(
    world: MujocoWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    watching, cameras = _watching(world, monkeypatch, CORNERS, CORNERS)
    watching.motion.add(time.monotonic(), world.observe())
    cameras["rear-right"].gone = "the cable was pulled"
    assert watching.look() == Trouble(cameras={"rear-right": "the cable was pulled"})
    cameras["rear-right"].gone = ""
    assert isinstance(watching.look(), Look)


def test_a_camera_without_a_pose_is_refused(
    world: MujocoWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ConfigurationError, match="without a pose: front-left: calibrate it"):
        _watching(world, monkeypatch, {"front-left": None}, CORNERS)
