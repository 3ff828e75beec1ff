from __future__ import annotations

import numpy as np
import pytest
from embodied_planners.value_map import ObjectGeometry

from embodied.routes.value_map.touching import nearest_on
from embodied.types import Pose

POSE = Pose(position=np.array([0.5, 0.1, 0.05]), quat_wxyz=np.array([1.0, 0.0, 0.0, 0.0]))


@pytest.mark.parametrize("shape", ["sphere", "box", "cylinder"])
@pytest.mark.parametrize("away", [(0.0, 0.0, 0.1), (0.0, 0.12, 0.0), (0.06, -0.05, 0.08)])
def test_the_nearest_point_of_a_thing_lies_on_its_surface(
    shape: str, away: tuple[float, float, float]
) -> None:
    thing = ObjectGeometry(pose=POSE, size_m=(0.06, 0.06, 0.06), shape=shape)
    place = np.array(POSE.position) + away
    found = nearest_on(thing, place)
    assert abs(float(thing.distance_to(found[None])[0])) < 5e-4
    gap = float(thing.distance_to(place[None])[0])
    assert np.linalg.norm(found - place) == pytest.approx(gap, abs=2e-3)
