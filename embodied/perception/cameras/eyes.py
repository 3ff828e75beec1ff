"""The cameras of an arm behind a supervisor: who asks here is answered by a process that looks."""

from __future__ import annotations

import multiprocessing
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace

import numpy as np

from embodied.perception.cameras.agreement import Disagreement
from embodied.perception.cameras.types import CameraError
from embodied.perception.cameras.watching import CHECKS, Look, Trouble, Watch, serve
from embodied.perception.types import PerceivedObject, Percept
from embodied.types import Observation, Pose

OPEN_S = 60.0
GONE_S, LOST_S = 5.0, 1.5
"""Cameras without an image for this long end the run while the arm stands still, and moves."""

LOOK_S = 30.0
"""A look that takes longer ends the run."""

_COMPARE_S = 90.0

_FIXED_STD_M = 1e-3


class CameraEyes:
    """Perceives through cameras in another process; implements ``Perceiver``.

    Fixtures stay where the scene file has them. What is not seen is not there.

    Args:
        watch: What to look at.
        source: Where object poses come from, for people.

    Raises:
        CameraError: A camera does not open, or the process does not start.
    """

    def __init__(self, watch: Watch, *, source: str) -> None:
        self.source = source
        self._watch = watch
        self._news = threading.Condition()
        self._look: Look | None = None
        self._trouble: Mapping[str, str] = {}
        self._troubled_s = 0.0
        self._told_s = -np.inf
        self._ended = ""
        self._closed = False
        context = multiprocessing.get_context("spawn")
        self._line, theirs = context.Pipe()
        self._process = context.Process(target=serve, args=(theirs, watch), daemon=True)
        self._process.start()
        theirs.close()
        problem = self._first_word()
        if problem:
            self.close()
            raise CameraError(problem)
        threading.Thread(target=self._listen, daemon=True).start()

    @property
    def names(self) -> tuple[str, ...]:
        """The cameras."""
        return tuple(e.name for e in self._watch.cameras)

    def tell(self, observation: Observation) -> None:
        """Tell how the robot is now; looks must be of images from after this to count."""
        self._told_s = time.monotonic()
        state = replace(observation, poses={}, openings_m={}, images={}, gone=frozenset())
        with suppress(OSError):  # the process has ended: ``problem`` says so
            self._line.send((self._told_s, state))

    def __call__(self, observation: Observation) -> Percept:
        """What is seen in images from after the robot's latest state.

        Raises:
            CameraError: No camera, or not every one, gives images in time; or they disagree.
        """
        return self._with_fixtures(self._fresh().percept)

    def poses(self) -> tuple[Mapping[str, Pose], Mapping[str, float]]:
        """Where things were seen last, without waiting, and openings of drawers, m."""
        look = self._look
        if look is None:
            return self._watch.fixtures, {}
        percept = self._with_fixtures(look.percept)
        seen = {n: o.pose for n, o in percept.objects.items() if not o.gone}
        return {**seen, **self._watch.fixtures}, percept.openings_m

    def problem(self) -> str:
        """What ends a motion: a camera that was lost, or the process; empty when all is well."""
        with self._news:
            if self._ended:
                return self._ended
            if self._trouble and time.monotonic() - self._troubled_s > LOST_S:
                return _words(self._trouble)
            return ""

    def disagreements(self) -> tuple[Disagreement, ...]:
        """What the cameras disagree by beyond what is allowed, after enough looks.

        Raises:
            CameraError: They give no images, or cannot be compared.
        """
        deadline = time.monotonic() + _COMPARE_S
        while (look := self._fresh()).checks < CHECKS:
            if time.monotonic() > deadline:
                raise CameraError("the cameras cannot be compared: the arm does not stand still")
            time.sleep(0.05)
        return tuple(d for d in look.disagreements if d.distance_m > d.most_m)

    def close(self) -> None:
        """End the process; may be called twice."""
        if self._closed:
            return
        self._closed = True
        self._line.close()
        self._process.join(2.0)
        if self._process.is_alive():
            self._process.kill()
            self._process.join(2.0)

    # ----------------------------------------------------------------- private

    def _first_word(self) -> str:
        try:
            if not self._line.poll(OPEN_S):
                return f"perception did not start within {OPEN_S:g} s"
            return self._line.recv() or ""
        except (EOFError, OSError):
            return "perception ended at once"

    def _listen(self) -> None:
        while True:
            try:
                said: Look | Trouble = self._line.recv()
            except (EOFError, OSError, TypeError):  # TypeError: closed while it waited
                said = Trouble(cameras={})
            with self._news:
                if isinstance(said, Look):
                    self._look, self._trouble = said, {}
                elif said.cameras:
                    if not self._trouble:
                        self._troubled_s = time.monotonic()
                    self._trouble = said.cameras
                else:
                    self._ended = "perception has ended: no camera is looked through any more"
                self._news.notify_all()
                if self._ended:
                    return

    def _fresh(self) -> Look:
        since, began = self._told_s, time.monotonic()
        with self._news:
            while True:
                if self._ended:
                    raise CameraError(self._ended)
                look, now = self._look, time.monotonic()
                if look is not None and look.exposed_s >= since:
                    return look
                if self._trouble and now - max(self._troubled_s, began) > GONE_S:
                    raise CameraError(f"{_words(self._trouble)}: no new image for {GONE_S:g} s")
                if now - began > LOOK_S:
                    raise CameraError(f"no look was finished within {LOOK_S:g} s")
                self._news.wait(0.2)

    def _with_fixtures(self, percept: Percept) -> Percept:
        objects = dict(percept.objects)
        for name, pose in self._watch.fixtures.items():
            spec = self._watch.spec.objects[name]
            if name in objects:
                objects[name] = replace(objects[name], pose=pose, gone=False)
            elif spec.kind != "surface" or spec.color:
                objects[name] = PerceivedObject.known(
                    spec, pose, time_s=percept.time, std_m=_FIXED_STD_M, source="scene file"
                )
        return replace(percept, objects=objects)


def _words(trouble: Mapping[str, str]) -> str:
    return "; ".join(f"camera {name!r}: {text}" for name, text in trouble.items())
