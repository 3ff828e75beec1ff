"""What a sentence does: command, ask, state, forbid, quote, suppose.

Only the form is looked at, not the objects. A sentence that is no plain command never reaches a
translator as it is: translators see commands alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from embodied.language.interpreter.patterns import (
    ABLE,
    BASE,
    BODY,
    CHATTER,
    CONNECTIVE,
    COURTEOUS,
    DIRECTED,
    DIRECTIVE,
    EMBEDDED,
    END,
    FINITE,
    FORBID,
    FORBIDDING,
    HEDGED,
    INVERTED,
    LATER,
    OTHERS,
    PAST,
    REPORT,
    REQUEST,
    REQUESTING,
    RULE,
    SPEAKER_WANTS,
    TAG,
    TIME,
    WH,
)
from embodied.language.words.lexer import UnreadableTextError, tokenize


class Form(Enum):
    """What a sentence, or a part of one, does; the value says it in words."""

    COMMAND = "an instruction"
    DOUBTFUL = "perhaps an instruction"
    CONDITIONAL = "an instruction under a condition"
    QUESTION = "a question"
    STATEMENT = "a statement"
    PROHIBITION = "a prohibition"
    STANDING_RULE = "a rule for ever"
    WISH_OF_OTHERS = "what somebody else wants"
    QUOTATION = "words that are quoted, not said"
    HYPOTHETICAL = "something imagined"
    RETRACTION = "taking back what was said"
    HAND_OVER = "handing something over"
    UNSAFE = "something that may hurt"
    WAITING = "waiting for a word"


@dataclass(frozen=True, slots=True, kw_only=True)
class Speech:
    """A part of a sentence up to a full stop.

    Attributes:
        form: What it does.
        text: Its words in lower case, pauses as commas.
        evidence: The words that made it this form.
        command: What would be done, for a translator; ``""`` where it commands nothing.
        condition: Of a conditional one: the clause after ``connective``.
        connective: ``"if"``, ``"unless"``, ``"when"`` ...
        forbidden: Of a prohibition or rule: what must not (or must always) be, as a clause.
    """

    form: Form
    text: str
    evidence: str = ""
    command: str = ""
    condition: str = ""
    connective: str = ""
    forbidden: str = ""


def parts(sentence: str) -> tuple[Speech, ...]:
    """The parts of a sentence, each with its form.

    Raises:
        UnreadableTextError: It is empty, too long, or no text.
    """
    tokenize(sentence)
    found: list[Speech] = []
    for raw in END.split(sentence.strip()):
        try:
            words = tokenize(raw)
        except UnreadableTextError:
            continue
        text = " ".join({"ya": "you", "u": "you"}.get(t.word, t.word) for t in words)
        found += _clauses(raw.strip(), text.replace(" ,", ","))
    return tuple(found)


def _clauses(raw: str, text: str) -> list[Speech]:
    """A part up to a full stop; a statement before a command or a request is one of its own."""
    for comma in re.finditer(r", (?:so |and |but |please |now )*", text):
        begun = _unprefixed(text[: comma.start()])
        left = None if CONNECTIVE.match(begun) else _statement(raw, begun)
        right = text[comma.end() :]
        asked = REQUEST.match(right) and not ABLE.match(right)
        if (
            left is not None
            and left.form is Form.STATEMENT
            and (asked or _starts_as_command(right) or DIRECTED.match(right))
        ):
            return [left, _form(raw, right)]
    return [_form(raw, text)]


def _form(raw: str, text: str) -> Speech:
    said = _unprefixed(text)
    for reader in _READERS:
        found = reader(raw, said)
        if found is not None:
            return found
    return Speech(form=Form.COMMAND, text=said, command=said)


def _unprefixed(text: str) -> str:
    """The text without a greeting, "please" or "and" in front."""
    chatter = CHATTER.match(text)
    return text[chatter.end() :] or text if chatter else text


# Forms that never act -------------------------------------------------------------------------


def _quotation(raw: str, said: str) -> Speech | None:
    quoted = re.search(r"[\"“«‘]([^\"”»’]+)[\"”»’]|(?<!\w)'([^']{3,})'(?!\w)", raw)
    inside = (quoted[1] or quoted[2] or "").lower().split() if quoted else []
    if any(w.strip(",.") in BASE for w in inside[:2]) and len(inside) > 2:
        return Speech(form=Form.QUOTATION, text=said, evidence=quoted[0] if quoted else "")
    match = re.search(
        r"(?<!\bi )(?<!\byou )\b(?:says?|said|reads?|wrote|written|states?|tells?"
        r"|told (?:me|us|him|her|you)(?! to\b)|shouted"
        r"|whispered|printed)(?: on it| that| to)?(?: ?[:,]|$| (?:put|place|move|open|close|go))"
        r"|^(?:translate|spell|repeat|pronounce|type|print|write|recite|sing|read(?: out"
        r"| aloud)?)\b"
        r"|\bthe (?:words?|phrase|sentence|expression|command|term) ",
        said,
    )
    if match is None or re.match(r"(?:as|like) i said", said):
        return None
    return Speech(form=Form.QUOTATION, text=said, evidence=match[0].strip(" ,:"))


def _hypothetical(raw: str, said: str) -> Speech | None:
    match = re.match(
        r"(?:imagine|suppose|supposing|pretend|assume|let us (?:say|assume|suppose"
        r"|imagine|pretend)"
        r"|what if|hypothetically|in theory|picture|think of|consider|dream)\b"
        r"|(?:if i (?:said|told|asked|were|was)|if you (?:were|had))\b",
        said,
    )
    return _matched(Form.HYPOTHETICAL, said, match)


def _retraction(raw: str, said: str) -> Speech | None:
    match = re.match(
        r"(?:(?:drop|skip|stop) (?:it|that)$|(?:there is )?no need (?:to|for)"
        r"|you (?:do not (?:have|need) to|need not)"
        r"|(?:forget|ignore|disregard|cancel|scratch|scrap|strike)"
        r" (?:that|it|this|about|what|everything|my|the last|the (?:request|command"
        r"|instruction|order"
        r"|task|plan)|all of that)|never ?mind|i (?:have )?changed my mind|i take (?:that"
        r"|it) back"
        r"|on second thoughts?|i did not mean|false alarm)\b",
        said,
    )
    if match is None:
        return None
    rest = re.split(r", (?=\w)| and (?:instead|rather)\b| but ", said[match.end() :], maxsplit=1)
    if len(rest) == 2 and _starts_as_command(rest[1]):
        return Speech(form=Form.COMMAND, text=rest[1], command=rest[1], evidence=match[0])
    return Speech(form=Form.RETRACTION, text=said, evidence=match[0])


def _hand_over(raw: str, said: str) -> Speech | None:
    match = re.search(
        r"\b(?:give|hand|pass|bring|fetch|get|throw|toss|serve|offer|lend|show|feed)"
        r" (?:it to |them to |that to )?(?:me|us|him|her|my|your|his|our|the (?:guest"
        r"|customer|man"
        r"|woman|child|boy|girl|user|operator|person))\b"
        r"(?! (?:a favou?r|out|how|(?:hand|gripper|arm|palm|paw|fingers|nose|body|feet|foot|legs?"
        r"|head|wrist)\b|(?:an? |your )?(?:\w+ )?(?:spin|turn|twirl|bow|paw|wave|five|walk)\b))"
        r"|\b(?:give|hand|pass|throw|toss|deliver|serve) (?:\w+ ){1,6}(?:over )?to (?:me"
        r"|us|him|her"
        r"|my|someone|somebody|the (?:guest|customer|man|woman|child|boy|girl|user"
        r"|operator|person))\b"
        r"|\b(?:in|into|onto|on|to) (?:my|his|her|their) (?:\w+ )?(?:hands?|lap|palm"
        r"|mouth|plate)\b"
        r"|\b(?:bring|take|carry|fetch|get) (?:\w+ ){1,6}(?:over )?to (?:me|us|him|her)\b"
        r"|^(?:i will|let me) (?:have|take) ",
        said,
    )
    return _matched(Form.HAND_OVER, said, match)


def _unsafe(raw: str, said: str) -> Speech | None:
    match = re.search(
        r"\b(?:hit|strike|stab|poke|punch|kick|slap|smash|crush|hurt|injure|attack|burn"
        r"|cut|squeeze"
        rf"|ram|bite|scratch|whack|beat)(?:ting|ing)? (?:on |at |into )?{BODY}\b"
        r"|\b(?:throw|toss|drop|swing|knock|bump|smash|hit|push|hurl|fling"
        r"|shoot)(?:ing)? (?:\w+ ){0,6}?"
        rf"(?:at|on|onto|over|into|against|out|down|off) {BODY}\b",
        said,
    )
    if match is not None and re.match(r"(?:do not|never|avoid|without)\b", said):
        return None
    return _matched(Form.UNSAFE, said, match)


# Questions ------------------------------------------------------------------------------------


def _question(raw: str, said: str) -> Speech | None:
    asked = raw.rstrip().endswith("?")
    wish = re.match(r"(?:can|could|may|might) (?:i|we) (?:please )?(?:have|get|see) ", said)
    if wish and re.search(r"\b(?:on|in|into|onto)\b", said):
        command = f"i would like {said[wish.end() :]}"
        return Speech(form=Form.DOUBTFUL, text=said, evidence=wish[0].strip(), command=command)
    request = REQUEST.match(said)
    if request and not ABLE.match(said):
        rest = said[request.end() :]
        if re.match(r"not\b", rest):
            return Speech(form=Form.DOUBTFUL, text=said, evidence=f"{request[0].strip()} not")
        return _form(raw.rstrip("?"), rest)
    match = WH.match(said) or EMBEDDED.match(said if not asked else said + "?")
    if match is None and not re.match(r"do (?:the same|likewise|it|that|this|so)\b", said):
        match = INVERTED.match(said)
    if match is None:
        match = ABLE.match(said) or (TAG.search(said) if asked else None)
    if match is not None:
        return Speech(form=Form.QUESTION, text=said, evidence=match[0].strip(" ,"))
    if re.match(r"(?:why|how) (?:do not you|about|not)|what about|is it possible to\b", said):
        return Speech(form=Form.DOUBTFUL, text=said, evidence=" ".join(said.split()[:3]))
    tag = re.search(
        r",? (?:can|could|will|would) you(?: please)?$|,? (?:ok|okay|please|alright)$", said
    )
    if asked and tag is None:
        return Speech(form=Form.DOUBTFUL, text=said, evidence="?", command=said)
    return None


# Prohibitions and rules -----------------------------------------------------------------------


def _prohibition(raw: str, said: str) -> Speech | None:
    match = FORBID.match(said)
    if match:
        rest = said[match.end() :]
        also = re.split(r", (?:but |just |instead |rather )?| but |; ", rest, maxsplit=1)
        if len(also) == 2 and _starts_as_command(also[1]) and "until" not in rest:
            return None  # "do not put it in the bin, put it on the tray": one command
        if re.search(r"\b(?:while|as|when) (?:you|doing|moving|carrying)\b", rest):
            return None  # "never get near the cup while you move the apple": how to move
        if re.match(r"(?:stay|keep)\b", said) and re.search(r" and (?!keep\b|stay\b)", rest):
            return None  # "stay clear of the bowl and go to the block"
        if not rest.strip():
            return None
        return Speech(form=Form.PROHIBITION, text=said, evidence=match[0].strip(), forbidden=rest)
    match = FORBIDDING.search(re.sub(r"\b(?:that|which) (?:is|are) not\b", "that lacks", said))
    ensured = re.match(r"(?:make sure|ensure|see to it|see that|be sure|take care)\b", said)
    if match and not ensured and not _starts_as_command(said):
        clause = said[: match.start()] + " " + said[match.end() :]
        return Speech(
            form=Form.PROHIBITION, text=said, evidence=match[0].strip(), forbidden=clause.strip()
        )
    return None


def _rule(raw: str, said: str) -> Speech | None:
    match = RULE.search(said)
    return _matched(Form.STANDING_RULE, said, match)


# Conditions -----------------------------------------------------------------------------------


def _later(raw: str, said: str) -> Speech | None:
    return _matched(Form.WAITING, said, LATER.search(said)) if _starts_as_command(said) else None


def _condition(raw: str, said: str) -> Speech | None:
    plain = COURTEOUS.sub(" ", said)
    match = CONNECTIVE.search(plain) or TIME.search(plain)
    if match is None:
        return None
    word = match["word"]
    if word in ("until", "till") or re.match(r"(?:wait|stay|hold on|pause|do nothing)\b", plain):
        return Speech(form=Form.WAITING, text=said, evidence=word)
    before = plain[: match.start()].strip(" ,")
    after = plain[match.start() + len(word) :].strip(" ,")
    if before and _starts_as_command(before) or (before and not after.count(",")):
        command, condition = before, after
    else:
        condition, _, command = after.partition(", ")
        if not command:
            condition, _, command = after.partition(" then ")
        if not command:
            condition, command = _unpunctuated(after)
    command = re.sub(r"^(?:then|please|,| )+", "", command)
    return Speech(
        form=Form.CONDITIONAL,
        text=said,
        evidence=word,
        command=command,
        condition=condition.strip(" ,"),
        connective=word,
    )


def _unpunctuated(text: str) -> tuple[str, str]:
    """A condition and its command without a comma: "the drawer is open close it"."""
    words = text.split()
    for i in range(3, len(words) - 1):
        if words[i] in BASE and words[i - 1] not in _UNFINISHED:
            return " ".join(words[:i]), " ".join(words[i:])
    return text, ""


_UNFINISHED = frozenset("is are be the a an to and or not no still already".split())

# Statements -----------------------------------------------------------------------------------


def _statement(raw: str, said: str) -> Speech | None:
    if _starts_as_command(said):
        hedge = re.search(
            r"\b(?:maybe|perhaps|possibly|probably|or something|or not|or nothing)\b", said
        )
        return _doubtful(said, hedge)
    if REQUESTING.match(said):
        return None
    hedge = HEDGED.search(said)
    if hedge:
        return _doubtful(said, hedge)
    if SPEAKER_WANTS.match(said):
        return None
    if re.match(r"you (?:should|must|have to|need to|are to|will|shall|ought to)\b", said):
        return None
    others = OTHERS.match(said)
    if others and not re.match(r"(?:i|we|you|it|they all|that|this|there)\b", said):
        return Speech(form=Form.WISH_OF_OTHERS, text=said, evidence=others[0])
    past = PAST.search(said)
    if past:
        return Speech(form=Form.STATEMENT, text=said, evidence=past[0])
    if re.match(
        r"you (?:have |already |just |forgot |put |moved |placed |left |dropped |\w+ed\b)", said
    ):
        return Speech(form=Form.STATEMENT, text=said, evidence="you")
    report = REPORT.match(said)
    if report and not re.match(r"they\b.*\b(?:go|belong|should|must)\b", said):
        return Speech(form=Form.STATEMENT, text=said, evidence=report[0])
    stray = re.match(r"(?:the|that|this|my|all) [a-z ]+? do(?:es)? not (?:belong|go|live)\b", said)
    if stray:
        return Speech(form=Form.STATEMENT, text=said, evidence=stray[0])
    finite = FINITE.match(said)
    if finite and not DIRECTIVE.search(said):
        return Speech(form=Form.STATEMENT, text=said, evidence=finite[0].split()[-1])
    return None


def _doubtful(said: str, match: re.Match[str] | None) -> Speech | None:
    if match is None:
        return None
    rest = f"{said[: match.start()]} {said[match.end() :]}".replace("  ", " ").strip(" ,")
    rest = re.sub(r"^(?:that |to |the best thing is to )", "", rest)
    return Speech(form=Form.DOUBTFUL, text=said, evidence=match[0].strip(), command=rest)


def _starts_as_command(text: str) -> bool:
    words = text.replace(",", "").split()
    while words and words[0] in ("please", "just", "kindly", "then", "now", "also", "only"):
        words.pop(0)
    return bool(words) and words[0] in BASE and (len(words) > 1 or words[0] == "stop")


def _matched(form: Form, said: str, match: re.Match[str] | None) -> Speech | None:
    return None if match is None else Speech(form=form, text=said, evidence=match[0].strip(" ,"))


_READERS: Sequence[Callable[[str, str], Speech | None]] = (
    _retraction,
    _quotation,
    _hypothetical,
    _question,
    _hand_over,
    _unsafe,
    _rule,
    _prohibition,
    _later,
    _condition,
    _statement,
)


def with_referent(parts: Sequence[Speech], noun: str) -> tuple[Speech, ...]:
    """The parts with "it" in commands written out, after a statement that names one thing."""
    written = re.compile(r"\b(?:it|that one|this one)\b")
    return tuple(
        replace(p, command=written.sub(f"the {noun}", p.command)) if p.command else p for p in parts
    )
