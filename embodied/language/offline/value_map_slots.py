"""Slots for value maps: ``to left-of cup 10 cm ; avoid bowl 5 cm``.

A stage has one motion (``to PLACE``, ``go DIRECTION``, ``push OBJECT ...``, ``grasp OBJECT``,
``drop PLACE``, ``grip open``) and conditions on the way (``stay SIDE OBJECT``, ``avoid OBJECT``,
``speed ...``, ``slow near OBJECT``, ``slow area AREA``, ``point DIRECTION``). PLACE is ``OBJECT``,
``SIDE OBJECT [length]`` or ``area AREA``. After an earlier sentence also ``keep ; ...`` (the
earlier program with additions) and ``more``, ``less``, ``double``, ``half``, ``opposite`` (its
displacements changed).
"""

from __future__ import annotations

from collections.abc import Mapping

from embodied.language.offline.amounts import number_rules, quantity
from embodied.language.offline.grammar import Grammar, Symbols, lit, words
from embodied.language.offline.scene_view import SceneView
from embodied.language.offline.slots import Refusal, SlotError, refusal, stages
from embodied.language.value_map.vocabulary import (
    AREAS,
    DIRECTIONS,
    GRIPPER_DIRECTIONS,
    SIDES,
    SPEEDS_M_S,
    area_bounds,
    check,
)
from embodied.types import MapOperation, Region, ValueMapProgram, ValueMapStage

REASONS = ("object", "ambiguous", "action", "range", "chat")
SIDE_DISTANCE_M = 0.10
STEP_M = 0.05
PUSH_M = 0.10
CLEARANCE_M = 0.10
SLOW_RADIUS_M = 0.10
CHANGES: Mapping[str, float] = {
    "more": 1.5,
    "less": 0.6,
    "double": 2.0,
    "half": 0.5,
    "opposite": -1.0,
}
"""Factors of the one-word corrections."""

EVERYWHERE = Region(shape="box")


