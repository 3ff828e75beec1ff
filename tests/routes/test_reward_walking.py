from __future__ import annotations

import numpy as np
import pytest

from embodied.app.wiring import session_of
from embodied.language.reward.building import facing, stage, walking
from embodied.language.reward.rules import RewardRules
from embodied.outcome import REACHED, Outcome
from embodied.protocols import Event
from embodied.routes.reward.route import RewardRoute
from embodied.routes.reward.setup import build_setup, environment_of
from embodied.routes.reward.trace import Trace, judged
from embodied.settings import Settings
from embodied.types import RewardProgram, RewardTerm


def walked(sentence: str) -> tuple[Outcome, list[str]]:
    setup = build_setup("quadruped", seed=0)
    settings = Settings(robot="quadruped")
    opened = session_of(
        settings,
        environment_of(setup, settings),
        RewardRoute(setup, RewardRules(setup.speech)),
    )
    events: list[Event] = []
    outcome = opened.run(sentence, emit=events.append, write=lambda name, data: None, move=True)
    shown = next(e.data["stages"] for e in events if e.kind == "program")
    opened.close()
    return outcome, shown


def test_a_walk_without_a_duration_is_judged_over_the_one_that_is_shown() -> None:
    outcome, shown = walked("walk forward at 0.5 m/s")
    assert shown[0].endswith("for 8 s, since no duration is given")
    assert outcome.exit_code == REACHED
    (told,) = outcome.details["measured"]
    assert told["seconds"] == pytest.approx(8.0, abs=0.05)
    assert told["forward_m"] == pytest.approx(0.5 * 7.75, abs=0.3)
    assert told["farthest_off_path_m"] < 0.3


def test_a_walk_takes_the_duration_of_the_sentence() -> None:
    outcome, shown = walked("sidestep to the left at 0.3 m/s for 2 seconds")
    assert "no duration" not in shown[0]
    assert outcome.exit_code == REACHED
    (told,) = outcome.details["measured"]
    assert told["seconds"] == pytest.approx(2.0, abs=0.05)
    assert told["left_m"] == pytest.approx(0.3 * 1.75, abs=0.15)


@pytest.mark.parametrize(("terms", "unmet"), [
    (walking(0.5, 0.0), ["torso_velocity", "torso_path"]),
    (facing(0.0), []),
])  # fmt: skip
def test_a_robot_that_only_leans_at_the_end_has_not_walked(
    terms: tuple[RewardTerm, ...], unmet: list[str]
) -> None:
    setup = build_setup("quadruped")
    setup.world.reset(seed=0)
    program = RewardProgram(robot="quadruped", stages=(stage(*terms),), source="test")
    trace = Trace(program, setup.judge.view, setup.judge.layout)
    state = setup.world.full_state()
    state[setup.judge.layout.qpos["torso"] + 3 :][:4] = [1.0, 0.0, 0.0, 0.0]
    for time in np.arange(0.0, 3.0, 0.01):
        now = state.copy()
        now[0] = time
        if terms[0].name == "torso_velocity" and time > 2.4:
            now[setup.judge.layout.qvel["torso"]] = 0.5
        trace.add(0, now, setup.judge.sensors_of(now))
    found = judged(trace.asked(0), trace.view(0, 0.5), trace.view(0), setup.speech.vocabulary)
    missed = found.unmet
    assert [text.split()[0] for text in missed] == unmet
    assert "torso_path" in trace.csv()
    setup.close()
