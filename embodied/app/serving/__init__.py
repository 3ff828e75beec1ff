"""One session behind several faces: its thread, its operator, and what everybody is told."""
