"""Other ways to say what the grammar knows: phrases that are read as those it has."""

from __future__ import annotations

import re
from collections.abc import Sequence

from embodied.language.words.cursor import Abstain
from embodied.language.words.lexer import PAUSES, Token
from embodied.language.words.scene_words import SceneWords, plain
from embodied.types import Atom

_VERBS = "put|place|move|set|lay|bring|stack|drop|carry|lift|raise|transfer|store|stow|load"
_BUILT = "stack|tower|pile|column"
_ABOVE = r"(?:above|on top of|on|over|atop) (?:it|that|this|them)|on top|at top|above"

_SAME = "do the same with "

_REWRITES: tuple[tuple[str, str], ...] = (
    (rf"\b(?:grasp|grab|pick up|pick|take|seize|get|hold) and (?=(?:{_VERBS})\b)", ""),
    (
        r"^(?:pull|push|use|grab|grasp|take) (?:on )?(?:the |its )?(?:drawer )?handle "
        r"(?:of the [a-z]+ )?(?:to|and) (?=open\b|close\b|shut\b)",
        "",
    ),
    (r"\b(?P<d>drawer) (?:of|in|under) (?:the )?(?:cabinet|cupboard|shelf|closet)\b", r"\g<d>"),
    (r"\bpieces? of (?=fruit|food)", ""),
    (r",? (?:one at a time|one by one|one after (?:the other|another)|in turn)\b", ""),
    (r"^(?P<a>the [^,]+?), (?P<do>[a-z]+) it (?P<rest>.+)$", r"\g<do> \g<a> \g<rest>"),
    (r"(?<=[a-z] )what is (?=on|in|inside)", "everything that is "),
    (
        r"^(?:fill|load|stock) (?P<p>(?:the |a )?[a-z]+(?: [a-z]+)?) (?:up )?with (?P<a>.+)$",
        r"put \g<a> to \g<p>",
    ),
    (
        r"^(?:i need |i want |i would like |we need |make |let |have )?"
        r"(?P<p>the [a-z]+(?: [a-z]+)?) "
        r"(?:should|must|has to|needs to|shall|is to|to) (?:contain|hold|have|carry) "
        r"(?P<a>.+?)(?: (?:in|on) it)?$",
        r"put \g<a> to \g<p>",
    ),
    (r"\b(?P<be>be|is|are|stay|remain) (?:free|clear|cleared|bare|vacant)$", r"\g<be> empty"),
    (
        r",? (?:and )?(?:the )?(?:rest|others?|remaining ones?) (?:stays?|remains?)(?: put| there"
        r"| (?:as|where) (?:it|they) (?:is|are))?$",
        " , leave everything else alone",
    ),
    (r",? (?:along|together|followed) (?:with|by) (?P<a>[^,]+)$", r" , and \g<a> too"),
    (r"\b(?:get rid of|dispose of|discard|trash)\b", "throw away"),
    (r", (?:which|that) (?P<be>is|are) (?P<at>[^,]+)(?:,|$)", r" that \g<be> \g<at> "),
    (
        r",? (?:and |but )?(?:do not|never) (?:let (?:it )?go(?: of it)?|drop it|put it down"
        r"|let it drop|let it fall)$",
        "",
    ),
    (r"^(?:give|get) (?:me|us) (?=(?:a|one) (?:tower|stack|pile|row|line)\b)", "build "),
    (r"^keep (?:holding(?: on to)?|hold of|a grip on) ", "hold "),
    (r"\b(?:wherever|anywhere|somewhere) (?:you (?:like|want|please) )?(?=(?:on|in)\b)", ""),
    (r"\bi do not want (?:to (?:see|have|find)) ", "i do not want "),
    (r"\bwhichever (?P<n>[a-z]+) is\b", r"the \g<n> that is"),
    (r"\b(?:the (?:whole )?lot|the whole bunch)\b", "everything"),
    (
        r"(?<=[a-z] )(?<!is )(?<!are )(?<!be )(?:sitting|standing|lying|resting) "
        r"(?=(?:on|in|inside|at)\b)",
        "that is ",
    ),
    (r"\b(?:sitting|standing|lying|resting|placed|located) (?=(?:on|in|inside|at)\b)", ""),
    (r"\bleft (?=(?:open|closed|shut|empty)\b)", ""),
    (
        r",? (?:and |but |with )?(?:none|not any|no one) of them (?:being )?(?:on top of"
        r"|on|touching|"
        r"stacked on) (?:each other|one another|another|any other)",
        "",
    ),
    (r",? (?:and |but )?(?:not stacked|without stacking (?:them|any)|unstacked)\b", ""),
    (r",? with nothing (?:else )?(?P<at>in|on|inside) (?:it|there)\b", r" and nothing \g<at> it"),
    (
        rf"\b(?:a |one )?(?P<kind>{_BUILT})(?: of [a-z]+)? with (?P<a>[^,]+?) (?:as|for|being) "
        rf"(?:its |the |a )?(?:base|bottom|foundation|lowest)(?: one| block"
        rf"| cube)?,? (?:and )?(?:then )?"
        rf"(?P<b>[^,]+?) (?:{_ABOVE})",
        r"a \g<kind> : \g<a> , then \g<b>",
    ),
    (
        r"^(?P<a>[^,]+?) (?:goes|go|is|comes|should be|should go|must be) (?:on|at|to) (?:the )?"
        r"(?:very )?bottom,? (?:and )?(?:then )?(?P<rest>.+)$",
        r"make a tower : \g<a> , then \g<rest>",
    ),
    (r"(?<=[a-z])(?: goes| go| comes| should go)? (?:last|on the very top|at the top)$", ""),
    (
        rf"(?P<before>^|, (?:and |then )?|\. )(?P<place>(?:on top of|on|onto|in|into|inside) "
        rf"(?:the |a |my )?[^,.]+?),? (?P<do>(?:{_VERBS}) [^,.]+?)(?=$|,|\."
        rf"| and (?:{_VERBS})\b| then )",
        r"\g<before>\g<do> \g<place>",
    ),
    (r"\b(?:back )?down (?=(?:to|on|onto)\b)", ""),
    (
        r"^(?:trade|switch|swap|exchange) (?:the )?(?:places?|positions?|spots?) "
        r"(?:between|of|for) ",
        "swap ",
    ),
    (
        r"^(?:let|make|have) (?P<a>[^,]+?) (?:trade|switch|swap|exchange) (?:places?|positions?)$",
        r"swap \g<a>",
    ),
    (
        r",? (?:of|at) your (?:own )?(?:choosing|choice|liking)\b|,? your (?:choice|pick|call)$"
        r"|,? (?:whichever|whatever|any) you (?:like|want|please|fancy|prefer)$",
        "",
    ),
    (
        r",? but (?P<x>the [a-z ]+?) (?:must|should|may|can|is) not "
        r"(?:be )?(?:one of|among|part of) (?:them|these|those)\b",
        r" but not \g<x>",
    ),
    (
        r"\bthe (?:tallest|highest|biggest|largest)(?: [a-z]+)? (?P<t>tower|stack|pile) "
        r"(?:that )?(?:you can|possible)(?: build| make)? (?:from|of|out of|with|using) ",
        r"a \g<t> of ",
    ),
    (
        r"^(?:and |now |then )*(?:the )?same (?:with|for) (?P<a>[^,]+), "
        r"(?P<b>(?:on|in|into|onto|next to|beside) .+)$",
        r"put \g<a> \g<b>",
    ),
    (r"\b(?:bare|uncluttered|clean) (?=(?:table|tray|counter|desk|plate|surface)\b)", ""),
    (r",? so (?:that )?(?:it|they) (?:ends? up|sits?|lies?|lands?|rests?) ", " "),
    (r",? (?:i|you) (?:said|meant|mean)$", ""),
    (
        r"^(?P<a>(?:and |now |then |so )*the [a-z ]+?), "
        r"(?P<b>(?:on|in|into|onto|inside|next to|beside) the [^,]+)$",
        r"\g<a> \g<b>",
    ),
    (r"^(?:line|queue) up (?P<a>[^,]+)$", r"put \g<a> in a row"),
    (r"^(?:line|queue) (?P<a>[^,]+?) up$", r"put \g<a> in a row"),
    (r"^(?:arrange|align|order) (?P<a>[^,]+?)(?: in a (?:row|line))?$", r"put \g<a> in a row"),
    (
        r"^(?:make|form|build|create) a (?:row|line) (?:of|with|from|out of) (?P<a>[^:]+)$",
        r"put \g<a> in a row",
    ),
    (r"^(?:spread|space|move|pull|push) (?P<a>[^,]+?) (?:out|apart)$", r"put \g<a> apart"),
    (r"^(?:spread|space) out (?P<a>[^,]+)$", r"put \g<a> apart"),
    (r"^(?:cluster|huddle|bunch) (?P<a>[^,]+?)(?: together| up)?$", r"put \g<a> together"),
    (
        r"\b(?:the )?(?:things|objects|items|stuff) (?:that )?(?:you|one|we|i|people) can "
        r"(?P<do>eat|drink)\b",
        r"the \g<do>able things",
    ),
    (r"\b(?:anything|everything|all) (?P<what>edible|eatable|drinkable)\b", r"all \g<what> things"),
    (r"\b(?P<do>throw|toss|chuck) out (?!of\b)", r"\g<do> away "),
    (r"\bback out\b", "out"),
    (r"^(?:and |now )*(?:the )?(?:same|likewise|ditto) (?:goes )?(?:for|with) ", _SAME),
    (
        r"\bdo (?:that|this|it) (?:too |also |again )?,? ?(?:but )?(?:this time )?(?:with|for|to) ",
        _SAME,
    ),
    (
        r",? (?:and |but )?(?:leave|ignore|keep) (?:the )?(?:rest|others?|other ones?)"
        r"(?: alone| as (?:it|they) (?:is|are)| where (?:it|they) (?:is|are)| in place)?$",
        " , leave everything else alone",
    ),
    (r"^(?:and )?again,? (?:but )?(?:this time )?(?:with|for) ", _SAME),
    (rf"^(?P<same>{_SAME}.+?) (?:too|as well|also)$", r"\g<same>"),
    (
        r"\b(?P<x>the [a-z]+) (?P<so>open|closed|shut) and empty\b",
        r"\g<x> \g<so> and nothing in \g<x>",
    ),
    (
        rf"(?P<t>\b(?:{_BUILT}) : .+?),? and (?:then )?(?P<c>[^,]+?) "
        r"(?:on top of|above|on|over) (?:that|it|this)\b",
        r"\g<t> , then \g<c>",
    ),
    (
        rf"(?P<t>\b(?:{_BUILT}) : .+?) (?:goes |comes )?"
        r"(?:on|above|on top of|over) (?:it|that|this|top)$",
        r"\g<t>",
    ),
)  # fmt: skip
_COMPILED = tuple((re.compile(pattern), new) for pattern, new in _REWRITES)


