"""Language to Rewards: reward terms in stages, carried out by model-predictive control."""

from __future__ import annotations

from embodied.route import AnyRoute, RouteEntry


def _load() -> type[AnyRoute]:
    from embodied.routes.reward.route import RewardRoute

    return RewardRoute


ROUTE = RouteEntry(
    name="reward",
    summary="reward terms in stages and model-predictive control",
    load=_load,
    options=frozenset({"asynchronous", "optimiser"}),
    perception=("truth", "pixels"),
    supervised=True,
)
