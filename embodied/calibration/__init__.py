"""Calibration of cameras: a board to print, intrinsics, hand-eye, the table, drift."""
