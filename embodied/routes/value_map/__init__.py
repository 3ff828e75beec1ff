"""VoxPoser: composed 3D value maps, planned over voxels and replanned while the arm moves."""

from __future__ import annotations

from typing import Any

from embodied.route import Route, RouteEntry


def _load() -> type[Route[Any]]:
    from embodied.routes.value_map.route import ValueMapRoute

    return ValueMapRoute


ROUTE = RouteEntry(
    name="value-map",
    summary="composed 3D value maps, replanned from pixels while the arm moves",
    load=_load,
)
