"""The words of the grammar."""

from __future__ import annotations

from collections.abc import Mapping

from embodied.language.words.lexicon import BEGINNING, CHATTER, COURTESY, POLITE, SEQUENCE

GO = (
    "move", "go", "head", "travel", "navigate", "come", "get", "drive", "reach", "approach", "fly",
    "proceed", "steer", "bring", "shift", "visit", "take", "put", "slide", "position yourself",
    "reach for", "reach out to", "position", "extend", "return", "glide", "swing", "drift", "pass",
    "stop", "continue", "nip", "pop", "trace a line", "draw a line", "trace a path", "wander",
    "guide", "direct", "jog", "on your way", "on the way", "head for", "make for", "aim for",
)  # fmt: skip
PACED: Mapping[str, tuple[str, ...]] = {
    "slow": ("creep", "crawl", "inch", "ease", "sneak", "tiptoe", "edge", "inch your way",
             "creep up", "ease your way", "nudge your way"),
    "fast": ("hurry", "rush", "dash", "race", "zip", "dart", "speed", "hurry up", "hasten", "shoot",
             "sprint"),
}  # fmt: skip
"""Verbs of going that say how fast."""
DIRECTED: Mapping[str, tuple[str, ...]] = {
    "up": ("rise", "ascend", "climb", "rise up", "go higher", "come up"),
    "down": ("descend", "sink", "drop down", "dip", "dip down", "sink down", "come down"),
    "forward": ("advance", "push forward", "press on"),
    "back": ("retreat", "withdraw", "back off", "back up", "back away", "pull back", "recede"),
}  # fmt: skip
"""Verbs of going that say where to."""
PUSH = (
    "push shift shove slide nudge press drag scoot propel sweep brush wipe move pull draw tow haul"
).split()
OPEN_WORDS = ("open", "out", "outwards")
CLOSE_WORDS = ("closed", "close", "shut", "in", "back in", "inwards")
FULLY = (
    "fully",
    "completely",
    "all the way",
    "entirely",
    "wide",
    "to the end",
    "as far as it goes",
)
GRASP = (
    "take hold of", "get hold of", "squeeze", "close the gripper around",
    "close the fingers around", "grasp", "grab", "grip", "pick", "take", "get", "seize",
    "clutch", "hold", "fetch", "hold on to", "catch",
)  # fmt: skip
LIFT = ("pick up", "lift up", "lift", "raise", "hoist", "take up", "hold up", "pull up")
LOWER = ("lower",)
DROP = (
    "let", "let go of", "put down", "set down", "lower", "release", "drop", "put", "place", "lay",
    "deposit", "set", "carry", "leave", "bring", "throw", "toss", "stack", "transport",
    "transfer", "deliver",
)  # fmt: skip
WAIT = (
    "hold it", "hold it there", "hold it up", "hold it still", "hold", "hold there", "stay",
    "stay there", "stay put", "stay still", "wait", "wait there", "pause", "pause there",
    "remain", "remain there", "keep it there", "keep it up", "keep it up there", "hold still",
    "hover", "hover there", "linger", "keep holding it", "hold that", "hold that position",
    "hold your position", "hold position", "hold on", "stay like that", "stay where you are",
    "keep still", "rest", "rest there", "hang there", "do nothing", "keep hold of it",
    "do not move", "stay right there",
)  # fmt: skip
STOPS = (
    "stop", "stop there", "halt", "stay there", "wait there", "hold it", "hold it there",
    "keep it there", "remain there", "hold still", "hold position", "stay put", "that is it",
    "come to a stop", "stop right there", "leave it", "leave it there",
    "leave it open", "leave it like that", "keep holding it",
)  # fmt: skip
"""At the end of a motion: the arm stays where it is anyway."""
WIDTHS_M: Mapping[str, float] = {
    "a hand width": 0.1, "a hand breadth": 0.1, "one hand width": 0.1, "a palm width": 0.1,
    "a finger width": 0.02, "a finger breadth": 0.02, "an arm length": 0.6, "a hair": 0.005,
}  # fmt: skip
ABOUT = (
    "by", "through", "in place", "about the vertical axis", "about its axis", "about the vertical",
    "around the vertical", "around the vertical axis", "about its own axis", "on the spot",
    "in the air", "about the z axis",
)  # fmt: skip
"""What a turn is about, and other words behind it."""
TURNS: Mapping[str, tuple[str, ...]] = {
    "0.25": ("a quarter turn", "quarter of a turn", "a quarter of a turn", "quarter turn"),
    "0.5": ("half a turn", "a half turn", "half turn", "half way round", "halfway around"),
    "0.75": ("three quarters of a turn", "a three quarter turn"),
    "1": ("a full turn", "one full turn", "a whole turn", "once around", "all the way around",
          "a full circle", "one turn", "one revolution", "a complete turn"),
}  # fmt: skip
FROM_SIDE: Mapping[str, tuple[str, ...]] = {
    "left-of": ("its left", "the left", "the left side", "its left side", "left",
                "the left hand side"),
    "right-of": ("its right", "the right", "the right side", "its right side", "right",
                 "the right hand side"),
    "front-of": ("the front", "the far side", "its front", "the front side", "in front"),
    "behind": ("behind", "the back", "the near side", "its back", "the rear", "the back side"),
    "above": ("above", "the top", "overhead", "straight above", "directly above", "right above"),
    "": ("the side", "one side", "its side", "a side", "sideways"),
}  # fmt: skip
"""Sides that a thing is approached from."""
TOUCH = (
    "press down on", "press on", "prod", "pat", "tap on", "make contact with", "feel", "brush",
    "touch", "tap", "poke", "make contact with", "contact", "lay your hand on",
    "rest your hand on", "put your hand on",
)  # fmt: skip
POINT_AT = (
    "point at",
    "point to",
    "point towards",
    "point toward",
    "aim at",
    "show me",
    "indicate",
)
TURN = ("turn", "rotate", "twist", "spin", "swivel", "revolve")
CLOCKWISE: Mapping[str, tuple[str, ...]] = {
    "counterclockwise": (
        "counter clockwise", "counterclockwise", "anti clockwise", "anticlockwise", "to the left",
        "left",
    ),
    "clockwise": ("clockwise", "to the right", "right"),
}  # fmt: skip
WHERE_IT_WAS = (
    "where it was", "where it stood", "where you found it", "where it came from", "in its place",
    "to where it was", "where it was before", "to its place", "where you got it", "at its place",
    "where it lay", "in its original place", "where you took it from",
)  # fmt: skip
ASIDES = (
    "from where you are", "from where you are now", "from where it is", "from here",
    "from there", "from your current position", "no travelling", "no traveling", "no moving",
    "on the spot", "without travelling", "without moving", "without moving away",
    "nothing else", "will you", "from its current position", "with your gripper",
    "with the gripper", "with your hand", "with the hand", "would you", "will ya",
    "if you would", "at all", "in total", "only", "exactly", "as it is", "then stop",
    "and that is it", "and no further", "no further", "any more",
)  # fmt: skip
"""Behind a motion: they say nothing that it does not say."""
DOWN_THERE = (
    "release it there", "let go there", "let it go there", "drop it there", "put it down",
    "set it down", "lay it down", "place it there", "put it down there", "leave it there",
    "set it down there", "put it there", "drop it in", "drop it on it", "release it on it",
)  # fmt: skip
"""Behind a place where a thing is brought: it is let go there anyway."""
IT = ("it", "the object", "what you hold", "that", "the thing", "this", "the item")
LET_GO = (
    "let it go", "let go of it", "let go", "open hand", "drop it", "release it",
    "release the object", "release what you hold", "release whatever you hold",
    "release whatever you are holding", "let go of whatever you hold",
    "let go of what you hold", "let go of whatever you are holding",
    "release what you are holding", "drop what you hold", "drop what you are holding",
    "drop whatever you hold", "release your grip", "release the grip", "let it drop",
    "let it fall", "drop the object",
)  # fmt: skip
AWAY = ("apart from", "away from", "off", "clear of", "apart")
BY = ("by", "for", "up by", "to", "up to", "to a height of", "about", "up")
IN_AIR = (
    "above the table", "over the table", "off the table", "into the air", "in the air", "in air",
    "up in the air", "high", "from the table", "up from the table", "off the ground",
    "above the surface", "up",
)  # fmt: skip
A_BIT = ("a little bit", "a bit", "a little", "slightly", "a touch", "a tiny bit")
HAND_OF = ("robot", "robotic", "robot s", "panda", "fr3")
HAND = (
    "gripper", "hand", "arm", "fingers", "end effector", "ee", "eef", "effector", "claw", "tcp",
    "fingertips", "yourself", "wrist", "robot", "pincer", "grippers", "tool",
)  # fmt: skip
"""What the hand is called, behind "the robot's"."""
NEXT_TO = (
    "right next to", "directly next to", "next to", "beside", "near to", "near", "close to",
    "close by", "alongside", "adjacent to", "by the side of", "in the vicinity of", "right beside",
    "right by", "just beside",
)  # fmt: skip
BETWEEN = ("half way between", "halfway between", "midway between", "in between", "between")
AT_MOST = (
    "at most", "no faster than", "not faster than", "never faster than", "slower than",
    "without exceeding", "not exceeding", "at no more than", "below", "staying below",
    "staying under", "do not exceed",
)  # fmt: skip
SUPERLATIVES: Mapping[str, tuple[str, ...]] = {
    "left": ("leftmost", "left most", "furthest left", "farthest left", "furthest to the left",
             "farthest to the left"),
    "right": ("rightmost", "right most", "furthest right", "farthest right",
              "furthest to the right", "farthest to the right"),
    "front": ("frontmost", "front most"),
    "back": ("rearmost", "backmost", "back most"),
    "top": ("topmost", "highest", "uppermost"),
    "bottom": ("bottommost", "lowest", "lowermost"),
    "nearest": ("nearest", "closest"),
    "farthest": ("farthest away", "furthest away", "farthest", "furthest", "most distant"),
    "largest": ("largest", "biggest"),
    "smallest": ("smallest", "littlest"),
    "tallest": ("tallest",),
    "shortest": ("shortest",),
}  # fmt: skip
"""Words that pick one of several things; what front and far mean is as for ``AREA_WORDS``."""

