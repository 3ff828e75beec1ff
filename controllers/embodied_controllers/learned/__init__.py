"""Dynamics learned online from few trials, around a zero-shot plan (extra ``[learned]``).

After the section on learned dynamics of VoxPoser (Huang et al. 2023, arXiv 2307.05973): the
waypoints of a value-map plan plus local noise are where actions are sampled; a small model of what
the actions do is fitted to all trials so far, and model-predictive control picks among the samples.
"""

from embodied_controllers.learned.proposals import (
    PlanProposal,
    PlanStage,
    Proposal,
    UniformProposal,
)
from embodied_controllers.learned.trials import ContactTask, LearningOptions, OnlineLearner, Trial

__all__ = [
    "ContactTask",
    "LearningOptions",
    "OnlineLearner",
    "PlanProposal",
    "PlanStage",
    "Proposal",
    "Trial",
    "UniformProposal",
]
