"""The critic: how likely an action is to work, learned from measured outcomes."""

from embodied.routes.pddl.critic.learned import OutcomeCritic as OutcomeCritic
from embodied.routes.pddl.critic.learned import tabletop_critic as tabletop_critic
