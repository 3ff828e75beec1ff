"""The language of value maps: what may be said, and what is wrong with a program."""

from embodied.language.value_map.vocabulary import AREAS as AREAS
from embodied.language.value_map.vocabulary import CONDITIONS as CONDITIONS
from embodied.language.value_map.vocabulary import GRIPPER_DIRECTIONS as GRIPPER_DIRECTIONS
from embodied.language.value_map.vocabulary import MAPS as MAPS
from embodied.language.value_map.vocabulary import SHAPES as SHAPES
from embodied.language.value_map.vocabulary import SIDES as SIDES
from embodied.language.value_map.vocabulary import SPEEDS_M_S as SPEEDS_M_S
from embodied.language.value_map.vocabulary import area_bounds as area_bounds
from embodied.language.value_map.vocabulary import check as check
