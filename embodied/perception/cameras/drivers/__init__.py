"""Camera drivers by name: one module each, and those of other packages.

A driver of another package is a ``CameraDriver`` at an entry point::

    [project.entry-points."embodied.cameras"]
    my-camera = "my_package.my_camera:CAMERA"

It is made with a ``CameraEntry`` and the options of the entry as keywords, and is a ``Camera``;
``StreamingCamera`` is a base class that keeps the latest frame and the health.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from embodied.devices import DeviceEntry
from embodied.perception.cameras.types import Camera
from embodied.registry import Registry


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraDriver(DeviceEntry):
    """A camera driver as it is found by name.

    Attributes:
        make: Opens a camera; takes its ``CameraEntry`` and its options as keywords.
        cameras: What it reads.
    """

    make: Callable[..., Camera]
    cameras: str


CAMERAS: Registry[CameraDriver] = Registry(
    "camera driver",
    group="embodied.cameras",
    package="embodied.perception.cameras.drivers",
    attribute="CAMERA",
)
