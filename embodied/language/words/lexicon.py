"""The words of the grammar. What a scene's objects are called is not here: see ``scene_words``."""

from __future__ import annotations

from collections.abc import Mapping

from embodied.language.words.synonyms import MASS_KINDS

(
    PLACE,
    STACK,
    BUILD,
    HOLD,
    TAKE,
    REMOVE,
    CLEAR,
    OPEN,
    CLOSE,
    SLIDE,
    SORT,
    SWAP,
    LEAVE,
    RELEASE,
    TURN,
    END,
) = (
    "place stack build hold take remove clear open close slide sort swap leave release turn end"
).split()
"""Classes of verbs."""

VERBS: Mapping[str, tuple[str, ...]] = {
    PLACE: tuple(
        "put place move set lay bring transfer stick pop shift throw toss deposit carry insert "
        "store stow load stash position return relocate dump tidy pack gather collect stand rest "
        "transport chuck sit plonk balance arrange rearrange zip whisk shuttle ferry haul plop "
        "plunk slot tuck slip park perch lug dunk nestle stuff shove lob".split()
    ),
    STACK: ("stack", "pile"),
    BUILD: ("build", "make", "create", "construct", "form", "erect", "assemble"),
    HOLD: ("pick", "grab", "grasp", "hold", "raise", "fetch", "retrieve", "seize"),
    TAKE: ("take", "get", "lift", "pull"),
    REMOVE: ("remove", "unstack", "dismantle"),
    CLEAR: ("clear", "empty", "unload", "unpack"),
    OPEN: ("open",),
    CLOSE: ("close", "shut"),
    SLIDE: ("push", "slide", "nudge", "scoot", "drag"),
    SORT: ("sort", "group", "organise", "organize", "separate"),
    TURN: ("turn", "rotate", "twist", "spin", "swivel", "revolve"),
    SWAP: ("swap", "exchange", "switch", "interchange"),
    LEAVE: ("leave", "keep", "let", "have"),
    RELEASE: ("release", "drop"),
    END: ("end", "go", "belong", "stay", "remain", "finish", "come", "lie", "land"),
}
_IRREGULAR = {
    "put": ("puts", "putting", "put"),
    "set": ("sets", "setting", "set"),
    "lay": ("lays", "laying", "laid"),
    "bring": ("brings", "bringing", "brought"),
    "stick": ("sticks", "sticking", "stuck"),
    "throw": ("throws", "throwing", "thrown"),
    "carry": ("carries", "carrying", "carried"),
    "tidy": ("tidies", "tidying", "tidied"),
    "stand": ("stands", "standing", "stood"),
    "sit": ("sits", "sitting", "sat"),
    "build": ("builds", "building", "built"),
    "make": ("makes", "making", "made"),
    "hold": ("holds", "holding", "held"),
    "take": ("takes", "taking", "taken"),
    "get": ("gets", "getting", "got"),
    "empty": ("empties", "emptying", "emptied"),
    "shut": ("shuts", "shutting", "shut"),
    "leave": ("leaves", "leaving", "left"),
    "keep": ("keeps", "keeping", "kept"),
    "let": ("lets", "letting", "let"),
    "have": ("has", "having", "had"),
    "go": ("goes", "going", "gone"),
    "come": ("comes", "coming", "come"),
    "lie": ("lies", "lying", "lain"),
    "begin": ("begins", "beginning", "begun"),
}
_DOUBLED = frozenset(
    {"pop", "drop", "grab", "swap", "transfer", "spin", "zip", "plop", "slot", "slip", "lug", "lob"}
)


def _inflections(base: str) -> tuple[str, str, str]:
    """Third person, gerund, participle."""
    if base in _IRREGULAR:
        return _IRREGULAR[base]
    if base.endswith("e"):
        return base + "s", base[:-1] + "ing", base + "d"
    doubled = base + base[-1] if base in _DOUBLED else base
    third = base + ("es" if base.endswith(("s", "sh", "ch", "x")) else "s")
    return third, doubled + "ing", doubled + "ed"


VERB_FORMS: dict[str, tuple[str, str]] = {}
"""Word to (class of its verb, form); forms are ``base``, ``third``, ``gerund``, ``participle``."""

for _class, _bases in VERBS.items():
    for _base in _bases:
        for _form, _word in zip(
            ("base", "third", "gerund", "participle"), (_base, *_inflections(_base)), strict=True
        ):
            VERB_FORMS.setdefault(_word, (_class, _form))

