"""An optimiser of your own for model-predictive control: the mean of the better half.

Name ``OPTIMISER`` in your package's metadata and ``--optimiser better-half`` finds it:

    [project.entry-points."embodied.optimisers"]
    better-half = "own_optimiser:OPTIMISER"
"""

from __future__ import annotations

import numpy as np
from embodied_controllers.optimiser import Distribution, Optimiser

from embodied import Settings
from embodied.app.wiring import session_of
from embodied.language.reward.rules import RewardRules
from embodied.routes.reward.route import RewardRoute
from embodied.routes.reward.setup import build_setup, environment_of
from embodied.types import Array


class BetterHalf(Optimiser):
    """``mean = sum_{i in best half} k_i / (n/2)``; draws as its base class does."""

    def update(self, distribution: Distribution, knots: Array, costs: Array, scale: Array) -> Array:
        """Knots (K, nu) from samples (n, K, nu) and their costs (n,)."""
        del distribution, scale
        best = np.argsort(costs, kind="stable")[: max(2, len(costs) // 2)]
        return np.asarray(knots[best].mean(axis=0))


OPTIMISER = BetterHalf

if __name__ == "__main__":
    settings = Settings(robot="quadruped", seed=1)
    setup = build_setup("quadruped", seed=1, optimiser=BetterHalf(noise=0.15))
    route = RewardRoute(setup, RewardRules(setup.speech))
    session = session_of(settings, environment_of(setup, settings), route)
    outcome = session.run("sit down low with a flat torso")
    print(outcome.message, *outcome.verdicts[0].holds)
    assert outcome.reached
    session.close()
