"""Slots of the quadruped's frames: what may stand beside a verb, in any order."""

from __future__ import annotations

import math
from collections.abc import Mapping

from embodied.language.reward.frames import Slot
from embodied.language.reward.quadruped_going import HEADINGS

DOING = r"(?:keep |keep on |continue (?:to )?|start |go on )?"
GO = (
    r"walk|walking|trot|trotting|jog|jogging|run|running|pace|pacing|bound|bounding|gallop"
    r"|galloping|go|going|move|moving|step|stepping|march|marching|sidestep|sidestepping|shuffle"
    r"|strafe|strafing|creep|creeping|crawl|crawling|sneak|sneaking|stroll|strolling|amble|dash"
    r"|sprint|sprinting|charge|race|rush|hurry|travel|advance|proceed|head|scoot|scuttle|inch"
    r"|wander|tiptoe|plod|prowl|stalk|saunter|come|wander off|crab walk|scurry"
)
STEP = r"(?:(?:small|big|little|short|long|tiny) )?steps?"
SLOTS: Mapping[str, Slot] = {
    "length": Slot(r"(?:distance (?:of )?)?{LENGTH}(?: distance)?"),
    "feet": Slot(r"(?P<count>\d+(?:\.\d+)?) paws?(?! up| off| in)", 0.3048, "length"),
    "until": Slot(r"until(?: (?:torso|nose|it|paw))?(?: (?:is|are|at|be|reaches|reach|about))*"
                  r" {LENGTH}(?: (?:off|above|from|over|of) floor| high| tall)?", 1.0, "length"),
    "over": Slot(r"(?:over|in|within|during|taking) (?:about )?{TIME}"),
    "angle": Slot(r"(?:angle (?:of )?)?{ANGLE}(?: turn)?"),
    "degrees": Slot(r"(?P<count>30|45|60|90|120|135|180|270|360|720)"
                    r"(?! ?(?:m|cm|s|inch|steps?|hz))", math.pi / 180, "angle"),
    "speed": Slot(r"(?:(?:speed|velocity)(?: of)? )?{SPEED}(?: speed)?"),
    "rate": Slot(r"(?:(?:speed|rate|velocity)(?: of)? )?{RATE}"),
    "frequency": Slot(r"(?:(?:rate|frequency)(?: of)? )?{FREQUENCY}"),
    "time": Slot(r"(?:about )?{TIME}"),
    "radius": Slot(r"(?:(?:circle|arc)(?: with| of)? )?(?:radius (?:of )?{LENGTH}"
                   r"|{LENGTH2} radius)(?: circle)?"),
    "steps": Slot(rf"(?:(?P<count>\d+) )?(?:more )?{STEP}"),
    "times": Slot(r"(?P<count>\d+)(?: times?| x)"),
    "twice": Slot(r"twice"),
    "turns": Slot(r"(?P<count>\d+)(?: full| complete| whole)?(?: turns?| circles?| rotations?"
                  r"| spins?| revolutions?| laps?)(?: around)?"),
    "part": Slot(r"(?:(?:half|quarter|3 quarters?)(?: of)?) (?:turn|circle|rotation|spin)"),
    "way": Slot(r"(?:straight |directly |sideways )?(?:to )?(?:sideways )?"
                r"(?:(?:forward|backward|back|left|right)(?: (?:side|direction))?|reverse|sideways)"
                r"(?: straight)?"),
    "spin": Slot(r"(?:to )?(?:left|right|clockwise|counterclockwise)(?: (?:side|direction))?"),
    "round": Slot(r"around|round|back around"),
    "whole": Slot(r"(?:fully |completely |all |once )*(?:full|complete|whole) "
                  r"(?:circle|turn|rotation|spin|revolution)|fully(?: around| round)|once"
                  r"(?: around| round)?|(?:around|round) (?:once|fully)"),
    "nods": Slot(r"(?P<count>\d+) (?:squats|nods|bobs)"),
    "gone": Slot(r"(?:until|and stop after|stop after)(?: have| has)?"
                 r"(?: (?:gone|walked|covered|moved|travelled|traveled|done))? {LENGTH}", 1.0,
                 "length"),
    "reverse": Slot(r"back(?: again)?"),
    "opposite": Slot(r"(?:and )?(?:until )?(?:(?:face|to face|look|facing|are facing) )?(?:in )?"
                     r"(?:other|opposite)"
                     r" (?:way|direction)"),
    "where": Slot(rf"(?:and )?(?:(?:face|point|look) )?(?:to )?(?:due )?(?:{'|'.join(HEADINGS)})"),
    "facing": Slot(r"(?:to )?(?:face|look)"),
    "walking": Slot(r"(?:while|as|when)(?: keep)? (?:walk|walking|trot|trotting|move|moving|go"
                    r"|going)(?: on| forward| along)*"),
    "bit": Slot(r"(?:just )?(?:little(?: bit)?|bit|slightly|tad|touch|smidge|tiny bit)"
                r"(?: more| further)?"),
    "place": Slot(r"in place"),
    "straight": Slot(r"straight|over|again|on|around|along|off|out|away|directly|further|more"),
    "again": Slot(r"again|back|now|still|there"),
    "diagonal": Slot(r"diagonally"),
    "gait": Slot(r"(?:trot|walk|bound|gallop|pace)(?: gait)?"),
    "circle": Slot(r"(?:wide |big |large |small |tight |gentle |full |complete )*"
                   r"(?:arc|curve|bend|circles?)"),
    "turning": Slot(r"(?:while |and )?(?:curving|bending|turning|arcing|veering)"
                    r"(?: (?:while|as) (?:walk|go))?|(?:while|as) (?:walk|go)"),
    "up": Slot(r"(?:straight |held |kept |pointing |pointed )?"
               r"(?:up|high|to sky|at sky|in air|up in air|to ceiling|at ceiling)"),
    "down": Slot(r"(?:straight |held |kept |pointing |pointed )?"
                 r"(?:down|low|to floor|at floor|towards? floor|on floor|near floor)"
                 r"(?: (?:low|to floor|at floor))?"),
    "low": Slot(r"(?:very |really )?(?:low|lower|down|flat)(?: (?:to|on) floor)?"
                r"|(?:on )?(?:torso|floor)|as low as (?:can|possible)"),
    "tall": Slot(r"(?:very )?(?:tall|high|upright tall)|as (?:tall|high) as (?:can|possible)"
                 r"|to full height|full height"),
    "upright": Slot(r"(?:normal|full|usual) (?:height|stance|position)|up|upright|straight"
                    r"|normally|normal|still|quiet|quietly|put|on 4 paws"
                    r"|on all 4(?: paws)?|on paws|paws|position|posture"),
    "high": Slot(r"(?:very |really |up )*high"),
    "off": Slot(r"(?:(?:up|off|above|over|from|in|into|of) )*(?:up|air|floor|off)"),
    "inout": Slot(r"(?:further )?(?:forward|backward|back|inward|outward|in|out)"
                  r"(?: to (?:out)?side)?|to side|sideways"),
    "ontime": Slot(r"for {TIME}"),
    "asif": Slot(r"(?:,? ?)(?:like|as if|as though)(?: (?!then|and)[\w']+)*"),
}  # fmt: skip
"""What may stand in frames; an amount has its number in SI units."""
GOING_SLOTS = (
    "length", "feet", "speed", "over", "time", "steps", "way", "bit", "place", "straight",
    "diagonal", "gone", "rate", "gait", "circle", "turning", "radius", "frequency", "times",
    "twice", "spin",
    "again",
)  # fmt: skip
TURNING_SLOTS = (
    "angle", "degrees", "rate", "over", "time", "times", "twice", "turns", "part", "spin",
    "round", "whole", "opposite", "where", "facing", "walking", "bit", "place", "reverse", "again",
)  # fmt: skip
