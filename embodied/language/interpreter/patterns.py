"""Forms of English sentences as patterns over plain lower-case words."""

from __future__ import annotations

import re

from embodied.language.words.lexicon import VERB_FORMS

END = re.compile(r"(?<=[.!?;])\s+|\n+")
CHATTER = re.compile(
    r"(?:(?:hey|hi|hello|dear|ok|okay|well|so|now|and|but|then|also|alright|right|please"
    r"|robot|good"
    r"|great|thanks|thank you|sorry|oh|um|uh|hm+|yes|yeah|kindly|just|listen|look|excuse me"
    r"|first(?: of all)?|next|finally|after that|afterwards|by the way|oops|whoops"
    r"|(?:no|wait|actually|my mistake|my bad)(?=,))(?:\b|$)[ ,]*)+"
)
BASE = {w for w, (_, form) in VERB_FORMS.items() if form == "base"} | set(
    "walk trot go turn run sit stand lie step pace spin raise lift lower roll jump move stop "
    "face crouch lean touch point reach drop press push pull rotate tilt slow sweep stay keep "
    "approach hover wave bow".split()
)
ANY_FORM = set(VERB_FORMS) | {"dropped", "gave", "picked", "took", "moved", "broke", "brought"}
NOT_DONE_BY_HAND = (
    "see|reach|fit|tell|say|think|know|remember|believe|explain|describe|list|name|count|find out"
    "|identify|recogni[sz]e|hear|feel|understand|guess|show|be|like|want|need|prefer|imagine|manage"
    "|spell|translate|repeat|answer|confirm|check|verify|speak|read|write|sing|recommend|suggest"
)
PERSON = (
    r"(?:i|we|he|she|they|someone|somebody|everyone|everybody|people"
    r"|(?:my|our|your|his|her|their|the) (?:\w+ )?(?:son|daughter|wife|husband|friend"
    r"|mother|father"
    r"|mom|mum|dad|boss|colleague|neighbou?r|sister|brother|child|children|kids?|baby|boy|girl"
    r"|man|woman|guest|guests|customer|client|operator|user|teacher|student|doctor|partner"
    r"|grandmother|grandfather|grandma|grandpa|roommate|assistant|manager|chef|cook|technician)"
    r"|mom|mum|dad|grandma|grandpa)"
)
BODY = (
    r"(?:me|us|him|somebody|someone|people|(?:my|your|his|her|their|the|a) (?:\w+ )?(?:hand"
    r"|hands|face|head|eyes?|arms?|finger|fingers|foot|feet|leg|back|stomach|body|child|kid|baby"
    r"|dog|cat|person|man|woman|boy|girl|wall|window|lamp|tv|screen))"
)
WH = re.compile(
    r"(?:what|where|who|whom|whose|which|why|how|when (?:is|are|was|were|did|do|does|will"
    r"|has|can))"
    r"\b(?! about\b| do not (?:you|we)\b| not \w+\b)"
)
INVERTED = re.compile(
    r"(?:is|are|was|were|am|does|did|had|has|may|might|shall|should|must|ought)\b"
    r"|do (?:you|we|they|i|he|she|any|these|those|all|both|the \w+ (?:\w+ )?(?:fit|belong"
    r"|go|match"
    r"|have|need|look|lie|touch))\b|have (?:you|we|they|i|he|she)\b|(?:has|had) \w+"
    r"|(?:can|could|will|would|can not|could not|would not) (?!you\b)\w+"
)
EMBEDDED = re.compile(
    r"(?:i (?:wonder|would like to know|want to know|need to know|am curious|am not sure"
    r"|ask myself"
    r"|forgot|do not know|am wondering|was wondering)|(?:please )?(?:tell|show|inform"
    r"|remind) (?:me|us)"
    r"|let (?:me|us) know|do you (?:know|remember|think|see)|any idea|explain|describe|name|count"
    r"|list|say|identify|report|check|verify|confirm|find out|see(?! to it| that)|make out"
    r"|figure out|look"
    r"|(?:can|could|would|will) you (?:please )?(?:tell|show|say|explain|describe|name|count|list"
    r"|check|see|verify|confirm|find out|remember|identify))\b"
    r"(?=.*\b(?:what|where|who|whose|which|why|how|when|whether|if|that|the number|all"
    r"|every|each|"
    r"about|something|anything|objects?|things?|colou?rs?)\b|.*\?)"
)
ABLE = re.compile(
    rf"(?:can|could|will|would) you (?:not )?(?:even |also |actually |still )?"
    rf"(?!be so kind)(?:{NOT_DONE_BY_HAND})\b"
)
REQUEST = re.compile(
    r"(?:(?:can|could|will|would) you (?:please |kindly |just |now |also |maybe |possibly )*"
    r"|would you mind |do you mind |do you think you (?:can|could) "
    r"|would you be so kind (?:as to|and) "
    r"|would it be possible (?:for you )?to |could i ask you to |may i ask you to "
    r"|i was (?:wondering|hoping) if you (?:can|could|would) )"
)
TAG = re.compile(
    r",? ?(?:is|are|was|were|do|does|did|has|have|had) (?:not )?(?:it|they|he|she|you|we|there)$"
    r"|, (?:right|correct|yes|no)$"
)
FORBID = re.compile(
    r"(?:do not|never(?: ever)?|do not you (?:dare|ever)|do not ever|please do not)"
    r" (?!forget to|hesitate to|fail to|be afraid to|worry)(?:you dare )?"
    r"|(?:stop|avoid|quit|cease|refrain from|keep from|no more|no)"
    r" (?=(?!moving$|walking$|turning$)\w+ing\b)"
    r"|(?:under no circumstances|in no case|on no account|by no means|whatever you do|at no time)"
    r",? (?:do not |should you |must you |may you )?"
    r"|(?:make sure|be careful|be sure|take care|try|remember|see to it|beware)"
    r"(?: you| that you| that)? (?:do not|not to|never|to never|to not) "
    r"|you (?:must|may|should|can|shall|will|are|need) (?:not|never)(?: allowed| supposed"
    r"| permitted)?"
    r"(?: to)? "
    r"|i (?:do not|would not|never) (?:want|like|wish|need) (?:you to |to see )?"
    r"|i (?:would|had) (?:rather|prefer)(?: it| that)?(?: if)?(?: you)?(?: did| do)? not "
    r"|i (?:would|had) (?:rather|prefer)(?: it| that)?(?: if)? you (?:did|do) not "
    r"|i forbid (?:you )?(?:to |from )?|it is (?:forbidden|not allowed|prohibited) to "
    r"|hands off |(?:stay|keep)(?: well)? (?:away|clear|off) (?:from|of) "
)
FORBIDDING = re.compile(
    r"\b(?:must|should|may|can|shall|will|ought|need|is|are|has|have)(?: to)? (?:not|never)\b"
    r"|\b(?:is|are) (?:forbidden|off limits|not allowed|prohibited|taboo)\b"
    r"|^(?:nobody|no one|none of you|no robot)\b|^nothing (?:must|should|may|can|shall|will)?"
    r" ?(?:go|goes|be put|be placed|be moved|enter)"
)
RULE = re.compile(
    r"^(?:always|every time|whenever|each time|from now on|from here on"
    r"|in (?:the )?future|for ever"
    r"|forever|as a rule|henceforth)\b|\b(?:from now on|at all times|for ever|forever|every time"
    r"|in (?:the )?future|each (?:day|morning|evening|time)|every (?:day|morning|evening"
    r"|hour|time))\b"
    r"|^(?:\w+ ){1,4}(?:must|should|has to|have to|shall|needs? to)? ?always\b"
)
COURTEOUS = re.compile(
    r"\bif (?:you (?:can|could|would|please|like|want|do not mind|have (?:the )?time"
    r"|are able|will"
    r"|get (?:a|the) chance|wish|may)|possible|need be|necessary|it is not too much trouble"
    r"|that is (?:ok|okay|fine|possible|all right))\b(?: to)?"
    r"|\b(?:when|whenever|once|as soon as) you (?:get a (?:chance|moment|minute)"
    r"|have (?:a |the )?"
    r"(?:time|moment|minute|chance)|are (?:ready|free|able)|can|like)\b|\bas soon as possible\b"
    r"|\bas if\b|\beven if\b"
)
CONNECTIVE = re.compile(
    r"\b(?P<word>only if|only when|only once|unless|except if|except when|if"
    r"|provided(?: that)?|providing"
    r"(?: that)?|in case|as long as|so long as|assuming(?: that)?|given that|on condition that"
    r"|depending on|otherwise|or else|until|till)\b"
)
TIME = re.compile(
    r"\b(?P<word>when|once|as soon as|after|before|while)"
    r" (?!you\b|we\b|that\b|this\b|done\b|doing\b|it is (?:done|finished)|everything is done"
    r"|\w+ing\b|within|near|close|moving|at|in|on|passing|around|above|over|under|next)"
    r"(?P<rest>(?:the|a|an|there|it|they|all|both|every|each|no|nothing|something|someone"
    r"|i|my|any"
    r"|he|she|[a-z]+)\b.*?\b(?:is|are|was|were|has|have|am|gets?|becomes?|says?|say|comes?|goes"
    r"|arrives?|leaves?|opens?|closes?|falls?|stops?|starts?|rings?|beeps?|touch(?:es)?)\b)"
)
OTHERS = re.compile(
    rf"(?:{PERSON}|[a-z]+) (?:really )?(?:wants?|wanted|would like|would love|likes|like(?! an? )"
    rf"|needs?|asked|told"
    r"|thinks?|hopes?|prefers?|wishes|expects?|insists?|suggests?|requested|ordered)\b"
)
REPORT = re.compile(
    rf"{PERSON} (?:(?:have|has|had|just|already|also|then|recently|once|never|usually"
    rf"|often|always"
    r"|sometimes|accidentally|forgot to|forgot|am|are|is|was|were|will|used to|did|do"
    r"|does|might|may"
    r"|could|can|tried to|managed to|started|finished|plan to|am going to)\b ?)*(?P<verb>\w+)"
)
SPEAKER_WANTS = re.compile(
    r"(?:i|we) (?:would|will)?(?: really| very much)? ?(?:want|need|like|love|prefer|appreciate"
    r"|require|be (?:grateful|happy|glad|thankful|pleased|delighted))\b"
    r"|(?:no,? |sorry,? )*i (?:said|meant|mean)\b"
)
HEDGED = re.compile(
    r"\b(?:maybe|perhaps|possibly|probably|presumably)\b|^(?:i|we) (?:think|guess|believe|suppose"
    r"|suspect|hope|wish|feel|bet|doubt|reckon|assume|wonder)\b|^(?:you|we) (?:could"
    r"|might|may|can)\b"
    r"|^(?:it|that) (?:might|could|may|would) be (?:\w+ )?(?:if|to|an?)\b"
    r"|\bor something\b|\bnot sure\b"
    r"|^i want to (?!have|see)|^i would like to (?!have|see)|^(?:we|i) should\b"
    r"|\bis supposed to\b"
    r"|^i am (?:thinking|considering)\b|\bor not\b|\bor nothing\b"
    r"|^(?!if\b|you\b|nothing\b)(?:\w+ ){1,6}(?:could|might|may)"
    r" (?:go|be|also|belong|end|stay|come|move)\b"
)
PAST = re.compile(
    r"\b(?:yesterday|earlier|previously|formerly|a (?:while|moment|minute|day|week) ago|\w+ ago"
    r"|last (?:time|night|week|month|year|monday|tuesday|wednesday|thursday|friday"
    r"|saturday|sunday)"
    r"|this morning|tomorrow|tonight|next (?:time|week))\b"
)
FINITE = re.compile(
    r"^(?:there (?:is|are|was|were|has|have)|(?:the|a|an|my|your|our|this|that|these"
    r"|those|it|they|all"
    r"|both|some|one|two|three|each|every|everything|nothing|something|he|she)\b(?: [\w-]+){0,7}?"
    r" ?\b(?:is|are|was|were|has|have|had|fell|rolled|broke|looks?|seems?|lies|sits"
    r"|stands|contains?"
    r"|holds|weighs?|smells?|feels?|costs?|keeps|rolls|wobbles"
    r"|leaks|drips|annoys|bothers|got|will)\b)(?! to\b| supposed\b)"
)
DIRECTIVE = re.compile(
    r"\b(?:should|must|shall|needs? to|has to|have to|ought to|goes|go|belongs?|is to|are to)\b"
)
REQUESTING = re.compile(
    r"^(?:it would be|that would be) (?:\w+ )?(?:if you (?:can|could|would)|to (?:have|see))"
    r"|^(?:the (?:goal|task|job|idea|aim)|your (?:task|job)|it is time to|what i (?:want"
    r"|need) is)\b"
)
LATER = re.compile(
    r"\b(?:later(?: on)?|tomorrow|tonight|next (?:week|time|month)|one day|eventually)(?: please)?$"
    r"|^(?:later|tomorrow|tonight|one day)\b"
    r"|\bin (?:a|an|half an|\d+|two|three|four|five|ten|fifteen|twenty|thirty|some)"
    r" (?:moment|while|seconds?|minutes?|hours?|days?)\b"
    r"|\bat (?:noon|midnight|\d+ ?(?:am|pm|o'clock))\b"
)
STATIVE = re.compile(
    r"\b(?:must|should|may|can|shall|is|are|ought)(?: to)? not (?:be|stay|remain|lie|sit|stand)\b"
    r"|^(?:i|we) (?:do not|would not) (?:want|like)\b(?! you)"
)
KEPT_OUT = re.compile(
    r"(?:no \w+|keep (?:\w+ ){1,5}(?:out of|off|away from|outside)"
    r"|(?:\w+ ){1,5}(?:stays?|remains?) (?:out of|off|away from|outside))\b"
)
DIRECTED = re.compile(
    r"(?:it|they|that one|this one) (?:should|must|needs? to|has to|have to|belongs?|goes|go)\b"
    r"(?! not)"
)
