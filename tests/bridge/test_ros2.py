"""The ROS 2 driver against an emulated trajectory controller in a process of its own."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embodied.app.bridge.run import open_bridge_session
from embodied.app.bridge.session import BridgeOptions
from embodied.bridge.driver import Driver, DriverLostError
from embodied.bridge.emulators.plant import IdealJoints
from embodied.bridge.emulators.ros2_controller import Knot, TrajectoryController, sample
from embodied.bridge.limits import shipped_limits
from embodied.bridge.messages import Acknowledgement, ArmMode, StopCategory
from embodied.bridge.testing.contract import DriverContract
from embodied.errors import HardwareFault
from embodied.settings import Settings
from embodied.types import JointTrajectory
from embodied.world import robots

pytest.importorskip("cyclonedds", reason="cyclonedds is not installed (extra [bridge-ros2])")

from cyclonedds.core import DDSException  # noqa: E402

from embodied.bridge.drivers.ros2 import Ros2Driver  # noqa: E402
from embodied.bridge.emulators.ros2 import Ros2Emulator, points_of  # noqa: E402
from embodied.bridge.vendors import ros2_messages as ros
from embodied.bridge.vendors.ros2_node import Node, loopback, mangled, open_topic  # noqa: E402

pytestmark = pytest.mark.realtime

ARM = robots.load("fr3")
DOMAIN = random.SystemRandom().randint(1, 100)
OPTIONS: dict[str, Any] = {"gripper": "gripper_controller", "domain": DOMAIN}
SEEN = Acknowledgement(operator="test", statement="looked at it")


@pytest.fixture(autouse=True, scope="module")
def _apart() -> Iterator[None]:
    """Everything on loopback, and seen by this run of the tests only."""
    before = os.environ.get("CYCLONEDDS_URI")
    os.environ["CYCLONEDDS_URI"] = loopback(uuid.uuid4().hex)
    yield
    if before is None:
        del os.environ["CYCLONEDDS_URI"]
    else:
        os.environ["CYCLONEDDS_URI"] = before


def _start(*options: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "embodied.bridge.emulators", "ros2"]
    process = subprocess.Popen(
        [*command, "--domain", str(DOMAIN), *options], stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    return process


@pytest.fixture
def emulator() -> Iterator[subprocess.Popen[bytes]]:
    with _start() as process:
        yield process
        process.kill()


@pytest.fixture
def driver(emulator: subprocess.Popen[bytes]) -> Iterator[Ros2Driver]:
    driver = Ros2Driver(**OPTIONS)
    driver.connect()
    yield driver
    driver.disconnect()


def _motion(start: np.ndarray, distance: float, seconds: float) -> JointTrajectory:
    s = np.linspace(0.0, 1.0, 21)[:, None]
    q = start + distance * (1 - np.cos(np.pi * s)) / 2
    dq = distance * np.pi * np.sin(np.pi * s) / 2 / seconds * np.ones(len(start))
    return JointTrajectory(time=seconds * s[:, 0], q=q, dq=dq, ddq=np.zeros_like(q))


def _until(driver: Ros2Driver, condition: Any, seconds: float = 10.0) -> Any:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition(state := driver.read_state()):
            return state
        time.sleep(0.01)
    raise AssertionError("it did not come to that")


@pytest.fixture(scope="class")
def served() -> Iterator[None]:
    with _start() as process:
        yield
        process.kill()


@pytest.fixture(scope="class")
def served_stepped() -> Iterator[None]:
    with _start("--stepped") as process:
        yield
        process.kill()


@pytest.mark.usefixtures("served")
class TestRos2(DriverContract):
    def make_driver(self) -> Driver:
        return Ros2Driver(**OPTIONS)


@pytest.mark.usefixtures("served_stepped")
class TestRos2Stepped(DriverContract):
    def make_driver(self) -> Driver:
        return Ros2Driver(**OPTIONS, lockstep=True)


def test_a_whole_trajectory_is_told_of_and_ends(driver: Ros2Driver) -> None:
    driver.enable()
    start = driver.read_state().q
    driver.execute(_motion(start, 0.2, 0.6))
    assert driver.carrying_out
    middle = _until(driver, lambda s: s.q_commanded[0] > start[0] + 0.05)
    assert np.max(np.abs(middle.dq_commanded)) > 0.05
    _until(driver, lambda s: not driver.carrying_out)
    end = _until(driver, lambda s: np.allclose(s.q, start + 0.2, atol=1e-6))
    np.testing.assert_allclose(end.q, start + 0.2, atol=1e-6)
    assert end.mode is ArmMode.RUNNING


def test_a_stop_cancels_the_trajectory_and_brakes(driver: Ros2Driver) -> None:
    driver.enable()
    start = driver.read_state().q
    driver.execute(_motion(start, 0.5, 2.0))
    _until(driver, lambda s: s.q[0] > start[0] + 0.1)
    driver.stop(StopCategory.CONTROLLED)
    rest = _until(driver, lambda s: np.max(np.abs(s.dq)) == 0.0)
    assert rest.mode is ArmMode.PROTECTIVE_STOP
    time.sleep(0.2)
    np.testing.assert_array_equal(driver.read_state().q, rest.q)
    assert rest.q[0] < start[0] + 0.45
    with pytest.raises(HardwareFault):
        driver.execute(_motion(rest.q, 0.1, 1.0))
    driver.recover(SEEN)
    driver.enable()
    assert driver.read_state().mode is ArmMode.RUNNING


def test_an_arm_that_hears_nothing_more_comes_to_rest(driver: Ros2Driver) -> None:
    driver.enable()
    q, dq = driver.read_state().q, np.full(7, 0.5)
    for _ in range(10):
        q = q + dq * 0.01
        driver.stream(q, dq)
        time.sleep(0.01)
    goal = q + 0.5 * 0.05 / 2
    rest = _until(driver, lambda s: np.allclose(s.q, goal, atol=1e-6) and not np.any(s.dq))
    np.testing.assert_allclose(rest.q, goal, atol=1e-6)


@pytest.mark.parametrize("speed", [1e-12, 1e-9, 1e-6, 1e-3, 1.0])
def test_times_grow_when_a_joint_hardly_moves(speed: float) -> None:
    arm = TrajectoryController(IdealJoints(ARM.q_home), ARM.joints)
    sent: list[ros.JointTrajectory] = []
    driver = Ros2Driver(domain=DOMAIN)
    here = ros.JointState(ros.stamped(0.0), list(ARM.joints), ARM.q_home.tolist(), [], [])
    states = SimpleNamespace(take=lambda: [here])
    links: Any = SimpleNamespace(send=sent.append, states=states, busy=False, aborted=False)
    driver.measure(links)
    driver.send(links, ARM.q_home, np.array([speed, *[0.0] * 6]), None)
    (motion,) = sent
    assert arm.take(motion.joint_names, points_of(motion)) == ""
    assert not any(motion.points[-1].velocities)


def test_a_controller_without_our_joints_is_not_found(
    emulator: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    del emulator
    monkeypatch.setattr("embodied.bridge.drivers.ros2._FOUND_S", 1.0)
    with pytest.raises(TypeError, match="7"):
        Ros2Driver(joints="a,b")
    driver = Ros2Driver(domain=DOMAIN, joints=",".join([*ARM.joints[1:], "elbow"]))
    with pytest.raises(DriverLostError, match="joint states"):
        driver.connect()


def test_a_controller_that_dies_is_noticed(
    driver: Ros2Driver, emulator: subprocess.Popen[bytes]
) -> None:
    driver.enable()
    emulator.kill()
    with pytest.raises(DriverLostError, match="no joint states"):
        _until(driver, lambda s: False)


def test_a_goal_that_the_controller_gives_up_is_a_stop() -> None:
    emulator = Ros2Emulator(TrajectoryController(IdealJoints(ARM.q_home), ARM.joints), DOMAIN)
    ask, end = threading.Event(), threading.Event()

    def running() -> bool:
        if ask.is_set():
            ask.clear()
            emulator.abort("too far from the path")
        return not end.is_set()

    thread = threading.Thread(target=emulator.serve, args=(running,))
    thread.start()
    driver = Ros2Driver(**OPTIONS)
    try:
        driver.connect()
        driver.enable()
        driver.execute(_motion(driver.read_state().q, 0.5, 2.0))
        _until(driver, lambda s: s.dq[0] > 0.05)
        ask.set()
        _until(driver, lambda s: s.protective_stop)
        with pytest.raises(HardwareFault):
            driver.enable()
        driver.recover(SEEN)
        driver.enable()
    finally:
        driver.disconnect()
        end.set()
        thread.join()


@pytest.mark.slow
def test_a_sentence_moves_the_emulated_arm(tmp_path: Path) -> None:
    truth = str(tmp_path / "truth")
    with _start("--scene", "blocks", "--truth", truth, "--stepped") as process:
        session = None
        try:
            session, _ = open_bridge_session(
                Settings(scene="blocks", world="bridge"),
                BridgeOptions(
                    driver="ros2",
                    options={**OPTIONS, "truth": truth, "lockstep": True},
                    limits=shipped_limits("fr3-servos-emulated"),
                ),
            )
            outcome = session.run(
                "put the red block on the green block",
                emit=lambda event: None,
                write=lambda name, text: None,
                move=True,
            )
            assert outcome.reached, outcome.message
        finally:
            if session is not None:
                session.close()
            process.kill()


# ----------------------------------------------------------------------- messages


def test_names_are_mangled_as_ros_does() -> None:
    assert mangled("rt", "/joint_states") == "rt/joint_states"
    service = "arm/follow_joint_trajectory/_action/send_goal"
    assert mangled("rq", service, "Request") == f"rq/{service}Request"
    node = Node(DOMAIN)
    reader = node.subscription("joint_states", ros.JointState).reader
    assert reader.topic.typename == "sensor_msgs::msg::dds_::JointState_"


def _store() -> Any:
    from rosbags import typesys

    store = typesys.get_typestore(typesys.Stores.ROS2_HUMBLE)
    # control_msgs is not among the store's own types; these are its definitions.
    tolerance = "string name\nfloat64 position\nfloat64 velocity\nfloat64 acceleration"
    component = (
        "string joint_name\nuint16 component\nfloat64 position\nfloat64 velocity\n"
        "float64 acceleration"
    )
    goal = "\n".join(
        (
            "trajectory_msgs/JointTrajectory trajectory",
            "trajectory_msgs/MultiDOFJointTrajectory multi_dof_trajectory",
            "control_msgs/JointTolerance[] path_tolerance",
            "control_msgs/JointComponentTolerance[] component_path_tolerance",
            "control_msgs/JointTolerance[] goal_tolerance",
            "control_msgs/JointComponentTolerance[] component_goal_tolerance",
            "builtin_interfaces/Duration goal_time_tolerance",
        )
    )
    request = (
        "uint64 caller\nint64 number\nunique_identifier_msgs/UUID goal_id\ncontrol_msgs/Goal goal"
    )
    for text, name in (
        (tolerance, "JointTolerance"),
        (component, "JointComponentTolerance"),
        (goal, "Goal"),
        (request, "SendGoalRequest"),
    ):
        store.register(typesys.get_types_from_msg(text, f"control_msgs/msg/{name}"))
    return store


NUMBERS = st.lists(st.floats(allow_nan=False), max_size=4)
TEXT = st.text("abcxyz_/0", max_size=9)


@given(st.lists(TEXT, max_size=4), NUMBERS, NUMBERS, NUMBERS, st.floats(0, 1e9), TEXT)
def test_joint_states_have_the_bytes_that_rosbags_writes(
    names: list[str], q: list[float], dq: list[float], tau: list[float], at: float, frame: str
) -> None:
    mine = ros.JointState(ros.stamped(at, frame), names, q, dq, tau)
    _compare(mine, "sensor_msgs/msg/JointState")


@given(st.lists(TEXT, max_size=4), st.lists(st.tuples(NUMBERS, NUMBERS, st.floats(0, 1e6))))
def test_trajectories_have_the_bytes_that_rosbags_writes(names: list[str], points: Any) -> None:
    knots = [ros.point(at, q, dq, q) for q, dq, at in points]
    mine = ros.JointTrajectory(ros.Header(), names, knots)
    _compare(mine, "trajectory_msgs/msg/JointTrajectory")


@given(st.binary(min_size=16, max_size=16), st.integers(0, 2**64 - 1), NUMBERS, TEXT)
def test_goals_have_the_bytes_that_rosbags_writes(
    name: bytes, caller: int, q: list[float], joint: str
) -> None:
    motion = ros.JointTrajectory(ros.Header(), [joint], [ros.point(0.5, q, [])])
    goal = ros.Goal(motion, path_tolerance=[ros.JointTolerance(joint, 0.1, 0.2, 0.3)])
    mine = ros.SendGoalRequest(caller, 7, ros.Uuid(list(name)), goal)
    _compare(mine, "control_msgs/msg/SendGoalRequest")


_STORES: list[Any] = []


def _compare(mine: Any, name: str) -> None:
    """The same message, written by rosbags, is the same bytes."""
    if not _STORES:
        _STORES.append(_store())
    store = _STORES[0]
    theirs = _convert(store, mine, name)
    assert bytes(store.serialize_cdr(theirs, name)) == mine.serialize()


def _convert(store: Any, value: Any, name: str) -> Any:
    """Our message as the type of rosbags with this name, field by field."""
    fields = {}
    for field, (kind, what) in store.get_msgdef(name).fields:
        mine = getattr(value, field)
        if kind == 1:
            fields[field] = mine
        elif kind == 2:
            fields[field] = _convert(store, mine, what)
        else:
            inner, of = what[0]
            if inner == 2:
                fields[field] = [_convert(store, m, of) for m in mine]
            elif of[0] == "string":
                fields[field] = list(mine)
            else:
                fields[field] = np.array(list(mine), dtype=of[0])
    return store.types[name](**fields)


# --------------------------------------------------- the controller without its topics


def test_what_is_not_a_trajectory_is_refused() -> None:
    arm = TrajectoryController(IdealJoints(np.zeros(2)), ["a", "b"])
    assert "joints" in arm.take(["a", "c"], [(1.0, [0, 0], [])])
    assert arm.take(["a", "b"], []) == "no points"
    assert "positions" in arm.take(["a", "b"], [(1.0, [0], [])])
    assert "finite" in arm.take(["a", "b"], [(1.0, [0, float("nan")], [])])
    assert "grow" in arm.take(["a", "b"], [(1.0, [0, 0], []), (1.0, [0, 0], [])])
    assert arm.take(["b", "a"], [(0.1, [2.0, 1.0], [])]) == ""
    while arm.moving:
        arm.advance()
    np.testing.assert_array_equal(arm.plant.q, [1.0, 2.0])


@given(st.lists(st.floats(-3, 3), min_size=4, max_size=4), st.floats(0.02, 2.0))
def test_cubics_meet_their_knots_and_their_own_derivative(v: list[float], h: float) -> None:
    a = Knot(time_s=0.0, q=np.array(v[:1]), dq=np.array(v[1:2]))
    b = Knot(time_s=h, q=np.array(v[2:3]), dq=np.array(v[3:]))
    q, dq = sample([a, b], 0.0)
    np.testing.assert_allclose([*q, *dq], v[:2], atol=1e-9)
    q, dq = sample([a, b], h)
    np.testing.assert_allclose([*q, *dq], v[2:], atol=1e-9)
    e = h * 1e-4
    slope = (sample([a, b], h / 2 + e)[0] - sample([a, b], h / 2 - e)[0]) / (2 * e)
    np.testing.assert_allclose(slope, sample([a, b], h / 2)[1], rtol=1e-3, atol=1e-3)


class _Stubborn:
    """A ``Topic`` that fails a number of times."""

    def __init__(self, failures: int) -> None:
        self.failures = failures

    def __call__(self, *_: Any) -> str:
        if self.failures:
            self.failures -= 1
            raise DDSException(-3, "type registration")
        return "topic"


@pytest.mark.parametrize("failures", [0, 1, 4])
def test_a_topic_is_tried_again(monkeypatch: pytest.MonkeyPatch, failures: int) -> None:
    monkeypatch.setattr("cyclonedds.topic.Topic", _Stubborn(failures))
    assert open_topic(None, "rt/joint_states", None) == "topic"


def test_a_topic_that_never_opens_is_a_lost_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cyclonedds.topic.Topic", _Stubborn(1000))
    with pytest.raises(DriverLostError, match="rt/joint_states"):
        open_topic(None, "rt/joint_states", None)
