"""Controllers: trajectory following and model-predictive control."""
