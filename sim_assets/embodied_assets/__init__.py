"""Robots, scenes and planning domains, read through importlib.resources."""
