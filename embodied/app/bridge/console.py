"""The operator's terminal: keys, approvals, and what the supervisor says."""

from __future__ import annotations

import os
import select
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.markup import escape

from embodied.app.bridge.session import SupervisedWorld
from embodied.bridge.channel import BadFrameError, ChannelClosedError, Message, SocketChannel
from embodied.errors import EmbodiedError
from embodied.types import JointTrajectory

KEYS = "space or e: emergency stop   r: recover   y/n: answer a plan   q: end"
_POLL_S = 0.05
_SAID = ("hold", "stop", "at-rest", "escalated", "recovered", "recover-refused", "internal-error",
         "driver-error", "not-enabled", "shadow-lost")  # fmt: skip


class OperatorConsole:
    """Listens to keys and to the supervisor, in a thread of its own.

    Args:
        operator: Channel to the supervisor.
        console: Where lines go; None says nothing.
        name: Who acknowledges recoveries.
        assume_yes: Approve every plan without asking; for rehearsals with simulated arms.
    """

    def __init__(
        self,
        operator: SocketChannel,
        console: Console | None,
        *,
        name: str,
        assume_yes: bool = False,
    ) -> None:
        self._operator = operator
        self._console = console
        self._name = name
        self._assume_yes = assume_yes
        self._answer = False
        self._asking = threading.Event()
        self._answered = threading.Event()
        self._over = threading.Event()
        self._stopped = threading.Event()
        self._threads = [
            threading.Thread(target=run, daemon=True) for run in (self._keys, self._events)
        ]

    def start(self) -> None:
        """Begin to listen."""
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """End; may be called twice."""
        self._over.set()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(1.0)

    def stop(self) -> None:
        """Emergency stop: latched until somebody recovers."""
        self._stopped.set()
        self._answer = False
        self._answered.set()
        self._say("[bold red]emergency stop[/]")
        self._send({"kind": "estop"})

    def approver(
        self, world: SupervisedWorld, pictures: Path
    ) -> Callable[[str, JointTrajectory, float | None], bool]:
        """Asks about each motion: shows it, waits for the answer to its hash.

        Args:
            world: The world that will carry it out.
            pictures: Folder for pictures of ghost trajectories.
        """

        def approve(label: str, trajectory: JointTrajectory, width: float | None) -> bool:
            plan_hash = world.announce(label, trajectory, width)
            self._show(label, trajectory, width, plan_hash, world, pictures)
            yes = self._ask()
            self._send({"kind": "approve" if yes else "refuse", "plan_hash": plan_hash})
            while (answer := world.answered(plan_hash)) is None:
                time.sleep(_POLL_S)
            return answer

        return approve

    # ----------------------------------------------------------------- private

    def _ask(self) -> bool:
        if self._assume_yes:
            return True
        self._answer = False
        self._answered.clear()
        self._asking.set()
        self._answered.wait()
        self._asking.clear()
        return bool(self._answer) and not self._stopped.is_set()

    def _show(
        self,
        label: str,
        trajectory: JointTrajectory,
        width: float | None,
        plan_hash: str,
        world: SupervisedWorld,
        pictures: Path,
    ) -> None:
        turned = np.ptp(trajectory.q, axis=0)
        grip = "" if width is None else f", gripper to {1000 * width:.0f} mm"
        self._say(
            f"[bold]plan {plan_hash[:12]}[/] {escape(label)}: {trajectory.duration_s:.1f} s{grip}"
        )
        self._say("  joints turn by " + " ".join(f"{np.rad2deg(t):.0f}°" for t in turned))
        if len(trajectory.time) > 1:
            path = pictures / f"{plan_hash[:12]}.png"
            try:
                from embodied.bridge.ghost import draw_ghost
                from embodied.world.png import encode_png

                joints = world.spec.joint_names
                image = draw_ghost(world.model, world.qpos, joints, trajectory)
                pictures.mkdir(parents=True, exist_ok=True)
                path.write_bytes(encode_png(image))
                self._say(f"  ghost trajectory: {escape(str(path))}")
            except EmbodiedError as error:
                self._say(f"  no picture: {escape(str(error))}")
        if not self._assume_yes:
            self._say("  carry it out? y/n")

    def _keys(self) -> None:
        with _single_keys() as keys:
            for key in keys(self._over):
                if key in (" ", "e"):
                    self.stop()
                elif key == "r":
                    self._stopped.clear()
                    self._send(
                        {
                            "kind": "recover",
                            "operator": self._name,
                            "statement": "acknowledged at the terminal",
                        }
                    )
                elif key == "q":
                    self._answer = False
                    self._answered.set()
                    self._send({"kind": "shutdown"})
                elif key in ("y", "n") and self._asking.is_set():
                    self._answer = key == "y"
                    self._answered.set()

    def _events(self) -> None:
        while not self._over.is_set():
            try:
                message = self._operator.receive(_POLL_S)
            except BadFrameError:
                continue
            except ChannelClosedError:
                return
            if message is None or message["kind"] != "event" or message["event"] not in _SAID:
                continue
            details = message["details"]
            what = details.get("reason") or details.get("code") or details.get("problem") or ""
            after = f" after {details['after_s']:.2f} s" if "after_s" in details else ""
            self._say(f"[yellow]supervisor: {message['event']}[/] {escape(str(what))}{after}")

    def _send(self, message: Message) -> None:
        with suppress(ChannelClosedError):
            self._operator.send(message)

    def _say(self, text: str) -> None:
        if self._console is not None:
            self._console.print(text, highlight=False)


@contextmanager
def _single_keys() -> Generator[Callable[[threading.Event], Iterator[str]]]:
    """Keys as they are pressed; from a pipe, characters as they come."""
    try:
        descriptor = sys.stdin.fileno()
    except (OSError, ValueError):  # no standard input at all
        descriptor = -1
    saved: Any = None
    if descriptor >= 0 and os.isatty(descriptor):
        import termios
        import tty

        saved = termios.tcgetattr(descriptor)
        tty.setcbreak(descriptor, termios.TCSANOW)  # keys that were pressed before count, too

    def keys(over: threading.Event) -> Iterator[str]:
        while descriptor >= 0 and not over.is_set():
            ready, _, _ = select.select([descriptor], [], [], _POLL_S)
            if not ready:
                continue
            data = os.read(descriptor, 1)
            if not data:
                return
            yield data.decode(errors="ignore")

    try:
        yield keys
    finally:
        if saved is not None:
            import termios

            termios.tcsetattr(descriptor, termios.TCSADRAIN, saved)
