"""Slots for rewards: ``lift front-left 20 cm ; pitch up 10 deg then spin left fast``.

Quadruped: ``height low|high|stand|LENGTH``, ``pitch up|down [ANGLE]``, ``flat``, ``roll
left|right|over [ANGLE]``, ``side left|right``, ``turn left|right|around [ANGLE]``,
``face DIRECTION``, ``spin left|right [slow|fast|RATE]``, ``walk WAY [slow|fast|SPEED]``,
``go WAY LENGTH``, ``lift FEET [low|high|LENGTH]``, ``foot FOOT forward|back|in|out [LENGTH]``,
``step FEET [FREQUENCY]``, ``stand hind|front``, ``still``. Arm with a hand: ``touch POINT``,
``bring A B [LENGTH]``, ``lift OBJECT [LENGTH]``, ``upright OBJECT``, ``flip OBJECT``,
``open|close JOINT [SHARE]``, ``hand open|close``, ``palm DIRECTION``, ``rest``. ``for DURATION`` in
a stage sets how long it lasts. After an earlier sentence also ``more``, ``less``, ``double``,
``half``, ``opposite`` and ``keep ; ...``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TypeAlias

from embodied.language.local_translator.amounts import number_rules, quantity
from embodied.language.local_translator.grammar import Grammar, Symbols, lit, words
from embodied.language.local_translator.scene_view import SceneView
from embodied.language.local_translator.slots import Refusal, SlotError, refusal, stages
from embodied.language.reward.vocabulary import (
    DIRECTIONS,
    QUADRUPED,
    Vocabulary,
    arm_vocabulary,
    check,
)
from embodied.types import RewardProgram, RewardStage, RewardTerm

REASONS = ("object", "ambiguous", "action", "range", "chat")
FEET: Mapping[str, tuple[str, ...]] = {
    "front-left": ("front_left",),
    "front-right": ("front_right",),
    "rear-left": ("rear_left",),
    "rear-right": ("rear_right",),
    "front": ("front_left", "front_right"),
    "rear": ("rear_left", "rear_right"),
    "all": ("front_left", "front_right", "rear_left", "rear_right"),
}
"""Feet by the word that slots use."""

FACES: Mapping[str, float] = {
    "sunrise": 0.0,
    "east": 0.0,
    "north": math.pi / 2,
    "sunset": math.pi,
    "west": math.pi,
    "south": -math.pi / 2,
}
"""Headings by name, rad."""

WAYS: Mapping[str, tuple[float, float]] = {
    "forward": (1.0, 0.0),
    "back": (-1.0, 0.0),
    "left": (0.0, 1.0),
    "right": (0.0, -1.0),
}
"""Ways of walking in the heading frame: x forward, y left."""

HEIGHTS_M = {"low": 0.13, "high": 0.38, "stand": 0.30}
LIFTS_M = {"": 0.10, "low": 0.05, "high": 0.20}
SPINS_RAD_S = {"": 1.5, "slow": 0.7, "fast": 3.0}
WALKS_M_S = {"": 0.4, "slow": 0.2, "fast": 0.8}
PITCH_RAD = 0.30
ROLL_RAD = 0.30
FOOT_OFFSET_M = 0.05
STEP_HZ = 2.0
REAR_PITCH_RAD = 1.4
REAR_HEIGHT_M = 0.50
ARM_LIFT_M = 0.20
STAGE_S = 3.0
CHANGES: Mapping[str, float] = {
    "more": 1.5,
    "less": 0.6,
    "double": 2.0,
    "half": 0.5,
    "opposite": -1.0,
}
"""Factors of the one-word corrections."""

_Term: TypeAlias = Callable[..., RewardTerm]

_SALIENT = "height angle rate forward left x y offset frequency distance fraction".split()
_SIGNED = "angle rate forward left x y offset".split()


def vocabulary(scene: SceneView) -> Vocabulary:
    """The reward words of this scene's robot."""
    if scene.robot == "quadruped":
        return QUADRUPED
    return arm_vocabulary(scene.names("item"), scene.handles, scene.joints)


