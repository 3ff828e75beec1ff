"""Sampling optimisers, one file each; ``optimiser.OPTIMISERS`` finds them by name."""

from embodied_controllers.optimisers.cem import Cem as Cem
from embodied_controllers.optimisers.mppi import Mppi as Mppi
from embodied_controllers.optimisers.predictive_sampling import (
    PredictiveSampling as PredictiveSampling,
)
