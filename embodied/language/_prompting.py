"""Prompts are Markdown files in the package; ``$name`` marks a placeholder."""

from __future__ import annotations

from functools import cache
from importlib import resources
from string import Template


@cache
def prompt_text(name: str) -> str:
    """Text of ``prompts/NAME.md`` without surrounding blank lines."""
    path = resources.files("embodied.language").joinpath("prompts", f"{name}.md")
    return path.read_text(encoding="utf-8").strip("\n")


def fill(name: str, **values: str) -> str:
    """The prompt with every placeholder filled; a missing or unknown one raises.

    Raises:
        KeyError: A placeholder has no value.
        ValueError: A value has no placeholder.
    """
    template = Template(prompt_text(name))
    unknown = set(values) - set(template.get_identifiers())
    if unknown:
        raise ValueError(f"prompt {name} has no place for {', '.join(sorted(unknown))}")
    return template.substitute(values)
