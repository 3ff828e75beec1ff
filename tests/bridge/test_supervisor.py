"""The supervisor as a process: who may do what, and what happens when something breaks."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from embodied.bridge.channel import PLANNER, REPORTS, connect
from embodied.bridge.client import PlannerClient
from embodied.bridge.limits import shipped_limits
from embodied.bridge.messages import OperationMode
from embodied.bridge.process import BridgeConfig, SupervisorProcess
from embodied.bridge.replay import read_recording, replay
from embodied.bridge.testing.faults import ARM_FAULTS, FaultySender, gentle_way
from embodied.bridge.world import BridgeWorld
from embodied.errors import HardwareFault, WorldError
from embodied.types import Command
from embodied.world import mujoco, robots
from embodied.world.scene import load_scene

pytestmark = pytest.mark.realtime

LIMITS = shipped_limits("fr3-simulated")
WAIT_S = 30.0
CODES = {
    "frozen-state": "state_frozen",
    "clock-jump": "clock_jump",
    "protective-stop": "protective_stop",
    "torque-spike": "torque_limit",
    "wrong-joint-count": "wrong_joint_count",
}


class Rig:
    """A supervisor with a simulated arm in lockstep, and its journal."""

    def __init__(self, folder: Path, **config: Any) -> None:
        self.journal = folder / "journal.jsonl"
        self.farewell = folder / "farewell.json"
        options = {"farewell": str(self.farewell), **config.pop("options", {})}
        self.process = SupervisorProcess(
            BridgeConfig(limits=LIMITS, journal=self.journal, options=options, **config)
        )

    def events(self, name: str, since: int = 0) -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in self.journal.read_text("utf-8").splitlines()]
        return [line["details"] for line in lines[since:] if line["event"] == name]

    def lines(self) -> int:
        return len(self.journal.read_text("utf-8").splitlines())

    def wait_for(self, name: str, since: int = 0, code: str = "") -> dict[str, Any]:
        deadline = time.monotonic() + WAIT_S
        while time.monotonic() < deadline:
            for event in self.events(name, since):
                if code in ("", event.get("code")):
                    return event
            time.sleep(0.01)
        raise AssertionError(f"no {name!r} in the journal")

    def say(self, **message: Any) -> None:
        self.process.operator.send(message)

    def recover(self) -> None:
        since = self.lines()
        self.say(kind="recover", operator="test", statement="the area is clear")
        self.wait_for("recovered", since)


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    folder = tmp_path_factory.mktemp("bridge")
    faults = tuple({"kind": kind, "after_periods": 25} for kind in ARM_FAULTS)
    rig = Rig(folder, mcap=folder / "run.mcap", faults=faults)
    yield rig
    assert rig.process.close() == 0


def swing(client: PlannerClient, periods: int) -> dict[str, Any]:
    """From home, move for some periods, or until the arm is stopped or a set-point refused."""
    client.reset(0)
    report = client.enable()
    q = np.array(report["state"]["q"])
    for k in range(1, periods + 1):
        report = client.propose(gentle_way(q, 0.01 * k))
        decision = report["decision"]
        if report["status"]["latched"] or decision is None or decision["verdict"] == "reject":
            break
    return report


@pytest.mark.parametrize("kind", ARM_FAULTS)
def test_faults_of_the_arm_are_latched_until_somebody_recovers(rig: Rig, kind: str) -> None:
    """Runs in the order of the faults that the rig was made with."""
    client = PlannerClient(rig.process.planner_path)
    try:
        since = rig.lines()
        report = swing(client, 100)
        assert report["status"]["latched"] == CODES[kind]
        assert rig.wait_for("stop", since)["code"] == CODES[kind]
        rest = rig.wait_for("at-rest", since, CODES[kind])
        assert rest["from_rad_s"] > 0.05
        assert rest["after_periods"] * 0.01 <= 0.6
        assert not client.enable()["status"]["enabled"]
        rig.recover()
        assert client.enable()["status"]["enabled"]
    finally:
        client.close()


def raw(rig: Rig, damage: Callable[[Any, dict[str, Any]], None]) -> int:
    """Move, then send a damaged message; returns the journal's length before that."""
    channel = connect(rig.process.planner_path, REPORTS)
    channel.send({"kind": "reset", "re": 0, "seed": 0})
    assert channel.receive(WAIT_S) is not None
    channel.send({"kind": "enable"})
    report = channel.receive(WAIT_S)
    assert report is not None and report["status"]["enabled"]
    q = np.array(report["state"]["q"])
    message: dict[str, Any] = {}
    for k in range(1, 40):
        message = {
            "kind": "setpoint",
            "re": k,
            "created_s": time.monotonic(),
            "q": gentle_way(q, 0.01 * k).tolist(),
            "gripper_width_m": None,
            "gripper_force_n": 20.0,
        }
        channel.send(message)
        assert channel.receive(WAIT_S) is not None
    since = rig.lines()
    damage(channel, message)
    channel.send({"kind": "heartbeat"})
    time.sleep(0.2)
    channel.close()
    return since


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        (lambda c, m: c.send(m), "sequence"),
        (lambda c, m: c.send({**m, "re": 3}), "sequence"),
        (lambda c, m: c.send({**m, "re": 99, "created_s": m["created_s"] - 60}), "stale"),
        (lambda c, m: c.send_frame(b"EMB1\0\0\0\0garbage"), "corrupt"),
        (lambda c, m: FaultySender(c, "corrupt", 0, 1).send(m), "corrupt"),
        (lambda c, m: c.send({**m, "limits": {"ee_speed_m_s": 9.0}}), "schema"),
        (lambda c, m: c.send({"kind": "recover", "operator": "x", "statement": "y"}), "schema"),
        (lambda c, m: c.send({"kind": "approve", "plan_hash": ""}), "schema"),
        (lambda c, m: None, "heartbeat"),  # the planner goes
    ],
)
def test_a_bad_planner_is_held_not_latched(rig: Rig, damage: Any, code: str) -> None:
    since = raw(rig, damage)
    rig.wait_for("at-rest", since)
    said = [e["code"] for e in rig.events("hold", since)]
    said += [r["code"] for e in rig.events("decision", since) for r in e["reasons"]]
    assert code in said
    assert not rig.events("stop", since)
    client = PlannerClient(rig.process.planner_path)  # and another one may come
    assert swing(client, 5)["decision"]["verdict"] == "pass"
    client.close()


