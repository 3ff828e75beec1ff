"""Disturbances happen when they should; what becomes of a trial is judged from the simulator."""

from __future__ import annotations

import numpy as np
import pytest

from embodied.bench.disturb.suite import Settings, cases, recoverable, summarise, tables
from embodied.bench.disturb.trials import run_trial
from embodied.bench.disturb.world import KINDS, DisturbedWorld, choose
from embodied.protocols import Event
from embodied.types import Atom, Command
from embodied.world.grounding import TabletopGrounder
from embodied.world.mujoco import build_world
from embodied.world.scene import load_scene

PLAN = [
    ("pick", "red-block", "table"),
    ("stack", "red-block", "blue-block"),
    ("pick", "green-block", "table"),
    ("put-in", "green-block", "bin"),
]


def test_what_happens_is_drawn_from_the_plan() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        dropped = choose("dropped", PLAN, rng, "")
        assert dropped is not None and PLAN[dropped.actions[0]][0] in ("stack", "put-in")
        assert dropped.towards == PLAN[dropped.actions[0]][2]
        undone = choose("undone", PLAN, rng, "")
        assert undone is not None and undone.target == "red-block" and min(undone.actions) == 2
        new = choose("new", PLAN, rng, "purple-block")
        assert new is not None and new.concerned == {new.target, "purple-block"}
        moved = choose("moved", PLAN, rng, "")
        assert moved is not None and PLAN[moved.actions[-1]][:2] == ("pick", moved.target)
    assert choose("none", PLAN, rng, "") is None
    assert choose("drawer", PLAN, rng, "") is None
    drawer = choose("drawer", [("open", "drawer"), *PLAN], rng, "")
    assert drawer is not None and drawer.actions == (1,)


@pytest.fixture
def disturbed() -> DisturbedWorld:
    world = DisturbedWorld(build_world(load_scene("blocks")), np.random.default_rng(0))
    world.reset(seed=1)
    return world


def hold(world: DisturbedWorld, steps: int) -> None:
    q = world.observe().q
    for _ in range(steps):
        world.step(Command(q=q))


def test_things_are_taken_and_given_back(disturbed: DisturbedWorld) -> None:
    grounder = TabletopGrounder(disturbed.spec)
    disturbed.take_away("red-block")
    hold(disturbed, 30)
    facts = grounder.facts(disturbed.observe())
    assert not any(f.predicate in ("on", "in") and f.args[0] == "red-block" for f in facts)
    assert disturbed.give_back("red-block")
    hold(disturbed, 30)
    assert Atom.parse("(on red-block table)") in grounder.facts(disturbed.observe())


def test_it_happens_during_its_action_and_only_once(disturbed: DisturbedWorld) -> None:
    what = choose("moved", [("pick", "yellow-block", "table")], np.random.default_rng(0), "")
    assert what is not None
    disturbed.disturbance = what
    hold(disturbed, 100)
    assert disturbed.happened_s is None, "no action is going on"
    before = disturbed.observe().poses["yellow-block"].position
    disturbed.hear(Event(kind="action", data={}))
    hold(disturbed, what.delay_steps + 40)
    moved = float(np.linalg.norm(disturbed.observe().poses["yellow-block"].position - before))
    assert disturbed.happened_s is not None and moved > 0.07
    again = disturbed.observe().poses["yellow-block"].position
    hold(disturbed, 60)
    after = disturbed.observe().poses["yellow-block"].position
    assert float(np.linalg.norm(after - again)) < 0.005


@pytest.mark.slow
def test_a_moved_block_is_noticed_and_the_goal_still_reached() -> None:
    result = run_trial({"kind": "moved", "seed": 0, "configuration": "both"})
    assert result["status"] == "ok" and result["reached"] and result["noticed"]
    assert result["wasted"] is not None and recoverable(result)


def test_rows_count_what_they_say() -> None:
    base = {
        "configuration": "both",
        "status": "ok",
        "claimed": False,
        "hand_empty": True,
        "alarms": 0,
        "failed": 1,
        "wasted": 2,
        "noticed": "contradiction",
    }
    results = [
        {**base, "kind": "moved", "reached": True},
        {**base, "kind": "moved", "reached": False, "noticed": "", "wasted": 3},
        {**base, "kind": "moved", "reached": True, "status": "void"},
        {**base, "kind": "stolen", "reached": False, "wasted": None},
        {**base, "kind": "none", "reached": True, "noticed": "", "wasted": None},
    ]
    rows = {r["kind"]: r for r in summarise(results)}
    assert rows["moved"]["trials"] == 2 and rows["moved"]["void"] == 1
    assert rows["moved"]["recovered"] == 1 and rows["moved"]["recoverable"] == 2
    assert rows["moved"]["steps_wasted"] == 2.0
    assert rows["stolen"]["recoverable"] == 0 and rows["stolen"]["stopped_safe"] == 1
    assert rows["all"]["trials"] == 3 and rows["all"]["noticed"] == 2
    assert "critic on, memory on" in tables(summarise(results))
    ids = [t.id for t in cases(Settings(trials=3, compare=1))]
    assert len(set(ids)) == len(ids) == 6 * len(KINDS)
