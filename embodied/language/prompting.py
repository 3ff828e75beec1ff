"""Prompts are Markdown files of a package, in ``prompts/``; ``$name`` marks what is filled in."""

from __future__ import annotations

from functools import cache
from importlib import resources
from string import Template


@cache
def prompt_text(package: str, name: str) -> str:
    """Text of ``prompts/NAME.md`` of a package of ``embodied.language``, stripped."""
    folder = resources.files(f"embodied.language.{package}") / "prompts"
    return (folder / f"{name}.md").read_text(encoding="utf-8").strip("\n")


def fill(package: str, name: str, **values: str) -> str:
    """The prompt with every placeholder filled; a missing or unknown one raises.

    Raises:
        KeyError: A placeholder has no value.
        ValueError: A value has no placeholder.
    """
    template = Template(prompt_text(package, name))
    unknown = set(values) - set(template.get_identifiers())
    if unknown:
        raise ValueError(f"prompt {name} has no place for {', '.join(sorted(unknown))}")
    return template.substitute(values)
