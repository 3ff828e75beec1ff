"""Pictures and video of a run, made by a child process while the run goes on.

The child (``python -m embodied.app.show.video FOLDER``) follows the recorded states as they grow,
so drawing costs the run one other core and no waiting, and an OpenGL library that aborts ends the
child only. Its standard input says when the run has ended; its standard output reports progress as
JSON lines.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from embodied.app.show.video_options import VideoOptions, VideoResult
from embodied.errors import ConfigurationError
from embodied.records import Record

_ADVICE = "if OpenGL is what fails, MUJOCO_GL=disable draws without it"


class VideoJob:
    """The child process that films one run folder.

    Args:
        folder: The run folder; its states are read as they grow.
        options: How to film.
    """

    def __init__(self, folder: Path, options: VideoOptions) -> None:
        self._progress: tuple[int, int] = (0, 0)
        self._done: Record | None = None
        self._errors = tempfile.TemporaryFile()
        arguments = json.dumps({"folder": str(folder), **asdict(options)})
        env = dict(os.environ)
        env.setdefault("LP_NUM_THREADS", "1")
        env["OMP_NUM_THREADS"] = "1"
        self._budget_s = options.budget_s
        self._process = subprocess.Popen(
            [sys.executable, "-m", "embodied.app.show.video", arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=env,
            start_new_session=True,  # Ctrl-C in the terminal reaches us; we end the child
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def end_of_run(self) -> None:
        """Say that no more states will come."""
        stdin = self._process.stdin
        if stdin is not None and not stdin.closed:
            with suppress(BrokenPipeError):
                stdin.close()

    def wait(self, tick: Callable[[int, int], None] = lambda drawn, of: None) -> VideoResult:
        """Wait for the files; ``tick`` is called a few times a second with the progress.

        Returns within the budget of the options plus 10 s; the child is ended by then.
        """
        self.end_of_run()
        deadline = time.monotonic() + self._budget_s + 10.0
        while self._process.poll() is None:
            tick(*self._progress)
            if time.monotonic() > deadline:
                self.cancel()
                return VideoResult(problem="drawing took too long and was ended")
            self._reader.join(timeout=0.1)
            if not self._reader.is_alive():
                self._process.wait(timeout=5.0)
        self._reader.join(timeout=5.0)
        tick(*self._progress)
        result = self._result()
        self._close()
        return result

    def cancel(self) -> None:
        """End the child at once; may be called twice."""
        if self._process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self.end_of_run()
        self._reader.join(timeout=5.0)
        self._close()

    def _close(self) -> None:
        self.end_of_run()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._errors.close()

    def _read(self) -> None:
        for line in self._process.stdout or ():
            try:
                message = Record.parse(line)
                if "drawn" in message:
                    self._progress = (message.integer("drawn"), message.integer("of"))
                else:
                    self._done = message
            except ConfigurationError:  # a library's own words
                continue

    def _result(self) -> VideoResult:
        done = self._done
        if done is None:
            self._errors.seek(0)
            lines = self._errors.read().decode("utf-8", "replace").strip().splitlines()
            code = self._process.returncode
            last = lines[-1] if lines else f"the drawing process ended with status {code}"
            return VideoResult(problem=f"no pictures: {last}; {_ADVICE}")
        return VideoResult(
            files=done.texts("files"),
            details=done.record("details").values,
            problem=done.text("problem"),
        )


def _watch_stdin() -> Callable[[], bool]:
    ended = threading.Event()

    def wait_for_end() -> None:
        sys.stdin.buffer.read()
        ended.set()

    threading.Thread(target=wait_for_end, daemon=True).start()
    return ended.is_set


def _say(message: Mapping[str, object]) -> None:
    with suppress(BrokenPipeError):  # whoever started us is gone; the files are still worth making
        print(json.dumps(message), flush=True)  # noqa: T201


def _main() -> int:
    from embodied.app.show.film import Film

    arguments = json.loads(sys.argv[1])
    folder = Path(arguments.pop("folder"))
    ended = _watch_stdin()
    try:
        film = Film(folder, VideoOptions(**arguments))
        result = film.run(ended=ended, report=lambda drawn, of: _say({"drawn": drawn, "of": of}))
    except Exception as error:  # whatever it is, it costs the pictures and never the run
        if os.environ.get("EMBODIED_DEBUG"):
            raise
        result = VideoResult(problem=f"no pictures: {type(error).__name__}: {error}")
    _say({"files": result.files, "details": result.details, "problem": result.problem})
    return 0


if __name__ == "__main__":
    sys.exit(_main())
