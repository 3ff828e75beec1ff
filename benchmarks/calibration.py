"""Hand-eye calibration against hidden truth: closed form beside refinement.

``python benchmarks/calibration.py [--trials N] [--robot NAME] [--mount ee|world] [--json]``. Each
trial: intrinsics from 40 drawn images of a board (image noise of 2 grey levels, and 0.2 px more on
each corner), then 40 planned poses of the arm (joint noise of 0.05 degrees), images again. What is
left is compared with the true camera. The exit status is 1 above the bar, which is 0.5 mm and 0.1
degrees in the median.
"""

from __future__ import annotations

import argparse
import json
import sys

import numpy as np

from embodied.bench.report import markdown_table
from embodied.calibration.errors import CalibrationError
from embodied.calibration.rehearsal import LENS, errors_of, hand_eye_trial, setup

BAR_M, BAR_RAD = 0.0005, np.deg2rad(0.1)


def rows_of(robot: str, mount: str, trials: int, views: int, lens_views: int) -> dict[str, object]:
    """Medians and largest values over trials; mm, degrees and px."""
    truth = setup(robot, mount, rendered=True)
    closed, refined, told, focal, refused = [], [], [], [], []
    for seed in range(trials):
        try:
            found, intrinsics = hand_eye_trial(
                truth, np.random.default_rng(seed), views=views, lens_views=lens_views
            )
        except CalibrationError as error:
            refused.append(f"{seed}: {error}")
            continue
        closed.append(errors_of(found.closed_form, truth.x))
        refined.append(errors_of(found.pose, truth.x))
        told.append((1e3 * found.held_out_m, 1e3 * np.linalg.norm(found.position_std_m)))
        focal.append((abs(intrinsics.model.fx - LENS.fx), abs(found.model.fx - LENS.fx)))
        print(f"{robot} {mount} {seed}", file=sys.stderr, flush=True)
    unit = np.array([1e3, np.rad2deg(1.0)])
    a, b = np.array(closed) * unit, np.array(refined) * unit
    return {
        "robot": robot,
        "mount": mount,
        "trials": trials,
        "refused": refused,
        "closed_mm": round(float(np.median(a[:, 0])), 3),
        "closed_deg": round(float(np.median(a[:, 1])), 4),
        "refined_mm": round(float(np.median(b[:, 0])), 3),
        "refined_deg": round(float(np.median(b[:, 1])), 4),
        "worst_mm": round(float(b[:, 0].max()), 3),
        "worst_deg": round(float(b[:, 1].max()), 4),
        "held_out_mm": round(float(np.median(np.array(told)[:, 0])), 3),
        "told_std_mm": round(float(np.median(np.array(told)[:, 1])), 3),
        "focal_px": round(float(np.median(np.array(focal)[:, 0])), 3),
        "focal_refined_px": round(float(np.median(np.array(focal)[:, 1])), 3),
        "over": bool(np.median(b[:, 0]) > 1e3 * BAR_M or np.median(b[:, 1]) > np.rad2deg(BAR_RAD)),
    }


def main() -> int:
    """Parse the command line, run, print; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--views", type=int, default=40)
    parser.add_argument("--lens-views", type=int, default=40)
    parser.add_argument("--robot", action="append", choices=["ur5e", "fr3"])
    parser.add_argument("--mount", action="append", choices=["ee", "world"])
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rows = [
        rows_of(robot, mount, options.trials, options.views, options.lens_views)
        for robot in options.robot or ("ur5e", "fr3")
        for mount in options.mount or ("ee", "world")
    ]
    if options.json:
        print(json.dumps({"bar_mm": 1e3 * BAR_M, "bar_deg": 0.1, "rows": rows}))
    else:
        shown = [k for k in rows[0] if k not in ("refused", "over")]
        cells = [[str(r[k]) for k in shown] for r in rows]
        print(markdown_table([*shown, "refused"], [[*c, str(len(r["refused"]))] for c, r in zip(cells, rows, strict=True)]))  # fmt: skip # noqa: E501
    return int(any(r["over"] or r["refused"] for r in rows))


if __name__ == "__main__":
    sys.exit(main())
