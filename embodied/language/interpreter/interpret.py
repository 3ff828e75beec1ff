"""From a sentence to a reading: the only way from words to a program that may move a robot."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from embodied.errors import Diagnostic, NotUnderstoodError
from embodied.language.interpreter.coverage import covered
from embodied.language.interpreter.foreign import foreign_language
from embodied.language.interpreter.patterns import KEPT_OUT, STATIVE
from embodied.language.interpreter.reading import Act, Answer, Ask, Reading, Refuse, Tell
from embodied.language.interpreter.rules_kept import Kept, kept
from embodied.language.interpreter.speech import Form, Speech, parts, with_referent
from embodied.language.interpreter.supposing import Goals
from embodied.language.interpreter.things import mentions, with_answer
from embodied.language.interpreter.wording import in_words
from embodied.language.words.lexer import UnreadableTextError
from embodied.language.words.scene_words import plain
from embodied.protocols import StateMemory, Translator
from embodied.symbolic import holds
from embodied.types import PddlProgram, Program, WorldSpec

INTERPRETER = "interpreter"
"""Who read what no translator got to see."""

RULES = "rules"
"""``source`` of programs of grammars, which read every word or refuse."""

SURE = 0.9
"""Probability of an answer below which a person is asked."""

WHERE = "name a place"
"""The hint of a translator that knows what to move, but not where to."""

WHICH = "say which one"
"""How the hint of a translator begins that found several things for one phrase."""

_CONFIDENCE = re.compile(r"\(confidence ([\d.]+)\)$")
_NOT_DONE = {
    Form.QUOTATION: "these words are quoted; say it yourself if it is to be done",
    Form.HYPOTHETICAL: "this is imagined; nothing is done",
    Form.RETRACTION: "taken back; nothing is done",
    Form.HAND_OVER: "handing things over is not covered; 'pick up ...' and 'put ... on ...' are",
    Form.UNSAFE: "this could hurt somebody or break something",
}
_IN_PROGRAMS = (Form.PROHIBITION, Form.CONDITIONAL, Form.WAITING)
_TIMES = ("when", "once", "as soon as", "after", "before", "while", "only when", "only once")
_ELSE_NOTHING = re.compile(
    r"(?:otherwise|if not|else|or else),? (?:please )?"
    r"(?:(?:just )?leave (?:it|things|them|everything)\b.*|do (?:nothing|not do anything)|nothing"
    r"|never mind|(?:it|that) is fine.*|do not bother|skip it)$"
)
_ELSE = re.compile(r",? (?:and |but )?(?:otherwise|or else|else|if not|if it is not),? ")
_BEFORE_PLACE = re.compile(r"^(?:(?:oh|ok|okay|well|just|please|uh|um|right)[ ,]+)+", re.I)
_PLACE = re.compile(
    rf"(?:{_BEFORE_PLACE.pattern[1:]})?(?:on|in|into|onto|to|next to|beside|inside|under|near"
    r"|between|behind|in front of|left of|right of)\b"
)
_TELLING = re.compile(
    r"(?:the|my|our|this|that|these|those) (?:[a-z]+ ){1,3}?"
    r"(?!(?:should|must|needs? to|has to|goes|go|belongs?|stays?|is to|shall|will|to|on|in|at)\b)"
    r"[a-z]+(?:s|ed|t|d) (?!(?:on|in|into|to|at)\b)(?:(?!not|never)[a-z]+ ?)*$"
)
"""A sentence about a thing that no verb of a command begins: "the ball keeps rolling about"."""
_CORRECTION = re.compile(r"\s*(?:no|nope|not|wrong)\b", re.I)
"""Begins a sentence that wants something else than what was done."""
_PLAIN_IF = ("if", "provided", "provided that", "given", "given that")
_NEGATIVE = ("unless", "except if", "except when")


@dataclass(slots=True, kw_only=True)
class Interpreter:
    """Reads what is said in one conversation.

    Attributes:
        translator: Writes programs of commands; it sees nothing else.
        grammar: Reads conditions and prohibitions as goals; None where the route has no goals.
        covers: Whether to ask where a model's program does not cover the sentence, or the other
            way round.
        rules: What has been forbidden, or laid down for ever.
        unclear: The sentence that the last question was about, and which of its phrases.
        placeless: The command that the last question asked the place of.
        topic: The one thing that was spoken of last, where nothing was to be done.
    """

    translator: Translator
    grammar: Translator | None = None
    covers: bool = True
    rules: list[Kept] = field(default_factory=list[Kept])
    unclear: tuple[str, str] | None = None
    placeless: str = ""
    topic: str = ""

    @property
    def name(self) -> str:
        """Who writes the programs."""
        return self.translator.name

    def read(self, sentence: str, memory: StateMemory, spec: WorldSpec) -> Reading:
        """Read one sentence.

        Args:
            sentence: What was said.
            memory: What is believed, and what was said before.
            spec: The world.

        Raises:
            ProgramError: The model's answer stayed unusable after the allowed repairs.
            ModelError: The model could not be reached or is out of budget.
        """
        if self.unclear is not None:
            sentence = with_answer(*self.unclear, sentence, spec.objects)
        elif self.placeless and _PLACE.match(sentence.strip().lower()):
            sentence = f"{self.placeless} {_BEFORE_PLACE.sub('', sentence.strip())}"
        self.unclear, self.placeless = None, ""
        reading = _Sentence(self, sentence, memory, spec).read()
        if isinstance(reading, Answer | Tell):
            self.topic = _topic(sentence, memory, spec)
        elif isinstance(reading, Act):
            self.topic = ""
        return reading

    def translate(self, instruction: str, memory: StateMemory, spec: WorldSpec) -> Program:
        """The program of a sentence that is certainly to be carried out.

        Raises:
            NotUnderstoodError: It is anything else; the error is a ``NotAnActError`` with the
                reading.
            ProgramError: As ``read``.
            ModelError: As ``read``.
        """
        reading = self.read(instruction, memory, spec)
        if isinstance(reading, Act):
            return reading.program
        raise NotAnActError(instruction, reading)

    def broken(self, program: Program, memory: StateMemory) -> str:
        """Why a program would break what was forbidden or laid down; ``""`` if it would not."""
        rule = next((r for r in self.rules if r.broken_by(program, memory.facts)), None)
        return f"it would break what you said: '{rule.text}'" if rule is not None else ""


def writer_of(translator: Translator | None) -> Translator | None:
    """Who writes the programs: the translator behind an interpreter."""
    return translator.translator if isinstance(translator, Interpreter) else translator


class _Sentence:
    def __init__(
        self, interpreter: Interpreter, sentence: str, memory: StateMemory, spec: WorldSpec
    ) -> None:
        self.own, self.sentence, self.memory, self.spec = interpreter, sentence, memory, spec

    def read(self) -> Reading:
        language = foreign_language(self.sentence)
        if language:
            reason = f"this looks like {language}; I read English only"
            return Refuse(by=INTERPRETER, reason=reason, evidence=(language,))
        try:
            said = parts(self.sentence)
        except UnreadableTextError as why:
            return Refuse(by=INTERPRETER, reason=str(why))
        if len(said) > 1:  # "otherwise leave things be"
            said = (*said[:1], *(p for p in said[1:] if not _ELSE_NOTHING.match(p.text)))
        if len(said) == 2 and said[0].form is Form.CONDITIONAL and _ELSE.match(" " + said[-1].text):
            said = (replace(said[0], command=f"{said[0].command} {said[-1].text}"),)
        forms = [p.form for p in said]
        if self.own.grammar is None and forms[0] in _IN_PROGRAMS and len(forms) == 1:
            reading = self._program(
                self.sentence
            )  # the language of the route may have words for it
            if isinstance(reading, Act) and reading.by == RULES:
                return reading
        for part in said:
            if part.form in _NOT_DONE:
                evidence = (part.form.value, part.evidence)
                return Refuse(by=INTERPRETER, reason=_NOT_DONE[part.form], evidence=evidence)
        if Form.WISH_OF_OTHERS in forms:
            part = said[forms.index(Form.WISH_OF_OTHERS)]
            question = f"'{part.text}' is {part.form.value}. Do you want it done? Then tell me to."
            return self._ask(question, part)
        if Form.WAITING in forms:
            part = said[forms.index(Form.WAITING)]
            question = "I cannot wait for what comes later. Tell me when it is time."
            return self._ask(question, part)
        commands = [p for p in said if p.form is Form.COMMAND]
        if all(f in (Form.QUESTION, Form.STATEMENT) for f in forms):
            return self._answer_or_tell(said)
        if len(forms) == 1 and Form.COMMAND not in forms:
            return self._single(next(iter(said)))
        if not commands or any(
            f in forms for f in (Form.QUESTION, Form.DOUBTFUL, Form.CONDITIONAL, Form.STANDING_RULE)
        ):
            return self._several(said)
        if all(f is Form.COMMAND for f in forms):
            reading = self._act(self.sentence)
            if isinstance(reading, Refuse) and len(said) > 1 and _TELLING.match(said[0].text):
                told = (replace(said[0], form=Form.STATEMENT, command=""), *said[1:])
                again = self._act_among(told)
                return again if isinstance(again, Act) and again.by == RULES else reading
            return reading
        return self._act_among(said)

    # ------------------------------------------------------------ what does not act at once

    def _answer_or_tell(self, said: Sequence[Speech]) -> Reading:
        questions = [p for p in said if p.form is Form.QUESTION]
        evidence = tuple(f"{p.form.value}: '{p.evidence}'" for p in said)
        if questions:
            return Answer(by=INTERPRETER, question=self.sentence.strip(), evidence=evidence)
        return Tell(by=INTERPRETER, statement=self.sentence.strip(), evidence=evidence)

    def _single(self, part: Speech) -> Reading:
        match part.form:
            case Form.PROHIBITION:
                return self._forbidden(part)
            case Form.STANDING_RULE:
                return self._standing(part)
            case Form.CONDITIONAL:
                return self._conditional(part)
            case _:
                return self._doubtful(part, part.command or part.text)

    def _several(self, said: Sequence[Speech]) -> Reading:
        """Several parts that do not go together: the commands among them are asked about."""
        odd = next(p for p in said if p.form is not Form.COMMAND)
        command = ". ".join(p.command for p in said if p.command and p.form is Form.COMMAND)
        return self._doubtful(odd, command)

    def _forbidden(self, part: Speech) -> Reading:
        rule = self._kept(part.forbidden)
        if rule is None:
            reason = "this forbids something that I cannot watch for; nothing is done"
            return Refuse(by=INTERPRETER, reason=reason, evidence=(part.form.value, part.evidence))
        so_now = rule.never is not None and _all_hold(rule.never, self.memory)
        if so_now and STATIVE.search(part.text):
            return self._act(self.sentence)
        if rule.never is not None and so_now:
            return self._ask(f"This is so now: {in_words(rule.never, self.memory)}. "
                             "Say what I am to do about it.", part)  # fmt: skip
        self.own.rules.append(rule)
        return Tell(
            by=INTERPRETER,
            statement=f"kept as a rule: {part.text}",
            rule=True,
            evidence=(part.form.value, part.evidence),
        )

    def _standing(self, part: Speech) -> Reading:
        clause = re.sub(r"\b(?:always|from now on|at all times|for ?ever)\b,?", "", part.text)
        rule = self._kept(clause, always=True)
        if rule is None or rule.never is None:
            reason = "rules for ever are kept only where they say how things shall stay"
            return Refuse(by=INTERPRETER, reason=reason, evidence=(part.form.value, part.evidence))
        if not _all_hold(rule.never, self.memory):
            question = (
                f"{part.form.value}: {in_words(rule.never, self.memory)}. This is not so now. "
                "Shall I bring it about first?"
            )
            return self._ask(question, part, rule.never)
        self.own.rules.append(rule)
        return Tell(
            by=INTERPRETER,
            statement=f"kept as a rule: {part.text}",
            rule=True,
            evidence=(part.form.value, part.evidence),
        )

    def _kept(self, clause: str, *, always: bool = False) -> Kept | None:
        if self.own.grammar is None:
            return None
        return kept(self.sentence, clause, self.own.grammar, self.memory, self.spec, always=always)

    def _conditional(self, part: Speech) -> Reading:
        part = self._with_referent(part)
        command, _, other = _ELSE.sub(" otherwise ", part.command).partition(" otherwise ")
        part = replace(part, command=command)
        reading = self._program(part.command)
        program = reading.program if isinstance(reading, Act | Ask) else None
        truth, words = self._truth(part.condition, part.command, program)
        if part.connective in _NEGATIVE and truth is not None:
            truth = not truth
        now = f"'{part.connective} {part.condition}'"
        if truth is None:
            question = f"I cannot tell whether {part.condition} ({now}). Shall I do it?"
            return self._ask(question, part, program)
        if truth:
            if program is None:
                return reading
            if part.connective in _PLAIN_IF and isinstance(reading, Act) and reading.by == RULES:
                evidence = (*reading.evidence, f"{now}: {words}")
                return self._broken(program) or replace(reading, evidence=evidence)
            return self._ask(f"{now}: {words}, so I would do it now.", part, program)
        if other and part.connective in _PLAIN_IF:
            instead = self._program(self._with_referent(replace(part, command=other)).command)
            if isinstance(instead, Act):
                return self._broken(instead.program) or instead
            return instead
        if part.connective in _TIMES:
            question = f"{now}: {words}, and I do not wait for it. Shall I do it now?"
            return self._ask(question, part, program)
        reason = f"{now}: {words}, so there is nothing to do"
        return Refuse(by=INTERPRETER, reason=reason, evidence=(part.form.value, part.evidence))

    def _with_referent(self, part: Speech) -> Speech:
        """A condition whose command says "it" for the one thing that the condition is about."""
        named = [m for m in mentions(part.condition, self.spec.objects) if len(m.names) == 1]
        if not named:
            return part
        there = re.search(r"\b(?:in|inside|into|on|onto)$", part.command)
        noun = plain(next(iter(named[-1].names)))
        if there and len(named) == 1:
            return replace(part, command=f"{part.command} the {noun}")
        if not re.match(r"(?:\w+ )+?(?:it|that|this)\b", part.command):
            return part
        if mentions(part.command.split(" it", 1)[0], self.spec.objects):
            return part
        noun = plain(next(iter(named[0].names)))
        return with_referent((part,), noun)[0]

    def _truth(
        self, condition: str, command: str, program: Program | None
    ) -> tuple[bool | None, str]:
        """Whether a clause holds now, None where that cannot be told, and in words."""
        grammar, memory = self.own.grammar, self.memory
        condition = re.sub(
            r" (?:yet|still|already|currently|right now|now|at the moment)\b", "", condition
        )
        if grammar is None or re.search(r"\bthere(?! (?:is|are)\b)", condition):
            return None, ""
        contexts = [] if re.search(r"\b(?:it|there|them|they)\b", condition) else [memory]
        if program is not None:
            contexts.append(memory.told(command, program))
        for context in contexts:
            try:
                read = grammar.translate(condition, context, self.spec)
            except NotUnderstoodError:
                continue
            if isinstance(read, PddlProgram) and len(read.stages) == 1:
                truth, words = _all_hold(read, memory), in_words(read, memory)
                return truth, f"{words} is so now" if truth else f"{words} is not so now"
        return None, ""

    def _doubtful(self, part: Speech, command: str) -> Reading:
        reading = self._program(command) if command else None
        if isinstance(reading, Act | Ask) and reading.program is not None:
            return self._ask(f"this is {part.form.value} ('{part.evidence}').", part,
                             reading.program, by=reading.by)  # fmt: skip
        return self._ask(
            f"'{part.text}' is {part.form.value} ('{part.evidence}'). What am I to do?", part
        )

    def _ask(
        self, question: str, part: Speech, program: Program | None = None, *, by: str = INTERPRETER
    ) -> Reading:
        evidence = (part.form.value, part.evidence)
        if program is not None:
            problem = self._broken(program)
            if problem is not None:
                return problem
            read = f"I read: {in_words(program, self.memory)}."
            question = f"{read} {question[0].upper()}{question[1:]}"
            question += "" if question.endswith("?") else " Shall I?"
        return Ask(by=by, question=question, program=program, evidence=evidence)

    # ------------------------------------------------------------ what acts

    def _act_among(self, said: Sequence[Speech]) -> Reading:
        """Commands with statements before them, and with prohibitions."""
        forbidden = [p for p in said if p.form is Form.PROHIBITION]
        if forbidden and len(forbidden) + sum(p.form is Form.COMMAND for p in said) == len(said):
            whole = self._act(self.sentence)
            if not isinstance(whole, Refuse):
                return whole
        told = [p for p in said if p.form is Form.STATEMENT]
        named = {
            next(iter(m.names)): " ".join(m.words)
            for p in told
            for m in mentions(p.text, self.spec.objects)
            if len(m.names) == 1
        }
        items = [n for n in named if self.spec.objects[n].kind == "item"]
        spoken_of = items if len(items) == 1 else list(named)
        parts_ = with_referent(said, plain(spoken_of[0])) if len(spoken_of) == 1 else said
        text = ". ".join(p.command for p in parts_ if p.form is Form.COMMAND)
        before = len(self.own.rules)
        for part in forbidden:
            rule = self._kept(part.forbidden)
            if rule is not None:
                self.own.rules.append(rule)
        reading = self._act(text)
        if not isinstance(reading, Act):
            del self.own.rules[before:]
        return reading

    def _act(self, text: str) -> Reading:
        if self.own.topic and self._refers_to_nothing(text):
            text = re.sub(
                r"\b(?:it|that one|this one)\b",
                f"the {plain(self.own.topic)}",
                text,
                count=1,
                flags=re.I,
            )
        if self._refers_to_nothing(text):
            question = f"'{text.strip()}': it is not clear what this speaks of. Name it."
            return Ask(by=INTERPRETER, question=question, evidence=("nothing was named before",))
        reading = self._program(text)
        if not isinstance(reading, Act):
            return reading
        program = reading.program
        if isinstance(program, PddlProgram) and KEPT_OUT.match(text.lower()):
            if _all_hold(program, self.memory):  # nothing to do but to keep it so
                self.own.rules.append(Kept(text=self.sentence, never=program, always=True))
                statement = f"kept as a rule: {in_words(program, self.memory)}"
                return Tell(by=reading.by, statement=statement, rule=True)
        return self._broken(program) or reading

    def _program(self, text: str) -> Reading:
        """What a translator makes of a command, with its coverage."""
        try:
            program = self.own.translator.translate(text, self.memory, self.spec)
        except NotUnderstoodError as error:
            unclear = next((d for d in error.diagnostics if d.hint.startswith(WHICH)), None)
            if unclear is not None:
                question = f"{unclear.problem}: which one do you mean?"
                self.own.unclear = (text, unclear.where.strip("'"))
                return Ask(by=self.own.name, question=question, evidence=(unclear.where,))
            if any(d.hint == WHERE for d in error.diagnostics):
                self.own.placeless = text.strip(" .!")
                question = f"{error.diagnostics[0].problem}. Where?"
                return Ask(by=self.own.name, question=question, evidence=("no place",))
            reasons = tuple(str(d) for d in error.diagnostics)
            return Refuse(by=self.own.name, reason=reasons[0], evidence=reasons[1:])
        if not self.own.covers:
            return Act(by=program.source, program=program)
        sure = [float(m[1]) for n in program.notes if (m := _CONFIDENCE.search(n))]
        confidence = min(sure, default=1.0)
        found = covered(text, program, self.spec.objects, self.memory)
        doubts = found.residue
        if isinstance(program, PddlProgram):
            corrects = _CORRECTION.match(text) is not None and not program.manners
            if (program.source != RULES or corrects) and _all_hold(program, self.memory):
                doubts = (*doubts, "This is so already")
        if confidence < SURE:
            doubts = (*doubts, f"I am not sure (confidence {confidence:.2f})")
        if doubts:
            return Ask(
                by=program.source,
                question=f"I read: {in_words(program, self.memory)}. {'. '.join(doubts)}. Shall I?",
                program=program,
                used=found.used,
                unused=found.unused,
                confidence=confidence,
                evidence=doubts,
            )
        return Act(
            by=program.source,
            program=program,
            used=found.used,
            unused=found.unused,
            confidence=confidence,
        )

    def _refers_to_nothing(self, text: str) -> bool:
        """Whether "it" or "them" comes before anything was named, in this conversation or here."""
        said = re.sub(
            r"\bas (?:if|though) [^,.]*|\b(?:does|take|easy does) it\b(?! to| out| off)",
            "",
            text.lower(),
        )
        pronoun = re.search(r"\b(?:it|them)\b(?! (?:is|would|seems|was)\b)", said)
        if pronoun is None or self.memory.exchanges or not self.spec.objects:
            return False
        before = said[: pronoun.start()]
        own = re.search(r"\b(?:gripper|hand|fingers|arm|wrist|whatever you hold)\b", before)
        return own is None and not mentions(before, self.spec.objects)

    def _broken(self, program: Program) -> Reading | None:
        reason = self.own.broken(program, self.memory)
        return Refuse(by=INTERPRETER, reason=reason) if reason else None


class NotAnActError(NotUnderstoodError):
    """A sentence that is not carried out at once.

    Attributes:
        reading: What it was read as.
    """

    def __init__(self, sentence: str, reading: Reading) -> None:
        match reading:
            case Ask(question=text) | Refuse(reason=text):
                problem = text
            case Answer():
                problem = "this is a question; it is answered, nothing moves"
            case Tell(statement=text):
                problem = f"nothing moves: {text}"
            case Act():
                raise ValueError("an act is carried out")
        diagnostics = [Diagnostic(where=reading.by, problem=problem)]
        diagnostics += [Diagnostic(where=reading.by, problem=e) for e in reading.evidence]
        super().__init__(sentence, diagnostics)
        self.reading = reading


def _topic(sentence: str, memory: StateMemory, spec: WorldSpec) -> str:
    """The one thing that a question or statement is about; ``""`` where there are several."""
    said = re.sub(r"[?.!]", "", sentence.lower().replace("'s", " is"))
    found = {n for m in mentions(said, spec.objects) for n in m.names if len(m.names) == 1}
    items = {n for n in found if spec.objects[n].kind == "item"}
    if re.match(r"(?:and |so |ok |now )*what (?:else )?is (?:there )?(?:on|in|inside)\b", said):
        items = {
            a.args[0] for a in memory.facts if a.predicate in ("on", "in") and a.args[1] in found
        }
    chosen = items or found
    return next(iter(chosen)) if len(chosen) == 1 else ""


def _all_hold(program: PddlProgram, memory: StateMemory) -> bool:
    goals = Goals.of(program, memory.facts)
    return all(holds(g, memory.facts, goals.domain, goals.objects) for g in goals.stages)
