"""Language to Rewards: reward terms in stages, carried out by model-predictive control."""
