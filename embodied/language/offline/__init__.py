"""The offline language model: a narrow 135M model that writes slots, expanded by code."""
