"""What the README shows is run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def _python_blocks() -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", README, flags=re.M | re.S)


@pytest.mark.parametrize("block", _python_blocks())
def test_python_in_the_readme_runs(block: str) -> None:
    exec(compile(block, "README.md", "exec"), {})


def test_the_two_commands_come_first() -> None:
    first = README[README.index("```sh") :].splitlines()[1:3]
    assert first == [
        'pip install -e . && embodied run "put the red block on the green block and the yellow '
        'block in the bin"',
        "pip install -e '.[test]' && pytest",
    ]