def grammar(scene: SceneView, *, previous: bool = False) -> Grammar:
    """Everything that may be said, with a space in front."""
    rules: dict[str, tuple[Symbols, ...]] = dict(number_rules())
    statements = _quadruped(rules) if scene.robot == "quadruped" else _arm(scene, rules)
    root: list[Symbols] = [(lit(" "), "stages"), (lit(" cannot "), "reason")]
    if previous:
        root += [(lit(" "), "change"), (lit(" keep ; "), "statements")]
        rules["change"] = words(tuple(CHANGES))
    rules |= {
        "root": tuple(root),
        "reason": words(REASONS),
        "stages": (("stage",), ("stage", lit(" then "), "stages")),
        "stage": (("statements",), ("statements", lit(" ; for"), "duration")),
        "statements": (("statement",), ("statement", lit(" ; "), "statements")),
        "statement": tuple(statements),
    }
    used = _reachable(rules)
    return Grammar({k: v for k, v in rules.items() if k in used})


def _quadruped(rules: dict[str, tuple[Symbols, ...]]) -> list[Symbols]:
    rules["side"] = words(("left", "right"))
    rules["updown"] = words(("up", "down"))
    rules["height"] = (*((lit(f" {h}"),) for h in HEIGHTS_M), ("length",))
    rules["angle-opt"] = ((), ("angle",))
    rules["face"] = words(tuple(FACES))
    rules["way"] = words(tuple(WAYS))
    rules["spin"] = ((), (lit(" slow"),), (lit(" fast"),), ("rate",))
    rules["walk"] = ((), (lit(" slow"),), (lit(" fast"),), ("speed",))
    rules["lift"] = ((), (lit(" low"),), (lit(" high"),), ("length",))
    rules["feet"] = words(tuple(FEET))
    rules["foot"] = words(tuple(FEET)[:4])
    rules["shift"] = words(("forward", "back", "in", "out"))
    rules["length-opt"] = ((), ("length",))
    rules["frequency-opt"] = ((), ("frequency",))
    return [
        (lit("height"), "height"),
        (lit("pitch "), "updown", "angle-opt"),
        (lit("flat"),),
        (lit("roll "), "side", "angle-opt"),
        (lit("roll over"),),
        (lit("side "), "side"),
        (lit("turn "), "side", "angle-opt"),
        (lit("turn around"),),
        (lit("face "), "face"),
        (lit("spin "), "side", "spin"),
        (lit("walk "), "way", "walk"),
        (lit("go "), "way", "length"),
        (lit("lift "), "feet", "lift"),
        (lit("foot "), "foot", lit(" "), "shift", "length-opt"),
        (lit("step "), "feet", "frequency-opt"),
        (lit("stand hind"),),
        (lit("stand front"),),
        (lit("still"),),
    ]


def _arm(scene: SceneView, rules: dict[str, tuple[Symbols, ...]]) -> list[Symbols]:
    objects = scene.names("item")
    targets = (*objects, *scene.handles)
    rules["length-opt"] = ((), ("length",))
    rules["share-opt"] = ((), ("share",))
    rules["palm"] = words(DIRECTIONS)
    statements: list[Symbols] = [
        (lit("hand open"),),
        (lit("hand close"),),
        (lit("palm "), "palm"),
        (lit("rest"),),
    ]
    if targets:
        rules["target"] = words(targets)
        statements += [
            (lit("touch "), "target"),
            (lit("bring hand "), "target", "length-opt"),
        ]
    if objects:
        rules["object"] = words(objects)
        statements += [
            (lit("bring "), "object", lit(" "), "target", "length-opt"),
            (lit("lift "), "object", "length-opt"),
            (lit("upright "), "object"),
            (lit("flip "), "object"),
        ]
    if scene.joints:
        rules["joint"] = words(scene.joints)
        statements += [
            (lit("open "), "joint", "share-opt"),
            (lit("close "), "joint", "share-opt"),
        ]
    return statements


def _reachable(rules: Mapping[str, tuple[Symbols, ...]]) -> set[str]:
    seen: set[str] = set()
    todo = ["root"]
    while todo:
        name = todo.pop()
        if name in seen:
            continue
        seen.add(name)
        todo += [s for a in rules[name] for s in a if not s.startswith('"')]
    return seen


def expand(
    text: str,
    scene: SceneView,
    *,
    previous: RewardProgram | None = None,
    source: str = "local",
) -> RewardProgram | Refusal:
    """The program that the slots mean; a number out of range is a refusal that says so.

    Raises:
        SlotError: The text is not in the language of ``grammar(scene)``.
    """
    refused = refusal(text)
    if refused is not None:
        return refused
    words_ = vocabulary(scene)
    try:
        result = _program(text.strip(), scene, previous, source, words_)
    except (KeyError, IndexError) as error:
        raise SlotError(f"not in this robot's slot language: {text!r} ({error})") from error
    found = check(result, words_)
    return Refusal("range", "; ".join(str(d) for d in found)) if found else result


