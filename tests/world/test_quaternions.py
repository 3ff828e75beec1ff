from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from embodied.types import Pose
from embodied.world.quaternions import wxyz_from_xyzw, xyzw_from_wxyz


def test_the_orders_are_those_of_this_project_and_of_scipy() -> None:
    rotation = Rotation.from_euler("xyz", [0.3, -0.7, 1.1])
    pose = Pose(position=np.zeros(3), quat_wxyz=wxyz_from_xyzw(rotation.as_quat()))
    np.testing.assert_allclose(pose.rotation, rotation.as_matrix(), atol=1e-12)
    again = Rotation.from_quat(xyzw_from_wxyz(pose.quat_wxyz))
    np.testing.assert_allclose(again.as_matrix(), rotation.as_matrix(), atol=1e-12)


def test_there_and_back_again_for_many_at_once() -> None:
    quats = np.random.default_rng(0).normal(size=(5, 3, 4))
    np.testing.assert_array_equal(wxyz_from_xyzw(xyzw_from_wxyz(quats)), quats)
    np.testing.assert_array_equal(xyzw_from_wxyz(quats)[..., 3], quats[..., 0])


@pytest.mark.parametrize("convert", [xyzw_from_wxyz, wxyz_from_xyzw])
def test_the_argument_is_copied_not_changed(convert) -> None:  # type: ignore[no-untyped-def]
    given = np.array([1.0, 2.0, 3.0, 4.0])
    result = convert(given)
    result[:] = 0.0
    np.testing.assert_array_equal(given, [1.0, 2.0, 3.0, 4.0])
    given.flags.writeable = False
    assert convert(given).flags.writeable


@pytest.mark.parametrize("wrong", [1.0, np.zeros(3), np.zeros((4, 3))])
def test_other_shapes_are_refused(wrong) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match="4 components"):
        xyzw_from_wxyz(wrong)
