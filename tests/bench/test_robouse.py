"""Tables told by another simulator: their scenes, their world, and a sentence carried out there.

robouse itself is not here: an episode with the same requests runs in this project's simulator.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from embodied.bench.robouse import agent, harness, link
from embodied.bench.robouse.agent import ROBOT, sentence_of
from embodied.bench.robouse.scene import TURN, read_table
from embodied.bench.robouse.suite import Settings as SuiteSettings
from embodied.bench.robouse.suite import build_report, table
from embodied.bench.robouse.world import LEAD_M, STEP_M, STEP_S, EpisodeWorld
from embodied.errors import WorldError
from embodied.protocols import World
from embodied.settings import Settings
from embodied.types import Command
from embodied.world import robots
from embodied.world.contract import WorldContract, _run
from embodied.world.layout import Layout
from embodied.world.mujoco import MujocoWorld, build_world

BACK = TURN.inverse()
FIXTURES: Mapping[str, Any] = {
    "bowl": {"kind": "bowl", "color": "white", "pos": [0.1, 0.0, 0.0], "floor_z": 0.006,
             "rim_z": 0.035, "inner_diameter": 0.14},
    "pad_a": {"kind": "pad", "color": "grey", "label": "A", "pos": [0.2, -0.2, 0.0],
              "size": [0.09, 0.09]},
    "drawer": {"kind": "drawer", "color": "darkgrey", "cabinet_pos": [-0.2, 0.17, 0.0],
               "opening": 0.05, "max_opening": 0.12, "handle_pos": [-0.2, 0.003, 0.045],
               "interior_center": [-0.2, 0.12, 0.006], "interior_size": [0.118, 0.118],
               "wall_top_z": 0.056, "cabinet_top_z": 0.09, "cabinet_front_y": 0.1},
    "figure": {"kind": "figure", "head_pos": [0.3, 0.2, 0.03], "feet_pos": [0.3, -0.1, 0.02]},
    "gadget": {"kind": "unheard-of"},
}  # fmt: skip
OBJECTS: Mapping[str, Any] = {
    "red_block_a": {"kind": "box", "color": "red", "pos": [-0.1, -0.1, 0.02],
                    "size": [0.04, 0.04, 0.04], "yaw_deg": 0.0},
    "violet_1": {"kind": "cylinder", "color": "violet", "pos": [0.0, -0.2, 0.035],
                 "size": [0.03, 0.03, 0.07]},
    "iron_slab": {"kind": "box", "color": "darkgrey", "label": "heavy", "yaw_deg": 90.0,
                  "pos": [-0.2, -0.2, 0.02], "size": [0.04, 0.06, 0.04]},
}  # fmt: skip


def state(**more: object) -> dict[str, object]:
    hand = {"hand_pos": [0.0, 0.2, 0.25], "gripper_open": 1.0, "holding": []}
    return {**hand, "objects": OBJECTS, "fixtures": FIXTURES, **more}


class Kinematic:
    """An episode without physics: the hand goes where it is told to."""

    def __init__(self) -> None:
        self.hand, self.open, self.steps = np.array([0.0, 0.2, 0.25]), 1.0, 0

    def __call__(self, op: str, **values: Any) -> Mapping[str, object]:
        if op == "act":
            *move, grip = values["action"]
            assert all(-1.0 <= a <= 1.0 for a in values["action"])
            self.hand = self.hand + STEP_M * np.array(move)
            self.open += float(np.clip((1 - grip) / 2 - self.open, -0.1, 0.1))
            self.steps += 1
        told = state(hand_pos=list(self.hand), gripper_open=self.open)
        return {"state": told, "steps_used": self.steps}


class TestEpisodeWorld(WorldContract):
    """The conformance suite; an episode of another program starts once only."""

    def make_world(self) -> World:
        return EpisodeWorld(Kinematic(), robots.load(str(ROBOT)))

    def test_equal_seeds_give_equal_episodes(self, world: World) -> None:
        runs = [_run(world, 3), _run(self.make_world(), 3)]
        for a, b in zip(*runs, strict=True):
            np.testing.assert_array_equal(a.q, b.q)
        with pytest.raises(WorldError, match="starts once"):
            world.reset(seed=3)


def test_a_told_table_becomes_a_scene() -> None:
    found = read_table(state(), np.array([-0.27, -0.34, 0.0]), np.array([0.28, 0.34, 0.35]))
    things = found.scene.objects
    kinds = {n: (o.kind, o.category) for n, o in things.items()}
    assert kinds == {
        "table": ("surface", "table"),
        "bowl": ("container", "bowl"),
        "pad-a": ("surface", "pad"),
        "drawer": ("drawer", "drawer"),
        "cabinet": ("surface", "cabinet"),
        "figure": ("surface", "figure"),
        "red-block-a": ("item", "block"),
        "violet-1": ("item", "cylinder"),
        "iron-slab": ("item", "slab"),
    }
    assert "heavy slab" in things["iron-slab"].aliases and "person" in things["figure"].aliases
    poses, openings = found.poses(state()), found.openings_m(state())
    assert openings == {"drawer": 0.05}
    np.testing.assert_allclose(things["drawer"].opens_along, (-1.0, 0.0, 0.0), atol=1e-9)
    np.testing.assert_allclose(poses["drawer"].position[:2], [0.12, 0.2], atol=0.005)
    np.testing.assert_allclose(poses["iron-slab"].rotation[:, 0], [1, 0, 0], atol=1e-9)
    np.testing.assert_allclose(poses["pad-a"].position, [-0.2, -0.2, 0.0005])


def test_the_drawer_in_the_planning_model_has_its_bar_where_it_was_told() -> None:
    world = EpisodeWorld(Kinematic(), robots.load(str(ROBOT)))
    copy = build_world(world.table.scene, robots.load(str(ROBOT)))
    copy.data.qpos[copy.model.joint("drawer").qposadr[0]] = 0.05
    import mujoco

    mujoco.mj_kinematics(copy.model, copy.data)
    bar = copy.data.site("drawer-handle").xpos
    np.testing.assert_allclose(bar, [0.003, 0.2, 0.045], atol=1e-6)
    pose = world.table.poses(state())["drawer"]
    np.testing.assert_allclose(copy.data.body("drawer").xpos, pose.position, atol=1e-6)


class Simulated:
    """The same requests, answered by this project's simulator; says how the episode ended."""

    def __init__(self) -> None:
        robot = robots.load(str(ROBOT))
        told = EpisodeWorld(lambda op, **values: {"state": state(), "steps_used": 0}, robot)
        self.table, self.steps, self.ended = told.table, 0, ("", "")
        self.world: MujocoWorld = build_world(told.table.scene, robot)
        poses = told.table.poses(state())
        layout = Layout(poses={n: poses[n] for n in told.table.items}, openings_m={"drawer": 0.05})
        self.seen = self.world.set_layout(layout)
        self.width, self.target = 0.1, np.array(self.seen.q)

    def __call__(self, op: str, **values: Any) -> Mapping[str, object]:
        if op in ("done", "give_up"):
            self.ended = (op, values["text"])
        if op == "act":
            *move, grip = values["action"]
            self.width = 0.1 * (1 - grip) / 2
            move = TURN.apply(move)
            ahead = self.target + STEP_M * move - self.seen.q
            self.target = self.seen.q + np.clip(ahead, -LEAD_M, LEAD_M)
            dq = STEP_M * move / STEP_S
            for half in (0.5, 1.0):
                command = Command(
                    q=self.target - (1 - half) * STEP_S * dq,
                    dq=dq,
                    gripper_width_m=self.width,
                    gripper_force_n=20.0,
                )
                self.seen = self.world.step(command).observation
            self.steps += 1
        return {"state": self._told(), "steps_used": self.steps}

    def _told(self) -> dict[str, object]:
        seen, grip = self.seen, self.seen.gripper
        assert grip is not None
        things = {
            told: {**OBJECTS[told], "pos": list(BACK.apply(seen.poses[name].position))}
            for name, told in self.table.items.items()
        }
        opening = seen.openings_m["drawer"]
        moved = {
            **FIXTURES["drawer"],
            "opening": opening,
            "interior_center": [-0.2, 0.17 - opening, 0.006],
            "handle_pos": [-0.2, 0.053 - opening, 0.045],
        }
        return {
            "hand_pos": list(BACK.apply(seen.q)),
            "gripper_open": grip.width_m / 0.1,
            "holding": ["something"] if grip.force_n > 1 else [],
            "objects": things,
            "fixtures": {**FIXTURES, "drawer": moved},
        }


