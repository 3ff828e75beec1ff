"""LLM+P: a goal is planned for; actions are carried out and checked by their measured effects."""

from __future__ import annotations

from embodied.route import AnyRoute, RouteEntry


def _load() -> type[AnyRoute]:
    from embodied.routes.pddl.route import PddlRoute

    return PddlRoute


ROUTE = RouteEntry(
    name="pddl",
    summary="a PDDL goal, a classical planner and skills",
    load=_load,
    options=frozenset({"plan_time_s", "optimal", "strategy", "yes"}),
    perception=("truth", "pixels"),
    supervised=True,
)
