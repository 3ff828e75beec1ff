"""Clients of vendors' controllers: what a driver talks to, and nothing of how a driver behaves."""
