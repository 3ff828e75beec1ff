"""Perceived points as point cloud files, for viewers, registration and meshes; needs Open3D."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from embodied.errors import ConfigurationError, EnvironmentMissingError
from embodied.perception.types import Percept
from embodied.world.scene import COLORS

FORMATS = (".ply", ".pcd", ".xyzrgb", ".pts")
_UNNAMED = (0.6, 0.6, 0.6)


def write_points(path: Path, percept: Percept) -> int:
    """Write all points above the table, those of objects in the colour that was seen.

    Args:
        path: The file; its ending, one of ``FORMATS``, says how it is written.
        percept: What was perceived; points in the world frame, m.

    Returns:
        Number of points written.

    Raises:
        ConfigurationError: The ending is another, or the file cannot be written.
        EnvironmentMissingError: Open3D, or a system library that it needs, is not installed.
    """
    if path.suffix not in FORMATS:
        raise ConfigurationError(f"{path.name}: give a file that ends in {', '.join(FORMATS)}")
    try:
        import open3d  # pyright: ignore[reportMissingImports]
    except ModuleNotFoundError as error:
        raise EnvironmentMissingError(
            "point cloud files need Open3D: pip install 'embodied-stack[open3d]'"
        ) from error
    except (ImportError, OSError) as error:  # the loader's words for a missing library
        raise EnvironmentMissingError(
            f"Open3D is installed but a system library is missing ({error}); on Debian and Ubuntu:"
            " apt-get install libusb-1.0-0 libgomp1 libegl1 libgl1 libx11-6"
        ) from error
    named = list(percept.objects.values())
    points = np.concatenate([percept.obstacle_points_in_world, *(o.points_in_world for o in named)])
    colors = np.concatenate(
        [
            np.tile(_UNNAMED, (len(percept.obstacle_points_in_world), 1)),
            *(
                np.tile(COLORS[o.color][:3] if o.color else _UNNAMED, (len(o.points_in_world), 1))
                for o in named
            ),
        ]
    )
    # The points of objects are among the obstacle points: the last of equal ones has its colour.
    _, last = np.unique(points[::-1], axis=0, return_index=True)
    keep = len(points) - 1 - last
    cloud = open3d.geometry.PointCloud(open3d.utility.Vector3dVector(points[keep]))
    cloud.colors = open3d.utility.Vector3dVector(colors[keep])
    path.parent.mkdir(parents=True, exist_ok=True)
    if not open3d.io.write_point_cloud(path, cloud):
        raise ConfigurationError(f"cannot write {path}")
    return len(keep)
