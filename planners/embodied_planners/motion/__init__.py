"""Motion planning for the arm: inverse kinematics, collision-free paths, time parametrisation."""

from embodied_planners.motion.kinematics import ArmKinematics as ArmKinematics
from embodied_planners.motion.kinematics import IkResult as IkResult
from embodied_planners.motion.planner import MotionPlanner as MotionPlanner
from embodied_planners.motion.planner import Segment as Segment
from embodied_planners.motion.scene import Clearance as Clearance
from embodied_planners.motion.scene import PlanningScene as PlanningScene
from embodied_planners.motion.timing import JointLimits as JointLimits
