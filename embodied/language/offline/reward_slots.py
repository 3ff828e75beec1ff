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

from collections.abc import Sequence
from dataclasses import replace

from embodied.language.offline.amounts import number_rules, quantity
from embodied.language.offline.grammar import Grammar, Symbols, lit, reachable, words
from embodied.language.offline.reward_motions import (
    FACES,
    FEET,
    HEIGHTS_M,
    WAYS,
    arm_wishes,
    quadruped_wishes,
)
from embodied.language.offline.scene_view import SceneView
from embodied.language.offline.slots import CHANGES, REFUSED, Refusal, SlotError, refusal, stages
from embodied.language.reward.amending import subject
from embodied.language.reward.checking import check
from embodied.language.reward.corrections import QUANTITIES, Quantity
from embodied.language.reward.phrases import Wish
from embodied.language.reward.rules import staged
from embodied.language.reward.vocabulary import (
    DIRECTIONS,
    QUADRUPED,
    Vocabulary,
    arm_vocabulary,
)
from embodied.language.words.cursor import Abstain
from embodied.types import RewardProgram, RewardStage, RewardTerm

_PLACES = tuple(
    Quantity(term="torso_position", parameter=axis, step=0.0, kind="place") for axis in "xy"
)
"""Quantities that a factor can change besides those of ``reward.corrections``."""

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
        "reason": words(REFUSED),
        "stages": (("stage",), ("stage", lit(" then "), "stages")),
        "stage": (("statements",), ("statements", lit(" ; for"), "duration")),
        "statements": (("statement",), ("statement", lit(" ; "), "statements")),
        "statement": tuple(statements),
    }
    return Grammar(reachable(rules))


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


def expand(
    text: str,
    scene: SceneView,
    *,
    previous: RewardProgram | None = None,
    source: str = "local",
) -> RewardProgram | Refusal:
    """The program that the slots mean, made of the same motions as the rules' programs.

    A number out of range, or two things asked of the same part at once, is a refusal that says so.

    Raises:
        SlotError: The text is not in the language of ``grammar(scene)``.
    """
    refused = refusal(text)
    if refused is not None:
        return refused
    words_ = vocabulary(scene)
    try:
        result = _program(text.strip(), scene, previous, source, words_)
    except Abstain as why:
        return Refusal("ambiguous", str(why.diagnostic))
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
            return replace(_changed(previous, CHANGES[text], words_), source=source)
        stage = _kept(last, [s.split() for s in text.split(";")[1:]], scene)
        return RewardProgram(robot=robot, stages=(*before, stage), source=source)
    everything = stages(text)
    built = [
        stage
        for number, statements in enumerate(everything, start=1)
        for stage, _ in staged(_wishes(statements, scene), last=number == len(everything))
    ]
    return RewardProgram(robot=robot, stages=tuple(built), source=source)


def _wishes(statements: list[list[str]], scene: SceneView) -> list[Wish]:
    asked = [s for s in statements if s[0] != "for"]
    found = quadruped_wishes(asked) if scene.robot == "quadruped" else arm_wishes(asked, scene)
    durations = [quantity(s[1:]) for s in statements if s[0] == "for"]
    return [*found, Wish(seconds=durations[-1])] if durations else found


def _kept(before: RewardStage, statements: list[list[str]], scene: SceneView) -> RewardStage:
    """The stage with what is asked besides: new terms in place of old ones about the same.

    Its guards stay, since the stages that they lead back to do; but who asks for an open hand no
    longer wants what falls out of it to be taken again.
    """
    found = _wishes(statements, scene)
    essential = [t for w in found for t in w.essential]
    essential += [t for w in found if w.stages for t in w.stages[-1].terms]
    new = {subject(t): t for t in essential}
    kept = {subject(t): t for t in before.terms if subject(t) not in new}
    for term in (t for w in found for t in w.support):
        if subject(term) not in new:
            kept.setdefault(subject(term), term)
    opened = any(t.name == "hand_closure" and t.parameters["fraction"] == 0.0 for t in new.values())
    guards = () if opened else before.guards
    return replace(before, terms=(*kept.values(), *new.values()), guards=guards)


def _changed(program: RewardProgram, factor: float, words_: Vocabulary) -> RewardProgram:
    """What the program is about becomes more, less, or its opposite."""
    terms = [t for s in program.stages for t in s.terms]
    about = _about(terms) if factor > 0 else None

    def scaled(term: RewardTerm) -> RewardTerm:
        spec = words_.terms[term.name]
        numbers = dict(term.parameters)
        for p in spec.parameters:
            value = numbers.get(p.name)
            salient = p.name in _SIGNED if about is None else (term.name, p.name) in about
            if salient and isinstance(value, float):
                numbers[p.name] = min(max(round(value * factor, 6) + 0.0, p.lower), p.upper)
        foot = numbers.get("foot")
        if factor < 0 and isinstance(foot, str) and "offset" not in numbers:
            end, side = foot.rsplit("_", 1)
            numbers["foot"] = f"{end}_{'left' if side == 'right' else 'right'}"
        return replace(term, parameters=numbers)

    changed = tuple(replace(s, terms=tuple(scaled(t) for t in s.terms)) for s in program.stages)
    return replace(program, stages=changed, notes=())


def _about(terms: Sequence[RewardTerm]) -> set[tuple[str, str]]:
    """Term and parameter that "more" is about: the first quantity that is not idle."""
    for quantity_ in (*QUANTITIES[:3], *_PLACES, *QUANTITIES[3:]):
        for term in terms:
            value = term.parameters.get(quantity_.parameter)
            if term.name == quantity_.term and isinstance(value, float) and value != quantity_.idle:
                return {
                    (q.term, q.parameter) for q in (*QUANTITIES, *_PLACES) if q.term == term.name
                }
    return set()
