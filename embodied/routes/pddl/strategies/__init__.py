"""Strategies: who decides which action comes next, behind one protocol."""

from embodied.routes.pddl.strategies.base import Performed as Performed
from embodied.routes.pddl.strategies.base import Robot as Robot
from embodied.routes.pddl.strategies.base import Strategy as Strategy
from embodied.routes.pddl.strategies.base import Task as Task
from embodied.routes.pddl.strategies.plan import PlanStrategy as PlanStrategy
