"""VoxPoser: composed 3D value maps, planned over voxels and replanned while the arm moves."""

from __future__ import annotations

from embodied.route import AnyRoute, RouteEntry


def _load() -> type[AnyRoute]:
    from embodied.routes.value_map.route import ValueMapRoute

    return ValueMapRoute


ROUTE = RouteEntry(
    name="value-map",
    summary="composed 3D value maps, replanned from pixels while the arm moves",
    load=_load,
    perception=("pixels", "truth"),
    supervised=True,
)
