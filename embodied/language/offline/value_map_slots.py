"""Slots for value maps: ``to left-of cup 10 cm ; avoid bowl 5 cm``.

A stage has one motion (``to PLACE``, ``go DIRECTION``, ``push OBJECT ...``, ``grasp OBJECT``,
``drop PLACE``, ``grip open``) and conditions on the way (``stay SIDE OBJECT``, ``avoid OBJECT``,
``speed ...``, ``slow near OBJECT``, ``slow area AREA``, ``point DIRECTION``). PLACE is ``OBJECT``,
``SIDE OBJECT [length]`` or ``area AREA``. After an earlier sentence also ``keep ; ...`` (the
earlier program with additions) and ``more``, ``less``, ``double``, ``half``, ``opposite`` (its
displacements changed).
"""

from __future__ import annotations

from dataclasses import replace

from embodied.language.offline.amounts import number_rules, quantity
from embodied.language.offline.grammar import Grammar, Symbols, lit, words
from embodied.language.offline.scene_view import SceneView
from embodied.language.offline.slots import CHANGES, REFUSED, Refusal, SlotError, refusal, stages
from embodied.language.value_map import building as build
from embodied.language.value_map.vocabulary import (
    AREAS,
    DIRECTIONS,
    GRIPPER_DIRECTIONS,
    SIDES,
    SPEEDS_M_S,
    check,
)
from embodied.types import MapOperation, Region, ValueMapProgram, ValueMapStage


def grammar(scene: SceneView, *, previous: bool = False) -> Grammar:
    """Everything that may be said about this scene, with a space in front."""
    items = scene.names("item")
    drawers = scene.names("drawer")
    things = tuple(t.name for t in scene.things)
    motions: list[Symbols] = [
        (lit("go "), "direction", "length-opt"),
        (lit("to "), "place"),
        (lit("drop "), "place"),
        (lit("grip open"),),
        (lit("grip close"),),
    ]
    if items:
        motions += [
            (lit("push "), "item", lit(" "), "direction", "length-opt"),
            (lit("push "), "item", lit(" to "), "place"),
            (lit("grasp "), "item"),
        ]
    if drawers:
        motions += [(lit("push "), "drawer", lit(" close")), (lit("push "), "drawer", lit(" open"))]
    places: list[Symbols] = [(lit("area "), "area")]
    conditions: list[Symbols] = [
        (lit("speed "), "pace"),
        (lit("slow area "), "area"),
        (lit("point "), "pointing"),
    ]
    if things:
        places += [("thing",), ("side", lit(" "), "thing", "length-opt")]
        conditions += [
            (lit("stay "), "side", lit(" "), "thing"),
            (lit("avoid "), "thing", "length-opt"),
            (lit("slow near "), "thing", "length-opt"),
        ]
    root: list[Symbols] = [(lit(" "), "stages"), (lit(" cannot "), "reason")]
    if previous:
        root += [(lit(" "), "change"), (lit(" keep"), "conditions1")]
    rules: dict[str, tuple[Symbols, ...]] = {
        "root": tuple(root),
        "reason": words(REFUSED),
        "stages": (("stage",), ("stage", lit(" then "), "stages")),
        "stage": (("motion", "conditions"), (lit("point "), "pointing", "conditions")),
        "conditions": ((), ("conditions1",)),
        "conditions1": ((lit(" ; "), "condition", "conditions"),),
        "motion": tuple(motions),
        "condition": tuple(conditions),
        "place": tuple(places),
        "area": words(AREAS),
        "direction": words(tuple(DIRECTIONS)),
        "pointing": words(tuple(GRIPPER_DIRECTIONS)),
        "pace": (*words(tuple(SPEEDS_M_S)), ("number", "unit-speed")),
        "length-opt": ((), ("length",)),
        **{k: v for k, v in number_rules().items() if k in _NUMBER_RULES},
    }
    if previous:
        rules["change"] = words(tuple(CHANGES))
    if things:
        rules["thing"] = words(things)
        rules["side"] = words(tuple(SIDES))
    if items:
        rules["item"] = words(items)
    if drawers:
        rules["drawer"] = words(drawers)
    return Grammar(rules)


_NUMBER_RULES = ("digit", "number", "length", "unit-length", "unit-speed")


def expand(
    text: str,
    scene: SceneView,
    *,
    previous: ValueMapProgram | None = None,
    source: str = "local",
) -> ValueMapProgram | Refusal:
    """The program that the slots mean; a number out of range is a refusal that says so.

    Raises:
        SlotError: The text is not in the language of ``grammar(scene)``.
    """
    refused = refusal(text)
    if refused is not None:
        return refused
    try:
        result = _program(text.strip(), scene, previous, source)
    except (KeyError, IndexError) as error:
        raise SlotError(f"not in this scene's slot language: {text!r} ({error})") from error
    found = check(result, tuple(t.name for t in scene.things))
    return Refusal("range", "; ".join(str(d) for d in found)) if found else result


