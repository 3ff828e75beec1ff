"""Poses of an observation, made when they are asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from embodied.types import Array, Pose


class LazyPoses(Mapping[str, Pose]):
    """Poses by name; a control period asks for few of them.

    Args:
        places: What stands still as a pose, everything else as its row in the arrays; in order.
        positions: (k, 3), m; not changed afterwards.
        quats_wxyz: (k, 4).
    """

    def __init__(
        self, places: Mapping[str, Pose | int], positions: Array, quats_wxyz: Array
    ) -> None:
        self._places, self._positions, self._quats = places, positions, quats_wxyz
        self._made: dict[str, Pose] = {}

    def __getitem__(self, name: str) -> Pose:
        made = self._made.get(name)
        if made is None:
            place = self._places[name]
            if isinstance(place, Pose):
                return place
            made = Pose(position=self._positions[place], quat_wxyz=self._quats[place])
            self._made[name] = made
        return made

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)
