"""What the knots of a plan mean, where they are not the controls themselves."""

from __future__ import annotations

from typing import ClassVar, Protocol

from embodied_controllers.mpc.norms import Array


class SearchSpace(Protocol):
    """Numbers z (m,) that become controls u (nu,): ``u = controls(t, z)``; z = 0 is a good guess.

    A space is an immutable value: a plan keeps the one that it was made in.
    """

    scale: ClassVar[Array]
    """Unit of the noise of every number, (m,), as ``SamplingPlanner.scale`` is of controls."""
    limit: ClassVar[Array]
    """Largest absolute value of every number, (m,)."""
    keep: ClassVar[Array]
    """Share of every number that is kept from replan to replan, 0 to 1, (m,)."""
    samples: ClassVar[int]
    """Samples that are enough for a replan."""

    def at(self, state: Array) -> SearchSpace:
        """The space as it is seen from a full physics state (nstate,)."""
        ...

    def controls(self, times: Array, numbers: Array) -> Array:
        """Controls (N, T, nu) within their ranges, of numbers (N, T, m) at times (T,), s."""
        ...
