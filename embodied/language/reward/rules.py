"""The rules translator for reward programs: fixed phrases, exact or refused.

It covers the 17 published instructions of Language to Rewards (Yu et al. 2023, arXiv 2306.08647),
their vocabulary with amounts, and corrections of the program in force. It is no language model.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property

from embodied.errors import Diagnostic, NotUnderstoodError, RefusedError
from embodied.language.reward.amending import amended, current, subject
from embodied.language.reward.checking import check
from embodied.language.reward.corrections import corrected
from embodied.language.reward.ordering import ambiguous, each_paw, gradual, in_turn
from embodied.language.reward.other_feet import lifted_feet
from embodied.language.reward.phrases import (
    GOING,
    Wish,
    amount,
    compiled,
    stages_of,
    wishes,
    without_pace,
)
from embodied.language.reward.quadruped_feet import FOOT
from embodied.language.reward.quadruped_going import START, placed
from embodied.language.reward.slips import mended, vocabulary
from embodied.language.reward.speech import Speech
from embodied.language.words.cursor import Abstain
from embodied.protocols import StateMemory
from embodied.types import RewardProgram, RewardStage, RewardTerm, WorldSpec

STAGE_S = 3.0
"""Default duration of a stage that is followed by another one, s."""

_AMEND = re.compile(
    r"(?:keep (?:that|it|doing that|this|going)|keep that up|also|and|in addition|additionally"
    r"|meanwhile|at same time)[ ,]+(?:and )?(?:also )?(?P<rest>.+)"
)
_AGAIN = compiled(
    r"(?:(?:(?:do|repeat) )?(?:(?:that|it|this|same)(?: thing)? )?(?:again|once more|1 more time)"
    r"(?: again)?|repeat(?: (?:that|it))?|same again)(?:(?: for)? {TIME})?"
)
_TIMES_ALL = re.compile(
    r"(?:(?: ,)?(?: and)? ?(?:repeat|do)(?: (?:that|it|this|all of it|all that))?)?"
    r"(?: ,)? ?(?:(?P<count>\d+) times|twice)(?: in all| altogether| in row)?$"
)
"""Behind a sentence: all of it so often."""
_PLACES = ("torso_position", "torso_heading")
_INTO = ("in", "into", "inside", "on", "onto", "over", "above")
_ONE_SIDED = re.compile(r"\b(lift|hold)(?: up)? (left|right) paw\b")
_FOOT_ALONE = re.compile(rf"{FOOT}(?= for|$| ,)")
_VERB_BEFORE = re.compile(
    r"\b(?:walk|trot|run|go|move|step|jog|march|pace|bound|gallop|shuffle|strafe|turn|spin|lift|lean|roll|tilt"
    r"|pitch|bank|rotate|sidestep)\b"
)
_WAY_ALONE = re.compile(
    r"(?:(?:to|by|for) )?(?:straight )?(?:forward|backward|back|left|right|clockwise"
    r"|counterclockwise|sideways|\d[\d.]* (?:m|cm|inch|deg|paws|steps))\b(?! paw)"
)
"""The rest of a stage whose verb is that of the stage before: "then backward for 2 s"."""


class RewardRules:
    """A deterministic translator to reward programs.

    Args:
        speech: What may be said to the robot in its scene.
    """

    def __init__(self, speech: Speech) -> None:
        self.speech, self.words = speech, speech.vocabulary

    @property
    def name(self) -> str:
        """``"rules"``."""
        return "rules"

    def translate(self, instruction: str, memory: StateMemory, spec: WorldSpec) -> RewardProgram:
        """Translate one sentence; a correction edits the last reward program of the memory.

        Raises:
            NotUnderstoodError: Words are left that no phrase covers, or an amount is out of range;
                the diagnostics say which, and what is known.
        """
        del spec
        try:
            return self._translated(instruction, memory)
        except RefusedError:
            raise
        except NotUnderstoodError:
            better, notes = mended(instruction, self._known)
            if not notes:
                raise
            program = self._translated(better, memory)
            return replace(program, notes=(*program.notes, *notes))

    @cached_property
    def _known(self) -> frozenset[str]:
        names = (n for kind in self.words.names.values() for n in kind)
        spoken = (word for phrase in self.speech.spoken for word in phrase.split())
        return vocabulary(self.speech.patterns) | frozenset((*names, *spoken))

    def _translated(self, instruction: str, memory: StateMemory) -> RewardProgram:
        before = current(memory)
        try:
            texts = each_paw(stages_of(instruction, self.speech.synonyms))
            texts = [self.speech.named(text) for text in texts]
            if len(texts) == 1 and before is not None and _AGAIN.fullmatch(texts[0]):
                texts = self._said_before(memory, before) or texts
            program = self._repeated(texts, before)
        except Abstain as why:
            refusal = self._refusal(instruction, [why.diagnostic])
            raise (RefusedError if why.final else NotUnderstoodError)(*refusal) from None
        if self.speech.first is not None:
            program = self.speech.first(program, memory.facts)
        found = check(program, self.words)
        if found:
            raise NotUnderstoodError(*self._refusal(instruction, list(found)))
        return program

    def _said_before(self, memory: StateMemory, before: RewardProgram) -> list[str]:
        """The sentence of a program that leads to a place, which is another one from here."""
        if not any(t.name in _PLACES for s in before.stages for t in s.terms):
            return []
        for sentence, _ in reversed(memory.exchanges):
            texts = stages_of(sentence, self.speech.synonyms)
            if len(texts) != 1 or not _AGAIN.fullmatch(texts[0]):
                return [self.speech.named(text) for text in texts]
        return []

    def _repeated(self, texts: list[str], before: RewardProgram | None) -> RewardProgram:
        """A program; where "three times" stands behind all of it, so often."""
        try:
            return self._program(texts, before)
        except Abstain:
            often = _TIMES_ALL.search(texts[-1])
            rest = texts[-1][: often.start()] if often else ""
            kept = [*texts[:-1], *([rest] if rest else [])]
            if often is None or not kept:
                raise
        once = self._program(kept, before)
        count = int(often["count"] or 2)
        *earlier, last = once.stages
        timed = (*earlier, _ended(last, None))
        stages = (*timed * (count - 1), *earlier, last)
        return replace(once, stages=stages, notes=(*once.notes, f"{count} times"))

    def _program(self, stages: list[str], before: RewardProgram | None) -> RewardProgram:
        if before is not None and len(stages) == 1:
            edited = corrected(stages[0], before, self.words)
            if edited is not None:
                return replace(edited, source=self.name)
            again = _AGAIN.fullmatch(stages[0])
            if again:
                *done, last = before.stages
                seconds = amount(again) or last.duration_s
                return replace(
                    before, stages=(*done, replace(last, duration_s=seconds)), source=self.name,
                    notes=("the same as before",),
                )  # fmt: skip
            match = _AMEND.fullmatch(stages[0])
            if match:
                added = self._amended(match["rest"], before)
                if added is not None:
                    return added
        texts = self._with_names(stages, before)
        if before is not None and len(texts) == 1:
            held = self._held(texts[0], before)
            if held is not None:
                return held
        ambiguous(texts)
        read: list[list[Wish]] = []
        for text in texts:
            read = in_turn(self._wishes(text), read)
        groups = _joined([group for group in read if any(w.asks for w in group)])
        if not groups:
            raise Abstain("sentence", "it asks for nothing")
        named = set[float | str]() if before is None else _objects_of(before)
        groups = _without_put_down(groups)
        for wish in (w for g in groups for w in g):
            if wish.held and wish.held not in named:
                raise Abstain(f"'{wish.held}'", "it is not in the hand")
            named |= {v for s in wish.stages for t in s.terms for v in t.parameters.values()}
        built: list[tuple[RewardStage, tuple[str, ...]]] = []
        pose = START
        for number, group in enumerate(groups, start=1):
            last = number == len(groups)
            found, pose = placed(
                group, pose, last=last, seconds=STAGE_S, relative=before is not None
            )
            stages_ = gradual(staged(found, last=last), found, built)
            if not stages_:
                raise Abstain("sentence", "it says how long, but not what to do")
            built += stages_
        return RewardProgram(
            robot=self.words.robot,
            stages=tuple(s for s, _ in built),
            source=self.name,
            notes=tuple(
                dict.fromkeys(
                    [n for _, notes in built for n in notes]
                    + [n for g in read for w in g if not w.asks for n in w.notes]
                )
            ),
        )

    def _held(self, text: str, before: RewardProgram) -> RewardProgram | None:
        """What was asked before goes on: "hold it there for 3 s"."""
        try:
            found = self._wishes(text)
        except Abstain:
            return None
        if len(found) != 1 or not found[0].waits:
            return None
        last = replace(before.stages[-1], duration_s=found[0].seconds, guards=())
        return replace(before, stages=(last,), source=self.name, notes=("as before",))

    def _wishes(self, text: str) -> list[Wish]:
        """What a stage's phrases ask for, as fast as it says."""
        plain, factor = without_pace(text)
        found = wishes(plain, self.speech.patterns)
        if factor is None:
            return found
        if not any(w.asks for w in found):
            raise Abstain(f"'{text}'", "it says how fast, but not what to do")
        return [self.speech.paced(w, factor) for w in found]

    def _with_names(self, stages: list[str], before: RewardProgram | None) -> list[str]:
        """Write out "it", and "lift" where only the paw is named after another one."""
        objects = self.words.names.get("objects", ())
        if not objects:
            texts = stages[:1]
            for text in stages[1:]:
                verb = _VERB_BEFORE.findall(texts[-1])
                ellipsis = _WAY_ALONE.match(text) or _FOOT_ALONE.match(text)
                texts.append(f"{verb[-1]} {text}" if ellipsis and verb else text)
            return texts
        known = [n for n in objects if before is not None and n in _objects_of(before)]
        last = known[0] if len(known) == 1 else ""
        where, texts = "", []
        named = {*objects, *self.words.names.get("joints", ())}
        for text in stages:
            words: list[str] = []
            for word in text.split():
                if word == "it":
                    inside = words[-1:] and words[-1] in _INTO  # "then put the cup into it"
                    word = (where if inside and last in words else last) or word
                last = word if word in named else last
                words.append(word)
            texts.append(" ".join(words))
            where = next((w for w in reversed(words) if w in named), where)
        return texts

    def _amended(self, text: str, before: RewardProgram) -> RewardProgram | None:
        """What is added goes beside what is asked already; None where it comes after it."""
        feet = lifted_feet(before)
        if len(feet) == 1:
            end = feet[0].split("_")[0]
            text = _ONE_SIDED.sub(rf"\1 {end} \2 paw", text)
        wishes_ = self._wishes(text)
        if any(w.pose and not w.waits for w in wishes_) and goes_on(before):
            return None
        found, _ = placed(wishes_, START, last=True, seconds=STAGE_S)
        essential = tuple(t for w in found for t in w.essential)
        if not essential or any(w.stages for w in found):
            raise Abstain(f"'{text}'", "this cannot be done beside what was asked before")
        return amended(before, RewardStage(terms=essential), source=self.name)

    def _refusal(
        self, instruction: str, diagnostics: list[Diagnostic]
    ) -> tuple[str, list[Diagnostic]]:
        known = f"known: {self.speech.known}"
        here = [n for kind in ("objects", "joints") for n in self.words.names.get(kind, ())]
        if here:
            known += f"; here: {', '.join(here)}"
        if self.speech.elsewhere:
            known += f"; elsewhere: {self.speech.elsewhere}"
        hinted = [replace(d, hint=d.hint or known) for d in diagnostics]
        return instruction, hinted


