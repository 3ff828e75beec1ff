"""Worlds: scenes as data, MuJoCo, PyBullet, a fake one for tests, and the facts in them."""

import ctypes
import os
import sys

OPENGL_LIBRARIES = {"egl": "libEGL.so.1", "osmesa": "libOSMesa.so.8"}
"""The system library behind each value of ``MUJOCO_GL`` that needs no screen."""


def loads(library: str) -> bool:
    """Whether the dynamic linker finds a system library."""
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


if sys.platform == "linux":
    # MuJoCo opens its OpenGL library when it is imported, and cannot be imported where the chosen
    # one is missing. EGL draws without a window.
    _chosen = os.environ.setdefault("MUJOCO_GL", "egl").strip().lower()
    if _chosen in OPENGL_LIBRARIES and not loads(OPENGL_LIBRARIES[_chosen]):
        os.environ["MUJOCO_GL"] = "disable"
