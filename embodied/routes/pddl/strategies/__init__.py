"""Strategies: how the next action is chosen, behind one protocol."""

from embodied.routes.pddl.strategies.plan import PlanStrategy as PlanStrategy
from embodied.routes.pddl.tasks import Performed as Performed
from embodied.routes.pddl.tasks import Strategy as Strategy
from embodied.routes.pddl.tasks import Task as Task
from embodied.routes.pddl.tasks import TaskInterface as TaskInterface
