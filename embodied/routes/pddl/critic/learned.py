"""The critic of the tabletop skills, from measured outcomes that are shipped as weights."""

from __future__ import annotations

from importlib import resources

from embodied.records import Record
from embodied.routes.pddl.critic.features import GROUPS, NAMES, features
from embodied.routes.pddl.critic.logistic import LogisticModel
from embodied.types import GroundAction, Observation, WorldSpec

WEIGHTS = "outcomes.json"


class OutcomeCritic:
    """Predicts whether an attempt works, from the skill and the geometry.

    Args:
        spec: The world.
        model: Fitted on measured outcomes.
        pose_sigma_m: How precisely object positions are measured; 0 for a simulator's own state.
    """

    def __init__(self, spec: WorldSpec, model: LogisticModel, *, pose_sigma_m: float = 0.0) -> None:
        self._spec = spec
        self._model = model
        self._pose_sigma_m = pose_sigma_m

    def chance(self, action: GroundAction, observation: Observation, *, attempt: int) -> float:
        """Calibrated probability that this attempt has its effects; 1 for unknown actions."""
        if action.name not in GROUPS:
            return 1.0
        x = features(
            action, observation, self._spec, attempt=attempt, pose_sigma_m=self._pose_sigma_m
        )
        return float(self._model.probability(x))


def tabletop_critic(spec: WorldSpec) -> OutcomeCritic:
    """The critic with the shipped weights (made by ``embodied bench critic``)."""
    text = resources.files("embodied.routes.pddl.critic").joinpath(WEIGHTS).read_text("utf-8")
    weights = Record.parse(text, WEIGHTS).record("weights").values
    return OutcomeCritic(spec, LogisticModel.from_json(weights, NAMES))
