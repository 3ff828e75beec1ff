"""The words of the grammar."""

from __future__ import annotations

from collections.abc import Mapping

from embodied.language.words.lexicon import BEGINNING, CHATTER, COURTESY, POLITE, SEQUENCE

GO = (
    "move", "go", "head", "travel", "navigate", "come", "get", "drive", "reach", "approach", "fly",
    "proceed", "steer", "bring", "shift", "visit", "take", "put", "slide", "position yourself",
)  # fmt: skip
PUSH = "push shift shove slide nudge press drag scoot propel sweep brush wipe move".split()
GRASP = (
    "take hold of", "get hold of", "pick up", "close the gripper around", "grasp", "grab", "grip",
    "pick", "take", "seize", "clutch", "hold", "lift up", "lift", "fetch",
)  # fmt: skip
DROP = (
    "let go of", "put down", "set down", "release", "drop", "put", "place", "lay", "deposit", "set",
    "carry", "leave", "bring",
)  # fmt: skip
HAND = (
    "the gripper", "your gripper", "the hand", "your hand", "the arm", "your arm", "the fingers",
    "your fingers", "the end effector", "yourself",
)  # fmt: skip

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
        "on top of", "at the top of", "the top of", "above", "over",
    ),
}  # fmt: skip
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
    "left": ("left hand side", "left side", "left half", "left part", "left"),
    "right": ("right hand side", "right side", "right half", "right part", "right"),
    "front": ("front side", "front half", "front part", "front edge", "far side", "far end",
              "far half", "front"),
    "back": ("back side", "back half", "back part", "near side", "near end", "near half", "rear",
             "back"),
    "center": ("center", "middle", "centre"),
}  # fmt: skip
TABLES = ("table", "workspace", "desk", "table top", "tabletop", "scene")
SPEED_WORDS: Mapping[str, tuple[str, ...]] = {
    "slow": (
        "at a slow speed", "at low speed", "nice and slow", "very slowly", "slowly", "slow",
        "gently", "carefully", "softly", "at a low speed",
    ),
    "fast": (
        "as fast as you can", "at high speed", "at full speed", "at a high speed", "in a hurry",
        "quickly", "rapidly", "swiftly", "fast",
    ),
    "half": ("at half the usual speed", "with half the speed", "at half speed", "half speed"),
    "normal": ("at the usual speed", "at normal speed", "at regular speed"),
}  # fmt: skip
JOINTS = (*SEQUENCE, *BEGINNING, "and", "also", "but", "while you", "while", ",")
"""What may stand between motions."""
COURTEOUS = (*(p for p in POLITE if p.split()[0] not in GO), *COURTESY, *CHATTER, *JOINTS)
"""What may stand before a motion or a condition and means nothing there; "go ahead" is a motion."""
