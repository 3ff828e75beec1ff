"""Sentences to programs: exact meaning and calibration."""
