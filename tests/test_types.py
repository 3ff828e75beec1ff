from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embodied.types import Atom, JointTrajectory, Pose


def _pose(v: list[float], q: list[float]) -> Pose:
    return Pose(position=np.array(v), quat_wxyz=np.array(q))


_coordinate = st.floats(-2, 2, allow_nan=False)
_poses = st.builds(
    _pose,
    st.lists(_coordinate, min_size=3, max_size=3),
    st.lists(_coordinate, min_size=4, max_size=4).filter(lambda q: np.linalg.norm(q) > 1e-3),
)


@given(_poses, _poses)
def test_composition_of_poses_is_the_product_of_their_matrices(a: Pose, b: Pose) -> None:
    np.testing.assert_allclose((a @ b).matrix, a.matrix @ b.matrix, atol=1e-9)
    np.testing.assert_allclose((a @ a.inverse()).matrix, np.eye(4), atol=1e-9)
    np.testing.assert_allclose(Pose.from_matrix(a.matrix).matrix, a.matrix, atol=1e-6)


def test_arrays_in_types_cannot_be_written() -> None:
    pose = _pose([0, 0, 0], [1, 0, 0, 0])
    with pytest.raises(ValueError, match="read-only"):
        pose.position[0] = 1.0


def test_a_zero_quaternion_is_refused() -> None:
    with pytest.raises(ValueError, match="quaternion"):
        _pose([0, 0, 0], [0, 0, 0, 0])


def test_atom_text_round_trip() -> None:
    assert str(Atom.parse("( on A b )")) == "(on a b)"
    with pytest.raises(ValueError, match="ground atom"):
        Atom.parse("(not (on a b))")


def test_trajectory_times_must_increase() -> None:
    with pytest.raises(ValueError, match="strictly increasing"):
        JointTrajectory(time=[0, 0], q=np.zeros((2, 1)), dq=np.zeros((2, 1)), ddq=np.zeros((2, 1)))


def test_importing_the_core_pulls_in_numpy_alone() -> None:
    code = (
        "import sys; before = set(sys.modules); import embodied.agent, embodied.session, "
        "embodied.records, embodied.registry; "
        "new = {m.split('.')[0] for m in set(sys.modules) - before} - set(sys.stdlib_module_names);"
        "print(sorted(m for m in new if not m.startswith('_')))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "['embodied', 'numpy']"
