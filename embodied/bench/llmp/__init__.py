"""The LLM+P suite."""
