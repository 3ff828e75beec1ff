"""A deterministic translator from English sentences to reward programs.

It is a grammar, not a language model: every clause must match one of its patterns to the last word,
otherwise it abstains and lists what it knows. Clauses joined by "then" become stages. A correction
("higher", "slower", "keep that and also lift the left paw") edits the program in force.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypeAlias

from embodied.errors import Diagnostic, NotUnderstoodError
from embodied.language.reward import building as build
from embodied.language.reward.conversation import amended, current
from embodied.language.reward.serialise import quantity
from embodied.language.reward.vocabulary import ARM_OBJECTS, VOCABULARIES, check
from embodied.protocols import StateMemory
from embodied.types import RewardProgram, RewardStage, RewardTerm, WorldSpec

Match: TypeAlias = "re.Match[str]"
Maker: TypeAlias = Callable[[Match], "tuple[RewardStage, ...]"]

MAX_CHARACTERS = 500
STAGE_S = 3.0
"""Duration of a stage that another one follows, when the sentence gives none."""

_FILLERS = re.compile(
    r"\b(please|now|just|robot|could you|can you|would you|i want you to|kindly|ok|okay|hey|dog)\b"
)
_NUMBER = r"(?P<n>\d+(?:\.\d+)?)"
_LENGTH = rf"{_NUMBER}\s*(?P<u>cm|mm|m|centimetres|centimeters|metres|meters|metre|meter)"
_DEGREES = rf"{_NUMBER}\s*(?P<u>degrees|degree|deg|rad)"
_SIDE = r"(?P<end>front|fore|rear|back|hind)\s+(?P<side>left|right)"
_SIDE_SWAPPED = r"(?P<side>left|right)\s+(?P<end>front|fore|rear|back|hind)"
_PAW = r"(?:paw|foot|leg|feet)"
_THING = r"(?:the\s+)?(?P<a>{})"
_OTHER = r"(?:the\s+)?(?P<b>{})"
_OPPOSITE = {
    "front_left": "rear_right",
    "rear_right": "front_left",
    "front_right": "rear_left",
    "rear_left": "front_right",
}
_HEADINGS = {
    "east": 0.0,
    "sunrise": 0.0,
    "north": math.pi / 2,
    "west": math.pi,
    "sunset": math.pi,
    "south": -math.pi / 2,
}
_UNITS = {
    "centimetres": "cm",
    "centimeters": "cm",
    "metres": "m",
    "meters": "m",
    "metre": "m",
    "meter": "m",
    "degrees": "deg",
    "degree": "deg",
}


def _size(match: Match, unit: str) -> float:
    written = match["u"]
    return quantity(f"{match['n']} {_UNITS.get(written, written)}", unit)


def _foot(match: Match) -> str:
    end = "front" if match["end"] in ("front", "fore") else "rear"
    return f"{end}_{match['side']}"


def _one(terms: tuple[RewardTerm, ...]) -> tuple[RewardStage, ...]:
    return (build.stage(*terms),)


_SPEED = {"slowly": 1.25, "slow": 1.25, "fast": 2.5, "quickly": 2.5, "": 2.5}
_WAYS = {
    "forward": (0.4, 0.0),
    "forwards": (0.4, 0.0),
    "backward": (-0.3, 0.0),
    "backwards": (-0.3, 0.0),
    "back": (-0.3, 0.0),
    "left": (0.0, 0.25),
    "right": (0.0, -0.25),
}


def _spin(match: Match) -> tuple[RewardStage, ...]:
    sign = -1.0 if (match["side"] or "left") in ("right", "clockwise") else 1.0
    return _one(build.spinning(sign * _SPEED[match["speed"] or ""]))


def _walk(match: Match) -> tuple[RewardStage, ...]:
    forward, left = _WAYS[match["way"]]
    factor = {"fast": 1.5, "quickly": 1.5, "slowly": 0.5, "slow": 0.5}.get(match["speed"] or "", 1)
    return _one(build.walking(factor * forward, factor * left))


def _pitch(match: Match) -> tuple[RewardStage, ...]:
    sign = 1.0 if match["way"] == "up" else -1.0
    return _one(build.pitched(sign * (_size(match, "rad") if match["n"] else 0.3)))


QUADRUPED_PATTERNS: tuple[tuple[str, str, Maker], ...] = (
    (
        "face the sunrise / turn and face west",
        r"(?:the sun (?:rises|sets) in the (?:east|west) )?(?:(?:turn|rotate)(?: and| to)? )?"
        r"(?:face|look at|facing|look)(?: to| towards?)?(?: the)? "
        rf"(?P<where>{'|'.join(_HEADINGS)})",
        lambda m: _one(build.facing(_HEADINGS[m["where"]])),
    ),
    (
        "sit down low with a flat torso",
        r"(?:sit|sit down|crouch|crouch down|lie|lie down|get down|go)(?: (?:low|down|flat))*"
        r"(?: (?:with|keeping) (?:a|the|your) (?:flat|level) (?:torso|body)"
        r"| (?:and|with) (?:keep )?(?:the |your )?torso (?:flat|level))?",
        lambda m: _one(build.at_height(0.12)),
    ),
    (
        "stand up / stand at 25 cm",
        rf"(?:stand|stand up|get up|stand up straight)(?: (?:at|to) {_LENGTH})?",
        lambda m: _one(build.at_height(_size(m, "m") if m["n"] else build.STANDING_HEIGHT_M)),
    ),
    (
        "roll over by 180 degrees",
        rf"roll(?: over)?(?: by)?(?: {_DEGREES})?(?: onto (?:the|your) back)?",
        lambda m: _one(build.rolled(_size(m, "rad") if m["n"] else math.pi)),
    ),
    (
        "spin fast / spin to the right slowly",
        r"(?:spin|rotate|turn)(?: around| round| in place| on the spot)?"
        r"(?: (?:to the )?(?P<side>left|right|clockwise|counterclockwise))?"
        r"(?: as)?(?: (?P<speed>slowly|slow|fast|quickly))?",
        _spin,
    ),
    (
        "lift the front right paw (20 cm high)",
        rf"(?:lift|raise)(?: up)?(?: the| your| its)? (?:{_SIDE}) {_PAW}(?: up)?"
        rf"(?:(?: by| to)? {_LENGTH}(?: high)?)?",
        lambda m: _one(
            build.lifting({_foot(m): _size(m, "m") if m["n"] else build.LIFT_HEIGHT_M})
        ),
    ),
    (
        "lift the right front paw",
        rf"(?:lift|raise)(?: up)?(?: the| your| its)? (?:{_SIDE_SWAPPED}) {_PAW}(?: up)?"
        rf"(?:(?: by| to)? {_LENGTH}(?: high)?)?",
        lambda m: _one(
            build.lifting({_foot(m): _size(m, "m") if m["n"] else build.LIFT_HEIGHT_M})
        ),
    ),
    (
        "stand on your two back feet like a human",
        rf"(?:stand|stand up|rise|get up)(?: up)? on (?:the |your |its )?(?:two )?"
        rf"(?:back|rear|hind) {_PAW}s?(?: like a human)?",
        lambda m: _one(build.on_two_feet()),
    ),
    (
        "walk forward (slowly, fast)",
        r"(?:walk|go|move|trot|step) (?:to the )?"
        rf"(?P<way>{'|'.join(_WAYS)})(?: (?P<speed>slowly|slow|fast|quickly))?",
        _walk,
    ),
    (
        "pitch up by 20 degrees",
        rf"(?:pitch|tilt)(?: the| your)?(?: torso| nose| body)? (?P<way>up|down)(?: by)?"
        rf"(?: {_DEGREES})?",
        _pitch,
    ),
    ("stand still", r"(?:stop|stand still|stay|halt|freeze)",
     lambda m: _one(build.at_height(build.STANDING_HEIGHT_M))),
)  # fmt: skip
"""Example, pattern and maker of every clause about the quadruped."""


def _arm_patterns(things: tuple[str, ...]) -> tuple[tuple[str, str, Maker], ...]:
    names = "|".join(things)
    a, b = _THING.format(names), _OTHER.format(names)
    return (
        (f"touch the {things[0]}", rf"(?:touch|reach for|reach|point at) {a}",
         lambda m: build.touching(m["a"])),
        (f"lift the {things[0]} to 0.5 m",
         rf"(?:lift|raise|pick up|take)(?: up)? {a}(?: up)?(?:(?: to| by)? {_LENGTH}(?: high)?)?",
         lambda m: build.lifting_thing(m["a"], _size(m, "m") if m["n"] else 0.3)),
        (f"move the {things[0]} to the {things[-1]}",
         rf"(?:move|bring|carry|put|take|place) {a} (?:to|next to|beside|near|close to|by) {b}",
         lambda m: build.moving(m["a"], m["b"])),
        ("place the cup upright",
         rf"(?:(?:place|put|set|stand|turn) {a} upright|stand {a} up|(?:set|put) {a} up)",
         lambda m: build.uprighting(next(v for k, v in m.groupdict().items() if v))),
        ("flip the box upside down",
         rf"(?:flip|turn|put) (?:over )?{a}(?: upside down| over)",
         lambda m: build.flipping(m["a"])),
        ("lift the box and the cup at the same time",
         rf"(?:lift|raise|pick up) {a} and {b}(?: at (?:the same time|once)| together)?",
         lambda m: build.lifting_two(m["a"], m["b"])),
        ("turn on the faucet",
         r"(?:turn|switch|put) (?P<way>on|off) (?:the )?(?:faucet|tap|water)"
         r"|open (?:the )?(?:faucet|tap)",
         lambda m: build.turning_joint("faucet", 0.0 if m["way"] == "off" else 1.0)),
        ("open the drawer", r"(?P<way>open|close|shut|pull out|push in) (?:the )?drawer",
         lambda m: build.turning_joint(
             "drawer", 1.0 if m["way"] in ("open", "pull out") else 0.0)),
    )  # fmt: skip


_AMENDS = re.compile(
    r"^(?:keep (?:that|it|this)|stay like that) and (?:also )?(?P<rest>.+)$|^also (?P<rest2>.+)$"
)
_DEGREE_WORD = re.compile(
    r"^(?:(?:lift|raise|move|make|do|go|spin|walk|turn|sit|it|that|this|them) )*"
    r"(?:(?:even|a bit|a little|much|still) )*"
    r"(?P<word>higher|lower|faster|slower)(?: still)?$"
)
_DIAGONAL = re.compile(
    rf"^(?:lift |raise )?(?:the )?(?:diagonal|diagonally opposite|opposite) {_PAW}(?: instead)?$"
)
_FACTORS: Mapping[str, tuple[float, Mapping[str, str]]] = {
    "higher": (1.0, {"foot_lift": "height", "torso_height": "height", "object_height": "height"}),
    "lower": (-1.0, {"foot_lift": "height", "torso_height": "height", "object_height": "height"}),
    "faster": (1.0, {"torso_turn_rate": "rate", "torso_velocity": "forward"}),
    "slower": (-1.0, {"torso_turn_rate": "rate", "torso_velocity": "forward"}),
}
_STEP = {"foot_lift": 0.10, "torso_height": 0.05, "object_height": 0.10}


class RewardRules:
    """Translator (protocol) to reward programs for the quadruped or the arm.

    Args:
        robot: ``"quadruped"`` or ``"arm"``.
        things: Objects on the arm's table.
    """

    def __init__(self, robot: str, things: tuple[str, ...] = ARM_OBJECTS) -> None:
        self.robot = robot
        rows = QUADRUPED_PATTERNS if robot == "quadruped" else _arm_patterns(things)
        self.examples = tuple(example for example, _, _ in rows)
        self._rows = tuple((re.compile(_renamed(pattern)), maker) for _, pattern, maker in rows)

    @property
    def name(self) -> str:
        """``"rules"``."""
        return "rules"

    def translate(self, instruction: str, memory: StateMemory, spec: WorldSpec) -> RewardProgram:
        """Translate one sentence.

        Raises:
            NotUnderstoodError: A clause is outside the grammar; the diagnostic quotes it.
        """
        del spec
        if len(instruction) > MAX_CHARACTERS:
            raise self._abstain(
                instruction, instruction[:40] + "...", f"longer than {MAX_CHARACTERS} characters"
            )
        text = _normalised(instruction)
        if not text:
            raise self._abstain(instruction, instruction, "the sentence is empty")
        before = current(memory)
        amends = _AMENDS.match(text)
        if amends and before is not None:
            rest = amends["rest"] or amends["rest2"]
            new = self._stages(instruction, rest)
            return self._checked(instruction, self._kept(before, new[-1]))
        if before is not None:
            corrected = self._corrected(before, text)
            if corrected is not None:
                return self._checked(instruction, corrected)
        stages = self._stages(instruction, text)
        return self._checked(
            instruction, RewardProgram(robot=self.robot, stages=stages, source=self.name)
        )

    def _kept(self, before: RewardProgram, new: RewardStage) -> RewardProgram:
        """Both at once: a lifted foot stays lifted although the new stage keeps it down."""
        lifted = {
            t.parameters["foot"]
            for t in before.stages[-1].terms
            if t.name == "foot_lift" and float(t.parameters["height"]) > 0
        }
        terms = tuple(
            t
            for t in new.terms
            if not (
                t.name == "foot_lift"
                and t.parameters["foot"] in lifted
                and float(t.parameters["height"]) == 0
            )
        )
        return amended(before, replace(new, terms=terms), source=self.name)

    def _corrected(self, before: RewardProgram, text: str) -> RewardProgram | None:
        """The program in force, changed by "higher", "slower" or "the diagonal paw instead"."""
        last = before.stages[-1]
        if _DIAGONAL.match(text):
            lifted = [
                (str(t.parameters["foot"]), float(t.parameters["height"]))
                for t in last.terms
                if t.name == "foot_lift" and float(t.parameters["height"]) > 0
            ]
            if len(lifted) == 1:
                foot, height = lifted[0]
                stages = (build.stage(*build.lifting({_OPPOSITE[foot]: height})),)
                return RewardProgram(robot=self.robot, stages=stages, source=self.name)
        match = _DEGREE_WORD.match(text)
        if match is None:
            return None
        sign, names = _FACTORS[match["word"]]
        lifts = any(t.name == "foot_lift" and float(t.parameters["height"]) > 0 for t in last.terms)
        changed = False
        terms: list[RewardTerm] = []
        for term in last.terms:
            parameter = names.get(term.name)
            value = float(term.parameters[parameter]) if parameter else 0.0
            if parameter is None or value == 0.0 or (lifts and term.name == "torso_height"):
                terms.append(term)
                continue
            bounds = VOCABULARIES[self.robot].terms[term.name].parameter(parameter)
            new = value + sign * _STEP[term.name] if term.name in _STEP else value * 1.5**sign
            new = min(max(new, bounds.lower), bounds.upper)
            terms.append(replace(term, parameters={**term.parameters, parameter: round(new, 4)}))
            changed = True
        if not changed:
            return None
        return RewardProgram(
            robot=self.robot,
            stages=(replace(last, terms=tuple(terms)),),
            source=self.name,
            notes=(f"{match['word']}: the program in force was changed",),
        )

    def _stages(self, instruction: str, text: str) -> tuple[RewardStage, ...]:
        clauses = [c.strip() for c in re.split(r"\s*,?\s*(?:and )?then\s+|\s*;\s*", text)]
        stages: list[RewardStage] = []
        for i, clause in enumerate(clauses):
            made = list(self._clause(instruction, clause))
            last = made[-1]
            if i + 1 < len(clauses) and last.duration_s is None:
                made[-1] = replace(last, duration_s=STAGE_S)
            stages.extend(made)
        return tuple(stages)

    def _clause(self, instruction: str, clause: str) -> tuple[RewardStage, ...]:
        timed = re.fullmatch(r"(?P<what>.+?) for (?P<t>\d+(?:\.\d+)?) (?:s|seconds?)", clause)
        what = timed["what"] if timed else clause
        for pattern, maker in self._rows:
            match = pattern.fullmatch(what)
            if match is not None:
                try:
                    made = maker(match)
                except ValueError as error:
                    raise self._abstain(instruction, clause, str(error)) from None
                if timed:
                    return (*made[:-1], replace(made[-1], duration_s=float(timed["t"])))
                return made
        raise self._abstain(instruction, clause, f"{clause!r} is outside what the rules know")

    def _checked(self, instruction: str, program: RewardProgram) -> RewardProgram:
        found = check(program)
        if found:
            raise NotUnderstoodError(instruction, found)
        return program

    def _abstain(self, instruction: str, where: str, problem: str) -> NotUnderstoodError:
        hint = "known: " + "; ".join(self.examples)
        return NotUnderstoodError(
            instruction, [Diagnostic(where=where or "sentence", problem=problem, hint=hint)]
        )


def _normalised(sentence: str) -> str:
    text = sentence.lower().strip().rstrip(".!?")
    text = re.sub(r"[:]", " ", text)
    text = re.sub(r"(?<!\d)\.|\.(?!\d)", " then ", text)
    text = _FILLERS.sub(" ", text)
    text = re.sub(r"\s+", " ", text).strip()
    return re.sub(r"^(?:and |then )+", "", text)


def _renamed(pattern: str) -> str:
    """Alternatives may repeat a group name: later ones get a suffix."""
    seen: dict[str, int] = {}

    def rename(match: Match) -> str:
        name = match[1]
        seen[name] = seen.get(name, 0) + 1
        return f"(?P<{name}{'_' * (seen[name] - 1)}>"

    return re.sub(r"\(\?P<(\w+)>", rename, pattern)
