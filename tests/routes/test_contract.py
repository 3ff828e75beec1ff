"""All routes pass the conformance suite, the example's toy route included."""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from embodied_controllers.mpc import PlannerOptions

from embodied.app.wiring import open_environment, open_session, session_of
from embodied.language.reward import make_term, quadruped_speech
from embodied.route import ROUTES
from embodied.routes.contract import RouteContract
from embodied.routes.reward.route import RewardRoute
from embodied.routes.reward.setup import build_setup, environment_of
from embodied.session import Session
from embodied.settings import Settings
from embodied.symbolic import read_domain, render_problem
from embodied.types import (
    MapOperation,
    MixedProgram,
    PddlProgram,
    Region,
    RewardProgram,
    RewardStage,
    ValueMapProgram,
    ValueMapStage,
)
from embodied.world.grounding import TabletopGrounder
from embodied.world.mujoco import build_world
from embodied.world.scene import load_scene

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
QUICK = PlannerOptions(horizon_s=0.4, n_knots=3, n_samples=16, halvings=(0.5,))


class TestPddl(RouteContract[PddlProgram]):
    def open_session(self) -> Session:
        return open_session(Settings(seed=3, route="pddl"))

    def program(self, *stages: str) -> PddlProgram:
        grounder = open_grounder()
        domain = read_domain(grounder.domain_text)
        text = render_problem("asked", domain, dict(grounder.objects), frozenset(), stages)
        return PddlProgram(
            domain=grounder.domain_text, problem=text, stages=stages, source="contract"
        )

    def reachable(self) -> PddlProgram:
        return self.program("(on red-block tray)", "(on blue-block red-block)")

    def unreachable(self) -> PddlProgram:
        return self.program("(and (on red-block blue-block) (on blue-block red-block))")


class TestMixed(RouteContract[MixedProgram]):
    def open_session(self) -> Session:
        return open_session(Settings(seed=3, route="mixed", model="rules", pictures=False))

    def program(self, goal: str) -> MixedProgram:
        above = Region(shape="point", frame="blue-block", parameters={"x": 0, "y": 0, "z": 0.12})
        hover = MapOperation(map="affordance", region=above, value=1.0)
        motion = ValueMapProgram(
            stages=(ValueMapStage(moving="gripper", operations=(hover,)),), source="contract"
        )
        return MixedProgram(parts=(TestPddl().program(goal), motion), source="contract")

    def reachable(self) -> MixedProgram:
        return self.program("(on red-block tray)")

    def unreachable(self) -> MixedProgram:
        return self.program("(and (on red-block blue-block) (on blue-block red-block))")


@cache
def open_grounder() -> TabletopGrounder:
    return TabletopGrounder(build_world(load_scene("blocks")).spec)


class TestReward(RouteContract[RewardProgram]):
    keeps_moving = True

    def open_session(self) -> Session:
        settings = Settings(robot="quadruped")
        setup = build_setup("quadruped", options=QUICK)
        from embodied.language.reward.rules import RewardRules

        route = RewardRoute(setup, RewardRules(quadruped_speech()))
        return session_of(settings, environment_of(setup, settings), route)

    def program(self, **term: float) -> RewardProgram:
        stage = RewardStage(terms=(make_term("torso_height", weight=40.0, **term),))
        return RewardProgram(robot="quadruped", stages=(stage,), source="contract")

    def reachable(self) -> RewardProgram:
        return self.program(height=0.2)

    def unreachable(self) -> RewardProgram:
        far = make_term("torso_position", x=5.0, y=5.0, weight=5.0)
        stage = RewardStage(terms=(far,), duration_s=0.4)
        return RewardProgram(robot="quadruped", stages=(stage,), source="contract")

    def illegal(self) -> RewardProgram:
        return self.program(height=9.0)


class TestValueMap(RouteContract[ValueMapProgram]):
    def open_session(self) -> Session:
        return open_session(Settings(seed=3, route="value-map", pictures=False))

    def program(self, frame: str, **place: float) -> ValueMapProgram:
        region = Region(shape="point", frame=frame, parameters={"x": 0.0, "y": 0.0, **place})
        stage = ValueMapStage(
            moving="gripper", operations=(MapOperation(map="affordance", region=region, value=1.0),)
        )
        return ValueMapProgram(stages=(stage,), source="contract")

    def reachable(self) -> ValueMapProgram:
        return self.program("red-block", z=0.12)

    def unreachable(self) -> ValueMapProgram:
        return self.program("world", x=0.9, y=0.45, z=0.5)

    def illegal(self) -> ValueMapProgram:
        return self.program("unicorn", z=0.1)


class TestWave(RouteContract[Any]):
    """The example's route, in one file."""

    @pytest.fixture(autouse=True)
    def _on_the_path(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.syspath_prepend(EXAMPLES)

    def open_session(self) -> Session:
        from own_route import WaveRoute, WaveRules

        settings = Settings(seed=3)
        place = open_environment(settings)
        return session_of(settings, place, WaveRoute(place.body.spec, WaveRules()))

    def program(self, times: int) -> Any:
        from own_route import WaveProgram

        return WaveProgram(times=times, source="contract")

    def reachable(self) -> Any:
        return self.program(2)

    def unreachable(self) -> Any:
        import own_route

        own_route.ENOUGH = 3.0  # farther than it swings
        return self.program(1)

    def illegal(self) -> Any:
        return self.program(7)

    @pytest.fixture(autouse=True)
    def _as_it_was(self, monkeypatch: pytest.MonkeyPatch, _on_the_path: None) -> None:
        import own_route

        monkeypatch.setattr(own_route, "ENOUGH", 0.9)


def distribution(folder: Path, group: str, name: str, target: str) -> None:
    """Another package's metadata, as an installer leaves it."""
    info = folder / "other_package-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: other-package\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[{group}]\n{name} = {target}\n")


def test_another_packages_route_is_run_by_the_command_line(tmp_path: Path) -> None:
    import json
    import os
    import subprocess

    distribution(tmp_path, "embodied.routes", "wave", "own_route:ROUTE")
    path = os.pathsep.join([str(tmp_path), str(EXAMPLES), *filter(None, sys.path)])
    command = [sys.executable, "-m", "embodied.app.cli.main"]

    def embodied(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*command, *words],
            env={**os.environ, "PYTHONPATH": path},
            capture_output=True,
            text=True,
            check=False,
        )

    out = ("--no-video", "--json", "--model", "rules", "--out", str(tmp_path / "runs"))
    done = embodied("run", "wave twice", "--route", "wave", *out)
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert summary["route"] == "wave" and summary["verdict"]["reached"]
    assert [g["text"] for g in summary["verdict"]["goals"]] == ["wave 1", "wave 2"]
    (folder,) = (tmp_path / "runs").iterdir()
    assert (folder / "memory.jsonl").is_file()
    again = embodied("replay", str(folder), "--execute", *out[:2], "--out", str(tmp_path / "again"))
    assert again.returncode == 0, again.stderr
    refused = embodied("run", "wave twice", "--route", "wave", "--optimal", *out)
    assert refused.returncode == 2 and "goes with the route mixed, pddl" in refused.stderr
    wrong = embodied("run", "wave twice", "--route", "wav", *out)
    assert "Did you mean wave?" in wrong.stderr


def test_all_routes_of_this_package_are_found() -> None:
    assert set(ROUTES.names) >= {"pddl", "reward", "value-map"}
    assert all(ROUTES.get(n).name == n for n in ROUTES.names)
