"""Corrections of the active program: "higher", "the other paw", "a bit to the left"."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from embodied.language.reward.other_feet import Change, Terms, another_foot, lifted_feet, other_foot
from embodied.language.reward.phrases import amount, compiled
from embodied.language.reward.redirecting import redirected
from embodied.language.reward.vocabulary import Vocabulary
from embodied.language.words.cursor import Abstain
from embodied.types import RewardCondition, RewardProgram, RewardStage, RewardTerm


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity:
    """A number that corrections can change.

    Attributes:
        term: Term.
        parameter: Its parameter.
        step: What "more" adds.
        kind: ``"high"``, ``"fast"``, ``"angle"``, ``"place"`` or ``"share"``.
        idle: Value at which the term asks for nothing in particular, so that it is passed over.
    """

    term: str
    parameter: str
    step: float
    kind: str
    idle: float | None = 0.0


QUANTITIES: tuple[Quantity, ...] = (
    Quantity(term="foot_lift", parameter="height", step=0.10, kind="high"),
    Quantity(term="object_height", parameter="height", step=0.10, kind="high", idle=None),
    Quantity(term="joint_fraction", parameter="fraction", step=0.25, kind="share", idle=None),
    Quantity(term="torso_turn_rate", parameter="rate", step=0.8, kind="fast"),
    Quantity(term="torso_velocity", parameter="forward", step=0.25, kind="fast"),
    Quantity(term="torso_velocity", parameter="left", step=0.15, kind="fast"),
    Quantity(term="torso_pitch", parameter="angle", step=0.15, kind="angle"),
    Quantity(term="torso_roll", parameter="angle", step=0.15, kind="angle"),
    Quantity(term="foot_forward", parameter="offset", step=0.04, kind="place"),
    Quantity(term="foot_inward", parameter="offset", step=0.04, kind="place"),
    Quantity(term="torso_heading", parameter="angle", step=0.26, kind="angle", idle=None),
    Quantity(term="foot_stepping", parameter="frequency", step=0.5, kind="fast", idle=None),
    Quantity(term="torso_height", parameter="height", step=0.10, kind="high", idle=None),
    Quantity(term="hand_closure", parameter="fraction", step=0.25, kind="share", idle=None),
    Quantity(term="distance", parameter="distance", step=0.05, kind="place"),
)
"""In the order in which a correction looks for what it is about."""

_MUCH = r"(?:(?P<much>even|much|lot|far|still|way) |(?P<bit>bit|little bit|little|slightly|tad) )*"
_VERB = (
    r"(?:(?:lift|go|hold|put|bring|get|spin|turn|walk|run|move|do|make|trot|step)"
    r"(?: up)?(?: (?:it|that|them|paw|paws|torso))? )?"
)
_SIZE = compiled(
    rf"{_VERB}{_MUCH}(?P<way>higher|lower|faster|slower|quicker|more|less|further)"
    r"(?: (?:up|down))?(?: by {LENGTH})?(?: than that)?"
)
_SPEED_WORDS = {
    "speed up": 1, "hurry": 1, "hurry up": 1, "too slowly": 1, "slow down": -1, "slowly down": -1,
    "not so pace=1.5": -1, "too pace=1.5": -1, "not that pace=1.5": -1, "not so pace=0.5": 1,
    "too pace=0.5": 1, "pace=0.5 down": -1, "not so fast": -1, "too fast": -1,
}  # fmt: skip
_HEIGHT_WORDS = {"too low": 1, "too high": -1, "not so high": -1, "not high enough": 1, "up": 1,
                 "down": -1, "not so low": 1}  # fmt: skip
_TO_VALUE = tuple(
    compiled(
        rf"(?:no )?(?:(?:make|lift|open|close) it |go |turn |spin )?(?:to |at |by )?{{{unit}}}"
    )
    for unit in ("LENGTH", "ANGLE", "SPEED", "RATE", "FREQUENCY", "FRACTION")
)
_UNIT_TERMS = (
    ("foot_lift", "object_height", "foot_forward", "foot_inward", "torso_height", "distance"),
    ("torso_pitch", "torso_roll", "torso_heading"),
    ("torso_velocity",),
    ("torso_turn_rate",),
    ("foot_stepping",),
    ("joint_fraction", "hand_closure"),
)
_SIDE = re.compile(
    r"(?:no,? ?)?(?:not (?:left|right),? (?:but )?)?(?:take |use |to )?(?P<side>left|right)"
    r"(?: (?:1|paw|side))?,?(?: not (?:left|right)(?: 1)?)?(?: instead)?"
)
_NUDGE = re.compile(
    rf"(?:turn |go |move |walk |face )?{_MUCH}(?:more |further )?(?:to )?(?P<side>left|right)"
)
_TIMES = re.compile(
    r"(?P<factor>2|3|twice|half|double)(?: times)?"
    r"(?: (?:as )?(?:much|high|fast|it|that|speed|height))?"
)
_REVERSED = re.compile(
    r"(?:in |go |turn |spin |walk )?(?:other|opposite|reverse)(?: direction| way)"
    r"(?: round| around)?"
    r"|reverse|reverse direction"
)


def corrected(text: str, program: RewardProgram, words: Vocabulary) -> RewardProgram | None:
    """The program as a correction changes it; None when the words are no correction.

    Args:
        text: Normal words of one stage, see ``phrases.stages_of``.
        program: The program in force.
        words: The robot's vocabulary, for bounds and objects.

    Raises:
        Abstain: It is a correction, but nothing in the program can be changed so.
    """
    text = re.sub(r"[ ,]+", " ", text).strip()
    for read in (
        _paced,
        redirected,
        _size,
        _value,
        _times,
        _turnabout,
        another_foot,
        _side,
        _again,
    ):
        change = read(text, program)
        if change is not None:
            return _edited(program, change, words)
    nudged = _nudged(text, program)
    if nudged is not None:
        return _edited(program, nudged, words)
    return _other_object(text, program, words)


def _edited(program: RewardProgram, change: Change | Terms, words: Vocabulary) -> RewardProgram:
    """The last stage with its terms changed; numbers stay within their bounds.

    The stages before it are done with, so its guards have nowhere to lead back to and go too.
    """
    last = program.stages[-1]
    if callable(change):
        terms = tuple(_bounded(change(term), words) for term in last.terms)
    else:
        terms = change
    if terms == last.terms:
        raise Abstain("correction", "the program in force is at the limit of this already")
    return RewardProgram(
        robot=program.robot,
        stages=(replace(last, terms=terms, guards=()),),
        source=program.source,
        notes=("changes what was asked before",),
    )


def _bounded(term: RewardTerm, words: Vocabulary) -> RewardTerm:
    spec = words.terms.get(term.name)
    if spec is None:
        return term
    bounded = dict(term.parameters)
    for parameter in spec.parameters:
        value = bounded.get(parameter.name)
        if isinstance(value, float):
            bounded[parameter.name] = round(min(max(value, parameter.lower), parameter.upper), 9)
    return replace(term, parameters=bounded)


def _target(
    terms: Sequence[RewardTerm], kinds: Sequence[str] = (), names: Sequence[str] = ()
) -> Quantity | None:
    """The first quantity of the program that a correction can be about."""
    for quantity in QUANTITIES:
        if kinds and quantity.kind not in kinds or names and quantity.term not in names:
            continue
        for term in terms:
            value = term.parameters.get(quantity.parameter)
            if term.name == quantity.term and isinstance(value, float) and value != quantity.idle:
                return quantity
    return None


def _changing(quantity: Quantity, change: Callable[[float], float]) -> Change:
    def changed(term: RewardTerm) -> RewardTerm:
        value = term.parameters.get(quantity.parameter)
        if term.name != quantity.term or not isinstance(value, float) or value == quantity.idle:
            return term
        return replace(
            term, parameters={**term.parameters, quantity.parameter: float(change(value))}
        )

    return changed


def _paced(text: str, program: RewardProgram) -> Change | None:
    """Read "slowly", "twice as fast": so many times the speed."""
    match = re.fullmatch(rf"{_VERB}(?:much |even )?pace=(\d\S*)", text)
    if match is None:
        return None
    quantity = _target(program.stages[-1].terms, ("fast",))
    if quantity is None:
        raise Abstain(f"'{text}'", "nothing in the program in force has a speed")
    factor = float(match[1])
    return _changing(quantity, lambda value: factor * value)


def _size(text: str, program: RewardProgram) -> Change | None:
    match = _SIZE.fullmatch(text)
    words = match["way"] if match else ""
    sign = 1.0 if words in ("higher", "faster", "quicker", "more", "further") else -1.0
    kinds = {"higher": ("high",), "lower": ("high",), "more": (), "less": (), "further": ()}
    kind = kinds.get(words, ("fast",))
    if match is None:
        if text in _SPEED_WORDS:
            sign, kind = float(_SPEED_WORDS[text]), ("fast",)
        elif text in _HEIGHT_WORDS:
            sign, kind = float(_HEIGHT_WORDS[text]), ("high",)
        else:
            return None
    quantity = _target(program.stages[-1].terms, kind)
    if quantity is None:
        raise Abstain(f"'{text}'", f"nothing in the program in force can be {words or text}")
    step = quantity.step
    if match is not None:
        step *= 0.5 if match["bit"] else 1.0
        step = amount(match) or step

    def change(value: float) -> float:
        if quantity.kind == "fast" and (match is None or amount(match) is None):
            factor = 1.2 if match is not None and match["bit"] else 1.5
            return value * factor**sign
        size = max(abs(value) + sign * step, 0.0 if quantity.kind != "high" else 0.05)
        return size if value >= 0 else -size

    return _changing(quantity, change)


def _value(text: str, program: RewardProgram) -> Change | None:
    for form, names in zip(_TO_VALUE, _UNIT_TERMS, strict=True):
        match = form.fullmatch(text)
        if match is None:
            continue
        quantity = _target(program.stages[-1].terms, names=names)
        if quantity is None:
            raise Abstain(f"'{text}'", "nothing in the program in force has such a unit")
        return _changing(quantity, partial(_with_sign_of, amount(match) or 0.0))
    return None


def _with_sign_of(size: float, old: float) -> float:
    return size if old >= 0 else -size


def _times(text: str, program: RewardProgram) -> Change | None:
    match = _TIMES.fullmatch(text)
    if match is None:
        return None
    factor = {"half": 0.5, "3": 3.0}.get(match["factor"], 2.0)
    kinds = ("high",) if "high" in text or "height" in text else ("fast",) if "fast" in text else ()
    quantity = _target(program.stages[-1].terms, kinds)
    if quantity is None:
        raise Abstain(f"'{text}'", "nothing in the program in force can be so")
    return _changing(quantity, lambda value: factor * value)


def _turnabout(text: str, program: RewardProgram) -> Change | None:
    if not _REVERSED.fullmatch(text):
        return None
    quantity = _target(program.stages[-1].terms, ("fast", "angle"))
    if quantity is None or quantity.term == "foot_stepping":
        raise Abstain(f"'{text}'", "the program in force has no direction")
    return _changing(quantity, lambda value: -value)


def _side(text: str, program: RewardProgram) -> Change | Terms | None:
    match = _SIDE.fullmatch(text)
    if match is None:
        return None
    side = match["side"]
    feet = lifted_feet(program)
    if len(feet) == 1:
        return other_foot(program, lambda f: f"{f.split('_')[0]}_{side}", text)
    quantity = _target(program.stages[-1].terms, ("fast", "angle"))
    if quantity is None or quantity.term in ("foot_stepping", "torso_pitch"):
        raise Abstain(f"'{text}'", "the program in force has no side")
    left = -1.0 if quantity.term == "torso_roll" else 1.0
    sign = left if side == "left" else -left
    return _changing(quantity, lambda value: sign * abs(value))


def _nudged(text: str, program: RewardProgram) -> Change | None:
    match = _NUDGE.fullmatch(text)
    if match is None:
        return None
    terms = program.stages[-1].terms
    sign = 1.0 if match["side"] == "left" else -1.0
    scale = 0.5 if match["bit"] else 1.0
    for name, parameter, step in (
        ("torso_heading", "angle", 0.52),
        ("torso_position", "y", 0.4),
        ("torso_velocity", "left", 0.2),
    ):
        held = [t for t in terms if t.name == name]
        spins = any(t.name == "torso_turn_rate" and t.parameters.get("rate") != 0.0 for t in terms)
        if held and not spins:
            return _shifted(name, parameter, sign * scale * step)
    if any(t.name == "torso_roll" and t.parameters.get("angle") != 0.0 for t in terms):
        return _shifted("torso_roll", "angle", -sign * scale * 0.2)
    raise Abstain(f"'{text}'", "nothing in the program in force can go to a side")


def _shifted(name: str, parameter: str, by: float) -> Change:
    def change(term: RewardTerm) -> RewardTerm:
        value = term.parameters.get(parameter)
        if term.name != name or not isinstance(value, float):
            return term
        return replace(term, parameters={**term.parameters, parameter: value + by})

    return change


def _again(text: str, program: RewardProgram) -> Change | None:
    """Read "open it", "close it again", "turn it off", "only half way"."""
    share = {"half": 0.5, "quarter": 0.25, "third": 1 / 3, "full": 1.0, "all": 1.0}
    part = re.fullmatch(
        r"(?:no )?(?:only |just )?(?:open it )?(half|quarter|third|full|all)(?:y)?(?: way)?", text
    )
    if part is not None and _target(program.stages[-1].terms, names=("joint_fraction",)):
        quantity = _target(program.stages[-1].terms, names=("joint_fraction",))
        assert quantity is not None
        return _changing(quantity, lambda value: share[part[1]])
    match = re.fullmatch(r"(?P<verb>open|close|shut|turn on|turn off) it(?: again| fully)*", text)
    if match is None:
        return None
    quantity = _target(program.stages[-1].terms, names=("joint_fraction", "hand_closure"))
    if quantity is None:
        raise Abstain(f"'{text}'", "nothing in the program in force can be opened")
    wanted = 1.0 if match["verb"] in ("open", "turn on") else 0.0
    if quantity.term == "hand_closure":
        wanted = 1.0 - wanted
    return _changing(quantity, lambda value: wanted)


def _other_object(text: str, program: RewardProgram, words: Vocabulary) -> RewardProgram | None:
    """Read "now the bowl", "no, the brick": the same with another object."""
    if "object_height" not in words.terms:
        return None
    objects = words.terms["object_height"].parameter("object").choices
    match = re.fullmatch(
        rf"(?:no,? ?)?(?:same (?:with|for|to) )?(?P<thing>{'|'.join(map(re.escape, objects))})"
        r"(?: instead)?",
        text,
    )
    if match is None:
        return None
    used = [
        n
        for stage in program.stages
        for term in stage.terms
        for n in term.parameters.values()
        if n in objects
    ]
    about = list(dict.fromkeys(str(n) for n in used))
    if len(about) != 1:
        listed = ", ".join(about) or "none"
        raise Abstain(f"'{text}'", f"the program in force is not about one object, but: {listed}")
    return RewardProgram(
        robot=program.robot,
        stages=tuple(_renamed(stage, about[0], match["thing"]) for stage in program.stages),
        source=program.source,
        notes=("the same as before with another object",),
    )


def _renamed(stage: RewardStage, old: str, new: str) -> RewardStage:
    def rename(value: float | str) -> float | str:
        return new if value == old else value

    def about(condition: RewardCondition) -> RewardCondition:
        names = tuple(new if a == old else a for a in condition.arguments)
        return replace(condition, arguments=names)

    terms = tuple(
        replace(t, parameters={k: rename(v) for k, v in t.parameters.items()}) for t in stage.terms
    )
    return replace(
        stage,
        terms=terms,
        until=None if stage.until is None else about(stage.until),
        guards=tuple(replace(g, condition=about(g.condition)) for g in stage.guards),
    )
