"""Scenes in which contact dynamics are learned."""
