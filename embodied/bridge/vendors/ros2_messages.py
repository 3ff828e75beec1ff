"""ROS 2 messages as DDS types (extra ``[bridge-ros2]``): joint states, trajectories, their action.

Names and fields are those of ROS 2 Humble's interface packages; the tests compare the CDR bytes
with an independent implementation. Requests and replies begin with the two numbers by which
``rmw_cyclonedds_cpp`` tells callers apart; other middlewares carry them outside the message.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cyclonedds.idl import IdlStruct

if TYPE_CHECKING:  # what the values of the DDS types are
    from builtins import float as float64
    from builtins import int as int8
    from builtins import int as int32
    from builtins import int as int64
    from builtins import int as uint16
    from builtins import int as uint32
    from builtins import int as uint64
    from builtins import list as sequence

    Name = list[int]
else:
    from cyclonedds.idl.types import (
        array,
        float64,
        int8,
        int32,
        int64,
        sequence,
        uint8,
        uint16,
        uint32,
        uint64,
    )

    Name = array[uint8, 16]

# No postponed annotations here: the DDS types are made from the annotations.


@dataclass
class Time(IdlStruct, typename="builtin_interfaces.msg.dds_.Time_"):
    """A moment."""

    sec: int32 = 0
    nanosec: uint32 = 0


@dataclass
class Duration(IdlStruct, typename="builtin_interfaces.msg.dds_.Duration_"):
    """A span of time."""

    sec: int32 = 0
    nanosec: uint32 = 0


@dataclass
class Header(IdlStruct, typename="std_msgs.msg.dds_.Header_"):
    """When, and in which frame."""

    stamp: Time = field(default_factory=Time)
    frame_id: str = ""


@dataclass
class JointState(IdlStruct, typename="sensor_msgs.msg.dds_.JointState_"):
    """Measured joints: rad (m), rad/s (m/s), N m (N)."""

    header: Header
    name: sequence[str]
    position: sequence[float64]
    velocity: sequence[float64]
    effort: sequence[float64]


@dataclass
class JointTrajectoryPoint(IdlStruct, typename="trajectory_msgs.msg.dds_.JointTrajectoryPoint_"):
    """Where to be how long after the start."""

    positions: sequence[float64]
    velocities: sequence[float64]
    accelerations: sequence[float64]
    effort: sequence[float64]
    time_from_start: Duration


@dataclass
class JointTrajectory(IdlStruct, typename="trajectory_msgs.msg.dds_.JointTrajectory_"):
    """A motion of named joints; a zero stamp means now."""

    header: Header
    joint_names: sequence[str]
    points: sequence[JointTrajectoryPoint]


@dataclass
class Vector3(IdlStruct, typename="geometry_msgs.msg.dds_.Vector3_"):
    """A vector."""

    x: float64
    y: float64
    z: float64


@dataclass
class Quaternion(IdlStruct, typename="geometry_msgs.msg.dds_.Quaternion_"):
    """A rotation, w last."""

    x: float64
    y: float64
    z: float64
    w: float64


@dataclass
class Transform(IdlStruct, typename="geometry_msgs.msg.dds_.Transform_"):
    """A pose."""

    translation: Vector3
    rotation: Quaternion


@dataclass
class Twist(IdlStruct, typename="geometry_msgs.msg.dds_.Twist_"):
    """A velocity of a body."""

    linear: Vector3
    angular: Vector3


@dataclass
class MultiDofPoint(IdlStruct, typename="trajectory_msgs.msg.dds_.MultiDOFJointTrajectoryPoint_"):
    """A point of joints with several degrees of freedom; unused here."""

    transforms: sequence[Transform] = field(default_factory=list[Transform])
    velocities: sequence[Twist] = field(default_factory=list[Twist])
    accelerations: sequence[Twist] = field(default_factory=list[Twist])
    time_from_start: Duration = field(default_factory=Duration)


@dataclass
class MultiDofTrajectory(IdlStruct, typename="trajectory_msgs.msg.dds_.MultiDOFJointTrajectory_"):
    """A motion of joints with several degrees of freedom; unused here."""

    header: Header = field(default_factory=Header)
    joint_names: sequence[str] = field(default_factory=list[str])
    points: sequence[MultiDofPoint] = field(default_factory=list[MultiDofPoint])


@dataclass
class JointTolerance(IdlStruct, typename="control_msgs.msg.dds_.JointTolerance_"):
    """How far a joint may be off."""

    name: str
    position: float64
    velocity: float64
    acceleration: float64


@dataclass
class JointComponentTolerance(IdlStruct, typename="control_msgs.msg.dds_.JointComponentTolerance_"):
    """How far a component of a joint may be off; unused here."""

    joint_name: str
    component: uint16
    position: float64
    velocity: float64
    acceleration: float64


@dataclass
class Goal(IdlStruct, typename="control_msgs.action.dds_.FollowJointTrajectory_Goal_"):
    """What ``FollowJointTrajectory`` is asked."""

    trajectory: JointTrajectory
    multi_dof_trajectory: MultiDofTrajectory = field(default_factory=MultiDofTrajectory)
    path_tolerance: sequence[JointTolerance] = field(default_factory=list[JointTolerance])
    component_path_tolerance: sequence[JointComponentTolerance] = field(
        default_factory=list[JointComponentTolerance]
    )
    goal_tolerance: sequence[JointTolerance] = field(default_factory=list[JointTolerance])
    component_goal_tolerance: sequence[JointComponentTolerance] = field(
        default_factory=list[JointComponentTolerance]
    )
    goal_time_tolerance: Duration = field(default_factory=Duration)


@dataclass
class Result(IdlStruct, typename="control_msgs.action.dds_.FollowJointTrajectory_Result_"):
    """How it ended; 0 is success."""

    error_code: int32 = 0
    error_string: str = ""


@dataclass
class Feedback(IdlStruct, typename="control_msgs.action.dds_.FollowJointTrajectory_Feedback_"):
    """How it goes."""

    header: Header
    joint_names: sequence[str]
    desired: JointTrajectoryPoint
    actual: JointTrajectoryPoint
    error: JointTrajectoryPoint
    multi_dof_joint_names: sequence[str] = field(default_factory=list[str])
    multi_dof_desired: MultiDofPoint = field(default_factory=MultiDofPoint)
    multi_dof_actual: MultiDofPoint = field(default_factory=MultiDofPoint)
    multi_dof_error: MultiDofPoint = field(default_factory=MultiDofPoint)


@dataclass
class Uuid(IdlStruct, typename="unique_identifier_msgs.msg.dds_.UUID_"):
    """Names a goal; all zeros names every goal."""

    uuid: Name


@dataclass
class GoalInfo(IdlStruct, typename="action_msgs.msg.dds_.GoalInfo_"):
    """A goal and when it was accepted."""

    goal_id: Uuid
    stamp: Time


@dataclass
class GoalStatus(IdlStruct, typename="action_msgs.msg.dds_.GoalStatus_"):
    """What became of a goal so far."""

    goal_info: GoalInfo
    status: int8


@dataclass
class GoalStatusArray(IdlStruct, typename="action_msgs.msg.dds_.GoalStatusArray_"):
    """What became of the goals that a server knows."""

    status_list: sequence[GoalStatus]


@dataclass
class FeedbackMessage(
    IdlStruct, typename="control_msgs.action.dds_.FollowJointTrajectory_FeedbackMessage_"
):
    """Feedback on one goal."""

    goal_id: Uuid
    feedback: Feedback


@dataclass
class SendGoalRequest(
    IdlStruct, typename="control_msgs.action.dds_.FollowJointTrajectory_SendGoal_Request_"
):
    """Asks to pursue a goal."""

    caller: uint64
    number: int64
    goal_id: Uuid
    goal: Goal


@dataclass
class SendGoalReply(
    IdlStruct, typename="control_msgs.action.dds_.FollowJointTrajectory_SendGoal_Response_"
):
    """Says whether it will."""

    caller: uint64
    number: int64
    accepted: bool
    stamp: Time


@dataclass
class GetResultRequest(
    IdlStruct, typename="control_msgs.action.dds_.FollowJointTrajectory_GetResult_Request_"
):
    """Asks for the result, answered once there is one."""

    caller: uint64
    number: int64
    goal_id: Uuid


@dataclass
class GetResultReply(
    IdlStruct, typename="control_msgs.action.dds_.FollowJointTrajectory_GetResult_Response_"
):
    """How a goal ended."""

    caller: uint64
    number: int64
    status: int8
    result: Result


@dataclass
class CancelGoalRequest(IdlStruct, typename="action_msgs.srv.dds_.CancelGoal_Request_"):
    """Asks to give up a goal, or all goals."""

    caller: uint64
    number: int64
    goal_info: GoalInfo


@dataclass
class CancelGoalReply(IdlStruct, typename="action_msgs.srv.dds_.CancelGoal_Response_"):
    """Says which goals will be given up; code 0 is success."""

    caller: uint64
    number: int64
    return_code: int8
    goals_canceling: sequence[GoalInfo]


EXECUTING, CANCELING, SUCCEEDED, CANCELED, ABORTED = 2, 3, 4, 5, 6
"""Values of ``GoalStatus.status``."""


def duration(seconds: float) -> Duration:
    """Seconds as a message."""
    total = round(seconds * 1e9)
    return Duration(sec=total // 10**9, nanosec=total % 10**9)


def seconds(stamp: Time | Duration) -> float:
    """A message as seconds."""
    return stamp.sec + stamp.nanosec * 1e-9


def stamped(time_s: float, frame_id: str = "") -> Header:
    """A header with a stamp in seconds."""
    total = round(time_s * 1e9)
    return Header(stamp=Time(sec=total // 10**9, nanosec=total % 10**9), frame_id=frame_id)


def point(
    time_s: float, q: list[float], dq: list[float], effort: list[float] | None = None
) -> JointTrajectoryPoint:
    """A trajectory point without accelerations."""
    return JointTrajectoryPoint(
        positions=q,
        velocities=dq,
        accelerations=[],
        effort=effort or [],
        time_from_start=duration(time_s),
    )
