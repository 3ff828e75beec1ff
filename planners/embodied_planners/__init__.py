"""Planners: classical planning, motion planning, skills."""
