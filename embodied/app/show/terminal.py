"""What a person or a program sees of a run: progress lines, one bar, the verdict."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from rich.console import Group
from rich.markup import escape
from rich.panel import Panel
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

from embodied.app.show.console import Console, discard_output
from embodied.app.show.protocol import Display
from embodied.outcome import BROKEN, NOT_REACHED, NOT_UNDERSTOOD, REACHED, Outcome
from embodied.printable import escaped
from embodied.protocols import Event, Usage
from embodied.records import Record, json_line, jsonable

About = Mapping[str, object]
Describe = Callable[[str], str]

_TITLES = {
    REACHED: ("goal reached", "green"),
    NOT_REACHED: ("goal not reached", "red"),
    NOT_UNDERSTOOD: ("not understood", "yellow"),
    BROKEN: ("could not run", "red"),
}
_SAID = {"answer": "answer", "tell": "noted"}
_RUNGS = {
    "retry": "trying another candidate",
    "backtrack": "continuing at another step",
    "replan": "replanning",
    "reinterpret": "relaxing the goal",
    "ask": "asked",
    "stop": "stopping safely",
}
_PLAN_TITLES = {REACHED: ("plan found", "green"), NOT_REACHED: ("no plan", "red")}


class RichDisplay:
    """Lines, a progress bar and a verdict panel on a terminal; plain lines in a pipe.

    Args:
        console: Where to write.
        planning_only: The run ends with a plan, without motion.
        heading: Say who does what where before the sentence.
    """

    def __init__(
        self, console: Console | None = None, *, planning_only: bool = False, heading: bool = True
    ) -> None:
        self._heading = heading
        self._noted: set[str] = set()
        self._no_plan = ""
        self._console = console or Console(highlight=False)
        self._titles = _TITLES | (_PLAN_TITLES if planning_only else {})
        self._planning_only = planning_only
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TimeElapsedColumn(),
            console=self._console,
            transient=True,
        )
        self._task = self._progress.add_task("", total=None, visible=False)
        self._about: About = {}
        self._describe: Describe = str
        self._plan: list[str] = []
        self._done = 0
        self._started_s = 0.0
        self._read = ""

    def begin(self, instruction: str, about: About, describe: Describe) -> None:
        """Say who does what where."""
        self._about, self._describe = about, describe
        if self._heading:
            self._line(
                f"[dim]scene[/] {escape(str(about['scene']))}  [dim]robot[/] "
                f"{escape(str(about['robot']))}  [dim]seed[/] {about['seed']}"
            )
            self._line(f"[dim]translator:[/] {escape(str(about['translator']))}")
        self._line(f"[bold]{escape(_shorten(instruction))}[/]")
        if self._console.is_terminal:
            self._progress.start()

    def event(self, event: Event) -> None:
        """Show what a person wants to follow."""
        data = Record(event.data, f"the event '{event.kind}'")
        match event.kind:
            case "stage" if data.text("state") == "started":
                doing = {"translate": "translating", "plan": "planning", "rest": "coming to rest"}
                if data.text("part") in doing:
                    self._now(doing[data.text("part")])
            case "reading" if "words" in data:
                self._read = data.text("words")
                self._line(f"I read: {escape(self._read)}")
            case "program":
                if not self._read:
                    self._tick("understood: " + ", then ".join(data.texts("stages")))
                for note in data.texts("notes"):
                    self._line(f"    [yellow]note:[/] {escape(note)}")
                    self._noted.add(note)
            case "plan":
                self._show_plan(data)
            case "action":
                self._started_s = data.number("time_s")
                attempt = data.integer("attempt")
                again = f" (candidate {attempt + 1})" if attempt else ""
                self._now(f"{self._position()} {self._words(data.text('action'))}{again}")
            case "effects":
                took_s = data.number("time_s") - self._started_s
                words = f"{self._position()} {self._words(data.text('action'))}"
                if data.flag("ok"):
                    self._tick(words, f"  [dim]{took_s:.1f} s of robot time[/]")
                    self._done += 1
                else:
                    self._cross(f"{words}: {data.text('reason')}")
            case "replan" | "retry" | "backtrack" | "reinterpret" | "ask" | "stop":
                self._line(f"  [yellow]{_RUNGS[event.kind]}:[/] {escape(data.text('reason'))}")
            case "tool" if data.text("name") != "execute" or not data.flag("ok"):
                mark = "" if data.flag("ok") else "  [yellow]refused or failed[/]"
                shown = f"{data.text('name')} {data.text('arguments')}"
                self._line(f"  [dim]tool:[/] {escape(_shorten(shown, 100))}{mark}")
            case "request":
                self._now(f"asking {data.text('model', 'the model')}")
            case "diagnostic":
                label = data.text("label", "repair")
                self._line(f"  [yellow]{escape(label)}:[/] {escape(data.text('text', ''))}")
            case _:
                pass

    def drawing(self, drawn: int, of: int) -> None:
        """Move the bar of the drawing."""
        self._progress.update(
            self._task, description="drawing", completed=drawn, total=of or None, visible=True
        )

    def end(self, outcome: Outcome, folder: Path, summary: About) -> None:
        """Print the verdict, what was lost and where everything is."""
        self.close()
        if self._no_plan:
            self._cross(self._no_plan)
        title, color = self._titles.get(outcome.exit_code, _TITLES[BROKEN])
        title = _SAID.get(outcome.details.get("reading", ""), title)
        title = f"rehearsal: {title} in the twin" if outcome.rehearsed else title
        lines: list[Text] = []
        for number, verdict in enumerate(outcome.verdicts, 1):
            when = f"  held when stage {number} was reached"
            lines += [Text.assemble(("✓ ", "green"), part, when) for part in verdict.held]
            lines += [Text.assemble(("✓ ", "green"), part, "  holds") for part in verdict.holds]
            lines += [
                Text.assemble(("✗ ", "red"), part, "  does not hold") for part in verdict.problems
            ]
        if outcome.message and not (outcome.reached and lines):
            lines.append(Text(outcome.message))
        lines += [Text(n, style="dim") for n in outcome.notes if n not in self._noted]
        if outcome.verdicts and not self._planning_only:
            source = self._about.get("object_source", "measured state")
            lines.append(Text(f"judged by object poses from: {source}", style="dim"))
        self._console.print(Panel(Group(*lines), title=title, border_style=color, expand=False))
        said = Record(summary, "run.json")
        for what, reason in said.record("lost", {}).values.items():
            self._line(f"[yellow]lost:[/] {escape(what)}: {escape(str(reason))}")
        if spent := _spent(summary.get("usage")):
            self._console.print(f"[dim]language model: {spent}[/]", soft_wrap=True)
        pictures = said.texts("pictures", ())
        if note := said.record("video", {}).text("note", ""):
            self._console.print(f"[dim]pictures: {escape(note)}[/]", soft_wrap=True)
        made = f"  [dim]({', '.join(pictures)})[/]" if pictures else ""
        self._console.print(f"[dim]run folder:[/] {escape(str(folder))}{made}", soft_wrap=True)

    def close(self) -> None:
        """Take the bar away."""
        if self._progress.live.is_started:
            self._progress.stop()

    def _show_plan(self, data: Record) -> None:
        if self._no_plan:  # the agent goes on, so this was no end
            self._line("  [dim]the stages cannot all hold at once: planning the next one alone[/]")
            self._no_plan = ""
        status = data.text("status")
        if status != "SOLVED":
            self._no_plan = f"plan: {data.text('message') or status.lower()}"
            return
        self._plan, self._done = list(data.texts("plan")), 0
        n = len(self._plan)
        kind = "optimal" if data.flag("optimal") else "satisficing"
        how = f"  [dim]{data.text('engine')}, {data.number('wall_s'):.2f} s[/]"
        self._tick(f"plan: {n} action{'' if n == 1 else 's'}, {kind}", how)
        if self._planning_only:
            for k, action in enumerate(self._plan, 1):
                self._line(f"    {k}. {escape(self._words(action))}  [dim]{escape(action)}[/]")

    def _position(self) -> str:
        """Which step of the plan runs; nothing for motions beyond it, of other routes."""
        steps = len(self._plan)
        return f"{self._done + 1}/{steps}" if self._done < steps else ""

    def _words(self, action: str) -> str:
        return self._describe(action)

    def _now(self, text: str) -> None:
        total = len(self._plan) or None
        self._progress.update(
            self._task,
            description=escape(_shorten(text, 60)),
            completed=self._done,
            total=total,
            visible=True,
        )

    def _tick(self, text: str, rest: str = "") -> None:
        self._line(f"[green]✓[/] {escape(text)}{rest}")

    def _cross(self, text: str) -> None:
        self._line(f"[red]✗[/] {escape(text)}")

    def _line(self, markup: str) -> None:
        self._console.print(markup)


class QuietDisplay(Display):
    """The verdict in one line, and losses."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(highlight=False)

    def end(self, outcome: Outcome, folder: Path, summary: About) -> None:
        """One line for the verdict, one for each loss."""
        titles = _TITLES | (_PLAN_TITLES if summary.get("command") == "plan" else {})
        title, _ = titles.get(outcome.exit_code, _TITLES[BROKEN])
        title = _SAID.get(outcome.details.get("reading", ""), title)
        title = f"rehearsal: {title} in the twin" if outcome.rehearsed else title
        words = f"{title}: {outcome.message}" if outcome.message else title
        self._console.print(f"{words} ({folder})", markup=False, soft_wrap=True)
        for what, reason in Record(summary).record("lost", {}).values.items():
            self._console.print(f"lost: {what}: {reason}", markup=False, soft_wrap=True)


