"""What is measured of a manner, on motions of a point."""

from __future__ import annotations

import json

import numpy as np
import pytest

from embodied.records import Record
from embodied.routes.pddl.manner import MannerJudge, from_record, in_words, to_json
from embodied.types import Array, Manner, Observation, Pose
from embodied.verdict import Verdict

DOWN = (0.0, 1.0, 0.0, 0.0)


class PointHand:
    """A hand that is a point and holds the cup from some time on; the plate is at the origin."""

    def __init__(self, holds_from_s: float) -> None:
        self.holds_from_s, self._place = holds_from_s, np.zeros(3)

    def look(self, observation: Observation) -> str:
        self._place = np.array(observation.pose_ee_in_world.position)
        return "cup" if observation.time >= self.holds_from_s else ""

    def distance(self, name: str) -> float:
        assert name == "plate"
        return float(np.linalg.norm(self._place))


def seen(time_s: float, place: Array, tilt_rad: float = 0.0) -> Observation:
    turned = (np.cos(tilt_rad / 2), np.sin(tilt_rad / 2), 0.0, 0.0)
    return Observation(
        time=time_s,
        q=np.zeros(1),
        dq=np.zeros(1),
        tau=np.zeros(1),
        pose_ee_in_world=Pose(position=place, quat_wxyz=np.array(DOWN)),
        poses={"cup": Pose(position=place, quat_wxyz=np.array(turned))},
    )


def judged(manner: Manner, xs: Array, *, holds_from_s: float = 0.0, tilt: float = 0.0) -> Verdict:
    judge = MannerJudge(manner, PointHand(holds_from_s))
    for k, x in enumerate(xs):
        judge.watch(seen(0.01 * k, np.array([x, 0.0, 0.0]), tilt * k / len(xs)))
    return judge.judged(Verdict(text="(on cup shelf)", holds=("(on cup shelf)",)))


def test_a_distance_is_judged_while_something_is_carried() -> None:
    manner = Manner(apart=(("plate", 0.1),))
    away = judged(manner, np.linspace(0.5, 0.12, 50))
    assert away.reached and "cup never nearer than 10 cm to plate: 12.0 cm" in away.holds
    near = judged(manner, np.linspace(0.5, 0.06, 50))
    assert near.unmet == ("cup never nearer than 10 cm to plate: 6.0 cm",)
    empty = judged(manner, np.linspace(0.01, 0.3, 50), holds_from_s=0.2)
    assert empty.reached, "the empty hand had to get there"
    first_out = judged(manner, np.concatenate([np.linspace(0.05, 0.3, 50), [0.2]]))
    assert first_out.reached and first_out.numbers["nearest_m: plate"] >= 0.1


def test_what_never_left_has_not_stayed_away() -> None:
    stuck = judged(Manner(apart=(("plate", 0.1),)), np.full(20, 0.05))
    assert stuck.unmet == ("cup never nearer than 10 cm to plate: it never left",)


def test_the_hand_counts_where_nothing_is_carried() -> None:
    done = judged(Manner(apart=(("plate", 0.1),)), np.linspace(0.3, 0.05, 50), holds_from_s=9.0)
    assert done.unmet == ("the hand never nearer than 10 cm to plate: 5.0 cm",)


@pytest.mark.parametrize(("speed", "holds"), [(0.1, True), (0.3, False)])
def test_speed_is_measured(speed: float, holds: bool) -> None:
    done = judged(Manner(max_speed_m_s=0.1), np.arange(50) * 0.01 * speed)
    assert done.reached == holds
    assert done.numbers["top_speed_m_s"] == pytest.approx(speed)


@pytest.mark.parametrize(("tilt", "holds"), [(0.2, True), (0.8, False)])
def test_tilt_is_measured_of_what_is_held(tilt: float, holds: bool) -> None:
    done = judged(Manner(upright=True), np.zeros(50), tilt=tilt)
    assert done.reached == holds
    assert done.numbers["tilt_rad"] == pytest.approx(tilt * 49 / 50, abs=1e-6)


@pytest.mark.parametrize(
    "manner",
    [Manner(), Manner(max_speed_m_s=0.1, apart=(("red-cup", 0.1), ("plate", 0.02)), upright=True)],
)
def test_a_manner_survives_the_log(manner: Manner) -> None:
    assert from_record(Record.parse(json.dumps(to_json(manner)))) == manner


def test_a_manner_in_words() -> None:
    manner = Manner(max_speed_m_s=0.1, apart=(("red-cup", 0.1),), upright=True)
    assert in_words(manner) == "at least 10 cm from red-cup, at most 0.1 m/s, what is held upright"
    assert in_words(Manner()) == ""
