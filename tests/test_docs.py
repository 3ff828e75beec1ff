"""The pages of the documentation: their code runs, their tables are true, none is an orphan.

A page is one shell script and one Python script, made of its blocks in order, run in a folder of
their own. A comment right above a block says what else becomes of it::

    <!-- file: NAME -->     the block is written to this file first
    <!-- skip: REASON -->   the block does not run; the reasons are those of ``SKIPS``

and ``<!-- slow: REASON -->`` anywhere in a page marks its test as slow.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCS = sorted((ROOT / "docs").rglob("*.md"))
PAGES = [*DOCS, ROOT / "README.md", ROOT / "CONTRIBUTING.md"]

SKIPS = {
    "fragment": "part of a file that a reader writes",
    "hardware": "moves or reads a device",
    "installation": "changes what is installed",
    "interactive": "waits for what a person types",
    "key": "asks a language model that needs a key or a server",
    "minutes": "takes minutes or more",
    "repeated": "runs on another page or in another test",
    "data": "reads data that is not part of the repository",
    "weights": "reads weights that are not part of the repository",
}

_BLOCK = re.compile(r"((?:^<!--[^\n]*-->\n)*)^```(\w*)[^\n]*\n(.*?)^```$", re.M | re.S)
_COMMAND = re.compile(r"^(?:\$ )?(embodied|python|pip|pytest|sphinx-build|ruff|pyright) ", re.M)


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block with what the comments above it say."""

    language: str
    text: str
    marks: dict[str, str]


def blocks(page: Path) -> Iterator[Block]:
    for comments, language, text in _BLOCK.findall(page.read_text()):
        marks = dict(re.findall(r"<!-- (\w+): (.*?) -->", comments))
        yield Block(language, text, marks)


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def runnable(page: Path) -> list[Block]:
    return [b for b in blocks(page) if b.language in ("sh", "python") and "skip" not in b.marks]


def cases() -> Iterator[object]:
    for page in PAGES:
        if runnable(page) and page.name != "README.md":  # tests/test_readme.py
            slow = "<!-- slow: " in page.read_text()
            yield pytest.param(page, id=name(page), marks=[pytest.mark.slow] if slow else [])


@pytest.mark.parametrize("page", list(cases()))
def test_code_of_a_page_runs(page: Path, tmp_path: Path) -> None:
    for block in blocks(page):
        if "file" in block.marks:
            (tmp_path / block.marks["file"]).write_text(block.text)
    for tree in ("examples", "benchmarks"):
        (tmp_path / tree).symlink_to(ROOT / tree)
    found = runnable(page)
    shell = "\n".join(b.text for b in found if b.language == "sh")
    python = "\n".join(b.text for b in found if b.language == "python")
    head = (
        f'set -e -o pipefail\nembodied() {{ "{sys.executable}" -m embodied.app.cli.main "$@"; }}\n'
    )
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    env = {**os.environ, "OMP_NUM_THREADS": "1", "PATH": path, "MPLBACKEND": "agg"}
    (tmp_path / "page.sh").write_text(head + shell)
    (tmp_path / "page.py").write_text(python)
    for call in ([["bash", "page.sh"]] if shell else []) + (
        [[sys.executable, "page.py"]] if python else []
    ):
        done = subprocess.run(
            call, cwd=tmp_path, env=env, capture_output=True, text=True, stdin=subprocess.DEVNULL
        )
        assert done.returncode == 0, f"{done.stdout[-2000:]}\n{done.stderr[-3000:]}"


def test_blocks_that_do_not_run_say_why(capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        for page in PAGES:
            for block in blocks(page):
                reason = block.marks.get("skip")
                if reason is not None:
                    first = block.text.strip().splitlines()[0]
                    assert reason in SKIPS, f"{name(page)}: {first}: not one of {sorted(SKIPS)}"
                    if os.environ.get("EMBODIED_LIST_SKIPS"):
                        print(f"{name(page)}: {reason}: {first}")


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_commands_stand_in_shell_blocks(page: Path) -> None:
    for block in blocks(page):
        if block.language not in ("sh", "python", "toml", "json", "text"):
            assert not _COMMAND.search(block.text), f"mark it as sh: {block.text}"


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_commands_that_are_named_exist(page: Path) -> None:
    from typer.main import get_command

    from embodied.app.cli.main import app

    text = page.read_text()
    for script in re.findall(r"\b(?:benchmarks|examples)/\w+\.py", text):
        assert (ROOT / script).is_file(), script
    commands = {"embodied": get_command(app)}
    for word, command in list(getattr(commands["embodied"], "commands", {}).items()):
        commands[f"embodied {word}"] = command
        for below in getattr(command, "commands", {}):
            commands[f"embodied {word} {below}"] = command
    for first, second in re.findall(
        r"(?:^|`)embodied ([a-z][a-z-]*)(?: ([a-z0-9-]+))?", text, re.M
    ):
        assert f"embodied {first}" in commands, f"embodied {first}"
        if second and getattr(commands[f"embodied {first}"], "commands", None):
            assert f"embodied {first} {second}" in commands, f"embodied {first} {second}"


@pytest.mark.parametrize("page", DOCS, ids=name)
def test_a_page_says_who_needs_it(page: Path) -> None:
    text = page.read_text()
    if text.startswith("```{include} ../"):
        return
    title, _, rest = text.partition("\n\n")
    assert re.fullmatch(r"# .{3,50}", title), title
    assert rest.startswith("For "), rest[:80]


def test_no_page_is_an_orphan() -> None:
    listed = {Path("index")}
    for page in DOCS:
        for tree in re.findall(r"```\{toctree\}\n(.*?)```", page.read_text(), re.S):
            entries = [e for e in tree.split() if not e.startswith(":")]
            listed |= {(page.parent / e).relative_to(ROOT / "docs") for e in entries}
    assert {p.relative_to(ROOT / "docs").with_suffix("") for p in DOCS} <= listed


def test_links_lead_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", page.read_text()):
            assert (page.parent / target).exists(), f"{name(page)}: {target}"


def test_every_picture_is_used() -> None:
    text = "".join(p.read_text() for p in PAGES)
    for picture in (ROOT / "docs" / "images").iterdir():
        assert f"images/{picture.name}" in text, picture.name
        assert picture.stat().st_size <= 1 << 20, picture.name


def test_the_events_page_has_every_kind() -> None:
    from embodied.protocols import Event

    kinds = set(re.findall(r'``"(\w+)"``', Event.__doc__ or ""))
    page = (ROOT / "docs" / "reference" / "events.md").read_text()
    rows = re.findall(r"^\| (`.*?) \|", page, re.M)
    assert kinds == {k for row in rows for k in re.findall(r"`(\w+)`", row)}


def test_files_that_contributing_names_exist() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text()
    table = text[text.index("## To add X, touch Y") :]
    paths = re.findall(r"`((?:[\w.-]+/)+[\w.-]*)`", table)
    assert len(paths) > 15
    for path in paths:
        assert (ROOT / path).exists(), path
    for path, lines in re.findall(r"`(examples/\w+\.py)` \| (\d+) \|", table):
        assert len((ROOT / path).read_text().splitlines()) <= int(lines), path


@pytest.mark.parametrize("example", sorted((ROOT / "examples").glob("*.py")), ids=lambda p: p.stem)
def test_every_example_is_linked(example: Path) -> None:
    index = (ROOT / "docs" / "reference" / "examples.md").read_text()
    assert f"`{example.name}`" in index
    if example.stem.startswith("own_"):
        assert f"`examples/{example.name}`" in (ROOT / "CONTRIBUTING.md").read_text()
