"""Cameras: what a driver of a real, recorded or simulated RGB-D camera gives, and its model."""

from embodied.perception.cameras.simulated import ImageSource as ImageSource
from embodied.perception.cameras.simulated import SensorFaults as SensorFaults
from embodied.perception.cameras.simulated import look as look
from embodied.perception.cameras.simulated import spoil as spoil
from embodied.perception.cameras.types import Camera as Camera
from embodied.perception.cameras.types import CameraError as CameraError
from embodied.perception.cameras.types import CameraHealth as CameraHealth
from embodied.perception.cameras.types import CameraModel as CameraModel
from embodied.perception.cameras.types import Frame as Frame
