"""How a person wants a goal to be reached: phrases on speed, distance and tilt.

"Put the sponge in the drawer slowly, at least 10 cm away from the cups" names a goal and a manner.
The manner is read here and left out of what the translator of goals gets.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from embodied.errors import Diagnostic, NotUnderstoodError
from embodied.language.value_map.building import PACES_M_S
from embodied.language.value_map.rules.cursor import SceneCursor
from embodied.language.words.amounts import VAGUE_M
from embodied.language.words.cursor import Abstain
from embodied.language.words.lexer import COMMA, PAUSES, STOP, UnreadableTextError, tokenize
from embodied.language.words.manner import pace_at
from embodied.language.words.scene_words import SceneWords, plain
from embodied.protocols import StateMemory, Translator
from embodied.types import Manner, PddlProgram, Program, WorldSpec

SLOW_M_S, VERY_SLOW_M_S = 0.1, 0.05
"""What "slowly" and "very slowly" mean for the hand."""
APART_M, UNTOUCHED_M = 0.10, 0.02
"""What "away from" keeps where no distance is said, and "without touching"."""

_SLOW = (
    "take your time", "no rush", "without hurry", "in no hurry", "slowly and carefully",
    "carefully and slowly", "slowly does it", "gently does it", "easy does it", "gently now",
    "go easy", "take it easy", "take it slow", "go slow", "go slowly", "move slowly", "slow",
    "slow and steady", "slowly and steadily", "nice and easy", "with a gentle touch",
)  # fmt: skip
_VERY_SLOW = (
    "very slowly", "really slowly", "extremely slowly", "very carefully", "very gently",
    "super slowly", "ever so slowly", "ever so gently", "ever so carefully", "extra slowly",
    "extremely gently", "extremely carefully", "extra carefully", "super carefully",
)  # fmt: skip
_ALL_OF_IT = (
    "do all of that", "do all of this", "do all that", "do all this", "do everything", "do that",
    "do this", "do it", "do so",
)  # fmt: skip
_AT_MOST = (
    "at most", "no faster than", "not faster than", "never faster than", "never go faster than",
    "without going faster than", "without moving faster than", "not going faster than",
    "do not go faster than", "do not move faster than", "at no more than", "at", "with at most",
    "at a speed of", "at a speed of at most", "never exceeding", "not exceeding", "below",
    "staying below", "slower than", "max", "maximum", "at a max of", "at a maximum of", "up to",
    "with a maximum of", "at max", "at no more than", "no more than", "not more than", "under",
    "at a top speed of", "with a top speed of", "at a maximum speed of", "do not exceed",
    "never exceed", "without exceeding", "stay below", "stay under", "staying under",
)  # fmt: skip
_UPRIGHT = (
    "upright", "level", "right side up", "keeping it upright", "keeping it level",
    "keep it upright", "keep it level", "held upright", "holding it upright",
    "keeping it straight", "without tilting",
    "without tilting it", "without tipping", "without tipping it", "do not tilt it",
    "do not tip it", "without spilling", "without spilling it", "without spilling anything",
    "do not spill it", "do not spill anything", "not tilting it", "keep it straight",
    "do not let it tip", "do not let it tilt", "do not let it spill", "vertical",
    "keeping it vertical", "keep it vertical", "keep it steady", "keeping it steady",
    "without spilling a drop", "do not spill a drop", "do not spill any", "without tilting",
    "horizontal", "keep it horizontal", "right way up", "the right way up",
)  # fmt: skip
_MIND = (
    "mind the", "watch the", "careful with the", "be careful with the", "mind its",
    "watch out for the",
)  # fmt: skip
_LEVEL = ("upright", "level", "vertical", "straight", "steady", "horizontal", "right side up")
_CLOSER = tuple(
    f"{no} {closer} than"
    for no in (
        "no", "never", "not", "do not get", "do not come", "do not go", "never get", "never come",
        "never go", "without getting", "without coming", "without going", "never getting",
        "never coming", "not getting", "not coming",
    )
    for closer in ("closer", "nearer")
) + tuple(
    f"{no} {get} within"
    for no in ("never", "do not", "not")
    for get in ("get", "come", "go", "be", "move", "getting", "coming", "going")
) + tuple(
    f"without {going} within" for going in ("getting", "coming", "going", "being")
)  # fmt: skip
_KEEP = (
    "keeping", "keep", "staying", "stay", "remaining", "remain", "leaving", "leave", "being",
    "keeping it", "keep it", "with", "keeping a distance of", "keep a distance of", "passing",
)  # fmt: skip
_AWAY = (
    "staying away from", "stay away from", "keeping away from", "keep away from", "avoiding",
    "avoid", "staying clear of", "stay clear of", "keeping clear of", "keep clear of",
    "steering clear of", "steer clear of", "going around", "go around", "without going near",
    "without coming near", "without getting near", "without getting close to",
    "without coming close to", "do not go near", "do not get close to", "do not come near",
    "keeping your distance from", "keep your distance from", "giving a wide berth to", "go round",
    "going round", "steer around", "steering around", "stay well clear of", "dodging", "dodge",
    "bypassing", "bypass", "making a detour around", "taking a detour around",
)  # fmt: skip
_UNTOUCHED = (
    "without touching", "without hitting", "without bumping into", "without knocking over",
    "do not touch", "do not hit", "do not bump into", "without disturbing", "not touching",
    *(
        f"{no} {verb}"
        for no in ("do not", "never", "try not to", "take care not to", "be careful not to",
                   "mind you do not", "careful not to", "make sure not to", "make sure you do not")
        for verb in ("touch", "nudge", "hit", "bump", "bump into", "knock", "knock over", "brush",
                     "disturb", "clip", "graze", "knock into", "run into", "topple")
    ),
    *(
        f"without {verb}"
        for verb in ("nudging", "bumping", "brushing", "clipping", "grazing", "knocking",
                     "knocking into", "running into", "toppling", "brushing against")
    ),
)  # fmt: skip
_FROM = (
    "away from",
    "clear of",
    "of",
    "from",
    "of distance from",
    "of clearance from",
    "off",
    "to",
)
_BEFORE = (COMMA, "and", "but", "while", "always", "also", "whilst", "by")
_BERTH = (
    "a wide berth", "plenty of room", "some room", "some space", "room", "plenty of space",
    "lots of room", "space",
)  # fmt: skip
_SKIPPED = (
    "on the way", "all the way", "at all times", "the whole time", "all the time", "there",
    "the whole way", "throughout", "along the way", "at any point", "at any time", "all along",
    "on the way there", "on your way", "for the whole trip", "the entire way", "the entire time",
    "as you go", "as you do", "while you do it", "while you do that", "while doing so",
    "on the move",
)  # fmt: skip
_MEANWHILE = (
    "while you carry it", "while carrying it", "while you move it", "while moving it",
    "as you carry it", "as you move it", "while you do", "while you do it", "while you do that",
    "while you do so", "while doing so", "while doing it", "as you do so", "as you go",
    "on the way", "along the way", "meanwhile", "in doing so", "when you carry it",
    "whatever you do", "and whatever you do", "but whatever you do", "whatever happens",
)  # fmt: skip


class MannerTranslator:
    """Reads the manner of a sentence and lets another translator read its goals.

    Args:
        goals: Translates what is left of the sentence.
    """

    def __init__(self, goals: Translator) -> None:
        self._goals = goals

    @property
    def name(self) -> str:
        """The other translator's."""
        return self._goals.name

    def translate(self, instruction: str, memory: StateMemory, spec: WorldSpec) -> Program:
        """Translate one sentence.

        Raises:
            NotUnderstoodError: As the other translator does; or the manner contradicts the goal, or
                names an object that does not exist.
        """
        try:
            rest, manners = split(instruction, spec)
        except Abstain as why:
            raise NotUnderstoodError(instruction, [why.diagnostic]) from None
        if not manners:
            return self._goals.translate(instruction, memory, spec)
        try:
            program = self._goals.translate(rest, memory, spec)
        except NotUnderstoodError:
            try:  # "10 cm away from the bin" may be where a thing goes, and not how
                return self._goals.translate(instruction, memory, spec)
            except NotUnderstoodError:
                pass
            raise
        if not isinstance(program, PddlProgram):
            raise NotUnderstoodError(
                instruction,
                [Diagnostic(where="sentence", problem="only goals take a manner of moving")],
            )
        found = _of_stages(manners, rest, len(program.stages))
        problems = [
            Diagnostic(
                where="manner",
                problem=f"the goal {goal} is about {name}: nothing can stay {distance:g} m away",
                hint="name what is only to be passed",
            )
            for goal, manner in zip(program.stages, found, strict=True)
            for name, distance in manner.apart
            if name in goal.replace("(", " ").replace(")", " ").split()
        ]
        if problems:
            raise NotUnderstoodError(instruction, problems)
        if program.manners:
            found = tuple(merged(a, b) for a, b in zip(found, program.manners, strict=True))
        return replace(program, manners=found)