class JsonDisplay(Display):
    """One JSON object per run on standard output, nothing else."""

    def end(self, outcome: Outcome, folder: Path, summary: About) -> None:
        """Print ``run.json`` with the folder's path and what was lost, in one line."""
        print_json({"folder": folder, **summary})


def print_json(value: object) -> None:
    """Write one line of JSON to standard output; nothing where its reader has gone."""
    if sys.stdout is None:
        return
    try:
        sys.stdout.write(escaped(json_line(jsonable(value)).rstrip()) + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        discard_output()


def _shorten(text: str, limit: int = 300) -> str:
    one_line = " ".join(text.split())
    if not one_line:
        return "(an empty sentence)"
    return one_line if len(one_line) <= limit else f"{one_line[:limit]} … ({len(text)} characters)"


def _spent(usage: object) -> str:
    """What the calls of a language model cost; ``""`` for none."""
    if not isinstance(usage, Usage) or not usage.calls:
        return ""
    cached, reasoned = usage.cached_tokens, usage.reasoning_tokens
    parts = [
        f"{usage.calls} call{'' if usage.calls == 1 else 's'}",
        f"{usage.input_tokens} tokens read" + (f" ({cached} of them cached)" if cached else ""),
        f"{usage.output_tokens} written" + (f" ({reasoned} of them reasoning)" if reasoned else ""),
    ]
    if usage.cost_usd is not None:
        parts.append(f"{usage.cost_usd:.6f} USD")
    return ", ".join(parts)