def staged(found: Sequence[Wish], *, last: bool) -> list[tuple[RewardStage, tuple[str, ...]]]:
    """Stages of the phrases that belong together, each with notes on how they were read.

    Args:
        found: What the phrases ask for.
        last: Whether nothing follows; a stage before another has an end.

    Raises:
        Abstain: Two phrases ask for different things of the same subject.
    """
    sequences = [w.stages for w in found if w.stages]
    notes = tuple(n for w in found for n in w.notes)
    seconds = next((w.seconds for w in found if w.seconds is not None), None)
    terms = _merged([w for w in found if not w.stages])
    stages: list[RewardStage] = []
    for number, sequence in enumerate(sequences):
        if any(later[: len(sequence)] == sequence for later in sequences[number + 1 :]):
            continue  # "grasp it and lift it": lifting begins with the grasp
        if stages:
            stages[-1] = _ended(stages[-1], None)
            notes = (*notes, "one hand does one thing after the other")
        stages += sequence
    if stages and terms:
        new = {subject(t)[:1] for t in terms}
        kept = tuple(t for t in stages[-1].terms if subject(t)[:1] not in new)
        stages[-1] = replace(stages[-1], terms=(*kept, *terms))
    elif terms:
        stages = [RewardStage(terms=terms)]
    if stages and (seconds is not None or not last):
        if seconds is None and stages[-1].duration_s is None:
            notes = (*notes, f"a stage before another lasts {STAGE_S:g} s")
        stages[-1] = _ended(stages[-1], seconds)
    return [(stage, notes) for stage in stages]


