"""Gymnasium environments of the scenes.

Importing this registers them, as Gymnasium has it (it reads no entry points since 1.0):
``gymnasium.register_envs(embodied.gym)`` or ``gymnasium.make("embodied.gym:embodied/Blocks-v0")``.
"""

from embodied.gym.registration import register_envs as register_envs

register_envs()
