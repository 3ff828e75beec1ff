"""Rehearsals: sentences with emulated arms in hidden scenes, judged by the hidden truth."""