def _program(
    text: str,
    scene: SceneView,
    previous: RewardProgram | None,
    source: str,
    words_: Vocabulary,
) -> RewardProgram:
    robot = words_.robot
    if text in CHANGES or text.startswith("keep"):
        if previous is None:
            raise SlotError(f"{text!r} needs an earlier program")
        *before, last = previous.stages
        if text in CHANGES:
            changed = tuple(_changed(s, CHANGES[text], words_) for s in previous.stages)
            return RewardProgram(robot=robot, stages=changed, source=source)
        new = [t for s in text.split(";")[1:] for t in _terms(s.split(), scene, words_)]
        keys = {_key(t) for t in new}
        kept = tuple(t for t in last.terms if _key(t) not in keys)
        stage = RewardStage(
            terms=(*kept, *_merged(new)), duration_s=last.duration_s, until=last.until
        )
        return RewardProgram(robot=robot, stages=(*before, stage), source=source)
    result: list[RewardStage] = []
    everything = stages(text)
    for i, stage in enumerate(everything):
        duration: float | None = STAGE_S if i + 1 < len(everything) else None
        terms: list[RewardTerm] = []
        for statement in stage:
            if statement[0] == "for":
                duration = quantity(statement[1:])
            else:
                terms += _terms(statement, scene, words_)
        result.append(RewardStage(terms=_merged(terms), duration_s=duration))
    return RewardProgram(robot=robot, stages=tuple(result), source=source)


def _key(term: RewardTerm) -> tuple[str, ...]:
    return (term.name, *(v for v in term.parameters.values() if isinstance(v, str)))


def _merged(terms: list[RewardTerm]) -> tuple[RewardTerm, ...]:
    """Walking forward and left at once is one velocity; of equal terms the last one counts."""
    result: dict[tuple[str, ...], RewardTerm] = {}
    for term in terms:
        key = _key(term)
        if key in result and term.name in ("torso_velocity", "torso_position"):
            both = dict(result[key].parameters)
            both |= {k: v for k, v in term.parameters.items() if v}
            term = _like(term, both)
        result[key] = term
    return tuple(result.values())


def _like(term: RewardTerm, parameters: Mapping[str, float | str]) -> RewardTerm:
    return RewardTerm(name=term.name, parameters=parameters, weight=term.weight, norm=term.norm)


def _terms(w: list[str], scene: SceneView, words_: Vocabulary) -> list[RewardTerm]:
    def term(name: str, **parameters: float | str) -> RewardTerm:
        spec = words_.terms[name]
        defaults = {p.name: p.default for p in spec.parameters if p.default is not None}
        return RewardTerm(
            name=name,
            parameters={**defaults, **parameters},
            weight=spec.weight,
            norm=spec.norm,
        )

    return (_quadruped_terms if scene.robot == "quadruped" else _arm_terms)(w, term)


def _amount(w: list[str], named: Mapping[str, float]) -> float:
    if not w or w[0] in named:
        return named[w[0] if w else ""]
    value = quantity(w)
    if value is None:
        raise SlotError(f"no amount in {' '.join(w)!r}")
    return value


