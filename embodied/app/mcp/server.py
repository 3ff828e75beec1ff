"""The MCP server: tools, approval by the person behind the client, progress, pictures.

Nothing moves without the approval of a person: the client is asked to show it (elicitation), on
old and new connections alike, and a client that cannot ask its person is refused, unless whoever
started the server said that no approval is needed. Every refusal is text with the legal values.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.tools import Tool as ServedTool
from mcp.types import CallToolResult, InputRequiredResult

from embodied.agent import Agent
from embodied.app.mcp.results import failed, told
from embodied.app.run import Output, Performed, perform
from embodied.app.serving.running import Owner, Stopped, Tell
from embodied.app.show.protocol import Display
from embodied.errors import EmbodiedError, ProgramError
from embodied.language.interpreter import Interpreter
from embodied.language.prompting import NOTE
from embodied.outcome import Outcome
from embodied.protocols import Event, Tool
from embodied.receipts import notary
from embodied.recovery import Question
from embodied.session import Session
from embodied.tools.asked import Asked
from embodied.tools.definitions import Definitions
from embodied.tools.driving import judged
from embodied.tools.toolbox import Answer, Toolbox
from embodied.types import Program

T = TypeVar("T")

INSTRUCTIONS = f"""\
A robot, driven by programs and judged by what is measured. Call scene first, then
describe_programs(route) for the kind of program that fits, check or preview it, and execute it.
`sentence` is what the person asked for, word for word: programs are held against it, and success is
what is measured of it. Say only what execute says was measured. {NOTE}"""


@dataclass(slots=True)
class Person:
    """Answers the session's questions: as was approved for the motion that goes on, else no.

    Attributes:
        yes: Whether what cannot be undone is allowed.
        approved: Whether a person has seen the program and the doubts about it.
    """

    yes: bool
    approved: bool = False

    def __call__(self, question: Question) -> bool:
        """Answer; what was in the question that was approved is approved."""
        if question.kind == "irreversible":
            return self.yes
        return self.approved and question.kind in ("unasked", "reading")


class OneProgram:
    """Carries a sentence out by a program that an agent wrote (``Driver``)."""

    def __init__(
        self, author: str, interpreter: Interpreter, program: Mapping[str, object]
    ) -> None:
        self._author, self._interpreter, self._program = author, interpreter, program
        self.answer: Answer | None = None

    def drive(self, session: Session, agent: Agent, instruction: str, asked: Program) -> Outcome:
        """Carry the program out; see ``Driver.drive``."""
        sought = Asked(instruction, asked, agent, self._interpreter)
        box = Toolbox(session, self._author, lambda sentence: sought, said=True)
        written = {"sentence": instruction, "program": self._program}
        self.answer = box.call("execute", written)
        return judged(sought, "" if self.answer.outcome else self.answer.text)


class EmbodiedServer(MCPServer[None]):
    """Serves one session.

    Args:
        owner: The session and its thread.
        interpreter: Reads sentences.
        person: Answers questions of the session.
        out: Folder of run folders.
        served: Makes of a definition what the library serves.
        approval: Whether every motion needs the approval of a person.
    """

    def __init__(
        self,
        owner: Owner,
        interpreter: Interpreter,
        person: Person,
        out: Path,
        *,
        served: Callable[[Tool], ServedTool],
        approval: bool,
    ) -> None:
        self.owner, self.interpreter, self.person = owner, interpreter, person
        self.out, self.approval = out, approval
        self.box = Toolbox(owner.session, "agent", self._begin, said=True)
        self.definitions: Definitions = self.box.definitions
        super().__init__(
            "embodied",
            instructions=INSTRUCTIONS,
            tools=list(map(served, self.definitions.tools())),
            log_level="ERROR",
        )

    async def call_tool(
        self,
        name: str,
        arguments: dict[str, object],
        context: Context[None, object] | None = None,
    ) -> CallToolResult | InputRequiredResult:
        """Call a tool; what is wrong with the call is the answer, with the legal values."""
        try:
            self.definitions.read(name, arguments)
        except ProgramError as error:
            return failed("\n".join(map(str, error.diagnostics)))
        return await super().call_tool(name, arguments, context)

    async def answer(self, ctx: Context, work: Callable[[], Answer]) -> CallToolResult:
        """Call one of the toolbox's tools in the session's thread."""
        return await self.guarded(ctx, lambda tell: work(), told)

    async def guarded(
        self, ctx: Context, work: Callable[[Tell], T], say: Callable[[T], CallToolResult]
    ) -> CallToolResult:
        """Run something in the session's thread; what the session raises becomes text."""
        steps = 0

        def progress(line: str) -> object:
            nonlocal steps
            steps += 1
            return ctx.report_progress(float(steps), message=line)

        try:
            return say(await self.owner.run(work, progress))
        except Stopped:
            return failed("stopped: the arm is held where it is")
        except EmbodiedError as error:
            lines = map(str, error.diagnostics) if isinstance(error, ProgramError) else [str(error)]
            return failed("\n".join(lines))
        except Exception as error:  # a fault of ours: logged in full, told in one line
            logging.getLogger(__name__).exception("a tool failed")
            return failed(f"internal error: {type(error).__name__}: {error}")

    def execute(
        self, sentence: str, program: Mapping[str, object], allowed: bool, tell: Tell
    ) -> tuple[Performed, Answer | None]:
        """Carry a program out with a run folder of its own, in the session's thread."""
        driver = OneProgram("agent", self.interpreter, program)
        session, self.person.approved = self.owner.session, allowed
        output = Output(
            out=self.out,
            display=lambda heading: _Progress(tell),
            video=None,
            sign=notary.have_signed,
        )
        try:
            done = self.owner.moves(
                lambda: perform(
                    session,
                    sentence,
                    lambda emit, write: session.run(
                        sentence, emit=emit, write=write, driver=driver
                    ),
                    output,
                    command="mcp",
                )
            )
        finally:
            self.person.approved = False
        return done, driver.answer

    def _begin(self, sentence: str) -> Asked:
        """What a sentence asks, without carrying anything out; raises ProgramError."""
        agent, program = self.owner.session.begin(sentence)
        return Asked(sentence, program, agent, self.interpreter)


class _Progress(Display):
    """Passes on what happens as lines of progress."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell

    def event(self, event: Event) -> None:
        """One line for what a person would want to follow."""
        data = event.data
        match event.kind:
            case "action":
                self._tell(f"{data['action']}")
            case "effects" if not data["ok"]:
                self._tell(f"{data['action']} failed: {data['reason']}")
            case "replan" | "retry" | "backtrack" | "reinterpret" | "ask" | "stop":
                self._tell(f"{event.kind}: {data['reason']}")
            case "milestone":
                self._tell(f"reached: {data['goal']}")
            case _:
                return
