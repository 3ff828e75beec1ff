"""The console: who is at it, what its buttons do, and one thread that keeps it up to date."""

from __future__ import annotations

import contextlib
import io
import logging
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from embodied.app.serving.rehearsal import RATE_HZ, Rehearsal
from embodied.app.serving.running import BusyError
from embodied.app.serving.service import Service, Status
from embodied.app.show.film import model_of
from embodied.app.web.guard import Guard, guarded_viser
from embodied.app.web.panel import Panel
from embodied.app.web.replays import Replays
from embodied.app.web.scene import GHOST, ModelView, floor_z, moved_bodies
from embodied.errors import EmbodiedError
from embodied.records import Record
from embodied.types import Array, Observation

if TYPE_CHECKING:
    from viser import ClientHandle, GuiEvent

FRAME_S = 1.0 / 25.0


class Console:
    """Shows a service in browsers; closing it leaves the service open.

    Args:
        service: The session.
        token: What admits a browser.
        port: Port of the loopback; 0 for any free one.

    Attributes:
        address: What to open in a browser; it holds the token.

    Raises:
        OptionError: The port is taken.
        EnvironmentMissingError: viser is another one than this is written for.
    """

    def __init__(self, service: Service, token: str, port: int) -> None:
        self.service = service
        self._guard = Guard(token)
        self._latest: Array = service.owner.call(service.owner.session.qpos)
        self._shown: Array | None = None
        self._phase, self._due = "idle", 0.0
        self._operator: int | None = None
        self._clients: dict[int, Any] = {}
        self._lock = threading.Lock()
        self._changed = threading.Event()
        self._over = threading.Event()
        self._working = threading.Lock()
        session = service.owner.session
        title = f"{session.about['scene']} · {session.about['robot']}"
        self.server = guarded_viser(self._guard, port, title)
        self.address = f"http://127.0.0.1:{self.server.get_port()}/{token}"
        self.panel = Panel(self.server, service, self)
        self._model = model_of(Record.of(dict(session.states_header)))
        self._view = ModelView(self.server.scene, "/scene", self._model)
        self._ghost: ModelView | None = None
        self._ghosted: Rehearsal | None = None
        self._ghost_at = 0.0
        self.replays = Replays(self.server.scene)
        self._guard.may_set = self._may_set
        self.server.on_client_connect(self._came)
        self.server.on_client_disconnect(self._went)
        scene, floor = self.server.scene, (0.0, 0.0, floor_z(self._model))
        scene.configure_default_lights(enabled=True, cast_shadow=False)
        scene.add_grid("/floor", width=6, height=6, cell_size=0.5, plane="xy", position=floor)
        self.server.initial_camera.position = (1.4, 0.1, 0.9)
        self.server.initial_camera.look_at = (0.35, 0.1, 0.15)
        service.listeners.append(self._told)
        session.environment.body.watchers.append(self._stepped)
        self.refresh()
        self._painter = threading.Thread(target=self._paint, name="console", daemon=True)
        self._painter.start()

    def close(self) -> None:
        """End the pages; the session goes on."""
        self._over.set()
        self._painter.join(timeout=5.0)
        self.service.listeners.remove(self._told)
        with contextlib.redirect_stdout(io.StringIO()):  # it says so
            self.server.stop()

    # --------------------------------------------------------- who is at it

    @property
    def operator(self) -> int | None:
        """The connection that may plan, approve and answer; None while there is none."""
        return self._operator

    def take_controls(self, event: GuiEvent[Any]) -> None:
        """Become the operator, where nobody is."""
        client = event.client_id
        with self._lock:
            if self._operator is None and client in self._clients:
                self._operator = client
        self._tell_roles()

    def as_operator(self, work: Callable[[str], object]) -> Callable[[GuiEvent[Any]], None]:
        """What a control does for the operator, one thing at a time, and for nobody else."""

        def pressed(event: GuiEvent[Any]) -> None:
            if event.client_id is None or event.client_id != self._operator:
                return
            if not self._working.acquire(blocking=False):
                return  # the last one is not done: nothing queues up behind a button
            try:
                work(f"operator {event.client_id} of the console")
            except (BusyError, EmbodiedError) as error:
                self.panel.complain(str(error))
            finally:
                self._working.release()

        return pressed

    def _may_set(self, connection: object, uuid: str) -> bool:
        live = self.server._websock_server._live_connections  # pyright: ignore
        operator = live.get(self._operator) if self._operator is not None else None
        return uuid in self.panel.for_all or (operator is not None and connection is operator)

    async def _came(self, client: ClientHandle) -> None:
        with self._lock:
            self._clients[client.client_id] = client.gui.add_markdown("", order=-1.0)
            if self._operator is None:
                self._operator = client.client_id
        self._tell_roles()

    async def _went(self, client: ClientHandle) -> None:
        with self._lock:
            self._clients.pop(client.client_id, None)
            gone = self._operator == client.client_id
            if gone:
                self._operator = None
        if gone:  # who approves must have seen what was proposed
            self.service.refuse()
            self.service.answer(False)
        self._tell_roles()

    def _tell_roles(self) -> None:
        with self._lock:
            operator, clients = self._operator, dict(self._clients)
        for number, note in clients.items():
            if number == operator:
                note.content = "**You are the operator.**"
            elif operator is None:
                note.content = "Nobody is the operator: *Take the controls*."
            else:
                note.content = "You are watching: you may stop, not approve."
        self.panel.seat.visible = operator is None and bool(clients)

    # ------------------------------------------------- keeping it up to date

    def refresh(self, *ignored: object) -> None:
        """Look again: objects as perceived, a camera's picture, memory."""
        owner, camera = self.service.owner, self.panel.camera
        self.panel.show_world(owner.call(lambda: self.panel.measure(owner.session, camera)))

    def _told(self, status: Status) -> None:
        del status
        self._changed.set()

    def _stepped(self, seen: Observation) -> None:
        del seen
        now = time.monotonic()
        if now >= self._due:
            self._due = now + FRAME_S
            self._latest = self.service.owner.session.qpos()

    def _paint(self) -> None:
        while not self._over.wait(FRAME_S):
            try:
                self._frame()
            except Exception:  # a fault of ours must not leave the others blind
                logging.getLogger(__name__).exception("the console could not be brought up to date")

    def _frame(self) -> None:
        latest = self._latest
        if latest is not self._shown:
            self._shown = latest
            self._view.show(latest)
        if self._changed.is_set():
            self._changed.clear()
            status = self.service.status
            before, self._phase = self._phase, status.phase
            self.panel.show(status)
            self._show_ghost(status.rehearsal)
            if before != status.phase == "idle":
                self._rest()
        self._step_ghost()
        self.replays.step(FRAME_S)

    def _rest(self) -> None:
        """Show what is there now that nothing moves."""
        owner = self.service.owner
        try:
            self._latest = owner.call(owner.session.qpos)
            self.refresh()
            self.panel.list_runs()
        except EmbodiedError as error:
            self.panel.complain(str(error))

    def _show_ghost(self, rehearsal: Rehearsal | None) -> None:
        if rehearsal is self._ghosted:
            return
        self._ghosted, self._ghost_at = rehearsal, 0.0
        scene = self.server.scene
        if self._ghost is not None:
            self._ghost.remove()
            scene.remove_by_name("/path")
            self._ghost = None
        if rehearsal is None or len(rehearsal.qpos) < 2:
            return
        moving = moved_bodies(self._model, rehearsal.qpos)
        self._ghost = ModelView(
            scene, "/ghost", self._model, color=GHOST, opacity=0.35, bodies=moving
        )
        points = np.stack([rehearsal.hand[:-1], rehearsal.hand[1:]], axis=1)
        scene.add_line_segments(
            "/path", points.astype(np.float32), GHOST, thickness=3.0, thickness_units="screen"
        )

    def _step_ghost(self) -> None:
        """Show the rehearsal over and over, with a pause at its end."""
        ghost, rehearsal = self._ghost, self._ghosted
        if ghost is not None and rehearsal is not None:
            row = int(self._ghost_at * RATE_HZ)
            ghost.show(rehearsal.qpos[min(row, len(rehearsal.qpos) - 1)])
            self._ghost_at += FRAME_S
            if row > len(rehearsal.qpos) + RATE_HZ:
                self._ghost_at = 0.0
