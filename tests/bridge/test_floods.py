"""What somebody who knows the code says to a supervisor: none of it ends it."""

from __future__ import annotations

import json
import random
import struct
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from embodied.bridge import _pace, journal
from embodied.bridge._pace import Pace
from embodied.bridge.channel import (
    MAX_FRAME,
    OPERATOR,
    PLANNER,
    REPORTS,
    BadFrameError,
    Listener,
    connect,
    pack,
    unpack,
)
from embodied.bridge.client import PlannerClient
from embodied.bridge.connections import Heard, Lines, Said
from embodied.bridge.journal import Journal
from embodied.bridge.limits import shipped_limits
from embodied.bridge.plan_reader import PlanReader, plan_of
from embodied.bridge.process import BridgeConfig, SupervisorProcess

pytestmark = pytest.mark.realtime

WAIT_S = 30.0

# ----------------------------------------------------------------- what is decoded

DEEP = b'{"kind":' + b"[" * 50_000 + b"]" * 50_000 + b"}"


def frame(body: bytes) -> bytes:
    whole = bytearray(pack({"kind": "hello"}))
    return bytes(whole[:4]) + struct.pack("<I", zlib.crc32(body)) + body


@pytest.mark.parametrize(
    "body",
    [
        DEEP,
        b'{"kind":"observe","re":' + b"9" * 401 + b"}",
        b'{"kind":"reset","re":1,"seed":-1}',
        b'{"kind":"' + b"x" * 100_000 + b'"}',
        b'{"kind":"observe","re":1,"' + b"y" * 100_000 + b'":2}',
        b"\xff\xfe",
        b"[]",
        b"3",
    ],
)
def test_bad_frames_are_errors_of_bounded_length(body: bytes) -> None:
    with pytest.raises(BadFrameError) as caught:
        unpack(frame(body), PLANNER)
    assert len(str(caught.value)) < 500
    assert str(caught.value).isprintable()


def test_mutated_frames_are_read_or_refused() -> None:
    rng = random.Random(0)
    good = [
        {"kind": "observe", "re": 1},
        {"kind": "plan", "re": 2, "label": "é", "time": [0.0], "q": [[0.0] * 7],
         "gripper_width_m": None},
        {"kind": "setpoint", "re": 3, "created_s": 1.0, "q": [0.0] * 7, "gripper_width_m": 0.1,
         "gripper_force_n": 1.0},
    ]  # fmt: skip
    for _ in range(3000):
        body = bytearray(json.dumps(rng.choice(good)).encode())
        for _ in range(rng.randrange(1, 6)):
            at = rng.randrange(len(body))
            body[at : at + rng.randrange(3)] = rng.choice(
                [b"[", b"]", b"{", b"9" * 30, b"null", b"\xff", b"NaN", b"1e999", b'"', b"\\ud800"]
            )
        try:
            unpack(frame(bytes(body)), PLANNER)
        except BadFrameError:
            continue


# ---------------------------------------------------------------------- supervisor


class Rig:
    """A supervisor with a simulated arm, and its journal."""

    def __init__(self, folder: Path, **options: Any) -> None:
        self.journal = folder / "journal.jsonl"
        self.process = SupervisorProcess(
            BridgeConfig(
                limits=shipped_limits("fr3-simulated"), journal=self.journal, options=options
            )
        )

    def events(self, name: str) -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in self.journal.read_text("utf-8").splitlines()]
        return [line["details"] for line in lines if line["event"] == name]

    def wait_for(self, name: str) -> dict[str, Any]:
        deadline = time.monotonic() + WAIT_S
        while time.monotonic() < deadline:
            if found := self.events(name):
                return found[-1]
            time.sleep(0.01)
        raise AssertionError(f"no {name!r} in the journal")


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    rig = Rig(tmp_path_factory.mktemp("adversary"))
    yield rig
    assert rig.process.close() == 0


