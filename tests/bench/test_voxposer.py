"""The value-map suite: its episodes, its predicates, its disturbances and its report."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from embodied.bench.benchmark import main, measure
from embodied.bench.voxposer import BENCHMARK, trace
from embodied.bench.voxposer.suite import Settings
from embodied.bench.voxposer.tasks import TASKS, case_of
from embodied.bench.voxposer.trace import Check, Trace
from embodied.bench.voxposer.world import Disturbance, SuiteWorld
from embodied.errors import ConfigurationError
from embodied.language.conversation import Conversation
from embodied.language.value_map import check, describe, digest, to_json
from embodied.language.value_map.rules import RulesValueMapTranslator
from embodied.types import Command, ObjectSpec, WorldSpec
from embodied.world.mujoco import build_world
from embodied.world.scene import Scene

BLOCK = ObjectSpec(name="block", kind="item", category="block", size_m=(0.06, 0.06, 0.06))
CAN = ObjectSpec(
    name="can", kind="item", category="can", size_m=(0.06, 0.06, 0.10), shape="cylinder"
)
N = 101


def spec_of(scene: Scene) -> WorldSpec:
    one = np.zeros(1)
    return WorldSpec(
        name=scene.name,
        robot="none",
        joint_names=("j",),
        q_lower=one,
        q_upper=one,
        dq_max=one,
        ddq_max=one,
        dddq_max=one,
        tau_max=one,
        q_home=one,
        control_dt_s=0.01,
        objects=scene.objects,
        workspace_lower=np.array(scene.workspace_lower_m),
        workspace_upper=np.array(scene.workspace_upper_m),
    )


def line(start: list[float], end: list[float]) -> np.ndarray:
    return np.linspace(start, end, N)


def made(
    ee: np.ndarray | None = None,
    block: np.ndarray | None = None,
    *,
    block_yaw: float = 0.0,
    force: float = 0.0,
    opening: float = 0.0,
    seconds: float = 1.0,
    disturbed_s: float | None = None,
) -> Trace:
    """A second of 101 samples: the block at (0.5, 0, 0.03) and the can at (0.5, 0.3, 0.05)."""
    still = np.tile([0.5, 0.0, 0.03], (N, 1))
    quat = np.array([np.cos(block_yaw / 2), 0.0, 0.0, np.sin(block_yaw / 2)])
    return Trace(
        time=np.linspace(0.0, seconds, N),
        ee=np.tile([0.3, 0.0, 0.3], (N, 1)) if ee is None else ee,
        width=np.full(N, 0.06),
        force=np.full(N, force),
        positions={
            "block": still if block is None else block,
            "can": np.tile([0.5, 0.3, 0.05], (N, 1)),
        },
        quats={
            "block": np.linspace([1.0, 0.0, 0.0, 0.0], quat, N),
            "can": np.tile([1.0, 0.0, 0.0, 0.0], (N, 1)),
        },
        openings={"drawer": np.full(N, opening)},
        specs={"block": BLOCK, "can": CAN},
        disturbed_s=disturbed_s,
    )


# ------------------------------------------------------------------------------------ episodes


@pytest.mark.parametrize("task", TASKS)
def test_the_rules_understand_every_instruction_as_the_oracle(task: str) -> None:
    """Seen and unseen wordings, seen and unseen things."""
    splits: set[tuple[str, str]] = set()
    for index in range(8):
        case = case_of(task, index)
        spec = spec_of(case.scene)
        assert check(case.program, tuple(spec.objects)) == ()
        program = RulesValueMapTranslator().translate(case.instruction, Conversation(), spec)
        assert describe(program) == describe(case.program)
        splits.add((case.wording, case.attributes))
    assert len(splits) == 4


def test_an_episode_is_the_same_every_time() -> None:
    for task in ("push-to", "real-set-table"):
        a, b = case_of(task, 3), case_of(task, 3)
        assert (a.instruction, a.scene, digest(a.program)) == (
            b.instruction,
            b.scene,
            digest(b.program),
        )
        assert a.scene.layout != case_of(task, 4).scene.layout


def test_most_episodes_have_something_to_disturb_and_both_kinds_occur() -> None:
    kinds = [case_of(task, index).disturbance.kind for task in TASKS for index in range(8)]
    assert {"object", "drawer", "arm"} == set(kinds)
    assert kinds.count("arm") < 0.75 * len(kinds)


# ---------------------------------------------------------------------------------- predicates

MOVE = line([0.3, 0.0, 0.3], [0.5, 0.0, 0.13])
UNIT_Y = (0.0, 1.0, 0.0)


@pytest.mark.parametrize(
    ("judged", "good", "bad"),
    [
        (
            trace.ends_at("block", (0.0, 0.0, 0.1)),
            made(MOVE),
            made(line([0.3, 0.0, 0.3], [0.5, 0.04, 0.13])),
        ),
        (trace.ends_in((0.45, -0.1), (0.55, 0.1)), made(MOVE), made(MOVE - 0.1)),
        (
            trace.stays_on_side("can", (0.0, -1.0, 0.0)),
            made(MOVE),
            made(line([0.3, 0.4, 0.3], [0.5, 0.0, 0.13])),
        ),
        (
            trace.keeps_away("block", 0.05),
            made(MOVE),
            made(line([0.3, 0.0, 0.3], [0.5, 0.0, 0.08])),
        ),
        (
            trace.slow_always(0.2),
            made(line([0.3, 0.0, 0.3], [0.5, 0.0, 0.3])),
            made(line([0.3, 0.0, 0.3], [0.7, 0.0, 0.3])),
        ),
        (
            trace.displaced("block", (0.1, 0.0)),
            made(block=line([0.5, 0.0, 0.03], [0.6, 0.01, 0.03])),
            made(block=line([0.5, 0.0, 0.03], [0.55, 0.0, 0.03])),
        ),
        (
            trace.lies_at("block", "can", (0.0, -0.15)),
            made(block=line([0.5, 0.0, 0.03], [0.5, 0.16, 0.03])),
            made(),
        ),
        (
            trace.lies_at("block", "can", (0.0, -0.3), free=True),
            made(),
            made(force=5.0),
        ),
        (trace.lies_in("block", (0.4, -0.1), (0.6, 0.1)), made(), made(block=MOVE + 0.5)),
        (
            trace.held("block"),
            made(np.tile([0.5, 0.0, 0.04], (N, 1)), force=8.0),
            made(np.tile([0.5, 0.0, 0.04], (N, 1)), force=0.2),
        ),
        (
            trace.lifted_off("block", "can"),
            made(),
            made(block=line([0.5, 0, 0.03], [0.5, 0.3, 0.13])),
        ),
        (trace.turned("block", 40), made(block_yaw=0.9), made(block_yaw=0.5)),
        (trace.drawer_closed("drawer"), made(opening=0.01), made(opening=0.03)),
        (
            trace.unmoved("block"),
            made(),
            made(block=line([0.5, 0.0, 0.03], [0.54, 0.0, 0.03])),
        ),
    ],
)
def test_a_predicate_tells_success_from_failure(judged: Check, good: Trace, bad: Trace) -> None:
    assert judged.holds(good), judged.text
    assert not judged.holds(bad), judged.text


def approach(near_speed: float, far_speed: float) -> Trace:
    """Towards the block at one speed, and well before 10 cm from its surface at another."""
    x, rows = 0.1, [[0.1, 0.0, 0.03]]
    while x < 0.46 and len(rows) < N:
        x += 0.05 * (near_speed if 0.47 - x < 0.18 else far_speed)
        rows.append([x, 0.0, 0.03])
    rows += [rows[-1]] * (N - len(rows))
    return made(np.array(rows), seconds=0.05 * (N - 1))


def test_slow_near_a_thing_needs_both_slow_there_and_faster_elsewhere() -> None:
    judged = trace.slow_near("block", 0.10, 0.10)
    assert judged.holds(approach(0.1, 0.3))
    assert not judged.holds(approach(0.2, 0.3))
    assert not judged.holds(approach(0.05, 0.05))
    assert not judged.holds(made())  # it was never there


def test_a_jump_by_somebody_else_is_not_the_robots_pushing() -> None:
    jumped = np.tile([0.5, 0.0, 0.03], (N, 1))
    jumped[50:, 1] += 0.05
    assert trace.unmoved("block").holds(made(block=jumped))


def test_while_the_arm_is_pushed_its_speed_does_not_count() -> None:
    pushed = np.tile([0.3, 0.0, 0.3], (N, 1))
    pushed[30:40, 1] += np.linspace(0.0, 0.2, 10)
    pushed[40:, 1] += 0.2
    assert trace.slow_always(0.1).holds(made(pushed, disturbed_s=0.3))
    assert not trace.slow_always(0.1).holds(made(pushed))


@pytest.mark.parametrize(
    ("spec", "point", "distance"),
    [
        (BLOCK, (0.13, 0.0, 0.0), 0.10),
        (BLOCK, (0.06, 0.07, 0.0), 0.05),
        (BLOCK, (0.01, 0.0, 0.0), 0.0),
        (CAN, (0.03, 0.04, 0.0), 0.02),
        (CAN, (0.06, 0.0, 0.09), 0.05),
        (
            ObjectSpec(name="s", kind="item", category="ball", size_m=(0.1,) * 3, shape="sphere"),
            (0.0, 0.0, 0.08),
            0.03,
        ),
    ],
)
def test_distance_to_a_surface(spec: ObjectSpec, point: tuple[float, ...], distance: float) -> None:
    assert abs(trace.surface_distance(spec, np.array(point)) - distance) < 1e-9


# -------------------------------------------------------------------------------- disturbances


@pytest.fixture(scope="module")
def world() -> SuiteWorld:
    return SuiteWorld(build_world(case_of("drop-to", 0).scene))


def run_for(world: SuiteWorld, seconds: float) -> Trace:
    observation = world.reset(seed=0)
    hold = Command(q=observation.q)
    while world.observe().time < seconds:
        world.step(hold)
    return world.recorder.trace()


def test_without_a_disturbance_nothing_moves(world: SuiteWorld) -> None:
    world.disturbance = None
    t = run_for(world, 0.3)
    assert t.disturbed_s is None
    assert len(t.time) == 31
    for name in t.positions:
        assert np.ptp(t.positions[name], axis=0).max() < 1e-3


def test_an_object_is_moved_and_comes_to_rest_there(world: SuiteWorld) -> None:
    name = next(n for n, o in world.spec.objects.items() if o.kind == "item")
    world.disturbance = Disturbance(kind="object", name=name, shift_m=(0.03, -0.04), after_s=0.1)
    t = run_for(world, 0.6)
    assert t.disturbed_s is not None
    assert abs(t.disturbed_s - 0.1) < 0.02
    moved = t.positions[name][-1] - t.positions[name][0]
    assert np.linalg.norm(moved - [0.03, -0.04, 0.0]) < 0.005


def test_the_arm_is_pushed_and_springs_back(world: SuiteWorld) -> None:
    world.disturbance = Disturbance(kind="arm", force_n=(0.0, 25.0, 0.0), after_s=0.1)
    t = run_for(world, 1.0)
    away = np.abs(t.ee[:, 1] - t.ee[0, 1])
    assert away.max() > 1e-3
    assert away[-1] < 0.25 * away.max()


def test_a_drawer_is_pulled_out_again_once_it_is_nearly_shut() -> None:
    case = case_of("close-by-pushing", 0)
    world = SuiteWorld(build_world(case.scene), Disturbance(kind="drawer", name="drawer"))
    world.reset(seed=0)
    assert world.observe().openings_m["drawer"] > 0.1
    address = int(world.model.joint("drawer").qposadr[0])
    world.data.qpos[address] = 0.05
    world.disturbance = Disturbance(kind="drawer", name="drawer", shift_m=(0.03, 0.0), after_s=0.0)
    hold = Command(q=world.observe().q)
    world.step(hold)
    world.step(hold)
    assert world.recorder.disturbed_s is not None
    assert world.observe().openings_m["drawer"] > 0.07
    world.close()


# -------------------------------------------------------------------------------------- report


def stand_in(solved: Callable[[int], bool]) -> Callable[[object], dict[str, object]]:
    def run(payload: object) -> dict[str, object]:
        index = int(payload["index"])  # type: ignore[index]
        return {
            "status": "done",
            "solved": solved(index),
            "unmet": [] if solved(index) else ["the drawer is shut"],
            "message": "",
            "wording": "seen",
            "attributes": "unseen",
        }

    return run


def run(episodes: int, case: Callable[[object], dict[str, object]], out: Path) -> int:
    arguments = ["--out", str(out), "--task", "push-to", "--executor", "serial", "--json"]
    suite = replace(BENCHMARK, run=case)
    return main(suite, [*arguments, "--episodes", str(episodes)])


def test_a_run_is_reported_and_continued(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(2, stand_in(lambda i: i > 0), tmp_path) == 0
    assert run(3, stand_in(lambda _: False), tmp_path) == 0
    report = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert [(r["condition"], r["solved"], r["episodes"]) for r in report["rows"]] == [
        ("static", 1, 3),
        ("disturbed", 1, 3),
    ]
    text = (tmp_path / "report.md").read_text()
    assert "perceived from pixels" in text
    assert "- oracle, static, push-to 0: the drawer is shut" in text


def test_a_broken_episode_is_an_error_with_its_exit_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(payload: object) -> dict[str, object]:
        raise RuntimeError("no cameras")

    assert run(1, broken, tmp_path) == 3
    assert "no cameras" in capsys.readouterr().out


def test_the_plot_is_drawn(tmp_path: Path) -> None:
    run(2, stand_in(lambda i: i > 0), tmp_path)
    assert (tmp_path / "success.png").stat().st_size > 5000


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"method": ("magic",)}, "Choose from: oracle, rules"),
        ({"task": ("cook",)}, "Choose from: move-to-side"),
        ({"condition": ("windy",)}, "Choose from: static, disturbed"),
        ({"perception": "sonar"}, "Choose from: pixels"),
        ({"method": ("json",)}, "needs a model"),
    ],
)
def test_unknown_names_are_refused(tmp_path: Path, changes: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        measure(BENCHMARK, Settings(**changes), tmp_path)  # type: ignore[arg-type]


def test_primitives_say_where_to_and_nothing_of_how() -> None:
    from embodied.bench.voxposer.episode import as_primitives

    case = case_of("move-at-speed-in-region", 0)
    reduced = as_primitives(case.program)
    assert [o.map for s in reduced.stages for o in s.operations] == ["affordance"]
    assert reduced.source == "primitives"


@pytest.mark.parametrize("form", ["json", "python"])
def test_a_language_model_writes_the_program_of_an_episode(
    form: str, world: SuiteWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its answer is read in the scene as it is seen; here it is seen as it truly is."""
    from embodied.bench.voxposer.episode import write
    from embodied.language import models

    case = case_of("drop-to", 0)
    carried, beside = case.program.stages[0].operations[0], case.program.stages[1].operations[0]
    y = round(100 * beside.region.parameters["y"])
    code = f"""
def at(x, y, z, opening):
    affordance_map, gripper_map = get_empty_affordance_map(), get_empty_gripper_map()
    affordance_map[x, y, z] = 1
    gripper_map[x, y, z] = opening
    execute('gripper', affordance_map=affordance_map, gripper_map=gripper_map)

x, y, z = detect('{carried.region.frame}').position
at(x, y, z, 0)
x, y, z = detect('{beside.region.frame}').position
at(x, y + cm2index({y}, 'y'), z, 1)
"""
    answer = to_json(case.program) if form == "json" else code
    monkeypatch.setattr(
        models, "open_model", lambda name, **_: models.FunctionModel(lambda request: answer)
    )
    observation = world.reset(seed=0)
    seen = SimpleNamespace(
        objects={n: SimpleNamespace(pose=p) for n, p in observation.poses.items()}
    )
    payload = {"model": "scripted", "base_url": None}
    program = write(case, form, world.spec, lambda _: seen, world, payload)  # type: ignore[arg-type]
    assert describe(program) == describe(case.program)