def _ended(stage: RewardStage, seconds: float | None) -> RewardStage:
    return replace(stage, duration_s=seconds or stage.duration_s or STAGE_S)


def _joined(groups: list[list[Wish]]) -> list[list[Wish]]:
    """Without what the group after it does anyway: "grasp the box, then lift it"."""
    kept: list[list[Wish]] = []
    for group in groups:
        before, here = kept[-1][-1].stages if kept else (), group[0].stages
        timed = bool(kept) and any(w.seconds is not None for w in kept[-1])
        if before and not timed and len(kept[-1]) == 1 and here[: len(before)] == before:
            kept.pop()
        kept.append(group)
    return kept


def _without_put_down(groups: list[list[Wish]]) -> list[list[Wish]]:
    """Without the putting down of what was put somewhere, and let go, before."""
    kept: list[list[Wish]] = []
    let_go: set[float | str] = set()
    for group in groups:
        here: list[Wish] = []
        for wish in group:
            if wish.held and wish.held in let_go:
                continue
            here.append(wish)
            things = {v for s in wish.stages for t in s.terms for v in t.parameters.values()}
            opened = wish.stages and any(
                t.name == "hand_closure" and t.parameters["fraction"] == 0.0
                for t in wish.stages[-1].terms
            )
            let_go = let_go | things if opened else let_go - things
        if here:
            kept.append(here)
    return kept


def goes_on(program: RewardProgram) -> bool:
    """Whether the last stage of a program is a walk or a turn."""
    return any(t.name in GOING for t in program.stages[-1].terms)


def _objects_of(program: RewardProgram) -> set[float | str]:
    return {v for s in program.stages for t in s.terms for v in t.parameters.values()}


def _merged(found: Sequence[Wish]) -> tuple[RewardTerm, ...]:
    """What the words name, then what the motions need besides; one term per subject.

    Raises:
        Abstain: Two phrases ask for different things of the same subject.
    """
    terms: dict[tuple[str, ...], RewardTerm] = {}
    for term in (t for w in found for t in w.essential):
        before = terms.setdefault(subject(term), term)
        if before.parameters != term.parameters:
            what = " ".join(subject(term)).replace("_", " ")
            raise Abstain("sentence", f"two different things are asked of: {what}", "say 'then'")
    support = [t for w in found for t in w.support]
    if any(t.name == "foot_stepping" for t in (*terms.values(), *support)):
        # Feet that step are not kept down, nor is a torso that they carry on kept still.
        support = [t for t in support if t.name not in ("foot_lift", "stillness")]
    for term in support:
        terms.setdefault(subject(term), term)
    return tuple(terms.values())
