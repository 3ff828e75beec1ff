"""The skills of the tabletop: one file each, found by its name."""
