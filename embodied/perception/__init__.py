"""Perception: RGB-D images of fixed cameras to objects with names, poses and uncertainty."""

from embodied.perception.cameras import SensorFaults as SensorFaults
from embodied.perception.cameras import look as look
from embodied.perception.colour_shape import ColourShapeDetector as ColourShapeDetector
from embodied.perception.open_vocabulary import OpenVocabularyDetector as OpenVocabularyDetector
from embodied.perception.perception import Perception as Perception
from embodied.perception.perception import with_perceived_poses as with_perceived_poses
from embodied.perception.segmentation import SegmentationDetector as SegmentationDetector
from embodied.perception.types import CameraView as CameraView
from embodied.perception.types import Cloud as Cloud
from embodied.perception.types import Detection as Detection
from embodied.perception.types import Detector as Detector
from embodied.perception.types import PerceivedObject as PerceivedObject
from embodied.perception.types import Percept as Percept
from embodied.perception.types import RobotFilter as RobotFilter