KNOWN_VERBS = tuple(
    sorted({v for c, verbs in VERBS.items() if c not in (END, LEAVE) for v in verbs} | {"leave"})
)
"""For messages."""

COLORS = frozenset(
    "red green blue yellow orange purple pink cyan brown white grey gray black silver wooden gold "
    "golden violet turquoise beige magenta".split()
)
"""Colour words that are understood even where nothing has that colour."""

SPELLINGS = {
    "gray": "grey",
    "colour": "color",
    "colours": "colors",
    "colored": "coloured",
    "atop": "on",
    "ya": "you",
    "u": "you",
    "whatever": "everything that",
    "organize": "organise",
    "wood": "wooden",
}

SUPERLATIVES = {
    "largest": "largest",
    "biggest": "largest",
    "smallest": "smallest",
    "littlest": "smallest",
    "tallest": "tallest",
    "shortest": "shortest",
    "longest": "longest",
    "big": "largest",
    "large": "largest",
    "small": "smallest",
    "little": "smallest",
    "tiny": "smallest",
    "bigger": "largest",
    "larger": "largest",
    "smaller": "smallest",
    "taller": "tallest",
    "shorter": "shortest",
    "longer": "longest",
    "widest": "longest",
    "leftmost": "left",
    "rightmost": "right",
    "frontmost": "front",
    "rearmost": "back",
    "backmost": "back",
    "highest": "top",
    "topmost": "top",
    "uppermost": "top",
    "lowest": "bottom",
    "bottommost": "bottom",
    "nearest": "nearest",
    "closest": "nearest",
    "farthest": "farthest",
    "furthest": "farthest",
}
SIDES_OF_THINGS = {"left": "left", "right": "right", "front": "front", "back": "back",
                   "rear": "back", "near": "nearest", "far": "farthest"}  # fmt: skip
"""Words that pick one of several things by where it is, before its noun: "the left cup"."""
SIDES_AFTER = {
    f"{on} the {far}{side}": side
    for side in ("left", "right", "front", "back")
    for far in ("", "far ", "very ")
    for on in ("on", "at", "to", "furthest to", "farthest to")
} | {f"{far} {side}": side for side in ("left", "right") for far in ("furthest", "farthest")}
"""The same behind it: "the cup on the left"."""
PRONOUNS = {
    "it": "it",
    "itself": "itself",
    "them": "them",
    "they": "them",
    "these": "them",
    "those": "them",
    "there": "there",
}
GENERIC = {
    "thing": False,
    "things": True,
    "object": False,
    "objects": True,
    "item": False,
    "items": True,
}
"""Nouns for any movable object; the value says whether they are plurals."""

PREPOSITIONS: tuple[tuple[str, str], ...] = (
    ("on to the top of", "on"),
    ("onto the top of", "on"),
    ("on the top of", "on"),
    ("on top of", "on"),
    ("to the top of", "on"),
    ("to top of", "on"),
    ("on to", "on"),
    ("down on", "on"),
    ("up on", "on"),
    ("onto", "on"),
    ("upon", "on"),
    ("on", "on"),
    ("over on", "on"),
    ("inside of", "in"),
    ("in to", "in"),
    ("within", "in"),
    ("inside", "in"),
    ("into", "in"),
    ("in", "in"),
    ("underneath", "under"),
    ("beneath", "under"),
    ("below", "under"),
    ("under", "under"),
    ("over to", "to"),
    ("to", "to"),
    ("at", "to"),
)
"""Phrase and relation, longest first where one begins another."""

