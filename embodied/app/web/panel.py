"""The controls and texts of the console."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from embodied.app.serving.service import LONGEST_SENTENCE, Service, Status
from embodied.errors import EmbodiedError
from embodied.printable import printable
from embodied.types import Array

if TYPE_CHECKING:
    import viser

    from embodied.app.web.console import Console
    from embodied.perception.cameras import ImageSource
    from embodied.session import Session

PICTURE_PX = (400, 300)
PERCEIVED = (255, 140, 0)
_NONE = "none"
_MARKS = str.maketrans({c: f"\\{c}" for c in "\\`*_{}[]<>#|!~$"})


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Seen:
    """What a look at the world shows.

    Attributes:
        objects: Position, wxyz and size of the objects as perceived, by name, world frame, m.
        source: Where they come from, in words.
        facts: What is measured to hold.
        remembered: What was told or is remembered.
        contradictions: What is not as it was believed.
        picture: Of the camera that is shown, RGB; None where there is none.
    """

    objects: Mapping[str, tuple[Array, Array, Array]] = field(
        default_factory=dict[str, tuple[Array, Array, Array]]
    )
    source: str = ""
    facts: tuple[str, ...] = ()
    remembered: tuple[str, ...] = ()
    contradictions: tuple[str, ...] = ()
    picture: NDArray[np.uint8] | None = None


class Panel:
    """Controls and texts; what is shown comes from the service alone.

    Args:
        server: Where they are added.
        service: What they drive.
        console: Says who the operator is.

    Attributes:
        stop_button: For everybody.
        for_all: Identifiers of the controls that everybody who is admitted may use.
    """

    def __init__(self, server: viser.ViserServer, service: Service, console: Console) -> None:
        self._server, self._service, self._console = server, service, console
        gui, operator = server.gui, console.as_operator
        gui.configure_theme(show_logo=False, show_share_button=False, control_width="large")
        gui.main_panel.dock_right()
        self.stop_button = gui.add_button("STOP", color=(220, 30, 30))
        self.seat = gui.add_button("Take the controls", visible=False)
        self._phase = gui.add_markdown("")
        self._sentence = gui.add_text("Sentence", "")
        self._plan_button = gui.add_button("Plan", color=(40, 90, 200))
        self._plan = gui.add_markdown("")
        self._question = gui.add_markdown("", visible=False)
        self._yes = gui.add_button("Yes", visible=False)
        self._no = gui.add_button("No", visible=False)
        self._approve = gui.add_button("Approve", color=(20, 140, 60), visible=False)
        self._refuse = gui.add_button("Refuse", visible=False)
        undo = gui.add_button("Undo the last sentence")
        self._verdict = gui.add_markdown("")
        with gui.add_folder("Camera", expand_by_default=True):
            names = _cameras(service.owner.session)
            self._cameras = gui.add_dropdown("Camera", names or [_NONE])
            self._picture = gui.add_image(np.full((3, 4, 3), 255, np.uint8))
            look = gui.add_button("Look again")
        with gui.add_folder("Memory", expand_by_default=False):
            self._facts = gui.add_markdown("")
            self._asked = gui.add_text("Ask", "")
            ask = gui.add_button("Ask memory")
            self._said = gui.add_markdown("")
        with gui.add_folder("Runs", expand_by_default=False):
            self._runs = gui.add_dropdown("Run", [_NONE])
            self._beside = gui.add_dropdown("Beside", [_NONE])
            replay, receipt = gui.add_button("Replay"), gui.add_button("Check the receipt")
            self._receipt = gui.add_markdown("")
        self._show_objects = gui.add_checkbox("Objects as perceived", True)
        self._labels: list[Any] = []

        async def stop(event: object) -> None:  # in the server's loop: no thread has to be free
            del event
            service.stop()

        self.stop_button.on_click(stop)
        self.seat.on_click(console.take_controls)
        self._plan_button.on_click(operator(lambda by: service.propose(self._sentence.value)))
        undo.on_click(operator(lambda by: service.propose_undo()))
        self._approve.on_click(operator(service.approve))
        self._refuse.on_click(operator(lambda by: service.refuse()))

        async def yes(event: viser.GuiEvent[Any]) -> None:
            if event.client_id == console.operator:
                service.answer(True)

        async def no(event: viser.GuiEvent[Any]) -> None:
            if event.client_id == console.operator:
                service.answer(False)

        self._yes.on_click(yes)
        self._no.on_click(no)
        look.on_click(operator(console.refresh))
        self._cameras.on_update(operator(console.refresh))
        ask.on_click(operator(lambda by: self._ask_memory()))
        replay.on_click(operator(lambda by: self._replay()))
        receipt.on_click(operator(lambda by: self._check_receipt()))
        self._show_objects.on_update(operator(console.refresh))
        self.for_all = frozenset(h._impl.uuid for h in (self.stop_button, self.seat))  # pyright: ignore
        self.list_runs()
        self.show(service.status)

    @property
    def camera(self) -> str:
        """The camera whose picture is shown; ``""`` for none."""
        return "" if self._cameras.value == _NONE else self._cameras.value

    def show(self, status: Status) -> None:
        """Show how things stand."""
        waits = status.phase == "proposed"
        words = {
            "idle": "**Ready.** Nothing moves.",
            "planning": "**Planning** and rehearsing ...",
            "proposed": "**Waits for approval.** "
            + ("The blue ghost shows the planned motion." if status.rehearsal else "**No ghost.**"),
            "moving": "**MOVING**",
        }
        self._phase.content = words[status.phase]
        lines = [f"**Asked:** {_plain(status.sentence)}"] if status.sentence else []
        if status.reading:
            lines.append(f"**Read as:** {_plain(status.reading)}")
        lines += [
            f"{n + 1}. {'**now: ' if n == status.running else ''}{_plain(step)}"
            f"{'**' if n == status.running else ''}"
            f"{' (done)' if status.running is not None and n < status.running else ''}"
            for n, step in enumerate(status.steps)
        ]
        if waits and status.rehearsal is not None:
            outcome = status.rehearsal.outcome
            ended = "was not over" if outcome is None else _plain(outcome.message)
            lines.append(f"\nRehearsed in a copy: {status.rehearsal.moved_s:.1f} s; {ended}.")
        if status.no_rehearsal and waits:
            lines.append(f"\nNot rehearsed: {_plain(status.no_rehearsal)}.")
        lines += [f"- {_plain(line)}" for line in status.lines[-6:]]
        self._plan.content = "\n\n".join(lines[:2]) + "\n\n" + "\n".join(lines[2:])
        self._question.content = f"**{_plain(status.question or '')}**"
        for handle in (self._question, self._yes, self._no):
            handle.visible = status.question is not None
        self._approve.visible = self._refuse.visible = waits
        verdict = {True: "### Reached", False: "### Not reached", None: ""}[status.reached]
        ended = [f"- {_plain(line)}" for line in status.ended]
        if status.folder is not None:
            ended.append(f"- run: {_plain(status.folder.name)}")
        self._verdict.content = "\n".join([verdict, "", *ended])

    def complain(self, text: str) -> None:
        """Show why something was not done."""
        self._verdict.content = f"**Not done:** {_plain(text)}"

    def measure(self, session: Session, camera: str) -> Seen:
        """Look at the world, in the session's thread; raises WorldError."""
        place = session.environment
        observation = place.body.observe()
        objects: dict[str, tuple[Array, Array, Array]] = {}
        if place.see is not None:
            for name, found in place.see(observation).objects.items():
                pose, size = found.pose, np.array(found.size_m)
                objects[name] = (np.array(pose.position), np.array(pose.quat_wxyz), size)
        memory = session.belief().memory
        told = [f"{w}: {', '.join(sorted(n))}" for w, n in memory.attributes.items()]
        contradictions = getattr(session.memory(), "contradictions", ())
        picture = None
        if camera:
            source = cast("ImageSource", place.body.world)
            width, height = PICTURE_PX
            picture = source.render(camera, width=width, height=height, segmentation=False).rgb
        return Seen(
            objects=objects,
            source=place.object_source,
            facts=tuple(session.state()),
            remembered=(*memory.remarks, *told),
            contradictions=tuple(str(c.atom) for c in contradictions),
            picture=picture,
        )

    def show_world(self, seen: Seen) -> None:
        """Show a look at the world."""
        scene = self._server.scene
        for handle in self._labels:
            handle.remove()
        self._labels = []
        for name, (position, turn, size) in seen.objects.items():
            if not self._show_objects.value:
                break
            box = scene.add_box(
                f"/perceived/{name}", color=PERCEIVED, dimensions=tuple(size), wireframe=True,
                position=position, wxyz=turn,
            )  # fmt: skip
            above = (0.0, 0.0, float(size[2]) / 2 + 0.015)
            label = scene.add_label(
                f"/perceived/{name}/name", name, position=above,
                font_screen_scale=0.75, anchor="bottom-center",
            )  # fmt: skip
            self._labels += [label, box]
        if seen.picture is not None:
            self._picture.image = seen.picture
        parts = [
            f"Objects from: {_plain(seen.source)} (orange boxes).",
            "**Measured now**\n" + "\n".join(f"- {_plain(f)}" for f in seen.facts),
        ]
        for title, found in (
            ("Remembered or told", seen.remembered),
            ("Not as believed", seen.contradictions),
        ):
            if found:
                parts.append(f"**{title}**\n" + "\n".join(f"- {_plain(f)}" for f in found))
        self._facts.content = "\n\n".join(parts)

    def list_runs(self) -> None:
        """List the run folders again."""
        out = self._service.out
        found = [p.parent.name for p in out.glob("*/states.bin")] if out.is_dir() else []
        names = [_NONE, *sorted(found, reverse=True)[:200]]
        for dropdown in (self._runs, self._beside):
            if tuple(dropdown.options) != tuple(names):
                dropdown.options = names

    # ------------------------------------------------------------ private

    def _ask_memory(self) -> None:
        try:
            said = self._service.ask_memory(self._asked.value[:LONGEST_SENTENCE])
        except EmbodiedError as error:
            said = str(error)
        self._said.content = _plain(said)

    def _folders(self) -> list[Path]:
        chosen = (self._runs.value, self._beside.value)
        return [self._service.out / name for name in chosen if name != _NONE]

    def _replay(self) -> None:
        self._console.replays.show(self._folders())

    def _check_receipt(self) -> None:
        lines: list[str] = []
        for folder in self._folders():
            lines += self._service.receipt(folder)
        self._receipt.content = "\n".join(f"- {_plain(line)}" for line in lines)


def _plain(text: str) -> str:
    """Text in which nothing is markup: object names and models' words are shown as they are."""
    return printable(text).translate(_MARKS)


def _cameras(session: Session) -> list[str]:
    world = session.environment.body.world
    return list(world.spec.cameras) if callable(getattr(world, "render", None)) else []
