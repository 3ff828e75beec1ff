"""Skills: how ground actions of the tabletop domain become control goals."""

from embodied_planners.skills.tabletop import TabletopSkills as TabletopSkills
from embodied_planners.skills.workcell import SkillOptions as SkillOptions
