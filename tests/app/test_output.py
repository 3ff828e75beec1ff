"""Standard output that is full or closed: one line, no traceback, and a useful exit code."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = (sys.executable, "-m", "embodied.app.cli.main")
SENTENCE = "put the red block on the tray"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize(
    "words",
    [
        ("plan", SENTENCE),
        ("plan", SENTENCE, "--json"),
        ("scenes",),
        ("bench", "list"),
        ("replay", "nosuch", "--json"),
    ],
)
def test_a_full_output_is_said_in_one_line(
    words: tuple[str, ...], unbuffered: str, tmp_path: Path
) -> None:
    env = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*COMMAND, *words],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
            env=env,
        )
    assert done.returncode == 3, done.stderr
    assert done.stderr == "embodied: cannot write to standard output: No space left on device\n"


@pytest.mark.parametrize("how", [(), ("--json",), ("--quiet",)])
@pytest.mark.parametrize(("sentence", "code"), [(SENTENCE, 0), ("colourless ideas", 2)])
def test_a_closed_pipe_keeps_the_exit_code(
    how: tuple[str, ...], sentence: str, code: int, tmp_path: Path
) -> None:
    words = [*COMMAND, "plan", "--model", "rules", sentence, *how]
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path
    ) as running:
        assert running.stdout is not None and running.stderr is not None
        running.stdout.close()
        said = running.stderr.read()
    assert running.returncode == code, said
    assert said == ""
