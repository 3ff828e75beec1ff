"""The value-map planner: composed 3D value maps become a path of the hand or of an object."""

from embodied_planners.value_map.geometry import ObjectGeometry as ObjectGeometry
from embodied_planners.value_map.grid import VoxelGrid as VoxelGrid
from embodied_planners.value_map.plan import Mover as Mover
from embodied_planners.value_map.plan import ValueMapPlan as ValueMapPlan
from embodied_planners.value_map.plan import ValueMapStatus as ValueMapStatus
from embodied_planners.value_map.planner import ValueMapPlanner as ValueMapPlanner
from embodied_planners.value_map.warm_up import warm_up as warm_up
