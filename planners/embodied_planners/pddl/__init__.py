"""PDDL engines: a small built-in search, Fast Downward and SymK as child processes."""

from embodied_planners.pddl.explain import explain_plan as explain_plan
from embodied_planners.pddl.planner import ENGINES as ENGINES
from embodied_planners.pddl.planner import Planner as Planner
