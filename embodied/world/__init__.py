"""Worlds: scenes as data, the MuJoCo world, a fake one for tests, and what is true in them."""

import os
import sys

if sys.platform == "linux":
    # MuJoCo chooses its OpenGL library when it is imported; EGL draws without a window.
    os.environ.setdefault("MUJOCO_GL", "egl")
