"""Robots that are moved by rewards."""

REWARD_ROBOTS = ("quadruped", "arm")
"""Their names; ``arm`` is the arm with a three-finger hand."""