def rephrased(
    tokens: tuple[Token, ...], scene: SceneWords, facts: frozenset[Atom], about: Sequence[str]
) -> tuple[Token, ...]:
    """The tokens with phrases put in the words of the grammar; the same where there are none.

    Numbers of words are those of the new sentence.

    Args:
        tokens: The sentence.
        scene: What things are called.
        facts: What holds, for "the top one".
        about: What was spoken of last.


    Raises:
        Abstain: Nothing is left.
    """

    def place_first(match: re.Match[str]) -> str:
        """What puts things to a place, as "bowl: the apple" does."""
        words = tuple(match["p"].removeprefix("the ").split())
        found = scene.head_at(words[-1:])
        places = scene.named(found[0]) if found else frozenset[str]()
        last = scene.head_at(tuple(match["a"].split()[-1:]))
        if places and last and all(scene.specs[n].kind == "item" for n in places):
            if all(scene.specs[n].kind != "item" for n in scene.named(last[0])):
                return f"put {match['p']} to {match['a']}"
        if not places or any(scene.specs[n].kind == "item" for n in places):
            return match[0]
        return f"put {match['a']} to {match['p']}"

    text = " ".join(t.word for t in tokens)
    text = re.sub(r" ([,.:])", r"\1", text)
    for pattern, new in _COMPILED:
        text = pattern.sub(new, text)
    text = re.sub(
        r"(?:(?<=\. )|^)(?P<p>(?:the )?[a-z]+(?: [a-z]+)?): (?P<a>[^.:]+)", place_first, text
    )
    text = re.sub(r"\bsomething to (drink|eat)\b", r"something \1able", text)
    text = re.sub(
        r"\b(?:something|anything) (?P<m>[a-z]+)\b",
        lambda m: f"a {m['m']} thing" if m["m"] in scene.modifiers else m[0],
        text,
    )
    text = _ENDS.sub(lambda m: _end_of_tower(m, scene, facts, about), text)
    return _tokens(text)


