"""What calibration refuses, and the optional package that it needs."""

from __future__ import annotations

from typing import Any

from embodied.errors import EmbodiedError, EnvironmentMissingError

EXTRA = "calibration"


class CalibrationError(EmbodiedError):
    """The data do not support a calibration; the message says what to do about it."""


def opencv() -> Any:
    """The module ``cv2`` with its ArUco and hand-eye functions.

    Raises:
        EnvironmentMissingError: It is missing, or its build lacks them, as OpenCV 5 does.
    """
    try:
        import cv2
    except ImportError as error:
        raise EnvironmentMissingError(
            f"calibration needs OpenCV: pip install 'embodied-stack[{EXTRA}]'"
        ) from error
    if not (hasattr(cv2, "aruco") and hasattr(cv2, "calibrateHandEye")):
        raise EnvironmentMissingError(
            f"OpenCV {cv2.__version__} has no ArUco boards or no calibrateHandEye:"
            f" pip install 'embodied-stack[{EXTRA}]' (opencv-contrib-python-headless, 4.10 to 4.x)"
        )
    return cv2
