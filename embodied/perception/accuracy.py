"""Perceived poses against true ones: errors, uncertainty, missed objects."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from embodied.perception.tracking import nearest_equivalent
from embodied.perception.types import Percept
from embodied.types import ObjectSpec, Pose


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectError:
    """Error of one perceived object.

    Attributes:
        name: Object.
        position_m: Distance of the perceived centre from the true one, m.
        rotation_rad: Angle between the rotations, of those that look alike the smallest, rad.
        size_m: Largest error of an extent, m.
        std_m: Largest standard deviation that perception stated, m.
        sigmas: Largest error along an axis in stated standard deviations.
        seen: Whether it was seen in this observation.
    """

    name: str
    position_m: float
    rotation_rad: float
    size_m: float
    std_m: float
    sigmas: float
    seen: bool


def compare(
    percept: Percept, truth: Mapping[str, Pose], objects: Mapping[str, ObjectSpec]
) -> tuple[tuple[ObjectError, ...], tuple[str, ...]]:
    """Errors of all objects that were perceived, and names of those that were not.

    Args:
        percept: What was perceived.
        truth: True poses; of a simulator only.
        objects: The objects that should be there.
    """
    errors: list[ObjectError] = []
    for name, one in percept.objects.items():
        spec, true = objects[name], truth[name]
        offset = one.pose.position - true.position
        quat = nearest_equivalent(spec, one.pose, true)
        cosine = min(1.0, abs(float(quat @ true.quat_wxyz)))
        errors.append(
            ObjectError(
                name=name,
                position_m=float(np.linalg.norm(offset)),
                rotation_rad=2.0 * math.acos(cosine),
                size_m=float(np.abs(np.array(one.size_m) - spec.size_m).max()),
                std_m=float(one.position_std_m.max()),
                sigmas=float(np.max(np.abs(offset) / one.position_std_m)),
                seen=one.seen,
            )
        )
    return tuple(errors), tuple(n for n in objects if n not in percept.objects)