def split(sentence: str, spec: WorldSpec) -> tuple[str, dict[int, Manner]]:
    """What a sentence asks for without its manner, and the manner of each part.

    Parts are what full stops and "then" divide.

    Args:
        sentence: English.
        spec: The scene's objects and what they are called.

    Returns:
        The rest of the sentence; manners by the number of the part, empty where there are none.

    Raises:
        Abstain: A phrase on distance names no object of the scene.
    """
    try:
        reader = _Reader(tokenize(sentence), SceneWords(spec.objects))
    except UnreadableTextError:
        return sentence, {}
    kept: list[str] = []
    manners: dict[int, Manner] = {}
    part = 0
    subject: tuple[str, ...] = ()
    while not reader.ended:
        found = reader.phrase()
        if found is None:
            word = reader.peek()
            if word == "it" and subject:  # "keep the cup upright while you move it"
                word, subject = f"the {plain(subject[0])}", ()
            kept += word.split()
            reader.pos += 1
            part = _parts(kept) - 1
            continue
        manners[part] = merged(manners.get(part, Manner()), found)
        while kept and kept[-1] in _BEFORE:
            kept.pop()
        while_ = (
            "" if reader.ended else reader.eat("while you", "as you", "when you", "while", "when")
        )
        if while_ and found.upright:
            subject = reader.last
        if not kept:
            reader.eat(*PAUSES)
    rest = " ".join(kept).replace(" ,", ",").replace(" .", ".").strip(" ,.")
    return (rest, manners) if rest else (sentence, {})


