"""Dynamics learned online from few trials, around a zero-shot plan (extra ``[learned]``).

After the section on learned dynamics of VoxPoser (Huang et al. 2023, arXiv 2307.05973): the
waypoints of a value-map plan plus local noise are where actions are sampled; a small model of what
the actions do is fitted to all trials so far, and model-predictive control picks among the samples.
"""

from embodied_controllers.learned.proposals import PlanProposal as PlanProposal
from embodied_controllers.learned.proposals import PlanStage as PlanStage
from embodied_controllers.learned.proposals import Proposal as Proposal
from embodied_controllers.learned.proposals import UniformProposal as UniformProposal
from embodied_controllers.learned.trials import ContactTask as ContactTask
from embodied_controllers.learned.trials import LearningOptions as LearningOptions
from embodied_controllers.learned.trials import OnlineLearner as OnlineLearner
from embodied_controllers.learned.trials import Trial as Trial
