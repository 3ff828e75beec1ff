"""STOP pressed in the browser while the arm moves: how long until it is at rest?

``python benchmarks/stop_latency.py [--stops 100] [--how browser|socket]``. The simulated arm moves
in real time; STOP is pressed at a random time of the motion, with a click on the button of the
page in headless Chromium, or by what a click sends, over a websocket of our own. Printed are the
times from the page's click event (the message's sending) to the last command of the motion, and to
the last instant at which a joint was farther than 2 mrad from where it came to rest. (The simulated
wrist buzzes by half a mrad while it is held, so a speed does not tell.)
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import viser
import websockets.sync.client as sync
from websockets.typing import Subprotocol

from embodied.app.serving.service import Service
from embodied.app.web.console import Console
from embodied.settings import Settings
from embodied.types import Array, Observation

SENTENCES = {
    "put the red block on the tray": "(on red-block tray)",
    "put the red block in the bin": "(in red-block bin)",
}
AT_REST_RAD = 0.002
STATED_S = 0.5
TOKEN = "a-token-of-the-benchmark"


class Clock:
    """Paces the world to real time and notes where the arm was."""

    def __init__(self, service: Service) -> None:
        self._owner = service.owner
        self.body = service.owner.session.environment.body
        self.body.watchers.append(self._step)
        self._due = time.monotonic()
        self._held: tuple[float, float] | None = None
        self._path: list[tuple[float, Array]] = []

    def _step(self, seen: Observation) -> None:
        self._due = max(self._due + self.body.spec.control_dt_s, time.monotonic())
        time.sleep(max(0.0, self._due - time.monotonic()))
        if self._owner.moving:
            self._held, self._path = None, []
            return
        self._held = self._held or (time.time(), seen.time)
        self._path.append((seen.time, seen.q))

    def rest(self, pressed: float) -> tuple[float, float]:
        """Seconds from a press to the end of the motion, and to rest.

        Between the two it is the world's time that counts: it stands still while the run folder
        is signed.
        """
        assert self._held is not None
        ended, held_s = self._held[0] - pressed, self._held[1]
        end = self._path[-1][1]
        away = [t for t, q in self._path if abs(q - end).max() > AT_REST_RAD]
        return max(ended, 0.0), max(ended + (away[-1] - held_s if away else 0.0), 0.0)


def browser(console: Console) -> tuple[Callable[[], float], Callable[[], None]]:
    """Presses the button of the page and says when; and what closes the browser."""
    from selenium import webdriver
    from selenium.webdriver.chrome.options import Options
    from selenium.webdriver.chrome.service import Service as Driver
    from selenium.webdriver.common.by import By

    options = Options()
    options.binary_location = str(shutil.which("chromium"))
    for switch in (
        "--headless=new", "--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader",
        "--enable-unsafe-swiftshader", "--window-size=800,500",
    ):  # fmt: skip
        options.add_argument(switch)
    page: Any = webdriver.Chrome(options=options, service=Driver(shutil.which("chromedriver")))
    page.get(console.address)
    while console.operator is None:
        time.sleep(0.1)
    button = page.find_element(By.XPATH, "//button[normalize-space(.)='STOP']")
    page.execute_script(
        "arguments[0].addEventListener('click', e => { window.pressed = performance.timeOrigin"
        " + e.timeStamp; }, true)",
        button,
    )

    def press() -> float:
        button.click()
        return float(page.execute_script("return window.pressed")) / 1000.0

    return press, page.quit


def socket(console: Console) -> tuple[Callable[[], float], Callable[[], None]]:
    """Sends what a click sends and says when; and what closes the connection."""
    address = f"ws{console.address.removeprefix('http')}"
    version = Subprotocol(f"viser-v{viser.__version__}")
    opened = sync.connect(address, subprotocols=[version], max_size=None)
    pose = {
        "wxyz": [1, 0, 0, 0], "position": [1, 1, 1], "fov": 1.0, "image_height": 10, "near": 0.1,
        "image_width": 10, "far": 10.0, "look_at": [0, 0, 0], "up_direction": [0, 0, 1],
    }  # fmt: skip
    opened.send(msgspec.msgpack.encode({"type": "ViewerCameraMessage", **pose}))
    threading.Thread(target=lambda: [None for _ in opened], daemon=True).start()
    while console.operator is None:
        time.sleep(0.1)
    uuid = console.panel.stop_button._impl.uuid  # pyright: ignore[reportPrivateUsage]
    click = {"type": "GuiUpdateMessage", "uuid": uuid, "updates": {"value": True}}

    def press() -> float:
        at = time.time()
        opened.send(msgspec.msgpack.encode(click))
        return at

    return press, opened.close


def stop_one(
    service: Service, clock: Clock, press: Callable[[], float], wait_s: float
) -> tuple[float, float] | None:
    """Seconds from a press in a motion to its end and to rest; None where it was over before."""
    facts = service.owner.call(service.owner.session.state)
    sentence = next(s for s, goal in SENTENCES.items() if goal not in facts)
    status = service.propose(sentence)
    if status.phase != "proposed":
        raise SystemExit(f"no plan for {sentence!r}: {status.ended}")
    begun = clock.body.observation.time
    motion = threading.Thread(target=service.approve, args=("the benchmark",))
    motion.start()
    while clock.body.observation.time < begun + wait_s and service.status.phase == "moving":
        time.sleep(0.002)
    pressed = press()
    motion.join()
    stopped = service.status.ended[0].startswith("STOPPED")
    service.owner.call(lambda: clock.body.hold(0.5))
    return clock.rest(pressed) if stopped else None


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stops", type=int, default=100)
    parser.add_argument("--how", choices=["browser", "socket"], default="browser")
    options = parser.parse_args()
    rng, found = np.random.default_rng(0), list[tuple[float, float]]()
    with tempfile.TemporaryDirectory() as folder:
        service = Service(Settings(seed=3, pictures=False), Path(folder))
        console = Console(service, TOKEN, 0)
        clock = Clock(service)
        press, close = {"browser": browser, "socket": socket}[options.how](console)
        try:
            while len(found) < options.stops:
                rest = stop_one(service, clock, press, float(rng.uniform(0.2, 4.0)))
                found += [rest] if rest is not None else []
        finally:
            close()
            console.close()
            service.close()
    for what, late in zip(("motion ended", "arm at rest"), np.array(found).T, strict=True):
        print(
            f"{what} after STOP ({options.how}): median {np.median(late):.3f} s, 90% "
            f"{np.quantile(late, 0.9):.3f} s, largest {late.max():.3f} s; "
            f"{(late <= STATED_S).sum()} of {late.size} within {STATED_S} s"
        )


if __name__ == "__main__":
    main()
