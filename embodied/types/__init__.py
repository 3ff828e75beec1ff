"""The central types: frozen, slotted, keyword-only dataclasses that every part speaks in.

Arrays held by these types are read-only float64 copies. Units are SI, angles are radians,
quaternions are wxyz, and a pose ``x_in_world`` maps coordinates of frame x into the world frame
(right-handed, z up).
"""

from embodied.types._geometry import Array as Array
from embodied.types._geometry import Pose as Pose
from embodied.types._geometry import readonly as readonly
from embodied.types._goals import ControlGoal as ControlGoal
from embodied.types._goals import ControlStatus as ControlStatus
from embodied.types._goals import GripperGoal as GripperGoal
from embodied.types._goals import JointTrajectory as JointTrajectory
from embodied.types._goals import PathGoal as PathGoal
from embodied.types._goals import RewardGoal as RewardGoal
from embodied.types._goals import SkillResult as SkillResult
from embodied.types._programs import Manner as Manner
from embodied.types._programs import MixedProgram as MixedProgram
from embodied.types._programs import PddlProgram as PddlProgram
from embodied.types._programs import Placement as Placement
from embodied.types._programs import PlanResult as PlanResult
from embodied.types._programs import PlanStatus as PlanStatus
from embodied.types._programs import Program as Program
from embodied.types._reward import RewardCondition as RewardCondition
from embodied.types._reward import RewardGuard as RewardGuard
from embodied.types._reward import RewardProgram as RewardProgram
from embodied.types._reward import RewardStage as RewardStage
from embodied.types._reward import RewardTerm as RewardTerm
from embodied.types._saying import Saying as Saying
from embodied.types._symbols import Atom as Atom
from embodied.types._symbols import GroundAction as GroundAction
from embodied.types._value_map import MapOperation as MapOperation
from embodied.types._value_map import Region as Region
from embodied.types._value_map import ValueMapCondition as ValueMapCondition
from embodied.types._value_map import ValueMapProgram as ValueMapProgram
from embodied.types._value_map import ValueMapStage as ValueMapStage
from embodied.types._world import BaseState as BaseState
from embodied.types._world import CameraImage as CameraImage
from embodied.types._world import CameraSpec as CameraSpec
from embodied.types._world import Command as Command
from embodied.types._world import GripperSpec as GripperSpec
from embodied.types._world import GripperState as GripperState
from embodied.types._world import ObjectSpec as ObjectSpec
from embodied.types._world import Observation as Observation
from embodied.types._world import StepResult as StepResult
from embodied.types._world import WorldSpec as WorldSpec
