"""Sentences with an arm behind the supervisor and an operator at the terminal."""
