"""Import circles, imports that run upwards, lines per part, private imports, lines with ``Any``.

``python benchmarks/structure.py [ROOT] [--json]`` reads the source without importing it; tests are
left out. ``structure.toml`` says which part may import which. Imports under ``if TYPE_CHECKING``
count for nothing, imports within functions may run upwards, but close no circle. The exit status is
1 when there is a circle or an upward import.
"""

from __future__ import annotations

import argparse
import ast
import json
import tokenize
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

RULES = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))
ROW = {part: number for number, row in enumerate(RULES["layers"]) for part in row}


@dataclass(frozen=True, slots=True)
class Import:
    """One import: who imports what, the line, whether it runs when the module is imported."""

    source: str
    target: str
    names: tuple[str, ...]
    where: str
    at_start: bool


@dataclass(slots=True)
class Report:
    """What was found; circles and imports as lines of text."""

    lines: Counter[str] = field(default_factory=Counter[str])
    largest: list[tuple[int, str]] = field(default_factory=list[tuple[int, str]])
    package_circles: list[str] = field(default_factory=list[str])
    module_circles: list[str] = field(default_factory=list[str])
    upward: list[str] = field(default_factory=list[str])
    private: list[str] = field(default_factory=list[str])
    any_lines: Counter[str] = field(default_factory=Counter[str])


def part_of(module: str) -> str:
    """The part of a module: the longest name in ``layers``, or the top-level package."""
    names = module.split(".")
    prefixes = [".".join(names[:n]) for n in range(len(names), 0, -1)]
    return next((p for p in prefixes if p in ROW), names[0])


def imports(tree: ast.AST, module: str, path: str, known: Mapping[str, str]) -> Iterator[Import]:
    """All imports of modules in ``known``."""

    def found(node: ast.AST, at_start: bool) -> Iterator[Import]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
                yield from found(ast.Module(child.orelse, []), at_start)
                continue
            where = f"{path}:{getattr(child, 'lineno', 0)}"
            if isinstance(child, ast.Import):
                for name in (a.name for a in child.names if a.name in known):
                    yield Import(module, name, (), where, at_start)
            elif isinstance(child, ast.ImportFrom):
                base = child.module or ""
                if child.level:
                    here = module.split(".") + ([""] if path.endswith("__init__.py") else [])
                    base = ".".join([*here[: -child.level], *([base] if base else [])])
                for name in (a.name for a in child.names):
                    if f"{base}.{name}" in known:
                        yield Import(module, f"{base}.{name}", (), where, at_start)
                    elif base in known:
                        yield Import(module, base, (name,), where, at_start)
            inner = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
            yield from found(child, at_start and not isinstance(child, inner))

    return found(tree, True)


def circles(edges: set[tuple[str, str]]) -> list[str]:
    """Circles of a graph: each is reported once and cut, until none is left."""
    edges, found = set(edges), list[str]()
    while True:
        graph: dict[str, set[str]] = {}
        for source, target in sorted(edges):
            graph.setdefault(source, set()).add(target)
        try:
            TopologicalSorter(graph).prepare()
            return found
        except CycleError as error:
            circle: list[str] = error.args[1][:0:-1]
            first = circle.index(min(circle))
            circle = [*circle[first:], *circle[: first + 1]]
            edges.remove((circle[0], circle[1]))
            found.append(" -> ".join(circle))


def upward(one: Import) -> bool:
    """Whether an import breaks the order of the parts."""
    source, target = part_of(one.source), part_of(one.target)
    if target == "embodied":  # the version; the package itself imports nothing
        return False
    if source == target:
        a, b = one.source.split("."), one.target.split(".")
        depth = source.count(".") + 1
        folders = len(a) > depth < len(b) and "contract" not in (a[depth], b[depth])
        return source in RULES["siblings"] and folders and a[depth] != b[depth]
    if source in RULES["only_ground"]:
        return ROW[target] > 0 and target != "embodied_assets"
    if source not in ROW or target not in ROW:
        return source != "embodied"
    return ROW[target] > ROW[source]


def is_private(one: Import) -> bool:
    """Whether it takes a module or name that begins with an underscore out of another package."""
    names = [*one.target.split("."), *one.names]
    for depth, name in enumerate(names):
        if name.startswith("_") and not name.startswith("__"):
            owner = names[: depth - (depth == len(one.target.split(".")))]
            return one.source.split(".")[: len(owner)] != owner
    return False


def measure(root: Path) -> Report:
    """Read every Python file below ``root`` but the tests."""
    report, files = Report(), dict[str, Path]()
    for folder, left_out in RULES["folders"].items():
        for path in sorted((root / folder).rglob("*.py")):
            name = path.relative_to(root).as_posix().removeprefix(left_out).removesuffix(".py")
            files[name.removesuffix("/__init__").replace("/", ".")] = path
    known = {module: path.relative_to(root).as_posix() for module, path in files.items()}
    module_edges, package_edges = set[tuple[str, str]](), set[tuple[str, str]]()
    for module, path in files.items():
        text = path.read_text(encoding="utf-8")
        count = text.count("\n")
        report.lines[part_of(module)] += count
        report.largest.append((count, known[module]))
        with path.open("rb") as file:
            names = (t for t in tokenize.tokenize(file.readline) if t.type == tokenize.NAME)
            report.any_lines[part_of(module)] += len({t.start[0] for t in names if t[1] == "Any"})
        for one in imports(ast.parse(text), module, known[module], known):
            line = f"{one.where}: {one.target}{''.join(f'.{n}' for n in one.names)}"
            if upward(one):
                report.upward.append(line)
            if is_private(one):
                report.private.append(line)
            if one.at_start and one.target != module:
                module_edges.add((module, one.target))
                parts = part_of(module), part_of(one.target)
                if parts[0] != parts[1]:
                    package_edges.add(parts)
    report.module_circles, report.package_circles = circles(module_edges), circles(package_edges)
    report.largest.sort(reverse=True)
    return report


def main(arguments: list[str] | None = None) -> int:
    """Print the report; 1 when there is a circle or an upward import."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("root", nargs="?", type=Path, default=Path(__file__).resolve().parents[1])
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(arguments)
    if not (given.root / "embodied").is_dir():
        parser.error(f"{given.root} has no folder 'embodied'")
    report = measure(given.root)
    lists = {
        "circles between packages": report.package_circles,
        "circles between modules": report.module_circles,
        "upward imports": report.upward,
        "private imports across packages": report.private,
    }
    lines, any_lines = report.lines.total(), report.any_lines.total()
    large = [f"{count:6} {path}" for count, path in report.largest if count > 400]
    if given.json:
        parts = {p: {"lines": n, "any": report.any_lines[p]} for p, n in report.lines.items()}
        totals = {"lines": lines, "any lines": any_lines, "parts": parts}
        print(json.dumps({**totals, **lists, "files above 400 lines": large}, indent=1))
    else:
        print(f"{'part':24} {'lines':>6} {'Any':>5}")
        for part, count in report.lines.most_common():
            print(f"{part:24} {count:6} {report.any_lines[part]:5}")
        print(f"{'all':24} {lines:6} {any_lines:5}")
        for title, found in {"files above 400 lines": large, **lists}.items():
            print(f"\n{title}: {len(found)}", *found, sep="\n  ")
    return 1 if any(found for title, found in lists.items() if "private" not in title) else 0


if __name__ == "__main__":
    raise SystemExit(main())
