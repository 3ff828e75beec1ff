"""People in the scene: what a person is expected to do, as a cost for the planner."""

from embodied.people.clearing import Clearing as Clearing
from embodied.people.clearing import Thing as Thing
from embodied.people.model import Encounter as Encounter
from embodied.people.model import HumanModel as HumanModel
from embodied.people.model import LanguageHuman as LanguageHuman
from embodied.people.model import TableHuman as TableHuman
