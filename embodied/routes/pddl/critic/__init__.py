"""The critic: the probability that an action succeeds, learned from measured outcomes."""

from embodied.routes.pddl.critic.learned import OutcomeCritic as OutcomeCritic
from embodied.routes.pddl.critic.learned import tabletop_critic as tabletop_critic
