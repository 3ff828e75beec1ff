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


BOX = "keep_out = [{{name = 'a', lower = {}, upper = {}}}]"

BROKEN = [
    ("clamp_rad = 0.001", "clamp_rad = 0.1", r"clamp_rad.*\[0, 0.001\]"),
    ("clamp_rad = 0.001", "clamp_rad = -0.001", "clamp_rad"),
    ("dt_s = 0.01", "dt_s = 0.0", r"dt_s.*\[0.001, 0.1\]"),
    ("dt_s = 0.01", "dt_s = true", "dt_s.*a number"),
    ("least_singular_value = 0.01", "", "least_singular_value.*is missing"),
    ("least_singular_value = 0.01", "least_singular_value = -1", "least_singular_value"),
    ("[gripper]", "[grippers]", "grippers.*did you mean 'gripper'"),
    ("[gripper]", "[extra]\n[gripper]", "extra.*is not a key"),
    ("q_lower = [-2.7437,", "q_lower = [9.9,", "q_lower.*must be below"),
    ("q_lower = [-2.7437,", "q_lower = [", "q_lower.*has 6 numbers"),
    ("q_lower = [-2.7437,", "q_lower = [nan,", "q_lower.*each must lie in"),
    ("q_lower = [-2.7437,", "q_lower = ['a',", "q_lower.*a list of numbers"),
    ("q_upper = [2.7437,", "q_upper = [400.0,", r"q_upper.*\[-20, 20\]"),
    ("dq_max = [2.62,", "dq_max = [0.0,", "dq_max.*each must lie"),
    ("dq_max = [2.62,", "dq_max = [inf,", "dq_max.*each must lie"),
    ("dq_max = [2.62,", "dq_max = [262.0,", r"dq_max.*\[0.001, 20\]"),
    ("ddq_max = [10.0,", "ddq_max = [-1.0,", "ddq_max"),
    ("ddq_max = [10.0,", "ddq_max = [nan,", "ddq_max"),
    ("dddq_max = [5000.0,", "dddq_max = [5e9,", "dddq_max"),
    ("name = ", "name ", "not valid TOML"),
    ('name = "fr3-simulated"', "name = 3", "name.*a text in quotes"),
    ('joints = ["joint1",', 'joints = ["joint2",', "joints.*twice"),
    ('joints = ["joint1",', 'joints = ["joint0", "joint1",', "one for each of the 8 joints"),
    ("scenes = []", "scenes = 'any'", "scenes.*a list of texts"),
    ("follow_rad = 0.15", "follow_rad = 3.0", "follow_rad"),
    ("follow_share = 0.2", "follow_share = 0.0", "follow_share"),
    ("follow_share = 0.2", "follow_shares = 0.2", "follow_shares.*did you mean"),
    ("keep_out = []", "keep_outs = []", "keep_outs.*did you mean 'keep_out'"),
    ("keep_out = []", "keep_out = [{name = 'a', lower = [0, 0, 0]}]", "upper.*is missing"),
    ("keep_out = []", BOX.format("[0, 0, 1]", "[1, 1, 0]"), "keep-out 'a'"),
    ("keep_out = []", BOX.format("[0, 0, 0]", "[1, 1, nan]"), r"keep_out\[a\].upper"),
    ("keep_out = []", BOX.format("[0, 0, 0]", "[1, 1]"), "a list of 3 numbers"),
    ("keep_out = []", BOX.format("[0, 0, 0]", "[1, 1, 99]"), r"\[-10, 10\]"),
    ("keep_out = []", "keep_out = {name = 'a'}", "must be a list"),
    (
        "keep_out = []",
        "keep_out = [{name = 'a', lower = [0, 0, 0], upper = [1, 1, 1], size = 3}]",
        "size.*is not a key",
    ),
    ("clearance_m = 0.002", "clearance_m = nan", r"clearance_m.*\[0, 0.2\]"),
    ("clearance_m = 0.002", "clearance_m = -0.1", "clearance_m"),
    ("hand_clearance_m = -0.002", "hand_clearance_m = -0.5", "hand_clearance_m"),
    ("ee_speed_m_s = 0.25", "ee_speed_m_s = inf", "ee_speed_m_s"),
    ("ee_speed_m_s = 0.25", "ee_speed_m_s = 25", r"ee_speed_m_s.*\[0.001, 3\]"),
    ('elbow_body = "link4"', "elbow_body = 4", "elbow_body"),
    ("heartbeat_s = 0.5", "heartbeat_s = -1", "heartbeat_s"),
    ("heartbeat_s = 0.5", "heartbeat_s = 3600", "heartbeat_s"),
    ("stall_s = 1.0", "stall_s = 'long'", "stall_s.*a number"),
    ("tau_max = [87.0,", "tau_max = [-87.0,", "tau_max"),
    ("rest_s = 0.6", "rest_s = nan", "rest_s"),
    ("max_force_n = 70.0", "max_force_n = 1e9", "max_force_n"),
    ("workspace_lower = [-0.4,", "workspace_lower = [-inf,", "workspace_lower"),
    ("[position]", "position = 3\n[positions]", "position.*must be a table"),
]


@pytest.mark.parametrize(("old", "new", "message"), BROKEN)
def test_broken_files_are_not_signed_and_say_what_is_legal(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    assert old in TEXT
    with pytest.raises(ConfigurationError, match=message):
        sign_limits(write(tmp_path, TEXT.replace(old, new, 1)), name="Ada", statement="read")


def test_other_bytes_than_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "arm.toml"
    for content in (TEXT.encode("latin-1", "replace") + b"# \xe9", b"a = " + b"[" * 100_000):
        path.write_bytes(content)
        with pytest.raises(ConfigurationError, match="UTF-8|TOML"):
            sign_limits(path, name="Ada", statement="read")


def test_unknown_shipped_limits_name_the_known_ones() -> None:
    with pytest.raises(ConfigurationError, match="fr3-simulated"):
        shipped_limits("nonsense")