SOURCES: tuple[tuple[str, str], ...] = (
    ("out of", "in"),
    ("from the top of", "on"),
    ("from on top of", "on"),
    ("from inside", "in"),
    ("off of", "on"),
    ("off from", "on"),
    ("away from", "to"),
    ("from", "to"),
    ("off", "on"),
)
BOTTOM = (
    "at the bottom", "on the bottom", "at bottom", "as the base", "as base", "on bottom",
    "at the base", "as the bottom", "as a base", "underneath", "at the very bottom",
)  # fmt: skip
EXCEPTIONS = (
    "except for", "except", "apart from", "aside from", "other than", "excluding", "save for",
    "besides", "but not", "but for", "minus", "without", "but",
)  # fmt: skip
SEQUENCE = (
    "and then", "then", "after that", "after this", "after which", "afterwards", "afterward",
    "thereafter", "subsequently", "finally", "lastly", "next", "secondly", "second", "thirdly",
    "third", "later", "last of all", "at last", "once that is done", "when that is done",
    "when you are done", "once you are done", "when done", "once done", "when that is finished",
    "when finished", "when you have done that", "when you are finished", "in the end",
)  # fmt: skip
BEGINNING = (
    "first of all", "first off", "firstly", "first", "to begin with", "to start with", "to start",
    "start by", "begin by", "start with", "begin with",
)  # fmt: skip
POLITE = (
    "can you", "could you", "would you", "will you", "would you mind", "do you mind",
    "would you be so kind as to", "would you be so kind to", "would you be so kind and",
    "be so kind as to", "be so kind and", "i would like you to", "i would love you to",
    "i want you to", "i need you to", "we want you to", "we need you to", "we would like you to",
    "you should", "you must", "you have to", "you need to", "you can", "you could", "you may",
    "your task is to", "your job is to", "the task is to", "the goal is to", "the goal is that",
    "the goal is", "goal", "task", "let us", "go ahead and", "go and", "try to", "please try to",
    "make sure that", "make sure", "make sure to", "ensure that", "ensure", "see to it that",
    "see that", "be sure to", "be sure that", "remember to", "do not forget to", "help me to",
    "help me", "i would like to have", "i would like to see", "i would like", "i want to have",
    "i want to see", "i want", "we want to have", "we want", "we would like", "i need to have",
    "i need", "we need", "i would appreciate it if you could", "it would be great if you could",
    "it would be nice if you could", "have a go at", "i wish to have", "you are to", "so that",
    "such that", "i would prefer", "i would love", "i would love to see", "i would love to have",
    "i could use", "i fancy", "it is time to", "time to",
)  # fmt: skip
_WISHES = tuple(
    f"{start}{adverb} {wish} if you {modal}"
    for start in ("i would", "we would", "i will")
    for adverb in ("", " really", " very much")
    for wish in ("appreciate it", "be grateful", "be happy", "be glad", "like it", "love it")
    for modal in ("could", "would", "can")
)
_PRAISE = tuple(
    f"it would be{adverb} {praise} {ending}"
    for adverb in ("", " really", " very")
    for praise in ("great", "nice", "lovely", "good", "helpful", "perfect", "wonderful", "best")
    for ending in ("if you could", "if you would", "if you can", "to have", "to see")
)
COURTESY = (
    *_WISHES, *_PRAISE, "i was wondering if you could", "i wonder if you could",
    "i was wondering whether you could", "i was hoping you could", "do you think you could",
    "is it possible to", "would it be possible to", "if you do not mind", "if you can",
    "if you could", "if you would", "if possible", "if you please", "if you have time",
    "when you get a moment", "when you get a chance", "when you have a moment",
    "when you have time", "as soon as you can", "as soon as possible", "whenever you are ready",
    "when you are ready", "by the time you are finished", "by the time you are done",
    "i do not care which", "i do not mind which", "either is fine", "whichever", "completely",
    "entirely", "by the end", "for me", "for us", "thank you", "thanks a lot", "many thanks",
    "good boy", "good girl", "good dog", "good robot", "good job", "well done", "there you go",
    "that is it", "that will do", "all right", "alright then", "right then", "ok then",
    "okay then", "right now", "right away", "straight away", "at once", "come on", "my friend",
    "buddy", "will ya", "would ya", "would you", "will you", "could you", "can you", "if you like",
    "if you would not mind", "no rush", "no hurry", "there is no rush", "there is no hurry",
    "let us see", "i want to see you", "i would like to see you", "let me see you",
    "show me how you", "do me a favour and", "do me a favor and", "and that is all",
    "that is all", "cheers", "you know",
)  # fmt: skip
"""Phrases that are left out before a sentence is read: they ask for nothing."""

CORRECTIONS = (
    "no wait", "no sorry", "oh no", "no", "nope", "no no", "wrong", "that is wrong", "hang on",
    "hold on", "not that", "not that one", "wait no", "not like that", "oh", "ah", "my mistake",
    "sorry", "oops", "wait", "hmm", "rather",
    "i meant", "i mean", "i said", "actually", "sorry i meant", "no i meant", "instead",
)  # fmt: skip
"""At the beginning of a sentence: what follows replaces what the one before asked for."""

