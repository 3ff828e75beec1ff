"""The Franka Hand's thread against a stand-in for the vendor's class: it needs no client."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from embodied.bridge.vendors.franka_hand import Hand


class _Command:
    """A command that is over at once, or never, or refused."""

    def __init__(self, *, ends: bool = True, refused: str = "") -> None:
        self.ends = ends
        self.refused = refused

    def wait(self, timeout: float) -> bool:
        return self.ends

    def get(self) -> bool:
        if self.refused:
            raise RuntimeError(self.refused)
        return True


class _Gripper:
    """Fingers that jump to their target, or to what lies between them."""

    def __init__(self, *, between_m: float = 0.0) -> None:
        self.width = 0.08
        self.between_m = between_m
        self.next = _Command()
        self.told: list[tuple[str, float]] = []
        self._grasped = False

    @property
    def state(self) -> SimpleNamespace:
        stamp = SimpleNamespace(to_sec=time.monotonic)
        return SimpleNamespace(width=self.width, is_grasped=self._grasped, time=stamp)

    def grasp_async(
        self, width: float, speed: float, force: float, inner: float, outer: float
    ) -> _Command:
        self._do("grasp", max(width, self.between_m), width, grasped=True)
        return self.next

    def move_async(self, width: float, speed: float) -> _Command:
        self._do("move", width, width, grasped=False)
        return self.next

    def _do(self, word: str, ends_m: float, width: float, *, grasped: bool) -> None:
        self.told.append((word, width))
        self.width, self._grasped = ends_m, grasped


def _soon(what: Callable[[], bool]) -> bool:
    for _ in range(500):
        if what():
            return True
        time.sleep(0.01)
    return False


def test_closing_on_a_thing_reports_the_force_asked_for() -> None:
    gripper = _Gripper(between_m=0.04)
    hand = Hand(gripper)
    hand.move(0.0, 30.0)
    assert _soon(lambda: hand.seen()[2] == 30.0)
    assert hand.seen()[0] == pytest.approx(0.04)
    hand.move(0.08, 30.0)
    assert _soon(lambda: hand.seen()[0] == pytest.approx(0.08))
    assert hand.seen()[2] == 0.0
    assert gripper.told == [("grasp", 0.0), ("move", 0.08)]


def test_closing_on_nothing_reports_no_force() -> None:
    hand = Hand(_Gripper())
    hand.move(0.0, 30.0)
    assert _soon(lambda: hand.seen()[0] == 0.0)
    assert hand.seen()[2] == 0.0


def test_commands_do_not_overlap_and_the_last_target_wins() -> None:
    gripper = _Gripper()
    gripper.next = _Command(ends=False)
    hand = Hand(gripper)
    hand.move(0.02, 10.0)
    assert _soon(lambda: len(gripper.told) == 1)
    hand.move(0.05, 10.0)
    hand.move(0.06, 10.0)
    time.sleep(0.1)
    assert len(gripper.told) == 1
    gripper.next.ends = True
    assert _soon(lambda: gripper.told[-1] == ("move", 0.06))
    assert len(gripper.told) == 2


def test_a_refused_command_is_told() -> None:
    gripper = _Gripper()
    gripper.next = _Command(refused="not homed")
    hand = Hand(gripper)
    assert hand.problem == ""
    hand.move(0.0, 30.0)
    assert _soon(lambda: "not homed" in hand.problem)
