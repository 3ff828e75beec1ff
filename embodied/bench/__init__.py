"""Benchmarks: one runner, one report, a module for each published benchmark."""