MASS_NOUNS = frozenset("fruit trash rubbish garbage hardware".split()) | MASS_KINDS
"""Nouns that speak of all there is without a plural."""

QUESTIONS = frozenset("what where who why how which whose is are does did".split())
"""A sentence that begins with one of these is a question."""

MANNER = frozenset("quickly gently carefully slowly neatly nicely safely immediately".split())
"""Fillers that ask for a manner; where that is left aside, the program notes it."""

CHATTER = frozenset(
    "please now ok okay well hey robot kindly simply just hi hello alright yes thanks thank "
    "immediately basically dear good great perfect lovely excellent brilliant awesome super fine "
    "wonderful cool nice".split()
)
"""Words that ask for nothing, wherever they stand."""

FILLERS = CHATTER | MANNER | {"so", "right", "again"}
"""Words that may stand anywhere between the parts of a clause without changing its goal."""
"""Fillers that ask for a manner; that they are left aside is noted in the program."""

PARTICLES = frozenset(
    "up down back away over together along out straight all both directly".split()
)
MODALS = frozenset(
    "should must shall will would can could may might needs need has have ought is are be being "
    "gets get to was were".split()
)

UNSUPPORTED: Mapping[str, str] = {
    "if": "conditions ('if') are not covered: say what the goal is",
    "unless": "conditions ('unless') are not covered: say what the goal is",
    "otherwise": "conditions ('otherwise') are not covered: say what the goal is",
    "while": "what must hold along the way ('while') is not covered, only how things shall end up",
    "until": "what must hold along the way ('until') is not covered, only how things shall end up",
    "never": "rules for ever ('never') are not covered, only how things shall end up now",
    "always": "rules for ever ('always') are not covered, only how things shall end up now",
    "touch": "'touch' speaks about the way there, and only how things shall end up is covered",
    "touching": "'touching' speaks about the way there; only how things shall end up is covered",
    "what": "this is a question; I carry out instructions",
    "who": "this is a question; I carry out instructions",
    "why": "this is a question; I carry out instructions",
    "how": "this is a question; I carry out instructions",
    "undo": "taking back is a command of its own: type 'undo'",
    "many": "'many' does not say how many",
    "several": "'several' does not say how many",
    "stuff": "'stuff' does not say what: name the objects, or say 'everything'",
    "elsewhere": "'elsewhere' does not say where",
    "give": "handing things over is not covered; 'pick up ...' is",
    "pass": "handing things over is not covered; 'pick up ...' is",
}
"""Words with a reason why a sentence that holds them is not translated."""

UNSUPPORTED_PHRASES: Mapping[str, str] = {
    "hand over": UNSUPPORTED["give"],
    "back where": "earlier places are not remembered here: type 'undo', or name the place",
}

GRAMMAR_WORDS = frozenset(
    "a an the this that these those my our your its their of and or not no none nothing any "
    "anything something each every both all either other others another rest remaining else one "
    "ones only same matching matches match color colors own coloured at bottom top middle center "
    "centre from to in on by with using order any which who is are be been being it them they "
    "there here where alone place put as well too also along together plus followed "
    "before after once when soon you we i us me do does did should must shall will would can "
    "could may might needs need has have had having ought to out off of for up down back away "
    "over inside onto upon within under underneath beneath below tower towers pile piles stack "
    "stacks column columns tall single high going still currently right closed opened open shut "
    "empty held least exactly contents respective corresponding everything left touched "
    "instead but than tall big next beside near nearer nearby close closer adjacent alongside "
    "vicinity side sides touching against between halfway midway half way left right front behind "
    "back rear ahead forward forwards backward backwards leftward leftwards rightward rightwards "
    "corner corners edge rim border end middle center far further farther clear towards toward "
    "direction where where's position its current cm mm m centimeter centimeters centimetre "
    "centimetres millimeter millimeters metre metres meter meters inch inches degrees degree deg "
    "rad radians clockwise counter counterclockwise anti anticlockwise turn quarter full angle "
    "about around round by little bit slightly tad somewhat some distance somewhere anywhere "
    "most hand axis spot lies stands sits away apart least roughly approximately exactly more "
    "very really pretty quite another within straight sideways halfway row line lined home "
    "resting starting initial neutral default parking park started position pose configuration "
    "posture arm gripper robot yourself head drive send ends smack bang "
    "squarely dead bare possible few couple used was were stood lay sat \u00b0".split()
)
