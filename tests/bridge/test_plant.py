"""The simulated arm's own controller."""

from __future__ import annotations

import numpy as np
import pytest

from embodied.bridge.plant import Plant, build_plant
from embodied.bridge.testing.faults import gentle_way


@pytest.fixture(scope="module")
def plant() -> Plant:
    return build_plant({"scene": "blocks", "simulator": "mujoco", "lockstep": False})


def swing(plant: Plant, periods: list[int]) -> None:
    plant.reset(0)
    plant.enable()
    home = np.array(plant.report().q_commanded)
    for k in periods:
        way = gentle_way(home, plant.dt_s * k)
        plant.stream(way, None)


def test_without_set_points_it_brakes_within_its_limits(plant: Plant) -> None:
    swing(plant, list(range(1, 40)))
    dq = [np.array(plant.report().dq_commanded)]
    assert np.max(np.abs(dq[0])) > 0.3
    for _ in range(60):
        plant.idle()
        dq.append(np.array(plant.report().dq_commanded))
    ddq = np.diff(dq, axis=0) / plant.dt_s
    assert np.all(np.abs(ddq) <= plant.spec.ddq_max * (1 + 1e-6))
    assert np.all(dq[-1] == 0.0)


def test_a_stop_after_set_points_that_jumped_is_short(plant: Plant) -> None:
    swing(plant, [*range(1, 40), 46])
    plant.stop(1)
    periods = 0
    while np.any(np.array(plant.report().dq_commanded) != 0.0) and periods < 1000:
        plant.idle()
        periods += 1
    fastest = plant.spec.dq_max / plant.spec.ddq_max
    assert periods * plant.dt_s <= np.max(fastest) + 0.1