def _quadruped_terms(w: list[str], term: _Term) -> list[RewardTerm]:
    verb, rest = w[0], w[1:]
    if verb == "height":
        return [term("torso_height", height=_amount(rest, HEIGHTS_M))]
    if verb == "flat":
        return [term("torso_pitch", angle=0.0), term("torso_roll", angle=0.0)]
    if verb == "still":
        return [term("stillness")]
    if verb == "pitch":
        sign = 1.0 if rest[0] == "up" else -1.0
        return [term("torso_pitch", angle=sign * _amount(rest[1:], {"": PITCH_RAD}))]
    if verb == "roll" and rest == ["over"]:
        return [term("torso_roll", angle=math.pi)]
    if verb == "roll":
        # leaning right raises the left side, which is positive
        sign = 1.0 if rest[0] == "right" else -1.0
        return [term("torso_roll", angle=sign * _amount(rest[1:], {"": ROLL_RAD}))]
    if verb == "side":
        return [term("torso_roll", angle=math.pi / 2 if rest[0] == "right" else -math.pi / 2)]
    if verb == "turn" and rest == ["around"]:
        return [term("torso_heading", angle=math.pi)]
    if verb == "turn":
        sign = 1.0 if rest[0] == "left" else -1.0
        return [term("torso_heading", angle=sign * _amount(rest[1:], {"": math.pi / 2}))]
    if verb == "face":
        return [term("torso_heading", angle=FACES[rest[0]])]
    if verb == "spin":
        sign = 1.0 if rest[0] == "left" else -1.0
        return [term("torso_turn_rate", rate=sign * _amount(rest[1:], SPINS_RAD_S))]
    if verb in ("walk", "go"):
        x, y = WAYS[rest[0]]
        d = _amount(rest[1:], WALKS_M_S if verb == "walk" else {})
        if verb == "walk":
            return [term("torso_velocity", forward=x * d + 0.0, left=y * d + 0.0)]
        return [term("torso_position", x=x * d + 0.0, y=y * d + 0.0)]
    if verb == "lift":
        height = _amount(rest[1:], LIFTS_M)
        return [term("foot_lift", foot=f, height=height) for f in FEET[rest[0]]]
    if verb == "foot":
        name = "foot_forward" if rest[1] in ("forward", "back") else "foot_inward"
        sign = 1.0 if rest[1] in ("forward", "in") else -1.0
        offset = sign * _amount(rest[2:], {"": FOOT_OFFSET_M})
        return [term(name, foot=FEET[rest[0]][0], offset=offset)]
    if verb == "step":
        frequency = _amount(rest[1:], {"": STEP_HZ})
        diagonal = ("front_right", "rear_left")
        return [
            term(
                "foot_stepping",
                foot=f,
                frequency=frequency,
                phase=0.5 if f in diagonal and rest[0] == "all" else 0.0,
            )
            for f in FEET[rest[0]]
        ]
    if verb == "stand":
        sign = 1.0 if rest[0] == "hind" else -1.0
        return [
            term("torso_pitch", angle=sign * REAR_PITCH_RAD),
            term("torso_height", height=REAR_HEIGHT_M),
        ]
    raise SlotError(f"unknown statement {' '.join(w)!r}")


def _arm_terms(w: list[str], term: _Term) -> list[RewardTerm]:
    verb, rest = w[0], w[1:]
    if verb == "touch":
        return [term("distance", a="palm", b=rest[0], distance=0.0)]
    if verb == "rest":
        return [term("distance", a="palm", b="rest_position", distance=0.0)]
    if verb == "bring":
        first = "palm" if rest[0] == "hand" else rest[0]
        terms = [term("distance", a=first, b=rest[1], distance=_amount(rest[2:], {"": 0.0}))]
        return terms if first == "palm" else [_reach(term, first), *terms]
    if verb == "lift":
        height = _amount(rest[1:], {"": ARM_LIFT_M})
        return [_reach(term, rest[0]), term("object_height", object=rest[0], height=height)]
    if verb in ("upright", "flip"):
        way = "upright" if verb == "upright" else "upside_down"
        return [
            _reach(term, rest[0]),
            term("object_orientation", object=rest[0], orientation=way),
        ]
    if verb in ("open", "close"):
        share = _amount(rest[1:], {"": 1.0})
        fraction = share if verb == "open" else max(0.0, 1.0 - share)
        return [term("joint_fraction", joint=rest[0], fraction=fraction)]
    if verb == "hand":
        return [term("hand_closure", fraction=1.0 if rest[0] == "close" else 0.0)]
    if verb == "palm":
        return [term("palm_orientation", direction=rest[0])]
    raise SlotError(f"unknown statement {' '.join(w)!r}")


def _reach(term: _Term, name: str) -> RewardTerm:
    return term("distance", a="palm", b=name, distance=0.0)


def _changed(stage: RewardStage, factor: float, words_: Vocabulary) -> RewardStage:
    def scaled(term: RewardTerm) -> RewardTerm:
        spec = words_.terms[term.name]
        numbers = dict(term.parameters)
        for p in spec.parameters:
            value = numbers.get(p.name)
            if p.name not in (_SALIENT if factor > 0 else _SIGNED) or not isinstance(value, float):
                continue
            numbers[p.name] = min(max(round(value * factor, 6) + 0.0, p.lower), p.upper)
        foot = numbers.get("foot")
        if factor < 0 and isinstance(foot, str) and "offset" not in numbers:
            end, side = foot.rsplit("_", 1)
            numbers["foot"] = f"{end}_{'left' if side == 'right' else 'right'}"
        return _like(term, numbers)

    terms = tuple(scaled(t) for t in stage.terms)
    return RewardStage(terms=terms, duration_s=stage.duration_s, until=stage.until)
