"""Reward programs: typed, bounded terms as data (Language to Rewards, arXiv 2306.08647)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class RewardTerm:
    """One cost term ``weight * norm(residual(sensors; parameters))``.

    Attributes:
        name: Term of the robot's vocabulary, e.g. ``"torso_height"`` or ``"distance"``.
        parameters: Numbers in SI units and radians, and names of bodies, objects or feet.
        weight: Non-negative weight.
        norm: Norm of the residual, e.g. ``"quadratic"`` or ``"l2"``.
    """

    name: str
    parameters: Mapping[str, float | str] = field(default_factory=dict[str, float | str])
    weight: float = 1.0
    norm: str = "quadratic"


@dataclass(frozen=True, slots=True, kw_only=True)
class RewardCondition:
    """``sensor(arguments) op value``, e.g. ``torso_roll >= 3.0``; decides when a stage is over.

    Attributes:
        sensor: Scalar sensor of the robot's vocabulary.
        op: ``">="`` or ``"<="``.
        value: Threshold, SI units or radians.
        arguments: Names that the sensor needs (objects, feet, joints).
    """

    sensor: str
    op: str
    value: float
    arguments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RewardGuard:
    """A condition that must stay true while a stage is active; its failure leads back.

    Attributes:
        condition: What must stay true, e.g. that a thing is still in the hand.
        back: How many stages to go back, at least 1. Counted from the stage itself, so stages keep
            their meaning when others are put before them.
    """

    condition: RewardCondition
    back: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RewardStage:
    """Terms that are active together, until a condition holds or a duration has passed.

    Attributes:
        terms: Active terms; at least one.
        duration_s: Longest duration in simulated seconds; None for "until told otherwise".
        until: Condition that ends the stage early, if any.
        guards: Conditions whose failure leads back to an earlier stage.
    """

    terms: tuple[RewardTerm, ...]
    duration_s: float | None = None
    until: RewardCondition | None = None
    guards: tuple[RewardGuard, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RewardProgram:
    """Stages of reward terms for one robot.

    Attributes:
        robot: Which vocabulary the terms are from: e.g. ``"quadruped"`` or ``"fr3-hand"``.
        stages: Stages in order; at least one.
        source: Who wrote it.
        notes: Repairs and assumptions that a reader should know about.
    """

    robot: str
    stages: tuple[RewardStage, ...]
    source: str
    notes: tuple[str, ...] = ()