_REJECTED = re.compile(
    r"^(?P<before>(?:(?:no|nope|wait|sorry|actually|oops|i said|i meant)\b[ ,]*)*)not "
    r"(?:the |that )?[a-z]+(?: [a-z]+){0,2}, (?:but |rather |instead |i meant |i mean )?"
    r"(?=the |that )"
)


def without_rejected(tokens: tuple[Token, ...]) -> tuple[Token, ...]:
    """A correction without what it takes back: "not the yellow one, the orange one"."""
    text = re.sub(r" ([,.:])", r"\1", " ".join(t.word for t in tokens))
    match = _REJECTED.match(text)
    return _tokens(f"{match['before']}no, {text[match.end() :]}") if match else tokens


def _tokens(text: str) -> tuple[Token, ...]:
    number, found = 0, list[Token]()
    for word in re.findall(r"[,.:]|[^\s,.:]+(?:\.\d+)?", text):
        number += word not in PAUSES
        found.append(Token(word, number))
    if not number:
        raise Abstain("sentence", "there is no instruction in this")
    return tuple(found)


_TOP = "top|topmost|upper|uppermost|highest"
_ENDS = re.compile(
    rf"\bthe (?:(?P<top>{_TOP})|bottom|bottommost|lower|lowermost|lowest) (?P<noun>[a-z]+)"
    r"|\bthe (?:one|[a-z]+) (?:that is |which is )?(?:on (?P<over>top)|at the (?:bottom|base))\b"
    r"(?! of)"
)


def _end_of_tower(
    match: re.Match[str], scene: SceneWords, facts: frozenset[Atom], about: Sequence[str]
) -> str:
    """The name of the thing on top, or at the bottom, of the only stack there is to speak of."""
    noun = match["noun"] or "one"
    known = scene.head_at((noun,))
    if noun not in ("one", "two") and (known is None or known[1]):
        return match[0]
    items = set(scene.items)
    above = {a.args[1]: a.args[0] for a in facts if a.predicate == "on" and a.args[1] in items}
    towers: list[list[str]] = []
    for base in above.keys() - above.values():
        tower = [base]
        while tower[-1] in above:
            tower.append(above[tower[-1]])
        towers.append(tower)
    spoken_of = [t for t in towers if set(t) & set(about)]
    chosen = spoken_of or towers
    if len(chosen) != 1:
        return match[0]
    return "the " + plain(chosen[0][-1 if match["top"] or match["over"] else 0])
