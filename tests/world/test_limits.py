from __future__ import annotations

from dataclasses import replace

import numpy as np

from embodied.world.fake import FakeWorld
from embodied.world.limits import LimitMonitor
from embodied.world.scene import load_scene


def test_each_limit_is_watched_and_what_is_inside_passes() -> None:
    world = FakeWorld(load_scene("blocks"))
    fine, spec = world.reset(seed=0), world.spec
    monitor = LimitMonitor(spec)
    assert monitor.observe(fine) == ()
    assert monitor.observe(replace(fine, dq=spec.dq_max * 1.005)) == ()
    bad = {
        "position": replace(fine, q=spec.q_upper + [0.1, 0, 0, 0]),
        "velocity": replace(fine, dq=-spec.dq_max * [1.1, 1, 1, 1]),
        "torque": replace(fine, tau=spec.tau_max * [1.1, 1, 1, 1]),
    }
    for quantity, observation in bad.items():
        (violation,) = monitor.observe(observation)
        assert (violation.quantity, violation.joint) == (quantity, "x")
        assert quantity in str(violation)
    assert len(monitor.violations) == 3 and monitor.observations == 5
    np.testing.assert_allclose(monitor.highest_speed_share, 1.1)
