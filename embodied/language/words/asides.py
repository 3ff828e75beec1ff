"""What people say besides what is to be done: reasons, feelings, thanks."""

from __future__ import annotations

import re
from collections.abc import Callable

_JOINTS = re.compile(
    r"\s*(?:[,;.!]+|\s--?\s|\b(?=(?:because|since|cause|in order to|so (?:that )?(?:i|we|you|it)"
    r"|as (?:i|we|it|they)|to (?:make|get|have|keep|free|save|be|avoid|clean|tidy|prepare))\b))\s*"
)
_KEPT = re.compile(
    r"\b(?:if|unless|until|till|when|once|before|after|while|except|but|only|not to|never|without"
    r"|all|both|each|every|everything|nothing|anything|other|others|another|rest|else|again|back"
    r"|instead|then|first|second|next|slow\w*|fast\w*|quick\w*|careful\w*|gentl\w+|hurry|speed"
    r"|touch\w*|avoid\w*|away|clear|upright|level|spill\w*|tilt\w*|open|closed?|shut|empty"
    r"|left|right|front|behind|near|top|there|here|same|too|also|them|one|ones|two|three|four|five"
    r"|mind|watch|maybe|perhaps|should|must|shall|mean|meant|undo|stop|wait|no|keep|leave|hold)\b|\d"
)
"""Words that may change what is to be done, wherever they stand."""

_REASON = re.compile(
    r"^(?:because|since|cause|as (?:if|though|it|they|i|we|the)|like)\b(?! this| that)"
)
_THANKS = re.compile(
    r"^(?:and |many |so |very )*(?:thanks?|cheers|ta|please|thank you|thankyou|much appreciated"
    r"|there is a (?:good|dear)|good (?:boy|girl|robot|job)|well done|great|perfect|buddy|mate|pal"
    r"|you (?:are|were) (?:so )?right|my (?:mistake|bad|fault)|sorry|silly me|i am (?:so )?sorry"
    r"|my friend|friend|dear|sir|okay|ok|alright|right|yeah|yes|you know|ha+)\b"
)
_ASKING = re.compile(
    r"^(?:(?:hey|hi|hello|yo|oh|ok|okay|so|well|right|alright|um+|uh+|please|robot|now|good"
    r"|morning|evening|afternoon|there|mate|buddy|pal|friend|my|dear)[ ,]+)*"
    r"(?:(?:can|could|would|will) you (?:please )?)?(?:do me a (?:big |huge |small |quick )?favou?r"
    r"|be (?:a (?:dear|darling|star|pal|sweetheart|friend)|an angel|so (?:kind|nice|good)|nice"
    r"|kind)|help me(?: out)?|give me a hand|lend me a hand)(?: and| by|,| to| as to)* "
)


def without_asides(text: str, about: Callable[[str], bool]) -> str:
    """A sentence without what commands nothing.

    Only parts are left out that speak of no thing, no number, no place and no manner, and reasons;
    what is left says all that is to be done.

    Args:
        text: The sentence.
        about: Whether words name a thing of the scene or are a command.
    """
    said = _ASKING.sub("", text.strip(), count=1)
    cuts = [0, *(m.start() for m in _JOINTS.finditer(said) if m.start() > 0), len(said)]
    pieces = [said[a:b] for a, b in zip(cuts, cuts[1:], strict=False)]
    kept: list[str] = []
    for piece in pieces:
        words = _JOINTS.sub("", piece, count=1).strip(" ,;.!-")
        words = re.sub(r"^(?:and|so|oh|well) ", "", words)
        if not words or _THANKS.match(words) and not about(words):
            continue
        if _REASON.match(words) and (kept or piece is not pieces[-1]):
            continue
        if not about(words) and not _KEPT.search(words):
            continue
        kept.append(piece)
    return "".join(kept).strip(" ,;.!-")
