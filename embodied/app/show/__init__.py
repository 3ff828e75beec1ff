"""Showing a run: terminal, window, pictures and video."""
