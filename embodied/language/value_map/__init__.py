"""The language of value maps: vocabulary, checks, JSON, translation.

A value-map program is data: stages that set where the gripper or an object should get to, must not
be, and how fast and how turned it is there. The rules, a language model (in JSON, or in Python in
VoxPoser's vocabulary) and the offline model write it from the same building blocks.
"""

from embodied.language.value_map.describe import describe as describe
from embodied.language.value_map.serialise import Workspace as Workspace
from embodied.language.value_map.serialise import digest as digest
from embodied.language.value_map.serialise import json_schema as json_schema
from embodied.language.value_map.serialise import read_json as read_json
from embodied.language.value_map.serialise import to_json as to_json
from embodied.language.value_map.vocabulary import AREAS as AREAS
from embodied.language.value_map.vocabulary import CONDITIONS as CONDITIONS
from embodied.language.value_map.vocabulary import GRIPPER_DIRECTIONS as GRIPPER_DIRECTIONS
from embodied.language.value_map.vocabulary import MAPS as MAPS
from embodied.language.value_map.vocabulary import SHAPES as SHAPES
from embodied.language.value_map.vocabulary import SIDES as SIDES
from embodied.language.value_map.vocabulary import SPEEDS_M_S as SPEEDS_M_S
from embodied.language.value_map.vocabulary import area_bounds as area_bounds
from embodied.language.value_map.vocabulary import check as check
