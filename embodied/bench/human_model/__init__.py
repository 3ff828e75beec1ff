"""People in the scene: what a person is expected to do, as a cost for the planner."""

from embodied.bench.human_model.clearing import Clearing as Clearing
from embodied.bench.human_model.clearing import Thing as Thing
from embodied.bench.human_model.model import Encounter as Encounter
from embodied.bench.human_model.model import HumanModel as HumanModel
from embodied.bench.human_model.model import LanguageHuman as LanguageHuman
from embodied.bench.human_model.model import TableHuman as TableHuman
from embodied.bench.human_model.suite import BENCHMARK as BENCHMARK