PLAN = {"kind": "plan", "re": 1, "label": "x", "time": [0.0], "q": [[0.0] * 7],
        "gripper_width_m": None}  # fmt: skip
SETPOINT = {"kind": "setpoint", "re": 1, "created_s": 0.0, "q": [0.0] * 7, "gripper_width_m": None,
            "gripper_force_n": 20.0}  # fmt: skip


@pytest.mark.parametrize(
    "said",
    [
        frame(DEEP),
        frame(b'{"kind":"observe","re":1' + b"0" * 400 + b"}"),
        pack({**PLAN, "label": "é" * 29_000}),
        pack({**PLAN, "label": "\ud800"}),
        pack({**PLAN, "time": [0.0, 1.0], "q": [[0.0] * 7, [0.0]]}),
        pack({**PLAN, "gripper_width_m": float("nan")}),
        pack({**SETPOINT, "q": [float("inf")] * 7}),
        pack({**SETPOINT, "q": [10**17] * 7, "created_s": 1e308}),
        pack({"kind": "reset", "re": 1, "seed": -1}),
        pack({"kind": "reset", "re": 1, "seed": 10**17}),
        pack({"kind": "x" * 100_000}),
        b"",
        b"\0" * MAX_FRAME,
    ],
)
def test_no_message_of_a_planner_ends_the_supervisor(rig: Rig, said: bytes) -> None:
    channel = connect(rig.process.planner_path, REPORTS)
    channel.send({"kind": "enable"})
    channel.send_frame(said)
    channel.close()
    time.sleep(0.1)
    deadline = time.monotonic() + WAIT_S
    while True:
        try:
            client = PlannerClient(rig.process.planner_path)
            break
        except Exception:
            assert time.monotonic() < deadline and rig.process.alive()
            time.sleep(0.02)
    assert client.observe()["status"]["latched"] is None
    client.close()


def test_a_token_of_other_letters_is_a_wrong_token(tmp_path: Path) -> None:
    paths = tmp_path / "planner", tmp_path / "operator"
    notes: list[str] = []
    lines = Lines(
        Listener(paths[0], PLANNER),
        Listener(paths[1], OPERATOR),
        "the token",
        lambda event, **_: notes.append(event),
        PlanReader(7),
    )
    idle = connect(paths[1], REPORTS)  # whoever says nothing keeps nobody out
    assert lines.hear(1.0) == []
    for token in ("é", "\ud800", "", "the token"):
        assert not lines.had_operator
        channel = connect(paths[1], REPORTS)
        channel.send({"kind": "hello", "token": token})
        while lines.hear(0.1) is not None:
            pass
        channel.close()
    assert lines.had_operator
    assert notes == ["operator-refused"] * 3
    idle.close()
    lines.close()


LONG = {**PLAN, "re": 5, "time": [0.01 * k for k in range(1400)],
        "q": [[0.001 * k] * 7 for k in range(1400)], "gripper_width_m": 0.04}  # fmt: skip


def heard(lines: Lines) -> list[Heard]:
    """What is heard next, but for new connections."""
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline:
        if found := [h for h in lines.hear(0.1) or () if h.said is not Said.CONNECTED]:
            return found
    raise AssertionError("nothing is heard")