def grammar(scene: SceneView, *, previous: bool = False) -> Grammar:
    """Everything that may be said about this scene, with a space in front."""
    items = scene.names("item")
    drawers = scene.names("drawer")
    things = tuple(t.name for t in scene.things)
    motions: list[Symbols] = [
        (lit("go "), "direction", "length?"),
        (lit("to "), "place"),
        (lit("drop "), "place"),
        (lit("grip open"),),
        (lit("grip close"),),
    ]
    if items:
        motions += [
            (lit("push "), "item", lit(" "), "direction", "length?"),
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
        places += [("thing",), ("side", lit(" "), "thing", "length?")]
        conditions += [
            (lit("stay "), "side", lit(" "), "thing"),
            (lit("avoid "), "thing", "length?"),
            (lit("slow near "), "thing", "length?"),
        ]
    root: list[Symbols] = [(lit(" "), "stages"), (lit(" cannot "), "reason")]
    if previous:
        root += [(lit(" "), "change"), (lit(" keep"), "conditions1")]
    rules: dict[str, tuple[Symbols, ...]] = {
        "root": tuple(root),
        "reason": words(REASONS),
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
        "length?": ((), ("length",)),
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
    return Grammar({k.replace("?", "-opt"): _renamed(v) for k, v in rules.items()})


_NUMBER_RULES = ("digit", "number", "length", "unit-length", "unit-speed")


def _renamed(alternatives: tuple[Symbols, ...]) -> tuple[Symbols, ...]:
    return tuple(
        tuple(s if s.startswith('"') else s.replace("?", "-opt") for s in a) for a in alternatives
    )


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
        return "gripper", [_gripper(EVERYWHERE, 1.0 if w[1] == "open" else 0.0)]
    if verb == "to":
        return "gripper", [_target(_place(w[1:], scene))]
    if verb == "drop":
        place = _place(w[1:], scene, on_top=True)
        return "gripper", [_target(place), _gripper(place, 1.0)]
    if verb == "grasp":
        place = Region(shape="point", frame=scene.thing(w[1]).name, parameters=_xyz((0, 0, 0), 0))
        return "gripper", [_target(place), _gripper(place, 0.0)]
    if verb == "go":
        return "gripper", [_target(_along("gripper", w[1:], STEP_M))]
    if verb == "push":
        thing = scene.thing(w[1])
        if w[2] == "to":
            return thing.name, [_target(_place(w[3:], scene))]
        if w[2] in ("open", "close"):
            way = thing.travel_m if w[2] == "open" else -thing.travel_m
            region = Region(
                shape="along", frame=thing.name, parameters=_xyz(thing.opens_along, way)
            )
            return thing.name, [_target(region)]
        return thing.name, [_target(_along(thing.name, w[2:], PUSH_M))]
    raise SlotError(f"unknown motion {' '.join(w)!r}")


def _condition(w: list[str], scene: SceneView) -> MapOperation:
    verb = w[0]
    if verb == "stay":
        n = SIDES[w[1]]
        # what is avoided is the other side of the object
        region = Region(
            shape="half-space",
            frame=scene.thing(w[2]).name,
            parameters={"nx": -n[0], "ny": -n[1], "nz": -n[2], "offset": 0.0},
        )
        return MapOperation(map="avoidance", region=region, value=1.0)
    if verb == "avoid":
        region = _near(scene.thing(w[1]).name, quantity(w[2:]), CLEARANCE_M)
        return MapOperation(map="avoidance", region=region, value=1.0)
    if verb == "speed":
        value = SPEEDS_M_S[w[1]] if w[1] in SPEEDS_M_S else quantity(w[1:])
        if value is None:
            raise SlotError(f"no speed in {' '.join(w)!r}")
        return MapOperation(map="velocity", region=EVERYWHERE, value=value)
    if verb == "slow":
        if w[1] == "near":
            region = _near(scene.thing(w[2]).name, quantity(w[3:]), SLOW_RADIUS_M)
        else:
            region = _area(w[2], scene)
        return MapOperation(map="velocity", region=region, value=SPEEDS_M_S["slow"])
    if verb == "point":
        return MapOperation(map="rotation", region=EVERYWHERE, value=GRIPPER_DIRECTIONS[w[1]])
    raise SlotError(f"unknown condition {' '.join(w)!r}")


def _place(w: list[str], scene: SceneView, *, on_top: bool = False) -> Region:
    if w[0] == "area":
        return _area(w[1], scene)
    if w[0] in SIDES:
        amount = quantity(w[2:])
        distance = SIDE_DISTANCE_M if amount is None else amount
        return Region(
            shape="point",
            frame=scene.thing(w[1]).name,
            parameters=_xyz(SIDES[w[0]], distance),
        )
    lift = SIDE_DISTANCE_M if on_top else 0.0
    return Region(
        shape="point", frame=scene.thing(w[0]).name, parameters=_xyz(SIDES["above"], lift)
    )


def _area(area: str, scene: SceneView) -> Region:
    return Region(shape="box", parameters=area_bounds(area, scene.lower_m, scene.upper_m))


def _along(frame: str, w: list[str], default_m: float) -> Region:
    amount = quantity(w[1:])
    distance = default_m if amount is None else amount
    return Region(shape="along", frame=frame, parameters=_xyz(DIRECTIONS[w[0]], distance))


def _near(name: str, radius_m: float | None, default_m: float) -> Region:
    radius = default_m if radius_m is None else radius_m
    return Region(shape="near-object", frame=name, parameters={"radius": radius})


def _xyz(direction: tuple[float, float, float], length: float) -> dict[str, float]:
    return {a: round(d * length, 6) + 0.0 for a, d in zip("xyz", direction, strict=True)}


def _target(region: Region) -> MapOperation:
    return MapOperation(map="affordance", region=region, value=1.0)


def _gripper(region: Region, opening: float) -> MapOperation:
    return MapOperation(map="gripper", region=region, value=opening)


def _changed(stage: ValueMapStage, factor: float) -> ValueMapStage:
    def scaled(operation: MapOperation) -> MapOperation:
        region = operation.region
        if region.shape not in ("point", "along"):
            return operation
        numbers = {k: round(v * factor, 6) + 0.0 for k, v in region.parameters.items()}
        new = Region(shape=region.shape, frame=region.frame, parameters=numbers)
        return MapOperation(map=operation.map, region=new, value=operation.value)

    return ValueMapStage(moving=stage.moving, operations=tuple(scaled(o) for o in stage.operations))
