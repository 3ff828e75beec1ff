"""Strategies: who decides which action comes next, behind one protocol."""

from embodied.strategies.base import Performed as Performed
from embodied.strategies.base import Robot as Robot
from embodied.strategies.base import Strategy as Strategy
from embodied.strategies.base import Task as Task
from embodied.strategies.plan import PlanStrategy as PlanStrategy
