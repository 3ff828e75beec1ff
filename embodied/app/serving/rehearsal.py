"""A rehearsal: a program is carried out in a simulated copy before anybody allows it.

The copy starts from the state of the session and from its memory. It is a simulation of its own:
where the session's objects come from cameras, or the arm is behind a supervisor, the real motion
differs by what the simulator does not know, and it is planned again from what is measured then.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from embodied.app.wiring import open_session
from embodied.language.opening import RULES
from embodied.outcome import Outcome
from embodied.recovery import Question
from embodied.session import Session
from embodied.settings import Settings
from embodied.types import Array, Observation, Program

RATE_HZ = 20.0
_LONGEST_S = 120.0
"""Longest rehearsed motion, simulated s: a standing order to keep something up has no end."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rehearsal:
    """What happened in the copy.

    Attributes:
        qpos: Its configurations at ``RATE_HZ``, (n, nq), in the order of ``Session.qpos``.
        hand: Where the hand was in them, world frame, (n, 3), m.
        moved_s: Simulated time that it took, s.
        outcome: How it ended; None where it was longer than is rehearsed.
    """

    qpos: Array
    hand: Array
    moved_s: float
    outcome: Outcome | None


class _TooLong(Exception):  # noqa: N818 - ends a rehearsal, and is no error
    pass


def rehearse(
    settings: Settings, session: Session, program: Program, watch: Callable[[Session], None]
) -> Rehearsal:
    """Carry a program out in a copy of a session's world, where nothing asks and nothing is kept.

    Args:
        settings: What the session was opened with.
        session: The session.
        program: The program.
        watch: Given the copy before it moves, e.g. to let it be stopped.

    Raises:
        EmbodiedError: The copy cannot be opened, or the program not be carried out in it.
    """
    copied = replace(settings, world="mujoco", model=RULES, asynchronous=False, record=None)
    if settings.world.endswith("pybullet"):
        copied = replace(copied, robot=Settings().robot)
    copy = open_session(copied, ask=_yes_to_what_is_only_rehearsed)
    rows: list[Array] = []
    hands: list[Array] = []

    def record(seen: Observation) -> None:
        if seen.time > begin + _LONGEST_S:
            raise _TooLong
        if seen.time >= begin + len(rows) / RATE_HZ - 1e-9:
            rows.append(copy.qpos())
            hands.append(np.array(seen.pose_ee_in_world.position))

    try:
        copy.take_after(session)
        begin = copy.time_s()
        record(copy.environment.body.observation)
        copy.environment.body.watchers.append(record)
        watch(copy)
        try:
            outcome = copy.pursue(program)
        except _TooLong:
            outcome = None
        moved = copy.time_s() - begin
        rows.append(copy.qpos())
        hands.append(np.array(copy.environment.body.observation.pose_ee_in_world.position))
    finally:
        copy.close()
    return Rehearsal(qpos=np.array(rows), hand=np.array(hands), moved_s=moved, outcome=outcome)


def _yes_to_what_is_only_rehearsed(question: Question) -> bool:
    return question.kind != "help"