def merged(a: Manner, b: Manner) -> Manner:
    """A manner that keeps both."""
    speeds = [s for s in (a.max_speed_m_s, b.max_speed_m_s) if s is not None]
    apart = dict(a.apart)
    for name, distance in b.apart:
        apart[name] = max(distance, apart.get(name, 0.0))
    return Manner(
        max_speed_m_s=min(speeds, default=None),
        apart=tuple(apart.items()),
        upright=a.upright or b.upright,
        placements=(*a.placements, *b.placements),
        home=a.home or b.home,
    )


def _parts(words: list[str]) -> int:
    """Number of parts that have begun."""
    text = " ".join(words).replace(STOP, " then ")
    return 1 + sum(1 for piece in text.split(" then ")[1:] if piece.strip(" ,"))


def _of_stages(manners: dict[int, Manner], rest: str, n: int) -> tuple[Manner, ...]:
    """A manner for each of ``n`` stages: that of its part, or of all where parts are no stages."""
    parts = _parts(rest.replace(",", " ,").replace(".", " .").split())
    if parts == n:
        return tuple(manners.get(i, Manner()) for i in range(n))
    whole = Manner()
    for manner in manners.values():
        whole = merged(whole, manner)
    return (whole,) * n


class _Reader(SceneCursor):
    """Reads phrases on manner."""

    def phrase(self) -> Manner | None:
        """One phrase; None if none comes next."""
        readers: tuple[Callable[[], Manner | None], ...] = (
            self._apart,
            self._speed_limit,
            self._slow,
            self._upright,
        )
        start = self.pos
        for read in readers:
            self.eat(*_MEANWHILE)
            self.eat(COMMA)
            self.eat("while", "by", "always", "you", "making sure to", "make sure to", "be sure to",
                     "making sure you", "make sure you", "but make sure to", "please")  # fmt: skip
            found = read()
            if found is not None:
                self.eat(*_SKIPPED)
                return found
            self.pos = start
        return None

    def _slow(self) -> Manner | None:
        self.eat(*_ALL_OF_IT)
        if self.eat(*_VERY_SLOW):
            return Manner(max_speed_m_s=VERY_SLOW_M_S)
        if self.eat(*_SLOW):
            return Manner(max_speed_m_s=SLOW_M_S)
        pace, used = pace_at(self.words, self.pos)
        self.pos += used
        if isinstance(pace, str):
            limit = {"slow": SLOW_M_S, "slowest": VERY_SLOW_M_S}.get(pace)
            return Manner(max_speed_m_s=limit)
        return None if pace is None else Manner(max_speed_m_s=pace * PACES_M_S["normal"])

    def _speed_limit(self) -> Manner | None:
        self.eat("moving", "going", "move", "go", "keeping the speed", "keep the speed")
        if not self.eat(*_AT_MOST):
            return None
        value = self.quantity("m/s")
        return Manner(max_speed_m_s=value) if value else None

    def _upright(self) -> Manner | None:
        if self.eat(*_UPRIGHT):
            return Manner(upright=True)
        start = self.pos
        if self.eat(*_MIND) and not self.ended and not self.noun_here():  # "mind the tea"
            self.pos += 1
            return Manner(max_speed_m_s=SLOW_M_S, upright=True)
        self.pos = start
        if not self.eat("keep", "keeping", "hold", "holding", "with") or self.noun() is None:
            return None
        return Manner(upright=True) if self.eat(*_LEVEL) else None

    def _apart(self) -> Manner | None:
        start = self.pos
        if self.eat("giving", "give"):
            names = self.nouns()
            if names and self.eat(*_BERTH):
                return self._from(names, APART_M)
            self.pos = start
        for phrases, usual in ((_AWAY, APART_M), (_UNTOUCHED, UNTOUCHED_M)):
            if self.eat(*phrases):
                names = self._names()
                self.eat(COMMA)
                by = self.eat("by at least", "by", "at least")
                distance = self._distance() if by else None
                return self._from(names, usual if distance is None else distance)
        closer = self.eat(*_CLOSER)
        if not closer:
            kept = self.eat(*_KEEP)
            if kept:
                self.hand()
            least = self.eat("at least", "a distance of", "a distance of at least", "a minimum of",
                             "no less than", "not less than", "more than")  # fmt: skip
            if not kept and not least:
                return None
        distance = self._distance()
        if distance is None:
            return None
        self.eat("distance", "clearance", "of distance", "of clearance", "of room", "of space")
        if not self.eat(*_FROM):
            return None
        return self._from(self._names(), distance)

    def noun_here(self) -> bool:
        """Whether a thing of the scene comes next."""
        start = self.pos
        try:
            return self.nouns() is not None
        except Abstain:
            return True
        finally:
            self.pos = start

    def _distance(self) -> float | None:
        said = self.eat(*VAGUE_M)
        return VAGUE_M[said] if said else self.length()

    def _names(self) -> tuple[str, ...]:
        found: list[str] = []
        while True:
            if self.eat("both", "either of", "any of"):
                self.eat("of")
            names = self.nouns()
            if names is None:
                raise self.abstain("this names no object", "say from what to stay away")
            found += names
            start = self.pos
            if not self.eat_join() or self.nouns() is None:
                self.pos = start
                return tuple(dict.fromkeys(found))
            self.pos = start
            self.eat_join()

    def _from(self, names: tuple[str, ...], distance: float) -> Manner:
        return Manner(apart=tuple((name, distance) for name in names))
