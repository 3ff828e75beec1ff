"""Sentences to PDDL goals and problems: by rules, or by a language model.

The rules are a grammar and refuse what they do not understand to the last word. A language model
writes goals over the scene's own symbols, or a whole problem file from a description (LLM+P); what
it writes is type-checked and sent back with diagnostics. ``translators`` opens either by name.
"""
