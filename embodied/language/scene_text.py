"""The scene as language models read it: what is there, how large, where, and what lies on what."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping

from embodied.language.prompting import short
from embodied.types import Array, Atom, ObjectSpec, WorldSpec

Positions = Callable[[], Mapping[str, Array]]
"""Where objects and ``"gripper"`` are believed to be now, (3,) each, world frame, m."""


def scene_text(
    spec: WorldSpec,
    facts: frozenset[Atom] = frozenset(),
    positions_m: Mapping[str, Array] | None = None,
) -> str:
    """The scene in a few lines.

    Args:
        spec: The world.
        facts: What is believed; relations are told in words.
        positions_m: Where things are believed to be, (3,) each, world frame, m.
    """
    lower, upper = spec.workspace_lower, spec.workspace_upper
    bounds = ", ".join(
        f"{a} {lo:.2f} to {up:.2f}" for a, lo, up in zip("xyz", lower, upper, strict=True)
    )
    places = positions_m or {}
    lines = [f"Workspace, metres: {bounds}.", "Objects, sizes along their own x, y, z:"]
    lines += object_lines(spec, places)
    if "gripper" in places:
        lines.append(f"The gripper is at {_place(places['gripper'])}.")
    told = relations(facts)
    return "\n".join([*lines, *(["Now:", *(f"- {t}" for t in told)] if told else [])])


def object_lines(spec: WorldSpec, positions_m: Mapping[str, Array]) -> list[str]:
    """One line for each object: what it is, its size, place and other names."""
    return [_object_text(o, positions_m.get(o.name)) for o in spec.objects.values()]


def _object_text(spec: ObjectSpec, position_m: Array | None) -> str:
    size = " x ".join(f"{100 * s:g}" for s in spec.size_m)
    words = " ".join(short(w) for w in (spec.color, spec.category) if w)
    parts = [spec.kind, words, f"{size} cm" if any(spec.size_m) else ""]
    if spec.shape != "box":
        parts.append(spec.shape)
    if position_m is not None:
        parts.append(f"at {_place(position_m)}")
    if spec.aliases:
        parts.append(f"also called {', '.join(map(short, spec.aliases))}")
    if spec.kind == "drawer":
        way = ", ".join(f"{v:g}" for v in spec.opens_along)
        parts.append(f"opens by up to {100 * spec.travel_m:.0f} cm along ({way})")
    return f"- {spec.name}: {', '.join(p for p in parts if p)}"


def _place(position_m: Array) -> str:
    return "(" + ", ".join(f"{float(v):.3f}" for v in position_m) + ")"


def relations(facts: frozenset[Atom]) -> tuple[str, ...]:
    """What lies on or in what, what is held and what is open, in words; what carries things first.

    Args:
        facts: Facts of the tabletop's domain; those of other predicates are left out.
    """
    told: list[str] = []
    carried: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for fact in sorted(facts):
        if fact.predicate in ("on", "in") and len(fact.args) == 2:
            carried[fact.args[1], fact.predicate].append(fact.args[0])
        elif fact.predicate in ("holding", "hand-empty"):
            told.append(f"the gripper holds {fact.args[0] if fact.args else 'nothing'}")
        elif fact.predicate == "open" and len(fact.args) == 1:
            told.append(f"{fact.args[0]} is open")
    for (place, how), things in carried.items():
        verb = "is" if len(things) == 1 else "are"
        told.append(f"{', '.join(things)} {verb} {how} {place}")
    return tuple(told)
