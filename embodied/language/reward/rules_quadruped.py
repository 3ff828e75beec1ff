"""What the quadruped may be told to do, and with which terms."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial

from embodied.language.reward import building as build
from embodied.language.reward.frames import Said, frame
from embodied.language.reward.phrases import Phrase, Wish, motion, pattern
from embodied.language.reward.quadruped_feet import (
    FEET_NAMED,
    lift_feet,
    place_foot,
    put_down,
    shake,
    stand_on,
    stomp,
    wave,
    which_paw,
)
from embodied.language.reward.quadruped_going import (
    HEADINGS,
    backing,
    both_ways,
    curving,
    diagonally,
    going,
    paced,
    turning,
    turning_meanwhile,
)
from embodied.language.reward.quadruped_poses import (
    TALL_M,
    absolute,
    bow,
    crouch,
    flat,
    for_time,
    harmless,
    home,
    impossible,
    lean,
    level,
    low_pose,
    nothing,
    on_side,
    raised_or_lowered,
    rear_up,
    repeated,
    roll_over,
    stand,
    tilt,
    wait,
)
from embodied.language.reward.quadruped_slots import (
    DOING,
    GO,
    GOING_SLOTS,
    SLOTS,
    STEP,
    TURNING_SLOTS,
)
from embodied.language.reward.speech import Speech
from embodied.language.reward.vocabulary import QUADRUPED, prompt

_IMPOSSIBLE = {
    r"fly|take off|hover|levitate|float": "it stays on the ground",
    r"jump|hop|leap|backflip|do backflip|somersault|pounce|skip": "jumps are not among its motions",
    r"fetch|bring|get (?:ball|stick|newspaper|toy|slippers|it)|carry|pick up "
    r"(?!front|rear|back|left|right|paw|2|both)|grab|catch"
    r"|drop(?! (?:down|rear|nose|head|front|torso|to floor|low))|hold (?:ball|stick)": (
        "it has nothing to take things with"
    ),
    r"bark|speak|howl|sing|growl|talk|say|roar": "it has no voice",
    r"wag|wag tail|chase tail": "it has no tail",
    r"climb|go up stairs|walk up stairs|swim|dig": "it only knows level ground",
    r"dance|moonwalk": "dances are not among its motions",
    r"bite|eat|drink|lick|sniff": "it has no mouth",
    r"(?:come|walk|go|run|trot|move) (?:here|to me|over here|to kitchen|home|to door)": (
        "it does not see where that is"
    ),
    r"follow me|follow|heel|find|guard": "it does not see people or things",
    r"(?:stand|balance|walk) on front paws|do handstand|handstand": (
        "it does not stand on its front feet"
    ),
}  # fmt: skip
"""What it cannot do, and why."""
_END = r"(?P<end>nose|head|face|front(?: end| half| part)?|rear(?: end| half| part)?)"
_HELD = r"(?:keep|keeping|hold|holding|stay|staying|have|having|with|remain|remaining)"
_REAR = r"(?:2 )?rear(?: 2)? (?:paws|1s)|2 paws"
PATTERNS: tuple[Phrase, ...] = (
    frame(
        rf"(?:lift|hold|holding|keep|keeping|pick up|put|put up|bring|bring up|get|take|pull|have"
        rf"|having|stick|lower|set)(?: up)? {FEET_NAMED}",
        ("length", "off", "high", "bit", "time", "again", "inout", "down", "asif"), SLOTS,
        lift_feet,
    ),
    frame(rf"{FEET_NAMED} (?:up|lifted|off floor|in air|raised)",
          ("length", "off", "high", "bit", "time"), SLOTS, lift_feet),
    frame(rf"(?:move|slide|bring|stretch|put|set|reach|shift|place|extend|spread"
          rf"|stand with|standing with|have|keep) {FEET_NAMED}"
          r"(?: (?:out|straight))?(?: (?P<to>forward|backward|back|inward|outward|in|out|apart))?",
          ("length", "bit", "time"), SLOTS, place_foot),
    frame(rf"(?:stomp|tap|step|pat|stamp|paw)(?: floor)?(?: with| on)? {FEET_NAMED}",
          ("frequency", "times", "twice", "time", "down", "off"), SLOTS, stomp),
    frame(rf"(?:stand|balance|balancing|standing|stay|remain|rest)(?: still| up)? on"
          rf"(?: only| just)? {FEET_NAMED}", ("time",), SLOTS, stand_on),
    pattern(r"(?:lift|hold)(?: up)? (?:(?:left|right|front|rear|back|1|any) )?paw", which_paw),
    frame(r"(?:lift|hold|give|offer|put|bring|shake|shaking|wave|present)(?: up)?(?: me)?"
          r"(?: with)?(?: (?P<side>left|right))?(?: front)? paws?",
          ("asif", "time", "off"), SLOTS, shake),
    frame(rf"(?:shake|wave|shaking|waving)(?: with)? {FEET_NAMED}",
          ("times", "twice", "time"), SLOTS, wave),
    frame(r"(?:shake|shaking|wave|high 5|give me 5|give me high 5|shake hands?)"
          r"(?: (?P<side>left|right))?(?: front)?(?: paws?)?(?: goodbye| hello)?",
          ("time",), SLOTS, shake),
    pattern(r"(?:put|set|lower|bring|take|place) (?:it|that|them|both|paws?)(?: back)? down"
            r"(?: again)?|(?:put|set|lower) (?:all |4 )*paws(?: back)?(?: down)?(?: on floor)?"
            r"|lower (?:it|that|them|paw)(?: again)?|down again|all (?:4 )?paws (?:on floor|down)"
            r"|(?:all |both |4 |2 )+(?:paws |of them )?(?:back )?down|paws down",
            put_down),
    pattern(
        r"(?:(?:stand|balance|keep|stay|remain) on |keep )(?:other|remaining)(?: 3)?(?: paws)?"
        r"(?: on floor| down)?",
        nothing,
    ),
    frame(r"(?:keep standing|stand|balance|balancing|standing|do|3 legged stand|3 paws? stand)"
          r"(?: on 3 paws| on 3| 3 legged stand)?(?: ,| with| keep| keeping| hold| holding| and"
          rf"| lift| lifting)* {FEET_NAMED}", ("off", "time"), SLOTS, lift_feet),
    pattern(r"(?:stand|balance) on 3(?: paws)?|3 legged stand", which_paw),
    # Height
    frame(r"(?:sit|sit down|lie|lay|lie down|lay down|flatten|get down|go down|down|rest|relax"
          r"|settle|settle down|play dead|go to sleep|drop down|drop to floor|get on torso"
          r"|take nap|have rest|take rest)"
          r"(?: torso)?", 
          ("low", "length", "until", "over", "time", "bit", "upright", "again", "asif"), SLOTS,
          low_pose),
    frame(r"(?:do )?(?:squat|nod|bob)s?(?= \d| twice| times)|(?:do|make)(?= \d+ (?:squats|nods))",
          ("times", "twice", "nods", "again"), SLOTS, repeated),
    pattern(r"nod(?: (?:your )?head)?", lambda m: repeated(Said("nod", {}))),
    frame(r"(?:crouch|squat|duck|stoop|hunker|kneel|crouching|crouched)(?: down)?(?: torso)?",
          ("low", "length", "until", "over", "time", "bit", "again"), SLOTS, crouch),
    frame(r"(?:get|go|stay|staying|keep|keeping|be|make)(?: torso| yourself)?(?: down)?(?: very)?"
          r" (?:low|down)", ("low", "length", "time", "again"), SLOTS, crouch),
    frame(r"(?:lift|lower|bring|set|keep|keeping|hold|holding|move|get|put|drop|have|with)?(?: )?"
          r"(?:level )?torso(?: height| up| down| level)*(?: is| of)?"
          r" (?:to|at|near|close to|onto|on|height)", ("length", "low", "off", "time"), SLOTS,
          lambda said: absolute(said) if said.has("length") else crouch(said)),
    frame(r"stretch (?:torso )?(?:low|down)(?: and (?:wide|long))?(?: torso)?",
          ("low", "time"), SLOTS, crouch),
    frame(r"(?:lift|lower|drop|sink)(?: level)? torso(?: up| down| level)*(?: by)?",
          ("length", "low", "tall", "bit", "time"), SLOTS, raised_or_lowered),
    frame(rf"(?:{_HELD} )?torso", ("length", "low", "tall", "time"), SLOTS,
          lambda said: absolute(said) if said.has("length") else raised_or_lowered(said)),
    frame(r"(?:at|with|to)(?: torso)? height(?: of)?", ("length",), SLOTS, absolute),
    frame(r"(?:go|come|get|rise|stand|sink|drop|lower yourself|lift yourself)(?: up| down)? to"
          r"(?= \d)", ("length", "time", "over"), SLOTS, absolute),
    frame(r"(?:stand|get up|get back up|stand back up|rise|rise up|up|stand up|come back up|come up"
          r"|back up to stand|return to stand|go back to stand|get back on|get on|be tall"
          r"|straighten|straighten up|make yourself)(?: torso| yourself)?",
          ("length", "until", "over", "tall", "upright", "time", "again", "asif"), SLOTS, stand),
    frame(r"(?:stand|standing)(?: (?:still|normally|normal|quiet|up|put|there))+"
          r"|stop(?: moving| walking| turning| it| that| there| everything)?"
          r"|come to stop|stand by|freeze|do not move(?: (?:muscle|1 inch|at all))?|enough"
          r"|that is enough|whoa", ("time", "again", "upright"), SLOTS, stand),
    frame(r"(?:level|even|straighten|flatten) (?:out|off|up)|(?:go |come |return |get )?back to"
          r" (?:neutral|normal|level|stand|start|stance|flat|middle|centre|center)(?: position"
          r"| stance| pose| height)?|(?:return|go) to (?:neutral|normal)(?: position| stance)?"
          r"|neutral(?: position| stance)?|look (?:straight )?forward|look straight"
          r"|normal (?:height|stance)|to normal height",
          ("time", "over", "again"), SLOTS, level),
    frame(r"(?:go|walk|come|return|trot|run|head|move|get|now)?(?: )?(?:back )?to"
          r" (?:where (?:it |i )?(?:started|were|was|began)|start(?:ing)?(?: point| place)"
          r"|origin)|return(?: home)?|back to start|come back(?: again| here)?",
          ("time",), SLOTS, home),
    pattern(r"as tall as possible", lambda m: motion(build.at_height(TALL_M), "torso_height")),
    # Level, pitch, roll
    pattern(rf"(?:{_HELD} )?torso (?:flat|level|horizontal|straight)", flat),
    pattern(rf"(?:{_HELD} )?(?:flat|level|horizontal)(?: torso)?", flat),
    frame(rf"(?:(?:lift|point|tilt|pitch|bring|put|lower|turn|dip|drop|stick|push|throw|{_HELD})"
          rf" )?{_END}", ("up", "down", "angle", "bit", "time", "again"), SLOTS, tilt),
    frame(r"(?:pitch|tilt|look|lean|pitching|tilting|looking)(?: torso)?"
          r"(?= up| down| forward| back)",
          ("up", "down", "inout", "angle", "bit", "time"), SLOTS,
          lambda said: tilt(_as_tilt(said))),
    frame(r"(?:bow|bow down|take bow|do bow|make bow|play bow|curtsy|stretch|stretch forward)"
          r"(?: ,)?(?: front end down)?(?: (?:deeply|politely|low|to audience|to crowd|to me))?",
          ("angle", "bit", "time", "asif"), SLOTS, bow),
    pattern(
        r"roll over(?: (?:by )?180 deg)?(?: onto back)?"
        r"|(?:lie|roll|turn|get|flip)(?: over| down)? on(?:to)? back",
        roll_over,
    ),
    pattern(r"(?:lie|roll|flop)(?: down)?(?: over)? on(?:to)? (?P<side>left|right) side", on_side),
    frame(r"(?:roll|lean|tilt|bank|leaning|tilting|rolling|banking|sway)(?: torso)?(?: over)?",
          ("spin", "angle", "bit", "time"), SLOTS, lean),
    frame(rf"(?:stand|rear|get|stand up|rear up|go|rise|balance|balancing|up)(?: up)? on(?:to)?"
          rf" (?:{_REAR})(?: like human)?|rear up|stand(?: up)? like human",
          ("time",), SLOTS, rear_up),
    # Turning
    pattern(r"sun (?:rises in east|sets in west)", nothing),
    frame(r"(?:turn|turning|face|facing|look|point|swivel|pivot|swing|veer)(?: whole)?(?: torso)?",
          TURNING_SLOTS, SLOTS, turning),
    frame(r"(?:do|make|take|perform)(?: sharp| quick)?(?:(?: (?P<side>left|right))? (?:u )?turn"
          r"|(?: (?P<side2>left|right))? (?P<spin>spin|pirouette|twirl)"
          r"|(?= (?:\d|full|complete|whole|half|quarter)))",
          TURNING_SLOTS, SLOTS, lambda said: turning(_as_turn(said))),
    frame(r"(?:turn|face|look|go|head)(?= (?:to |at |due |face )*"
          rf"(?:{'|'.join(HEADINGS)}))", ("where", "time"), SLOTS, turning),
    frame(r"(?P<spin>spin|spinning|whirl|twirl|pirouette|rotate)", TURNING_SLOTS, SLOTS, turning),
    pattern(r"about (?:face|turn)", lambda m: Wish(turn=math.pi)),
    frame(r"(?:turning|rotating|bending|curving)", ("spin", "bit", "rate"), SLOTS,
          turning_meanwhile),
    # Walking
    frame(rf"{DOING}(?:{GO})", GOING_SLOTS, SLOTS, going, both_ways),
    frame(r"(?:back (?:off|away|up)|retreat|reverse|back it up)", GOING_SLOTS, SLOTS, going),
    frame(rf"(?:take|make|do)(?= (?:\d+ )?(?:more )?{STEP})",
          GOING_SLOTS, SLOTS, going, both_ways),
    frame(r"(?:get|start|begin) (?:moving|going|walking)|set off|off go", GOING_SLOTS, SLOTS,
          going),
    pattern(r"(?:go|move|walk|step) away", backing),
    frame(r"(?:slow|slow down|speed up|drop back|change|go over) to(?: walk| trot)?",
          ("speed", "time"), SLOTS, going),
    pattern(
        r"(?:walk|trot|run|go|move)(?: diagonally)?(?: ,)? (?P<fwd>forward|backward|back)(?: at)? "
        r"(?P<ahead>\d+(?:\.\d+)?)(?: m/s)? and (?P<side>left|right)(?: at)? "
        r"(?P<aside>\d+(?:\.\d+)?) m/s",
        diagonally,
    ),
    frame(r"(?:head|set|go|wander|move|walk|run|trot)(?: off| out| away)",
          ("spin", "turning", "time", "speed", "bit"), SLOTS, curving),
    frame(r"(?:veer|bear|curve|arc|swerve|drift|bend)(?: off)?",
          ("spin", "turning", "bit", "time", "walking"), SLOTS, curving),
    # Rest, time
    pattern(
        r"(?:do not|without|never) (?:hurt|scare|frighten|harm|chase|attack|bite|startle|disturb|"
        r"hurting|scaring|frightening|harming|startling|disturbing)(?: (?:that|this))?"
        r"(?: \w+){1,2}",
        harmless,
    ),
    *(
        pattern(rf"(?:{verbs})(?: .*)?", partial(impossible, why))
        for verbs, why in _IMPOSSIBLE.items()
    ),
    pattern(r"(?:(?:keep|stay|remain) (?:standing|sitting|lying|lie|holding|like)|hold on|hold|keep"
            r"|stay|remain|holding|staying|wait|pause|be)"
            r"(?: (?:it|that|this|them|up|there|so|like that|like this|position|pose|still"
            r"|put|quiet|normal))*"
            r"(?: (?:for )?{TIME})?", wait),
    pattern(r"without (?:turning|stopping|rotating|falling(?: over)?|hurrying|rushing|moving feet)",
            nothing),
    pattern(r"until i (?:say|tell)(?: to)?(?: so| stop| otherwise)?", nothing),
    pattern(r"(?:for |lasting )?{TIME}", for_time),
)  # fmt: skip


def _as_tilt(said: Said) -> Said:
    """A tilt without a part of the body: "look up" is the nose up, "lean forward" down."""
    way = said.word("inout")
    words = dict(said.words)
    if way:
        words["down" if way == "forward" else "up"] = [way]
    return replace(said, words=words)


def _as_turn(said: Said) -> Said:
    side = said.part("side") or said.part("side2")
    words = {**said.words, **({"spin": [side]} if side else {})}
    if "u turn" in said.verb:
        words["round"] = ["around"]
    return replace(said, words=words)


def quadruped_speech() -> Speech:
    """What the quadruped may be told."""
    return Speech(
        vocabulary=QUADRUPED,
        patterns=PATTERNS,
        known=(
            "sit, crouch, stand, stand on the rear paws, lie on a side, roll over, lean, nose "
            "up/down, face a direction, turn by an angle, spin, walk, pace, bound, sidestep, "
            "march, lift or move a paw, amounts with units, 'for 3 s', 'then', and corrections: "
            "higher, lower, faster, slower, the other paw, a bit to the left, keep that and also "
            "..."
        ),
        paced=paced,
        synonyms={"hand": "front paw", "hands": "front paws", "arm": "front paw"},
        description=prompt("motion_description_quadruped"),
        examples=prompt("reward_examples_quadruped"),
    )
