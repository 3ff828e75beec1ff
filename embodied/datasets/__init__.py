"""Data sets of runs, for whoever trains policies."""
