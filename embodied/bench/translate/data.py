"""Sentences with known meanings: hand-written, generated with held-out nouns, published."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import numpy as np

from embodied.bench.runner import Row
from embodied.bench.translate.meaning import Gold, gold_of
from embodied.language.offline import goal_slots, reward_slots, value_map_slots
from embodied.language.offline.scene_view import SceneView, Thing
from embodied.language.offline.slots import Refusal
from embodied.training.corpus import Example, generate
from embodied.types import ObjectSpec, RewardProgram, ValueMapProgram, WorldSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One sentence to translate.

    Attributes:
        id: Unique name.
        kind: ``"goal"``, ``"reward"`` or ``"value-map"``.
        scene: What is there.
        sentence: What is said.
        before: Sentences said before in the same conversation.
        gold: Accepted meanings; empty where only a refusal is right.
        refuse: Reason class where a refusal is right, else None.
    """

    id: str
    kind: str
    scene: SceneView
    sentence: str
    before: tuple[str, ...] = ()
    gold: Sequence[Gold] = ()
    refuse: str | None = None


def _read(lines: Iterable[str]) -> list[Case]:
    """Cases, one JSON object a line."""
    return [
        Case(
            id=row["id"],
            kind=row["kind"],
            scene=_scene(row["scene"]),
            sentence=row["sentence"],
            before=(row["previous"]["sentence"],) if row.get("previous") else row.get("before", ()),
            gold=row["gold"],
            refuse=row.get("refuse"),
        )
        for row in map(json.loads, lines)
    ]


def handwritten(folder: Path) -> list[Case]:
    """The sentences of ``handwritten_{goals,rewards,value_maps}.jsonl``."""
    files = (folder / f"handwritten_{name}.jsonl" for name in ("goals", "rewards", "value_maps"))
    return [case for file in files for case in _read(file.read_text("utf-8").splitlines())]


def _scene(data: Row) -> SceneView:
    robot = data.get("robot", "gripper")
    if robot == "arm":
        return SceneView(
            robot="arm",
            things=tuple(map(_item, data["objects"])),
            handles=tuple(data["handles"]),
            joints=tuple(data["joints"]),
        )
    return SceneView(
        robot=robot,
        things=tuple(
            Thing(name=o["name"], kind=o["kind"], category=o["category"], color=o["color"])
            for o in data.get("objects", ())
        ),
    )


def meaning_of(
    e: Example, slots: str
) -> tuple[str, ...] | RewardProgram | ValueMapProgram | Refusal:
    """What slots expand to in the scene and the conversation of an example; raises SlotError."""
    before = e.previous[1] if e.previous else None
    if e.kind == "goal":
        return goal_slots.expand(slots, e.scene)
    if e.kind == "reward":
        earlier = reward_slots.expand(before, e.scene) if before else None
        assert not isinstance(earlier, Refusal)
        return reward_slots.expand(slots, e.scene, previous=earlier)
    said = value_map_slots.expand(before, e.scene) if before else None
    assert not isinstance(said, Refusal)
    return value_map_slots.expand(slots, e.scene, previous=said)


def generated(n: int, *, seed: int = 1, split: str = "held-out") -> list[Case]:
    """Generated sentences; the gold is what their slots expand to."""
    return [_case(f"{split}-{i}", e) for i, e in enumerate(generate(seed, n, split=split))]


def _case(name: str, e: Example) -> Case:
    meaning = meaning_of(e, e.slots)
    gold: list[Gold] = []
    refuse = None
    if isinstance(meaning, Refusal):
        refuse = meaning.reason
    else:
        gold = [list(meaning) if isinstance(meaning, tuple) else gold_of(meaning)]
    return Case(
        id=name,
        kind=e.kind,
        scene=e.scene,
        sentence=e.sentence,
        before=(e.previous[0],) if e.previous else (),
        gold=gold,
        refuse=refuse,
    )


def tabletop(path: Path) -> list[Case]:
    """The project's own instructions for its sample scenes that need no measured facts."""
    from embodied.world.scene import load_scene

    views: dict[str, SceneView] = {}
    cases: list[Case] = []
    for line in path.read_text().splitlines():
        row = json.loads(line)
        name = row["scene"]
        if name not in views:
            views[name] = SceneView.of(spec_of_objects(name, load_scene(name).objects))
        if row.get("goals") is None or row.get("previous") or row.get("facts"):
            continue
        cases.append(
            Case(
                id=row["id"],
                kind="goal",
                scene=views[name],
                sentence=row["text"],
                gold=[row["goals"]],
            )
        )
    return cases


def _item(name: str) -> Thing:
    return Thing(name=name, kind="item", category=name)


def published(data: Path | None) -> list[Case]:
    """LLM+P's blocksworld goals, the 17 L2R instructions' texts, VoxPoser-style templates."""
    text = (resources.files("embodied.bench.translate") / "published.jsonl").read_text("utf-8")
    folder = None if data is None else data / "llm-pddl" / "blocksworld"
    more = _blocksworld(folder) if folder is not None and folder.is_dir() else ()
    return [*_read(text.splitlines()), *more]


def _blocksworld(folder: Path) -> Iterable[Case]:
    for path in sorted(folder.glob("p[0-9][0-9].nl")):
        text = " ".join(path.read_text().split())
        goal = text.split("Your goal is to move the blocks.")[-1].strip()
        names = sorted(set(re.findall(r"\bb\d+\b", text)), key=lambda b: int(b[1:]))
        things = [Thing(name=n, kind="item", category="block") for n in names]
        things.append(Thing(name="table", kind="surface", category="table"))
        pairs = re.findall(r"(b\d+) should be on top of (b\d+)", goal)
        yield Case(
            id=f"llmp-blocksworld-{path.stem}",
            kind="goal",
            scene=SceneView(things=tuple(things)),
            sentence=goal,
            gold=[["(and " + " ".join(f"(on {a} {b})" for a, b in pairs) + ")"]],
        )


def spec_of(scene: SceneView) -> WorldSpec:
    """A world that has the scene's objects, for translators that ask for one."""
    specs = {
        t.name: ObjectSpec(
            name=t.name,
            kind=t.kind,
            category=t.category,
            color=t.color,
            size_m=(0.05, 0.05, 0.05),
            stackable=t.kind == "item",
            aliases=t.aliases,
            inner_size_m=(0.2, 0.2, 0.1) if t.kind in ("container", "drawer") else (0.0, 0.0, 0.0),
            travel_m=t.travel_m if t.kind == "drawer" else 0.0,
            opens_along=t.opens_along if t.kind == "drawer" else (0.0, 0.0, 0.0),
        )
        for t in scene.things
    }
    lower, upper = scene.lower_m, scene.upper_m
    return spec_of_objects(scene.robot, specs, lower, upper)


def spec_of_objects(
    name: str,
    objects: Mapping[str, ObjectSpec],
    lower_m: tuple[float, float] = (0.2, -0.5),
    upper_m: tuple[float, float] = (0.8, 0.5),
) -> WorldSpec:
    """A world with these objects and a robot of one joint."""
    one = np.ones(1)
    return WorldSpec(
        name=name,
        robot="none",
        joint_names=("joint1",),
        q_lower=-one,
        q_upper=one,
        dq_max=one,
        ddq_max=one,
        dddq_max=one,
        tau_max=one,
        q_home=0 * one,
        control_dt_s=0.01,
        objects=dict(objects),
        workspace_lower=np.array([*lower_m, 0.0]),
        workspace_upper=np.array([*upper_m, 1.0]),
    )
