"""Plain sentences for a scene, each with the goal by which the hidden truth is judged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from embodied.types import Array, Atom, ObjectSpec, Observation, Pose, WorldSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """A sentence and what it means.

    Attributes:
        text: The sentence.
        goal: Facts that must hold at the end.
        item: The item that it moves; ``""`` for none.
    """

    text: str
    goal: tuple[Atom, ...]
    item: str = ""


def sentences(spec: WorldSpec, facts: frozenset[Atom]) -> dict[str, list[Sentence]]:
    """What can be asked for in a scene, by kind; goals that hold already are left out.

    Args:
        spec: The scene with its robot.
        facts: What holds at the start.
    """
    found: dict[str, list[Sentence]] = {}
    for kind, sentence in _all(spec.objects, facts):
        if not facts.issuperset(sentence.goal):
            found.setdefault(kind, []).append(sentence)
    return found


def _all(
    objects: Mapping[str, ObjectSpec], facts: frozenset[Atom]
) -> Iterator[tuple[str, Sentence]]:
    items = {n: o for n, o in objects.items() if o.kind == "item"}
    for name, item in items.items():
        for other, below in items.items():
            if name != other and below.stackable and below.shape == item.shape == "box":
                on = (Atom("on", (name, other)),)
                a, b = _spoken(name), _spoken(other)
                yield "put", Sentence(text=f"put the {a} on the {b}", goal=on, item=name)
                yield "stack", Sentence(text=f"stack the {a} on the {b}", goal=on, item=name)
        for place, spec in objects.items():
            a, b = _spoken(name), _spoken(place)
            if spec.kind == "surface" and place != "table" and _room(item, spec):
                on = (Atom("on", (name, place)),)
                yield "tray", Sentence(text=f"move the {a} to the {b}", goal=on, item=name)
            elif spec.kind == "container" and Atom("fits", (name, place)) in facts:
                inside = (Atom("in", (name, place)),)
                yield "bin", Sentence(text=f"put the {a} in the {b}", goal=inside, item=name)
    for place, spec in objects.items():
        if spec.kind == "drawer":
            text = f"open the {_spoken(place)}"
            yield "drawer", Sentence(text=text, goal=(Atom("open", (place,)),))


def _room(item: ObjectSpec, surface: ObjectSpec) -> bool:
    return max(item.size_m[:2]) < min(surface.size_m[:2])


def _spoken(name: str) -> str:
    return name.replace("-", " ")


def draw(spec: WorldSpec, facts: frozenset[Atom], rng: np.random.Generator) -> Sentence:
    """One sentence: its kind first, then one of that kind; raises ValueError if there is none."""
    kinds = sentences(spec, facts)
    if not kinds:
        raise ValueError(f"no sentence fits the scene {spec.name}")
    kind = list(kinds)[int(rng.integers(len(kinds)))]
    return kinds[kind][int(rng.integers(len(kinds[kind])))]


def measured(answer: Mapping[str, Any]) -> Observation:
    """What a truth socket answered, as a measurement with an empty hand."""
    none: Array = np.zeros(0)
    poses = {n: _pose(v) for n, v in answer["poses"].items()}
    nowhere = Pose(position=np.zeros(3), quat_wxyz=np.array([1.0, 0.0, 0.0, 0.0]))
    return Observation(
        time=0.0,
        q=none,
        dq=none,
        tau=none,
        pose_ee_in_world=nowhere,
        poses=poses,
        openings_m=answer["openings_m"],
    )


def _pose(numbers: Sequence[float]) -> Pose:
    return Pose(position=np.array(numbers[:3]), quat_wxyz=np.array(numbers[3:]))
