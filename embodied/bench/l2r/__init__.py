"""The Language to Rewards suite."""
