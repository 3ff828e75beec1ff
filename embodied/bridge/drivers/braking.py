"""How drivers of arms that only take positions bring them to rest."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from embodied.types import Array


def ramp_down(q: Array, dq: Array, *, deceleration_rad_s2: float, dt_s: float) -> Iterator[Array]:
    """Set-points (n,), rad, one a period, from ``q`` at velocity ``dq`` to rest.

    The fastest joint decelerates at ``deceleration_rad_s2``, the others in the same time; there are
    none for an arm at rest.
    """
    periods = int(np.ceil(float(np.max(np.abs(dq))) / (deceleration_rad_s2 * dt_s)))
    for k in range(periods):
        q = q + dq * (1.0 - (k + 0.5) / periods) * dt_s
        yield q
