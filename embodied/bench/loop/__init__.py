"""The closed loop: disturbances, strategies, the critic."""
