"""Calibration for a person in front of a camera and an arm."""
