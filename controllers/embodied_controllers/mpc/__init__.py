"""Model-predictive control on MuJoCo plan models, by sampling."""

from embodied_controllers.mpc.norms import NORMS as NORMS
from embodied_controllers.mpc.planner import Plan as Plan
from embodied_controllers.mpc.planner import PlanCondition as PlanCondition
from embodied_controllers.mpc.planner import PlannerOptions as PlannerOptions
from embodied_controllers.mpc.planner import RunningCost as RunningCost
from embodied_controllers.mpc.planner import SamplingPlanner as SamplingPlanner
from embodied_controllers.optimiser import OPTIMISERS as OPTIMISERS
from embodied_controllers.optimiser import Distribution as Distribution
from embodied_controllers.optimiser import Optimiser as Optimiser
from embodied_controllers.optimisers import Cem as Cem
from embodied_controllers.optimisers import Mppi as Mppi
from embodied_controllers.optimisers import PredictiveSampling as PredictiveSampling
