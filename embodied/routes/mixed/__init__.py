"""Sentences that need several kinds of programs: goals, and motions that no goal says."""

from __future__ import annotations

from embodied.route import AnyRoute, RouteEntry


def _load() -> type[AnyRoute]:
    from embodied.routes.mixed.route import MixedRoute

    return MixedRoute


ROUTE = RouteEntry(
    name="mixed",
    summary="goals by the route pddl, what no goal says by value maps or rewards, in one sentence",
    load=_load,
    options=frozenset({"plan_time_s", "optimal", "strategy", "yes"}),
    perception=("truth", "pixels"),
    supervised=True,
)