SIDE_WORDS: Mapping[str, tuple[str, ...]] = {
    "left-of": (
        "to the left side of", "on the left side of", "on the left hand side of",
        "to the left of", "on the left of", "at the left of", "left of",
    ),
    "right-of": (
        "to the right side of", "on the right side of", "on the right hand side of",
        "to the right of", "on the right of", "at the right of", "right of",
    ),
    "front-of": (
        "on the front side of", "to the front of", "at the front of", "in front of", "ahead of",
        "before",
    ),
    "behind": (
        "on the back side of", "to the back of", "at the back of", "at the rear of", "in back of",
        "behind",
    ),
    "above": (
        "directly above", "right above", "right over", "to the top of", "on the top of",
        "on top of", "at the top of", "the top of", "top of", "above", "over",
    ),
}  # fmt: skip
OWN_SIDES: Mapping[str, tuple[str, ...]] = {
    "left-of": ("left side", "left end", "left edge"),
    "right-of": ("right side", "right end", "right edge"),
    "front-of": ("far side", "far end", "far edge"),
    "behind": ("near side", "near end", "near edge"),
}  # fmt: skip
"""Behind a noun: "the shelf's far side"."""
DIRECTION_WORDS: Mapping[str, tuple[str, ...]] = {
    "left": ("to the left", "to your left", "leftwards", "leftward", "left"),
    "right": ("to the right", "to your right", "rightwards", "rightward", "right"),
    "forward": (
        "away from you", "away from the robot", "straight ahead", "to the front", "further away",
        "forwards", "forward", "ahead",
    ),
    "back": (
        "towards you", "toward you", "towards the robot", "closer to you", "to the back",
        "backwards", "backward", "back",
    ),
    "up": ("upwards", "upward", "straight up", "higher", "up"),
    "down": ("downwards", "downward", "straight down", "lower", "down"),
}  # fmt: skip
AREA_WORDS: Mapping[str, tuple[str, ...]] = {
    "front-left": (
        "front left corner", "left front corner", "far left corner", "front left quarter",
        "front left part", "front left",
    ),
    "front-right": (
        "front right corner", "right front corner", "far right corner", "front right quarter",
        "front right part", "front right",
    ),
    "back-left": (
        "back left corner", "left back corner", "near left corner", "rear left corner",
        "back left quarter", "back left part", "back left",
    ),
    "back-right": (
        "back right corner", "right back corner", "near right corner", "rear right corner",
        "back right quarter", "back right part", "back right",
    ),
    "left": ("left hand side", "left side", "left half", "left part", "left edge", "left"),
    "right": ("right hand side", "right side", "right half", "right part", "right edge", "right"),
    "front": ("front side", "front half", "front part", "front edge", "far side", "far end",
              "far half", "far edge", "front"),
    "back": ("back side", "back half", "back part", "near side", "near end", "near half",
             "near edge", "rear", "back"),
    "center": ("very center", "very middle", "very centre", "center", "middle", "centre"),
}  # fmt: skip
TABLES = ("table", "workspace", "desk", "table top", "tabletop", "scene")
JOINTS = (*SEQUENCE, *BEGINNING, "and", "also", "but", "while you", "while", ",")
"""What may stand between motions."""
COURTEOUS = (
    *(p for p in POLITE if p.split()[0] not in GO), *COURTESY, *CHATTER, *JOINTS, "so", "now",
    "next", "first", "finally", "first of all", "to start with", "again", "i want the robot to",
)  # fmt: skip
"""What may stand before a motion or a condition and means nothing there; "go ahead" is a motion."""
