"""The Statler suite."""