def _program(
    text: str, scene: SceneView, previous: ValueMapProgram | None, source: str
) -> ValueMapProgram:
    if text in CHANGES:
        if previous is None:
            raise SlotError(f"{text!r} needs an earlier program")
        changed = tuple(_changed(s, CHANGES[text]) for s in previous.stages)
        return ValueMapProgram(stages=changed, source=source)
    if text.startswith("keep"):
        if previous is None:
            raise SlotError("keep needs an earlier program")
        additions = [s.split() for s in text.split(";")[1:]]
        *before, last = previous.stages
        operations = list(last.operations)
        for statement in additions:
            new = _condition(statement, scene)
            operations = [o for o in operations if (o.map, o.region) != (new.map, new.region)]
            operations.append(new)
        kept = ValueMapStage(moving=last.moving, operations=tuple(operations))
        return ValueMapProgram(stages=(*before, kept), source=source)
    result: list[ValueMapStage] = []
    for stage in stages(text):
        moving, operations = _motion(stage[0], scene)
        operations += [_condition(s, scene) for s in stage[1:]]
        result.append(ValueMapStage(moving=moving, operations=tuple(operations)))
    return ValueMapProgram(stages=tuple(result), source=source)


def _motion(w: list[str], scene: SceneView) -> tuple[str, list[MapOperation]]:
    verb = w[0]
    if verb == "point":
        return "gripper", [_condition(w, scene)]
    if verb == "grip":
        return "gripper", [build.gripper(build.EVERYWHERE, 1.0 if w[1] == "open" else 0.0)]
    if verb == "to":
        return "gripper", [build.target(_place(w[1:], scene))]
    if verb == "drop":
        return "gripper", build.release(_place(w[1:], scene, on_top=True))
    if verb == "grasp":
        return "gripper", build.grasp(scene.thing(w[1]).name)
    if verb == "go":
        return "gripper", [build.target(_along("gripper", w[1:], build.STEP_M))]
    if verb == "push":
        thing = scene.thing(w[1])
        if w[2] == "to":
            return thing.name, [build.target(_place(w[3:], scene))]
        if w[2] in ("open", "close"):
            way = thing.travel_m if w[2] == "open" else -thing.travel_m
            return thing.name, [build.target(build.along(thing.name, thing.opens_along, way))]
        return thing.name, [build.target(_along(thing.name, w[2:], build.PUSH_M))]
    raise SlotError(f"unknown motion {' '.join(w)!r}")


def _condition(w: list[str], scene: SceneView) -> MapOperation:
    verb = w[0]
    if verb == "stay":
        return build.kept_to(w[1], scene.thing(w[2]).name)
    if verb == "avoid":
        return build.obstacle(_near(w[1:], scene, build.CLEARANCE_M))
    if verb == "speed":
        value = SPEEDS_M_S[w[1]] if w[1] in SPEEDS_M_S else quantity(w[1:])
        if value is None:
            raise SlotError(f"no speed in {' '.join(w)!r}")
        return build.velocity(build.EVERYWHERE, value)
    if verb == "slow":
        near = w[1] == "near"
        region = _near(w[2:], scene, build.SLOW_RADIUS_M) if near else _area(w[2], scene)
        return build.velocity(region, SPEEDS_M_S["slow"])
    if verb == "point":
        value = GRIPPER_DIRECTIONS[w[1]]
        return MapOperation(map="rotation", region=build.EVERYWHERE, value=value)
    raise SlotError(f"unknown condition {' '.join(w)!r}")


def _place(w: list[str], scene: SceneView, *, on_top: bool = False) -> Region:
    if w[0] == "area":
        return _area(w[1], scene)
    if w[0] in SIDES:
        distance = _amount(w[2:], build.SIDE_DISTANCE_M)
        return build.point(scene.thing(w[1]).name, SIDES[w[0]], distance)
    lift = build.SIDE_DISTANCE_M if on_top else 0.0
    return build.point(scene.thing(w[0]).name, SIDES["above"], lift)


def _area(area: str, scene: SceneView) -> Region:
    return build.area_region(area, scene.lower_m, scene.upper_m)


def _along(frame: str, w: list[str], default_m: float) -> Region:
    return build.along(frame, DIRECTIONS[w[0]], _amount(w[1:], default_m))


def _near(w: list[str], scene: SceneView, default_m: float) -> Region:
    return build.near(scene.thing(w[0]).name, _amount(w[1:], default_m))


def _amount(w: list[str], default: float) -> float:
    value = quantity(w)
    return default if value is None else value


def _changed(stage: ValueMapStage, factor: float) -> ValueMapStage:
    def scaled(operation: MapOperation) -> MapOperation:
        region = operation.region
        if region.shape not in ("point", "along"):
            return operation
        numbers = {k: round(v * factor, 6) + 0.0 for k, v in region.parameters.items()}
        return replace(operation, region=replace(region, parameters=numbers))

    return replace(stage, operations=tuple(scaled(o) for o in stage.operations))
