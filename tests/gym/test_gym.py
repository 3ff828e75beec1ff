from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

gymnasium = pytest.importorskip(
    "gymnasium", reason="gymnasium is not installed (extra [gym])", exc_type=ImportError
)

from gymnasium.utils.env_checker import check_env  # noqa: E402
from gymnasium.utils.seeding import np_random  # noqa: E402

from embodied import Settings, open_session  # noqa: E402
from embodied.errors import NotUnderstoodError, OptionError  # noqa: E402
from embodied.gym import register_envs  # noqa: E402
from embodied.gym.actions import KINDS, LINEAR_M_S, setpoint_action  # noqa: E402
from embodied.gym.env import TabletopEnv  # noqa: E402

SENTENCE = "put the red block on the green block"


@pytest.fixture
def env() -> Iterator[TabletopEnv]:
    made = TabletopEnv("blocks", sentence=SENTENCE, actions="ee")
    yield made
    made.close()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["Blocks", "Kitchen", "Workshop"])
def test_the_checker_of_gymnasium_has_nothing_to_say(name: str, kind: str) -> None:
    made = gymnasium.make(f"embodied/{name}-v0", actions=kind)
    check_env(made.unwrapped, skip_render_check=True)  # warnings are errors here
    made.close()


def test_the_name_alone_brings_the_environments() -> None:
    code = (
        "import gymnasium; made = gymnasium.make('embodied.gym:embodied/Blocks-v0');"
        "assert made.spec.max_episode_steps == 300; made.close()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    before = gymnasium.registry["embodied/Blocks-v0"]
    register_envs()
    assert gymnasium.registry["embodied/Blocks-v0"] is before


def test_equal_seeds_give_equal_episodes(env: TabletopEnv) -> None:
    def episode(seed: int) -> list[Any]:
        seen, _ = env.reset(seed=seed)
        trace = [seen["objects"]]
        for k in range(5):
            trace.append(env.step(np.full(7, 0.1 * k, np.float32))[0]["q"])
        return trace

    first, again, other = episode(3), episode(3), episode(4)
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first[0], other[0])


def test_the_hand_moves_as_an_action_says(env: TabletopEnv) -> None:
    before, _ = env.reset(seed=0)
    for _ in range(4):
        after, *_ = env.step(np.array([0, 1, 0, 0, 0, 0, -1], np.float32))
    moved = after["ee"][:3] - before["ee"][:3]
    assert moved[1] == pytest.approx(4 * 0.1 * LINEAR_M_S, abs=0.03)
    assert abs(moved[0]) < 0.02 and abs(moved[2]) < 0.02
    assert after["gripper"][0] < before["gripper"][0] - 0.02


@pytest.mark.parametrize("kind", ["joint", "setpoint"])
def test_no_joint_is_faster_than_its_limit(kind: str) -> None:
    made = TabletopEnv("blocks", actions=kind)
    made.reset(seed=0)
    spec, rng = made._body.spec, np.random.default_rng(1)  # noqa: SLF001
    for _ in range(20):
        before = made._body.q_set  # noqa: SLF001
        made.step(rng.choice([-1.0, 1.0], made.action_space.shape).astype(np.float32))
        change = np.abs(made._body.q_set - before)  # noqa: SLF001
        assert (change <= spec.dq_max * 0.1 + 1e-9).all()
        assert (made._body.q_set >= spec.q_lower - 1e-9).all()  # noqa: SLF001
    made.close()


def test_the_planners_motion_is_a_success_here_too() -> None:
    made = TabletopEnv("blocks", actions="setpoint", period_s=0.02)
    seen, info = made.reset(seed=5, options={"sentence": SENTENCE})
    assert seen["sentence"] == SENTENCE and info["goal"] == "(on red-block green-block)"
    assert not info["is_success"]

    layout = int(np_random(5)[0].integers(2**31))
    session = open_session(Settings(scene="blocks", route="pddl", seed=layout))
    body, told, width = session.environment.body, [], None
    dt = body.spec.control_dt_s

    def follow(_: object) -> None:
        nonlocal width
        assert body.applied is not None
        asked = body.applied.gripper_width_m
        width = width if asked is None else asked
        told.append(setpoint_action(body.spec, body.applied.q, width))

    body.watchers.append(follow)
    assert session.run(SENTENCE).reached
    session.close()
    steps = round(0.02 / dt)
    rewards = [0.0]
    for action in told[steps - 1 :: steps]:
        _, reward, done, _, info = made.step(action.astype(np.float32))
        rewards.append(reward)
        if done:
            break
    made.close()
    assert info["is_success"] and rewards[-1] == 1.0 and sum(rewards) == 1.0


def test_goals_in_order_count_in_their_order(env: TabletopEnv) -> None:
    say = "first put the red block on the green block, then put the yellow block in the bin"
    _, info = env.reset(seed=0, options={"sentence": say})
    assert info["goal"] == "(and (on red-block green-block) (in yellow-block bin))"


@pytest.mark.parametrize("say", ["put the red block on the moon", "is the bin empty?", "x" * 400])
def test_what_is_no_goal_is_refused(env: TabletopEnv, say: str) -> None:
    with pytest.raises((NotUnderstoodError, ValueError)):
        env.reset(options={"sentence": say})


def test_wrong_arguments_name_the_legal_ones(env: TabletopEnv) -> None:
    with pytest.raises(OptionError, match="legal are"):
        TabletopEnv("blocks", cameras=["nowhere"])
    with pytest.raises(ValueError, match="joint, ee, setpoint"):
        TabletopEnv("blocks", actions="torque")
    with pytest.raises(ValueError, match="rgb_array"):
        TabletopEnv("blocks", render_mode="human")
    with pytest.raises(ValueError, match="sentence"):
        env.reset(options={"sentense": "x"})
    env.reset(seed=0)
    for action in (np.zeros(3), np.full(7, np.nan)):
        with pytest.raises(ValueError, match="finite numbers"):
            env.step(action)


def test_pictures_are_observed_and_drawn() -> None:
    made = TabletopEnv(
        "blocks", cameras=["main"], size_px=(64, 48), actions="joint", render_mode="rgb_array"
    )
    seen, _ = made.reset(seed=0)
    assert seen["camera_main"].shape == (48, 64, 3) and seen["camera_main"].std() > 5
    assert made.observation_space.contains(seen)
    drawn = made.render()
    assert drawn is not None and drawn.shape == (480, 640, 3)
    made.close()


@pytest.mark.parametrize("mode", ["sync", pytest.param("async", marks=pytest.mark.slow)])
def test_environments_side_by_side(mode: str) -> None:
    many = gymnasium.make_vec("embodied/Blocks-v0", num_envs=2, vectorization_mode=mode)
    seen, _ = many.reset(seed=[1, 2])
    assert seen["objects"].shape[0] == 2 and len(seen["sentence"]) == 2
    assert not np.array_equal(seen["objects"][0], seen["objects"][1])
    seen, rewards, *_, info = many.step(np.zeros(many.action_space.shape, np.float32))
    assert seen["q"].shape == (2, 7) and rewards.shape == (2,)
    assert info["is_success"].tolist() == [False, False]
    many.close()