def test_a_prompt_is_carried_out_in_the_world_of_an_episode(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    episode = Simulated()
    monkeypatch.setattr(link, "ask", episode)
    prompt = "# A table\n\n**Goal:** Put the red block in the white bowl.\n\n## More\n"
    agent.carry_out(prompt, Settings(route="mixed"))
    assert episode.ended[0] == "done", episode.ended
    block = episode.seen.poses["red-block-a"].position
    assert np.linalg.norm(block[:2] - [0.0, -0.1]) < 0.07 and block[2] < 0.035
    said = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert said["exit_code"] == 0
    assert [e["action"] for e in said["events"] if e["kind"] == "effects"] == [
        "(pick red-block-a table)",
        "(put-in red-block-a bowl)",
    ]


def test_what_is_not_understood_is_given_up_with_the_reason(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    episode = Simulated()
    monkeypatch.setattr(link, "ask", episode)
    agent.carry_out("**Goal:** Put the wardrobe in the white bowl.", Settings(route="mixed"))
    assert episode.ended[0] == "give_up" and "wardrobe" in episode.ended[1]
    assert episode.steps == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["exit_code"] == 2


def test_a_prompt_without_the_heading_is_the_sentence_itself() -> None:
    assert sentence_of("put it away\n") == "put it away"


def test_only_the_prompt_is_handed_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    @dataclasses.dataclass
    class Launch:
        cmd: list[str]
        env: dict[str, str]
        notes: dict[str, str]
        read_only: list[Path]
        config: dict[str, object]

    for name in ("robouse", "robouse.harnesses"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    monkeypatch.setattr(sys.modules["robouse.harnesses"], "Launch", Launch, raising=False)
    monkeypatch.setenv(harness.PYTHON, "/somewhere/python")
    monkeypatch.setenv(harness.PATHS, "/somewhere:/else")
    monkeypatch.setenv(harness.SETTINGS, '{"route": "mixed"}')
    monkeypatch.setenv("SOME_API_KEY", "secret")
    (tmp_path / ".robouse").mkdir()
    start = {"ROBOUSE_SOCKET": "s"}
    built = harness.build("embodied", "", "do it", tmp_path, "the task and its goal", start)
    assert isinstance(built, Launch)
    said = json.dumps([built.cmd, built.env, built.notes, str(built.config)])
    assert "the task" not in said and "secret" not in said and built.cmd[0] == "/somewhere/python"
    assert Path(built.cmd[-2]).read_text("utf-8") == "do it"
    assert built.env["ROBOUSE_SOCKET"] == "s" and Path("/else") in built.read_only
    built = harness.build("embodied", "openai:m", "do it", tmp_path, None, start)
    assert isinstance(built, Launch) and built.env["SOME_API_KEY"] == "secret"


def test_the_harness_is_found_as_an_entry_point(tmp_path: Path) -> None:
    from importlib.metadata import distributions

    harness.install(tmp_path)
    (found,) = distributions(path=[str(tmp_path)])
    (entry,) = found.entry_points
    assert (entry.group, entry.name) == ("robouse.harnesses", "embodied")
    assert entry.value == f"{harness.MODULE}:build"
    assert "def build(" in (tmp_path / f"{harness.MODULE}.py").read_text("utf-8")


def test_a_report_says_where_episodes_were_lost() -> None:
    def row(task: str, method: str, won: bool, stage: str, claimed: bool) -> dict[str, object]:
        common = {"suite": "s", "seed": 0, "steps": 1, "wall_s": 1.0}
        said = {"success": won, "stage": stage, "claimed": claimed, "message": "why"}
        said["outcome"] = "done" if claimed else "gave_up"
        return {"id": task, "task": task, "method": method, **common, **said}

    rows = [
        row("a", "embodied", True, "", True),
        row("b", "embodied", False, "language", False),
        row("c", "embodied", False, "verdict", True),
        row("d", "embodied", True, "", False),
        row("a", "noop", False, "control", False),
    ]
    report = build_report(rows, SuiteSettings())
    ours = report["figures"][0]
    assert (ours["successes"], ours["n"], ours["false_claims"]) == (2, 4, 1)
    assert ours["given_up"] == 1
    assert ours["lost"] == {"language": 1, "verdict": 1}
    text = table(report)
    assert "2/4" in text and "b (language): why" in text
