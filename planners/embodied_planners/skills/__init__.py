"""Skills: how ground actions of the tabletop domain become control goals."""

from embodied_planners.skills.runner import TabletopSkills as TabletopSkills
from embodied_planners.skills.skill import SKILLS as SKILLS
from embodied_planners.skills.skill import TabletopSkill as TabletopSkill
from embodied_planners.skills.skill import all_skills as all_skills
from embodied_planners.skills.skill import with_skills as with_skills
