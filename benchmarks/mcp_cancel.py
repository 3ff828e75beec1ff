"""Calls over MCP that are cancelled while the arm moves: how long until it is at rest?

``python benchmarks/mcp_cancel.py [--cancels 100] [--transport http|memory]``. The simulated arm
moves in real time; each call is cancelled at a random time after its motion began. Printed are the
wall time from the client's cancel to the last command of the motion, and the time of the world to
rest: every joint below 0.02 rad/s.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from pathlib import Path

import numpy as np
from mcp import Client
from mcp.types import ElicitResult

from embodied.app.mcp.server import EmbodiedServer
from embodied.app.mcp.serving import open_server, serve_http
from embodied.settings import Settings
from embodied.types import Observation

SENTENCES = {
    "put the red block on the tray": "(on red-block tray)",
    "put the red block in the bin": "(in red-block bin)",
}
AT_REST_RAD_S = 0.02


class Clock:
    """Paces the world to real time and notes when the arm moved last."""

    def __init__(self, server: EmbodiedServer) -> None:
        self.body = server.owner.session.environment.body
        self.body.watchers.append(self._step)
        self._due = time.monotonic()
        self.moved_at = self.body.observation.time

    def _step(self, seen: Observation) -> None:
        self._due = max(self._due + self.body.spec.control_dt_s, time.monotonic())
        time.sleep(max(0.0, self._due - time.monotonic()))
        if abs(seen.dq).max() >= AT_REST_RAD_S:
            self.moved_at = seen.time


async def allow(context: object, question: object) -> ElicitResult:
    """The person who lets everything happen."""
    del context, question
    return ElicitResult(action="accept", content={"allow": True})


async def cancel_one(
    client: Client, server: EmbodiedServer, clock: Clock, wait_s: float
) -> tuple[float, float] | None:
    """Seconds from a cancel to the end of the motion and to rest; None where it was over before."""
    body = server.owner.session.environment.body
    facts = server.owner.session.state()
    sentence, goal = next((s, g) for s, g in SENTENCES.items() if g not in facts)
    program = {"route": "pddl", "stages": [goal]}
    call = asyncio.ensure_future(
        client.call_tool("execute", {"sentence": sentence, "program": program})
    )
    begun = body.observation.time
    while not call.done() and body.observation.time < begun + wait_s:
        await asyncio.sleep(0.005)
    if call.done():
        return None
    cancelled, cancelled_at = time.monotonic(), body.observation.time
    call.cancel()
    while server.owner.moving:
        await asyncio.sleep(0.001)
    ended = time.monotonic()
    await asyncio.gather(call, return_exceptions=True)
    await server.owner.run(lambda tell: body.hold(0.5), print)
    return ended - cancelled, max(clock.moved_at - cancelled_at, 0.0)


async def measure(server: EmbodiedServer, cancels: int, http: bool) -> list[tuple[float, float]]:
    """Cancel so many calls."""
    rng, clock, found = np.random.default_rng(0), Clock(server), list[tuple[float, float]]()
    port: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    serving = asyncio.ensure_future(serve_http(server, "127.0.0.1", 0, port.set_result))
    target = f"http://127.0.0.1:{await port}/mcp" if http else server
    async with Client(target, elicitation_callback=allow) as client:
        while len(found) < cancels:
            times = await cancel_one(client, server, clock, float(rng.uniform(0.2, 4.0)))
            found += [times] if times is not None else []
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cancels", type=int, default=100)
    parser.add_argument("--transport", choices=["http", "memory"], default="http")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        server = open_server(Settings(seed=3, pictures=False), Path(folder))
        try:
            found = asyncio.run(measure(server, options.cancels, options.transport == "http"))
        finally:
            server.owner.close()
    ended, rest = np.array(found).T
    for what, values in (("motion ended", ended), ("arm at rest", rest)):
        print(
            f"{what} after a cancel: median {np.median(values):.3f} s, "
            f"largest {values.max():.3f} s ({len(values)} of {options.cancels})"
        )


if __name__ == "__main__":
    main()
