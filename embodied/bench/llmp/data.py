"""The published folder layout of the LLM+P benchmark, and its flaws.

``DIR/<domain>/domain.pddl``, ``domain.nl``, ``pNN.pddl``, ``pNN.nl`` and an example
``p_example.{nl,pddl,sol}`` (Liu et al. 2023, arXiv 2304.11477).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from embodied.errors import ConfigurationError, ProgramError
from embodied.symbolic import holds, lint, read_domain, read_problem, repair

_NUMBERED = re.compile(r"\b[a-z][a-z0-9_-]*\d+(?:[-_]\d+)*\b")

_COUNTED = re.compile(r"(?<![\w-])(\d+) ([a-z]+)\b(?![_-]?\d)")
_ENDS_NOUN = re.compile(r"[,.;:\n]| and |$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """The worked example of a domain; empty strings where a file is missing."""

    nl: str
    pddl: str
    plan: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """One problem of the benchmark.

    Attributes:
        domain: Folder name.
        name: ``"p01"`` and so on.
        domain_pddl: Domain text as published.
        domain_nl: Domain in words; empty where missing.
        problem_pddl: Ground truth as published; None where missing.
        problem_nl: Problem in words; None where missing.
        example: The domain's example.
    """

    domain: str
    name: str
    domain_pddl: str
    domain_nl: str
    problem_pddl: str | None
    problem_nl: str | None
    example: Example

    @property
    def id(self) -> str:
        """``"<domain>/<name>"``."""
        return f"{self.domain}/{self.name}"


def load(data: Path, domains: Iterable[str] | None = None) -> tuple[Instance, ...]:
    """Every problem below ``data``, by domain and number; those with one of two files included.

    Raises:
        ConfigurationError: There is no such folder or domain; the message lists those that exist.
    """
    found = sorted(p.parent.name for p in data.glob("*/domain.pddl"))
    if not found:
        raise ConfigurationError(f"{data} holds no <domain>/domain.pddl")
    chosen = list(domains) if domains is not None else found
    unknown = [d for d in chosen if d not in found]
    if unknown:
        raise ConfigurationError(
            f"no domain {', '.join(unknown)} in {data}; domains: {', '.join(found)}"
        )
    return tuple(instance for d in chosen for instance in _load_domain(data / d))


def _load_domain(folder: Path) -> list[Instance]:
    example = Example(
        nl=_text(folder / "p_example.nl") or "",
        pddl=_text(folder / "p_example.pddl") or "",
        plan=_text(folder / "p_example.sol") or "",
    )
    names = sorted({p.stem for p in folder.glob("p[0-9]*.*") if p.suffix in (".nl", ".pddl")})
    return [
        Instance(
            domain=folder.name,
            name=name,
            domain_pddl=_text(folder / "domain.pddl") or "",
            domain_nl=_text(folder / "domain.nl") or "",
            problem_pddl=_text(folder / f"{name}.pddl"),
            problem_nl=_text(folder / f"{name}.nl"),
            example=example,
        )
        for name in names
    ]


def _text(path: Path) -> str | None:
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else None


def audit(instances: Iterable[Instance]) -> tuple[str, ...]:
    """Everything amiss in the published files, one line each, by file name.

    Reported are missing files, what ``lint`` finds, goals that hold already, and names with
    numbers (``ball3``, ``tile_0-1``) that the text mentions but the problem does not declare.
    """
    lines: dict[str, None] = {}
    for instance in instances:
        for line in _audit(instance):
            lines[line] = None
    return tuple(lines)


def _audit(instance: Instance) -> list[str]:
    found: list[str] = []
    file = f"{instance.domain}/{instance.name}.pddl"
    if not instance.domain_nl:
        found.append(f"{instance.domain}/domain.nl: missing")
    if instance.problem_nl is None:
        found.append(f"{instance.domain}/{instance.name}.nl: missing")
    found += _audit_example(instance)
    if instance.problem_pddl is None:
        return [*found, f"{file}: missing"]
    for diagnostic in lint(instance.domain_pddl, instance.problem_pddl):
        owner = f"{instance.domain}/domain.pddl" if diagnostic.where[:6] == "domain" else file
        found.append(f"{owner}: {diagnostic}")
    found += [f"{file}: {text}" for text in mismatches(instance)]
    return found


def _audit_example(instance: Instance) -> list[str]:
    example = Instance(
        domain=instance.domain,
        name="p_example",
        domain_pddl=instance.domain_pddl,
        domain_nl=instance.domain_nl,
        problem_pddl=instance.example.pddl,
        problem_nl=instance.example.nl,
        example=instance.example,
    )
    file = f"{instance.domain}/p_example.pddl"
    if not instance.example.pddl:
        return [f"{file}: missing"]
    found = [
        f"{file}: {d}"
        for d in lint(instance.domain_pddl, instance.example.pddl)
        if d.where.startswith("problem")
    ]
    return found + [f"{file}: {text}" for text in mismatches(example)]


def mismatches(instance: Instance) -> tuple[str, ...]:
    """Where the text and the ground truth differ in ways that names alone can show."""
    if instance.problem_pddl is None:
        return ()
    domain_text, problem_text, _ = repair(instance.domain_pddl, instance.problem_pddl)
    try:
        domain = read_domain(domain_text)
        problem = read_problem(problem_text, domain)
    except ProgramError:
        return ()
    found: list[str] = []
    if holds(problem.goal, problem.init, domain, problem.objects):
        found.append("the goal holds in the initial state: the empty plan solves it")
    if instance.problem_nl is not None:
        text = instance.problem_nl.lower()
        names = {*problem.objects, *domain.constants}
        named = {n for n in _NUMBERED.findall(text) if not n.isdigit()}
        strange = sorted(named - names)
        if strange:
            found.append(f"the text speaks of {', '.join(strange)}, which the problem lacks")
        stems = {n: n.rstrip("0123456789").rstrip("-_") for n in names if n[-1].isdigit()}
        kinds = [*problem.objects.values(), *domain.constants.values()]
        counted: set[str] = set()
        for match in _COUNTED.finditer(text):
            number, noun = match.groups()
            stem = noun.removesuffix("s")
            count = kinds.count(stem) or sum(s == stem for s in stems.values())
            counted.add(stem)
            alone = _ENDS_NOUN.match(text, match.end())  # not "2 depot storeareas"
            if alone and count and count != int(number):
                found.append(f"the text counts {number} {noun}, the problem has {count}")
        siblings = {stems[n] for n in named if n in stems} - counted
        silent = sorted(n for n, stem in stems.items() if stem in siblings and n not in named)
        if silent:
            found.append(f"the text never speaks of {', '.join(silent)}")
    return tuple(found)
