"""Drivers: one module per arm or bus."""
