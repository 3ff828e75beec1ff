"""Sentences to PDDL goals and problems: by rules, or by a language model."""
