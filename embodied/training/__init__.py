"""Training of the offline model, in plain torch, and its corpus; nothing imports this package."""
