"""LLM+P: a goal is planned for; actions are carried out and checked by their measured effects."""
