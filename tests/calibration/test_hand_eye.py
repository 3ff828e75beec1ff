"""Intrinsics and hand-eye calibration against hidden truth, and what they refuse."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest

pytest.importorskip("cv2", reason="OpenCV is not installed (extra [calibration])")

from embodied.calibration.board import Sight  # noqa: E402
from embodied.calibration.errors import CalibrationError  # noqa: E402
from embodied.calibration.hand_eye import calibrate_hand_eye  # noqa: E402
from embodied.calibration.intrinsics import (  # noqa: E402
    Coverage,
    Intrinsics,
    calibrate_intrinsics,
    load_lens,
    save_lens,
)
from embodied.calibration.least_squares import Problem, block, solve  # noqa: E402
from embodied.calibration.lens import rotation_matrix  # noqa: E402
from embodied.calibration.rehearsal import (  # noqa: E402
    BOARD,
    LENS,
    Setup,
    errors_of,
    hand_eye_trial,
    hand_eye_views,
    lens_trial,
    setup,
)
from embodied.calibration.views import HandEyeOptions, View  # noqa: E402
from embodied.types import Pose  # noqa: E402

made = lru_cache(setup)


@lru_cache
def lens() -> Intrinsics:
    return lens_trial(made("ur5e", "ee"), np.random.default_rng(0), views=25)


@lru_cache
def taken(mount: str) -> tuple[View, ...]:
    truth = made("ur5e", mount)
    return tuple(hand_eye_views(truth, lens(), np.random.default_rng(1), count=16))


def done(views: tuple[View, ...], truth: Setup, **options: object):  # noqa: ANN201
    given = HandEyeOptions(mount=truth.mount, **options)  # type: ignore[arg-type]
    known = lens()
    return calibrate_hand_eye(views, truth.kinematics, known.model, given, lens=known.information)


def test_intrinsics_are_found_and_know_how_well() -> None:
    found = lens()
    assert abs(found.model.fx - LENS.fx) < 4 * found.focal_std_px < 12
    assert abs(found.model.cx - LENS.cx) < 4 * found.center_std_px < 12
    assert 0.2 < found.residual_px < 0.35  # 0.2 px along each axis
    std = np.sqrt(np.diag(np.linalg.inv(found.information)))[:2] * LENS.fx
    assert std.max() == pytest.approx(found.focal_std_px, rel=0.3)


@pytest.mark.parametrize(("robot", "mount"), [("ur5e", "ee"), ("fr3", "world")])
def test_a_hidden_camera_is_found(robot: str, mount: str) -> None:
    truth = made(robot, mount)
    errors = []
    for seed in range(2):
        found, _ = hand_eye_trial(truth, np.random.default_rng(seed), views=16, lens_views=20)
        distance, angle = errors_of(found.pose, truth.x)
        assert distance < 5 * np.linalg.norm(found.position_std_m)
        assert angle < 5 * np.linalg.norm(found.rotation_std_rad)
        errors.append((distance, angle))
    assert np.median(errors, axis=0)[0] < 0.001
    assert np.median(errors, axis=0)[1] < np.deg2rad(0.15)


@pytest.mark.parametrize("mount", ["ee", "world"])
def test_derivatives_are_those_of_the_residuals(mount: str) -> None:
    truth = made("ur5e", mount)
    view = taken(mount)[0]
    options = HandEyeOptions(mount=mount)
    problem = Problem(views=(view,), arm=truth.kinematics, model=LENS, options=options)
    at = block(problem, view, view.q, truth.x, truth.y)
    step = 1e-6

    def moved(pose: Pose, i: int, by: float) -> Pose:
        d = by * np.eye(6)[i]
        return Pose.from_rotation(pose.rotation @ rotation_matrix(d[3:]), pose.position + d[:3])

    for i in range(6):
        ahead, behind = (block(problem, view, view.q, moved(truth.x, i, s), truth.y).off
                         for s in (step, -step))  # fmt: skip
        np.testing.assert_allclose(at.x[..., i], (ahead - behind) / (2 * step), atol=1e-3)
        ahead, behind = (block(problem, view, view.q, truth.x, moved(truth.y, i, s)).off
                         for s in (step, -step))  # fmt: skip
        np.testing.assert_allclose(at.y[..., i], (ahead - behind) / (2 * step), atol=1e-3)
        ahead, behind = (block(problem, view, view.q + s * np.eye(6)[i], truth.x, truth.y).off
                         for s in (step, -step))  # fmt: skip
        np.testing.assert_allclose(at.joints[..., i], (ahead - behind) / (2 * step), atol=1e-3)


@pytest.mark.parametrize("mount", ["ee", "world"])
@pytest.mark.parametrize("share", [1.03, 0.97])
def test_a_wrong_square_size_is_told(mount: str, share: float) -> None:
    wrong = tuple(
        replace(v, sight=replace(v.sight, points=share * v.sight.points)) for v in taken(mount)
    )
    with pytest.raises(CalibrationError, match="--square-mm") as refused:
        done(wrong, made("ur5e", mount))
    assert f"{1 / share:.3f}"[:4] in str(refused.value)


def test_few_views_are_refused() -> None:
    with pytest.raises(CalibrationError, match="1 usable views.*at least 8"):
        done(taken("ee")[:1], made("ur5e", "ee"))


def test_poses_that_are_alike_are_refused() -> None:
    truth, rng = made("ur5e", "ee"), np.random.default_rng(0)
    q = taken("ee")[0].q
    near = [q + rng.normal(0.0, 0.02, 6) for _ in range(12)]
    views = tuple(View(q=p, sight=truth.see(truth.board_in_camera(p), rng)) for p in near)
    with pytest.raises(CalibrationError, match="too alike"):
        done(views, truth)


def test_parallel_rotations_are_refused() -> None:
    truth, rng = made("ur5e", "ee"), np.random.default_rng(0)
    q = taken("ee")[0].q
    turned = [q + np.array([0.0, 0, 0, 0, 0, a]) for a in np.linspace(-0.6, 0.6, 12)]
    views = tuple(View(q=p, sight=truth.see(truth.board_in_camera(p), rng)) for p in turned)
    with pytest.raises(CalibrationError, match="one axis only"):
        done(views, truth)


def test_a_board_that_slips_is_refused_and_one_bad_view_is_left_out() -> None:
    truth, rng = made("ur5e", "ee"), np.random.default_rng(0)
    shift = Pose(position=truth.y.position + [0.02, 0.0, 0.0], quat_wxyz=truth.y.quat_wxyz)
    slipped = replace(truth, y=shift)
    views = list(taken("ee"))

    def anew(view: View) -> View:
        return replace(view, sight=slipped.see(slipped.board_in_camera(view.q), rng))

    one = tuple(anew(v) if i == 5 else v for i, v in enumerate(views))
    found = done(one, truth)
    assert found.dropped == (5,)
    assert errors_of(found.pose, truth.x)[0] < 0.003
    half = tuple(anew(v) if i > 7 else v for i, v in enumerate(views))
    with pytest.raises(CalibrationError, match="mm off"):
        done(half, truth)


def test_joint_offsets_are_found() -> None:
    truth = made("ur5e", "ee")
    offset = np.deg2rad([0.0, 0.0, 1.5, -1.0, 0.0, 0.0])
    off = tuple(replace(v, q=v.q - offset) for v in taken("ee"))
    with pytest.raises(CalibrationError, match="--joint-offsets"):
        done(off, truth)
    found = done(off, truth, offsets=True)
    np.testing.assert_allclose(found.offsets_rad, offset, atol=np.deg2rad(0.25))


def test_refinement_starts_anywhere_near() -> None:
    truth = made("ur5e", "ee")
    options = HandEyeOptions(mount="ee", intrinsics=False)
    problem = Problem(views=taken("ee"), arm=truth.kinematics, model=LENS, options=options)
    turn = Pose.from_rotation(rotation_matrix(np.array([0.2, -0.1, 0.3])), [0.02, 0.03, -0.02])
    found = solve(problem, truth.x @ turn, turn @ truth.y)
    assert errors_of(found.x, truth.x)[0] < 0.001


def test_intrinsics_say_what_is_missing() -> None:
    coverage = Coverage(BOARD, LENS.width, LENS.height)
    truth, rng = made("ur5e", "ee"), np.random.default_rng(0)
    flat = Pose.from_rotation(np.eye(3), np.array([0.0, 0.0, 0.5]) - BOARD.outline.mean(axis=0))
    sight = truth.see(flat, rng)
    assert coverage.add(sight) == ""
    assert "like a view" in coverage.add(sight)
    assert coverage.add(replace(sight, problem="blurred")) == "blurred"
    assert "9 more views" in coverage.missing() and "tilted" in coverage.missing()
    with pytest.raises(CalibrationError, match="1 usable views do not suffice"):
        calibrate_intrinsics(coverage)


def test_a_bent_board_is_refused() -> None:
    truth, rng = made("ur5e", "ee"), np.random.default_rng(0)

    coverage = Coverage(BOARD, LENS.width, LENS.height)
    for view in range(40):
        R = rotation_matrix(rng.normal(0.0, 0.4, 3))
        middle = rng.uniform(0.3, 0.5) * np.append(rng.uniform(-0.35, 0.35, 2), 1.0)
        sight = truth.see(Pose.from_rotation(R, middle - R @ BOARD.outline.mean(axis=0)), rng)
        x = sight.points[:, 0] - 0.126
        bent = sight.pixels + np.stack([0.0 * x, 400.0 * x**2 * (1 + view % 2)], axis=1)
        coverage.add(Sight(ids=sight.ids, points=sight.points, pixels=bent, problem=sight.problem))
    with pytest.raises(CalibrationError, match="board flat"):
        calibrate_intrinsics(coverage)


def test_what_is_known_of_a_lens_is_kept(tmp_path) -> None:  # noqa: ANN001
    path, found = tmp_path / "wrist-lens.npz", lens()
    assert load_lens(path, found.model) is None
    save_lens(path, found.model, found.information)
    np.testing.assert_allclose(load_lens(path, found.model), found.information)
    assert load_lens(path, LENS) is None
    path.write_bytes(b"not a file of arrays")
    assert load_lens(path, found.model) is None
