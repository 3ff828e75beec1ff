"""Sentences with known meanings: hand-written, generated with held-out nouns, published."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from embodied.bench.translate.meaning import gold_of
from embodied.language.offline import goal_slots, reward_slots, value_map_slots
from embodied.language.offline.scene_view import SceneView, Thing
from embodied.language.offline.slots import Refusal
from embodied.training.corpus import Example, generate
from embodied.types import ObjectSpec, WorldSpec


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
    gold: Sequence[Any] = ()
    refuse: str | None = None


def handwritten(folder: Path) -> list[Case]:
    """The sentences of ``handwritten_{goals,rewards,value_maps}.jsonl``."""
    cases: list[Case] = []
    for name in ("goals", "rewards", "value_maps"):
        for line in (folder / f"handwritten_{name}.jsonl").read_text().splitlines():
            row = json.loads(line)
            cases.append(
                Case(
                    id=row["id"],
                    kind=row["kind"],
                    scene=_scene(row["scene"]),
                    sentence=row["sentence"],
                    before=(row["previous"]["sentence"],) if row["previous"] else (),
                    gold=row["gold"],
                    refuse=row["refuse"],
                )
            )
    return cases


def _scene(data: Mapping[str, Any]) -> SceneView:
    robot = data.get("robot", "gripper")
    if robot == "arm":
        return SceneView(
            robot="arm",
            things=tuple(Thing(name=n, kind="item", category=n) for n in data["objects"]),
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


def generated(n: int, *, seed: int = 1, split: str = "held-out") -> list[Case]:
    """Generated sentences; the gold is what their slots expand to."""
    return [_case(f"{split}-{i}", e) for i, e in enumerate(generate(seed, n, split=split))]


def _case(name: str, e: Example) -> Case:
    gold: list[Any] = []
    meaning: Any
    if e.kind == "goal":
        meaning = goal_slots.expand(e.slots, e.scene)
    else:
        expand = reward_slots.expand if e.kind == "reward" else value_map_slots.expand
        earlier: Any = expand(e.previous[1], e.scene) if e.previous else None
        meaning = expand(e.slots, e.scene, previous=earlier)
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


def published(data: Path | None) -> list[Case]:
    """LLM+P's blocksworld goals, the 17 L2R instructions' texts, VoxPoser-style templates."""
    cases = [*_l2r(), *_templates()]
    if data is not None and (data / "llm-pddl" / "blocksworld").is_dir():
        cases += _blocksworld(data / "llm-pddl" / "blocksworld")
    return cases


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


_QUADRUPED: tuple[tuple[tuple[str, ...], list[Any]], ...] = (
    (
        ("The sun rises in the east: turn and face the sunrise",),
        [[{"terms": [{"name": "torso_heading", "parameters": {"angle": 0.0}}]}]],
    ),
    (
        ("The sun sets in the west: turn and face the sunset",),
        [
            [{"terms": [{"name": "torso_heading", "parameters": {"angle": a}}]}]
            for a in (3.14159, -3.14159)
        ],
    ),
    (
        ("sit down low with a flat torso",),
        [
            [
                {
                    "terms": [
                        {"name": "torso_height", "parameters": {"height": [0.05, 0.22]}},
                        {"name": "torso_pitch", "parameters": {"angle": 0.0}},
                    ]
                }
            ]
        ],
    ),
    (
        ("roll over by 180 degrees",),
        [
            [{"terms": [{"name": "torso_roll", "parameters": {"angle": a}}]}]
            for a in (3.14159, -3.14159)
        ],
    ),
    (
        ("spin fast",),
        [
            [{"terms": [{"name": "torso_turn_rate", "parameters": {"rate": r}}]}]
            for r in ([2.0, 6.0], [-6.0, -2.0])
        ],
    ),
    (
        ("lift the front right paw",),
        [
            [
                {
                    "terms": [
                        {
                            "name": "foot_lift",
                            "parameters": {"foot": "front_right", "height": [0.05, 0.3]},
                        }
                    ]
                }
            ]
        ],
    ),
    (
        ("lift the front right paw", "lift it even higher"),
        [
            [
                {
                    "terms": [
                        {
                            "name": "foot_lift",
                            "parameters": {"foot": "front_right", "height": [0.11, 0.5]},
                        }
                    ]
                }
            ]
        ],
    ),
    (
        ("lift the front left paw", "now the diagonal paw instead"),
        [
            [
                {
                    "terms": [
                        {
                            "name": "foot_lift",
                            "parameters": {"foot": "rear_right", "height": [0.05, 0.3]},
                        }
                    ]
                }
            ]
        ],
    ),
    (
        ("stand on your two back feet like a human",),
        [
            [
                {
                    "terms": [
                        {"name": "torso_pitch", "parameters": {"angle": [1.0, 1.571]}},
                        {
                            "name": "torso_height",
                            "parameters": {"height": [0.3, 0.7]},
                            "optional": True,
                        },
                    ]
                }
            ]
        ],
    ),
)

_ARM: tuple[tuple[str, list[Any]], ...] = (
    (
        "touch the apple",
        [{"name": "distance", "parameters": {"a": ["palm", "finger_1"], "b": "apple"}}],
    ),
    (
        "lift the apple to 0.5 m",
        [_H := {"name": "object_height", "parameters": {"object": "apple", "height": 0.5}}],
    ),
    (
        "move the apple to the bowl",
        [{"name": "distance", "parameters": {"a": "apple", "b": "bowl", "distance": [0.0, 0.1]}}],
    ),
    (
        "place the cup upright",
        [{"name": "object_orientation", "parameters": {"object": "cup", "orientation": "upright"}}],
    ),
    (
        "flip the cup",
        [
            {
                "name": "object_orientation",
                "parameters": {"object": "cup", "orientation": "upside_down"},
            }
        ],
    ),
    (
        "lift the apple and the box at the same time",
        [
            {"name": "object_height", "parameters": {"object": o, "height": [0.05, 0.6]}}
            for o in ("apple", "box")
        ],
    ),
    (
        "turn on the faucet",
        [{"name": "joint_fraction", "parameters": {"joint": "faucet", "fraction": 1.0}}],
    ),
    (
        "open the drawer",
        [{"name": "joint_fraction", "parameters": {"joint": "drawer", "fraction": 1.0}}],
    ),
)


def _l2r() -> Iterable[Case]:
    quadruped = SceneView(robot="quadruped")
    for i, (sentences, gold) in enumerate(_QUADRUPED):
        yield Case(
            id=f"l2r-quadruped-{i + 1}",
            kind="reward",
            scene=quadruped,
            sentence=sentences[-1],
            before=sentences[:-1],
            gold=gold,
        )
    arm = SceneView(
        robot="arm",
        things=tuple(
            Thing(name=n, kind="item", category=n) for n in ("apple", "bowl", "box", "cup")
        ),
        handles=("drawer_handle", "faucet_handle"),
        joints=("drawer", "faucet"),
    )
    for i, (sentence, terms) in enumerate(_ARM):
        yield Case(
            id=f"l2r-arm-{i + 1}",
            kind="reward",
            scene=arm,
            sentence=sentence,
            gold=[[{"terms": terms}]],
        )


_TEMPLATES = (
    ("move to the left of the bottle", "to left-of bottle"),
    ("move to 10 cm above the bottle", "to above bottle 10 cm"),
    (
        "move to the bottle while staying on the right side of the plate",
        "to bottle ; stay right-of plate",
    ),
    (
        "move to the bottle and slow down within 15 cm of the plate",
        "to bottle ; slow near plate 15 cm",
    ),
    ("close the drawer by pushing", "push drawer close"),
    ("push the block along a line to the left by 10 cm", "push block left 10 cm"),
    ("grasp the block from the table at 0.1 m/s", "grasp block ; speed 0.1 m/s"),
    (
        "drop the block 10 cm to the right of the plate",
        "grasp block then drop right-of plate 10 cm",
    ),
    (
        "push the block to the bottle letting it stay on the left side of the plate",
        "push block to bottle ; stay left-of plate",
    ),
    ("move to the back left corner of the table", "to area back-left"),
    ("move to the bottle and keep at least 12 cm from the plate", "to bottle ; avoid plate 12 cm"),
    (
        "move to the bottle, moving slowly in the right half of the table",
        "to bottle ; slow area right",
    ),
    (
        "push the block 15 cm forward while staying away from the plate",
        "push block forward 15 cm ; avoid plate",
    ),
    ("push the block to the right of the bottle", "push block to right-of bottle"),
)


def _templates() -> Iterable[Case]:
    scene = SceneView(
        things=(
            *(Thing(name=n, kind="item", category=n) for n in ("block", "bottle", "plate")),
            Thing(name="drawer", kind="drawer", category="drawer"),
            Thing(name="table", kind="surface", category="table"),
        )
    )
    for i, (sentence, slots) in enumerate(_TEMPLATES):
        meaning = value_map_slots.expand(slots, scene)
        assert not isinstance(meaning, Refusal)
        yield Case(
            id=f"template-{i + 1}",
            kind="value-map",
            scene=scene,
            sentence=sentence,
            gold=[gold_of(meaning)],
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
