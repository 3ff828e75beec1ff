"""Value-map programs: recorded map operations as data (VoxPoser, arXiv 2307.05973)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """A region of space in metres.

    Attributes:
        shape: ``"point"``, ``"ball"``, ``"box"``, ``"half-space"``, ``"near-object"`` or
            ``"along"``.
        frame: ``"world"`` or the name of an object whose frame the numbers are in.
        parameters: Numbers of the shape, e.g. ``{"x": 0, "y": 0, "z": 0.1, "radius": 0.05}``.
    """

    shape: str
    frame: str = "world"
    parameters: Mapping[str, float] = field(default_factory=dict[str, float])


@dataclass(frozen=True, slots=True, kw_only=True)
class MapOperation:
    """Set a map's value over a region.

    Attributes:
        map: ``"affordance"``, ``"avoidance"``, ``"velocity"``, ``"rotation"`` or ``"gripper"``.
        region: Where.
        value: Scalar for affordance (0..1), avoidance (0..1), velocity (m/s) and gripper
            (0 closed, 1 open); quaternion wxyz for rotation.
    """

    map: str
    region: Region
    value: float | tuple[float, float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueMapCondition:
    """Something that is measured while a program runs.

    Attributes:
        what: ``"inside"``: the centre of ``subject`` lies in ``region``; ``"outside"``: it does
            not; ``"holding"``: the gripper holds something; ``"free"``: it does not; ``"opening"``:
            the drawer ``subject`` is open by ``value`` or more; ``"closed"``: by ``value`` or less;
            ``"touching"``: the closed fingertips touch the object ``subject``.
        subject: ``"gripper"`` or the name of an object.
        region: For ``"inside"`` and ``"outside"``.
        value: Metres, for ``"opening"`` and ``"closed"``.
    """

    what: str
    subject: str = "gripper"
    region: Region | None = None
    value: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueMapStage:
    """One sub-task: what moves, and the maps that shape its motion.

    Attributes:
        moving: ``"gripper"`` or the name of the object that is moved.
        operations: Map operations, applied in order.
        when: The stage is left out unless this is measured when its turn comes; None for always.
        until: The stage is over when this is measured; None for when its targets are reached.
        rest_s: How long the hand stays there afterwards, simulated seconds.
    """

    moving: str
    operations: tuple[MapOperation, ...]
    when: ValueMapCondition | None = None
    until: ValueMapCondition | None = None
    rest_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueMapProgram:
    """Sub-tasks in order; at least one.

    Attributes:
        stages: Sub-tasks.
        source: Who wrote it.
        notes: Repairs and assumptions that a reader should know about.
    """

    stages: tuple[ValueMapStage, ...]
    source: str
    notes: tuple[str, ...] = ()
