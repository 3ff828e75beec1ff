"""When two programs mean the same: exact semantics, not equal text.

Goals are compared by ``language.rules.equivalence``: over the scene's objects, so that
``(forall (?b - block) (in ?b bin))`` equals the conjunction it stands for. Reward programs are
compared term by term without weights and norms; a gold number may be an interval where the sentence
leaves it open ("low"), and terms that only keep the robot in its usual posture are neutral unless
the gold speaks of them. Value maps are compared operation by operation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from embodied.bench.runner import Row
from embodied.language.offline.scene_view import SceneView
from embodied.language.pddl.rules.equivalence import goals_equivalent
from embodied.language.value_map.vocabulary import area_bounds
from embodied.symbolic import Domain
from embodied.types import (
    MapOperation,
    RewardProgram,
    RewardStage,
    RewardTerm,
    ValueMapProgram,
    ValueMapStage,
)

Gold: TypeAlias = Sequence[Any]
"""Stages of one accepted meaning, as in ``tests/data/handwritten_*.jsonl``."""

TOLERANCE = 0.011
"""Relative (and a tenth of it absolute) difference that two equal numbers may have."""


_POSES = frozenset("down up forward backward left right upright".split())
"""Names in terms that are of no thing."""


def same_goals(
    stages: Sequence[str],
    gold: Gold,
    domain: Domain,
    objects: Mapping[str, str],
    colors: Mapping[str, str] | None,
) -> bool:
    """Whether goal stages mean the same in this scene.

    Args:
        stages: Goals as PDDL text.
        gold: Goals as PDDL text.
        domain: Domain of the scene.
        objects: PDDL types by name.
        colors: Colour by object name; settles ``has-color``.
    """
    return len(stages) == len(gold) and all(
        goals_equivalent(a, b, domain, objects, colors=colors)
        for a, b in zip(stages, gold, strict=True)
    )


def same_rewards(program: RewardProgram, gold: Gold) -> bool:
    """Whether a reward program means what the gold stages say.

    Programs say how a hand goes about it (reach, close, lift, then turn): stages about the same
    things that lead up to a wanted stage do not count.
    """
    stages = list(program.stages)
    return any(
        len(each) == len(gold)
        and all(_same_reward_stage(s, g) for s, g in zip(each, gold, strict=True))
        for each in (stages, _without_preparation(stages, gold))
    )


def _without_preparation(stages: Sequence[RewardStage], gold: Gold) -> list[RewardStage]:
    """For each gold stage the last of the stages that mean it; none but preparation between."""
    hand = {"palm", "finger_1", "finger_2", "finger_3", "rest_position"}
    things = {
        str(v)
        for g in gold
        for t in g["terms"]
        for value in t["parameters"].values()
        for v in (value if isinstance(value, list) else [value])
        if isinstance(v, str)
    }
    things |= {f"{t}_handle" for t in things} | hand
    kept: list[RewardStage] = []
    wanted = list(gold)
    for i, stage in enumerate(stages):
        names = {v for t in stage.terms for v in t.parameters.values() if isinstance(v, str)}
        if wanted and _same_reward_stage(stage, wanted[0]):
            if i + 1 < len(stages) and _same_reward_stage(stages[i + 1], wanted[0]):
                continue
            kept.append(stage)
            wanted.pop(0)
        elif not names - things - _POSES and any(
            t.name in ("distance", "hand_closure") for t in stage.terms
        ):
            continue
        else:
            kept.append(stage)
    return kept


def _same_reward_stage(stage: RewardStage, gold: Row) -> bool:
    if "duration_s" in gold and not _fits(stage.duration_s, gold["duration_s"]):
        return False
    wanted: list[Row] = list(gold["terms"])
    left = list(stage.terms)
    for term in wanted:
        match = next((t for t in left if _same_term(t, term)), None)
        if match is not None:
            left.remove(match)
        elif not term.get("optional"):
            return False
    return all(_neutral(t, wanted) for t in left)


def _same_term(term: RewardTerm, gold: Row) -> bool:
    if term.name != gold["name"]:
        return False
    numbers = dict(term.parameters)
    wanted = dict(gold["parameters"])
    if term.name == "distance" and not _fits(numbers.get("a"), wanted["a"]):
        numbers["a"], numbers["b"] = numbers["b"], numbers["a"]
    return all(_fits(numbers.get(k), v) for k, v in wanted.items())


def _neutral(term: RewardTerm, wanted: Sequence[Row]) -> bool:
    """A term that only keeps the usual posture, keeps things standing, or takes the hand along."""
    names = {t["name"] for t in wanted}
    p = term.parameters
    if term.name in ("posture", "stillness"):
        return term.name not in names
    if term.name == "torso_height":
        return "torso_height" not in names and 0.27 <= float(p["height"]) <= 0.33
    if term.name in ("torso_pitch", "torso_roll"):
        return term.name not in names and abs(float(p["angle"])) < 0.01
    if term.name in ("torso_velocity", "torso_turn_rate"):
        speeds = [abs(float(v)) for v in p.values()]
        return term.name not in names and max(speeds) < 0.01
    if term.name == "foot_lift":
        return float(p["height"]) < 0.01
    if term.name == "foot_stepping":
        return "foot_stepping" not in names and bool(
            names & {"torso_velocity", "torso_position", "torso_turn_rate", "torso_heading"}
        )
    if term.name == "distance" and "palm" in (p["a"], p["b"]):
        other = p["b"] if p["a"] == "palm" else p["a"]
        used = {v for t in wanted for v in t["parameters"].values() if isinstance(v, str)}
        return other in used or any(str(other).startswith(str(u)) for u in used)
    if term.name == "object_orientation":  # nothing is to topple on the way
        return "object_orientation" not in names and p["orientation"] == "upright"
    if term.name == "object_height":  # carried at some height while it is moved or turned
        carried = {
            v
            for t in wanted
            if t["name"] in ("distance", "object_orientation")
            for v in t["parameters"].values()
            if isinstance(v, str)
        }
        return "object_height" not in names and p["object"] in carried
    with_the_hand = ("hand_closure", "palm_orientation", "closing_along", "closing_across")
    return term.name in with_the_hand and term.name not in names


def _fits(value: Any, wanted: Any) -> bool:
    if isinstance(wanted, list):
        if isinstance(wanted[0], str):
            return value in wanted
        return isinstance(value, (int, float)) and wanted[0] - 1e-6 <= value <= wanted[1] + 1e-6
    if isinstance(wanted, str) or isinstance(value, str) or value is None:
        return value == wanted
    return abs(value - wanted) <= TOLERANCE * abs(wanted) + TOLERANCE / 10


def same_value_maps(program: ValueMapProgram, gold: Gold, scene: SceneView) -> bool:
    """Whether a value-map program means what the gold stages say, in this scene."""
    return len(program.stages) == len(gold) and all(
        _same_map_stage(s, g, scene) for s, g in zip(program.stages, gold, strict=True)
    )


def _same_map_stage(stage: ValueMapStage, gold: Row, scene: SceneView) -> bool:
    if stage.moving != gold["moving"] or len(stage.operations) != len(gold["operations"]):
        return False
    left = list(stage.operations)
    for wanted in gold["operations"]:
        match = next((o for o in left if _same_operation(o, wanted, scene)), None)
        if match is None:
            return False
        left.remove(match)
    return True


def _same_operation(operation: MapOperation, gold: Row, scene: SceneView) -> bool:
    if operation.map != gold["map"]:
        return False
    region = gold["region"]
    if region["shape"] != "any":
        if operation.region.shape != region["shape"] or operation.region.frame != region["frame"]:
            return False
        wanted = (
            area_bounds(region["area"], scene.lower_m, scene.upper_m)
            if "area" in region
            else region["parameters"]
        )
        numbers = operation.region.parameters
        if set(numbers) != set(wanted) or not all(_fits(numbers[k], wanted[k]) for k in wanted):
            return False
    if operation.map == "rotation":
        value = operation.value if isinstance(operation.value, tuple) else (1.0, 0.0, 0.0, 0.0)
        dot = sum(a * b for a, b in zip(value, gold["value"], strict=True))
        return abs(dot) > 0.999
    return _fits(operation.value, gold["value"])


def gold_of(program: RewardProgram | ValueMapProgram) -> list[Row]:
    """The gold stages that a program itself would be."""
    if isinstance(program, RewardProgram):
        return [
            {
                "terms": [{"name": t.name, "parameters": dict(t.parameters)} for t in s.terms],
                **({} if s.duration_s is None else {"duration_s": s.duration_s}),
            }
            for s in program.stages
        ]
    return [
        {
            "moving": s.moving,
            "operations": [
                {
                    "map": o.map,
                    "region": {
                        "shape": o.region.shape,
                        "frame": o.region.frame,
                        "parameters": dict(o.region.parameters),
                    },
                    "value": list(o.value) if isinstance(o.value, tuple) else o.value,
                }
                for o in s.operations
            ],
        }
        for s in program.stages
    ]