def test_an_emergency_stop_is_the_operators(rig: Rig) -> None:
    client = PlannerClient(rig.process.planner_path)
    swing(client, 40)
    since = rig.lines()
    rig.say(kind="estop")
    assert rig.wait_for("stop", since)["category"] == 1
    assert client.observe()["status"]["latched"] == "emergency_stop"
    assert not client.enable()["status"]["enabled"]
    rig.say(kind="recover", operator="", statement="")  # nobody
    rig.wait_for("recover-refused", since)
    rig.recover()
    assert client.enable()["status"]["enabled"]
    client.close()


def test_one_planner_at_a_time(rig: Rig) -> None:
    first = PlannerClient(rig.process.planner_path)
    with pytest.raises(WorldError):
        PlannerClient(rig.process.planner_path)
    assert first.observe()["status"]["latched"] is None
    first.close()


def test_a_world_behind_the_supervisor(rig: Rig) -> None:
    scene = load_scene("blocks")
    model = mujoco.planning_model(scene)
    spec = mujoco.world_spec(scene, robots.load("fr3"), model)
    world = BridgeWorld(PlannerClient(rig.process.planner_path), spec, model)
    with pytest.raises(WorldError, match="reset"):
        world.observe()
    first = world.reset(seed=3)
    direct = mujoco.build_world(scene)
    there = direct.reset(seed=3)
    direct.close()
    assert first.time == 0.0
    assert set(first.poses) == set(spec.objects)
    for name, pose in there.poses.items():
        np.testing.assert_allclose(first.poses[name].position, pose.position, atol=1e-9)
    for k in range(1, 11):
        result = world.step(Command(q=first.q, gripper_width_m=0.03))
        assert result.reasons == ()
        assert result.observation.time == pytest.approx(0.01 * k)
    assert world.qpos.shape == (model.nq,)
    with pytest.raises(ValueError, match="shape"):
        world.step(Command(q=np.zeros(3)))
    refused = world.step(Command(q=first.q + 1.0))
    assert refused.reasons[0].startswith("reject: jump")
    assert world.refusals[-1].code == "jump"
    since = rig.lines()
    rig.say(kind="estop")
    rig.wait_for("stop", since)
    with pytest.raises(HardwareFault, match="emergency_stop"):
        world.step(Command(q=first.q))
    rig.recover()
    world.close()
    world.close()
    with pytest.raises(WorldError, match="closed"):
        world.observe()


