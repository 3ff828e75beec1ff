from __future__ import annotations

from dataclasses import FrozenInstanceError
from pathlib import Path

import numpy as np
import pytest

from embodied.bridge.limits import SIGN_OFF, load_limits, shipped_limits, sign_limits
from embodied.errors import ConfigurationError

TEXT = shipped_limits("fr3-simulated").read_text("utf-8")


def write(folder: Path, text: str = TEXT) -> Path:
    path = folder / "arm.toml"
    path.write_text(text, "utf-8")
    return path


def test_shipped_limits_are_signed_off() -> None:
    for path in shipped_limits("fr3-simulated").parent.glob("*.toml"):
        limits = load_limits(path)
        assert limits.signed_by
        assert path.with_name(path.name + SIGN_OFF).is_file()


def test_reduced_speed_is_the_default() -> None:
    limits = load_limits(shipped_limits("fr3-simulated"))
    assert limits.ee_speed_m_s == limits.elbow_speed_m_s == 0.25


def test_a_file_needs_a_sign_off_of_exactly_this_content(tmp_path: Path) -> None:
    path = write(tmp_path)
    with pytest.raises(ConfigurationError, match="not signed off"):
        load_limits(path)
    sign_limits(path, name='Ada "the checker"', statement="read")
    assert load_limits(path).signed_by == 'Ada "the checker"'
    path.write_text(TEXT.replace("ee_speed_m_s = 0.25", "ee_speed_m_s = 2.5"), "utf-8")
    with pytest.raises(ConfigurationError, match="changed after Ada"):
        load_limits(path)


def test_limits_cannot_be_changed_once_read() -> None:
    limits = load_limits(shipped_limits("fr3-simulated"))
    with pytest.raises(FrozenInstanceError):
        limits.ee_speed_m_s = 9.0  # type: ignore[misc]
    with pytest.raises(ValueError, match="read-only"):
        limits.dq_max[0] = 9.0
    assert np.all(limits.dq_max < 9.0)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("clamp_rad = 0.001", "clamp_rad = 0.1", "clamp_rad"),
        ("dt_s = 0.01", "dt_s = 0.0", "dt_s"),
        ("least_singular_value = 0.01", "", "singularity.least_singular_value"),
        ("[gripper]", "[grippers]", "gripper"),
        ("q_lower = [-2.7437,", "q_lower = [9.9,", "q_lower must be below q_upper"),
        ("ddq_max = [10.0,", "ddq_max = [-1.0,", "ddq_max"),
        ("name = ", "name ", "no TOML file"),
        (
            "keep_out = []",
            "keep_outs = []",
            "unknown key workspace.keep_outs; .*keep_out",
        ),
        ("[gripper]", "[extra]\n[gripper]", "unknown key extra"),
        ("keep_out = []", "keep_out = [{name = 'a', lower = [0, 0, 0]}]", "keep_out.upper"),
        (
            "keep_out = []",
            "keep_out = [{name = 'a', lower = [0, 0, 1], upper = [1, 1, 0]}]",
            "keep-out 'a'",
        ),
        (
            "keep_out = []",
            "keep_out = [{name = 'a', lower = [0, 0, 0], upper = [1, 1, nan]}]",
            "keep-out 'a'",
        ),
        ("clearance_m = 0.002", "clearance_m = nan", "clearance_m must be a finite number"),
        ("ee_speed_m_s = 0.25", "ee_speed_m_s = inf", "ee_speed_m_s must be a finite number"),
        ("heartbeat_s = 0.5", "heartbeat_s = -1", "heartbeat_s must be a finite number"),
        ("stall_s = 1.0", "stall_s = 'long'", "stall_s must be a finite number"),
        ("hand_clearance_m = -0.002", "hand_clearance_m = -0.5", "hand_clearance_m"),
        ("workspace_lower = [-0.4,", "workspace_lower = [-inf,", "workspace_lower must be finite"),
    ],
)
def test_unusable_files_are_not_signed(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in TEXT
    with pytest.raises(ConfigurationError, match=message):
        sign_limits(write(tmp_path, TEXT.replace(old, new, 1)), name="Ada", statement="read")


def test_unknown_shipped_limits_name_the_known_ones() -> None:
    with pytest.raises(ConfigurationError, match="fr3-simulated"):
        shipped_limits("nonsense")