def test_a_large_plan_is_read_elsewhere_and_the_operator_is_heard_meanwhile(tmp_path: Path) -> None:
    paths, reader = (tmp_path / "planner", tmp_path / "operator"), PlanReader(7)
    listeners = Listener(paths[0], PLANNER), Listener(paths[1], OPERATOR)
    lines = Lines(*listeners, "token", lambda _, **__: None, reader)
    planner, operator = connect(paths[0], REPORTS), connect(paths[1], REPORTS)
    planner.send(LONG)
    planner.send({"kind": "heartbeat"})
    assert [h.said for h in heard(lines)] == [Said.READING]
    operator.send({"kind": "hello", "token": "token"})
    operator.send({"kind": "estop"})
    first = [h.message["kind"] for h in (*heard(lines), *heard(lines), *heard(lines))]
    assert first.index("hello") < first.index("estop")
    assert "heartbeat" not in first[: first.index("plan")]  # its planner waits
    planner.send(LONG)
    assert [h.message["kind"] for h in heard(lines)] == ["heartbeat"]
    assert [h.said for h in heard(lines)] == [Said.READING]
    (plan,) = heard(lines)
    assert plan.message["re"] == 5
    assert plan.message["plan"].plan_hash == plan_of(LONG, 7).plan_hash
    for bad in (pack({**LONG, "kind": "observe"}), frame(b'{"kind":"hello"' + b" " * 9000 + b"}"),
                pack({**LONG, "time": [0.0] * 1400}), frame(DEEP), b"\0" * MAX_FRAME):  # fmt: skip
        planner.send_frame(bad)
        assert [h.said for h in (*heard(lines), *heard(lines))] == [Said.READING, Said.BAD_FRAME]
    reader.give(b"")  # it takes this for the end
    assert heard(lines)[0].said is Said.BAD_FRAME
    planner.send(LONG)
    assert [h.said for h in (*heard(lines), *heard(lines))] == [Said.READING, Said.MESSAGE]
    for channel in (planner, operator, lines):
        channel.close()


def test_a_planner_that_reads_nothing_delays_nobody_and_is_dropped(tmp_path: Path) -> None:
    rig = Rig(tmp_path, lockstep=False)
    try:
        channel = connect(rig.process.planner_path, REPORTS)
        number, begun = 0, time.monotonic()
        with pytest.raises(Exception, match="gone|broke"):
            while time.monotonic() - begun < WAIT_S:
                number += 1
                channel.send({"kind": "observe", "re": number})
        assert "does not read" in rig.wait_for("hold")["problem"]
        channel.close()
        rig.process.operator.send({"kind": "estop"})
        rig.wait_for("stop")
    finally:
        assert rig.process.close() == 0


def test_an_operator_that_reads_nothing_still_stops_the_arm(rig: Rig) -> None:
    channel = connect(rig.process.planner_path, REPORTS)
    for _ in range(90):
        channel.send_frame(b"EMB1garbage")
    channel.close()
    rig.process.operator.send({"kind": "estop"})
    rig.wait_for("stop")
    rig.process.operator.send({"kind": "recover", "operator": "test", "statement": "seen"})
    rig.wait_for("recovered")


def test_a_full_disk_stops_the_arm_and_ends_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = Journal(Path("/dev/full"))
    line = writer.event("started", q=[1.0])
    assert line["event"] == "started"
    assert "No space" in writer.problem
    writer.close()
    monkeypatch.setattr(journal, "MOST_BYTES", 200)
    small = Journal(tmp_path / "journal.jsonl")
    for _ in range(50):
        small.event("noise")
    small.close()
    assert "at most" in small.problem
    assert (tmp_path / "journal.jsonl").stat().st_size <= 200
    process = SupervisorProcess(
        BridgeConfig(limits=shipped_limits("fr3-simulated"), journal=Path("/dev/full"))
    )
    client = PlannerClient(process.planner_path)
    assert client.enable()["status"]["latched"] == "no_record"
    client.close()
    assert process.close() == 0


def test_sleep_of_the_machine_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    slept = [0.0]
    monkeypatch.setattr(_pace, "_asleep_s", lambda: slept[0])
    pace = Pace(0.01, 0.5, lockstep=False)
    assert pace.woke() is None
    slept[0] += 3.0
    assert pace.woke() == pytest.approx(3.0)
    assert pace.woke() is None


def test_no_clock_that_somebody_may_set_decides_anything() -> None:
    folder = Path(_pace.__file__).parent
    for path in folder.glob("*.py"):
        text = path.read_text("utf-8")
        assert "time.time(" not in text and "datetime.now" not in text, path.name