def test_motions_wait_for_an_approval_of_their_hash(tmp_path: Path) -> None:
    rig = Rig(tmp_path, mode=OperationMode.CONFIRM, mcap=tmp_path / "run.mcap")
    client = PlannerClient(rig.process.planner_path)
    q = np.array(client.enable()["state"]["q"])
    assert client.propose(q)["decision"]["verdict"] == "pass"
    assert client.propose(q + 0.03)["decision"]["reasons"][0]["code"] == "not_approved"
    time_s = 0.01 * np.arange(101)
    way = np.stack([gentle_way(q, t) for t in time_s])
    plan = client.plan("swing", time_s.tolist(), way.tolist(), 0.02)["status"]["pending"]
    assert client.propose(q, 0.02)["decision"]["reasons"][0]["code"] == "not_approved"
    rig.say(kind="approve", plan_hash="another")
    rig.say(kind="approve", plan_hash=plan)
    deadline = time.monotonic() + WAIT_S
    while client.observe()["status"]["approved"] != plan and time.monotonic() < deadline:
        time.sleep(0.01)
    answers = rig.events("answer")
    assert [a["known"] for a in answers] == [False, True]
    for row in way:
        assert client.propose(row, 0.02)["decision"]["verdict"] == "pass"
    off = client.propose(way[-1] + 0.06 * np.eye(7)[3])
    assert off["decision"]["reasons"][0]["code"] == "off_plan"
    client.close()
    assert rig.process.close() == 0
    about, messages = read_recording(tmp_path / "run.mcap")
    assert about["mode"] == "confirm"
    topics = {topic for topic, _, _ in messages}
    assert topics == {"/arm/state", "/bridge/proposal", "/bridge/decision", "/bridge/event"}


def test_a_recording_is_decided_again_as_it_was(rig: Rig, tmp_path: Path) -> None:
    from embodied.bridge.filter import SafetyFilter
    from embodied.bridge.geometry import ArmGeometry
    from embodied.bridge.limits import load_limits

    other = Rig(tmp_path, mcap=tmp_path / "run.mcap")
    client = PlannerClient(other.process.planner_path)
    swing(client, 60)
    client.propose(np.zeros(7))
    client.close()
    other.process.close()
    limits = load_limits(LIMITS)
    _, messages = read_recording(tmp_path / "run.mcap")
    safety = SafetyFilter(limits, ArmGeometry(limits, load_scene("blocks")), lockstep=True)
    result = replay(messages, safety)
    assert result.periods > 60
    assert result.same == result.periods, result.first_difference
    assert result.largest_difference_rad < 1e-9


def test_a_killed_supervisor_leaves_an_arm_at_rest_and_nothing_behind(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    client = PlannerClient(rig.process.planner_path)
    swing(client, 40)
    pid = rig.process.pid
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text("utf-8").split()
    assert children
    rig.process.kill()
    deadline = time.monotonic() + WAIT_S
    while any(_alive(int(c)) for c in children) and time.monotonic() < deadline:
        time.sleep(0.02)
    farewell = json.loads(rig.farewell.read_text("utf-8"))
    assert farewell["at_rest"] and farewell["from_rad_s"] > 0.05
    assert not any(_alive(int(child)) for child in children)
    with pytest.raises(WorldError):
        client.propose(np.zeros(7))
    client.close()
    rig.process.close()


def test_nothing_starts_without_a_valid_sign_off(tmp_path: Path) -> None:
    changed = tmp_path / "limits.toml"
    text = LIMITS.read_text("utf-8")
    changed.write_text(text, "utf-8")
    with pytest.raises(WorldError, match="not signed off"):
        SupervisorProcess(BridgeConfig(limits=changed))


def test_a_planner_has_no_word_for_limits_modes_approvals_or_recoveries() -> None:
    said = set(PLANNER) | {field for fields in PLANNER.values() for field in fields}
    assert not said & {"limits", "mode", "approve", "recover", "estop", "shutdown", "token"}


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text("utf-8").rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False
