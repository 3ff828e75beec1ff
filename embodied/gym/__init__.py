"""Gymnasium environments of the scenes: ``gymnasium.make("embodied/Blocks-v0")``."""

from embodied.gym.registration import register_envs as register_envs

__all__ = ["register_envs"]
