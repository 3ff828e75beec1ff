"""The tools as functions of the library: what each call is checked, approved and answered by."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Annotated, Literal, cast

from mcp.server.elicitation import AcceptedElicitation, ElicitationResult
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.resolve import Elicit, Resolve
from mcp.server.mcpserver.tools import Tool as ServedTool
from mcp.types import CallToolResult, ToolAnnotations
from pydantic import BaseModel, Field, create_model

from embodied.app.mcp.results import (
    Answered,
    Approval,
    ExecuteResult,
    YesOrNo,
    executed,
    failed,
    told,
)
from embodied.app.mcp.server import EmbodiedServer
from embodied.printable import printable
from embodied.protocols import Tool
from embodied.tools.toolbox import Answer


def _server(ctx: Context) -> EmbodiedServer:
    return cast("EmbodiedServer", ctx.mcp_server)


def _can_ask(ctx: Context) -> bool:
    found = ctx.client_capabilities
    asks = found.elicitation if found is not None else None
    return asks is not None and (asks.form is not None or asks.url is None)


async def approval(
    sentence: str, program: dict[str, object], ctx: Context
) -> Elicit[Approval] | Approval:
    """Show the person what an agent wants to do, and ask."""
    server = _server(ctx)
    if not server.approval:
        return Approval(allow=True)
    if server.owner.moving or not _can_ask(ctx):
        return Approval(allow=False)
    given = {"sentence": sentence, "program": program}
    seen = await server.answer(ctx, lambda: server.box.call("check", given))
    found = cast("Mapping[str, object]", seen.structured_content or {})
    if seen.is_error or not found.get("legal"):
        return Approval(allow=False)  # execute says what is wrong
    doubts = cast("list[str]", found["the_person_would_be_asked"])
    doubtful = f" Mind: {'. '.join(doubts)}." if doubts else ""
    said = f'For "{sentence}" the agent wants the robot to do this: {found["asks_for"]}.{doubtful}'
    return Elicit(printable(f"{said} Shall it?"), Approval)


async def choice(
    question: str, ctx: Context, choices: list[str] | None = None
) -> Elicit[BaseModel] | None:
    """Put an agent's question to the person."""
    if not _can_ask(ctx):
        return None
    if not choices:
        return Elicit(printable(question), YesOrNo)
    kind = cast("type[str]", Literal[tuple(choices)])  # pyright: ignore[reportInvalidTypeForm]
    model = create_model("Choice", choice=(kind, Field(description="Which one?")))
    return Elicit(printable(question), model)


async def scene(ctx: Context) -> Answered:
    """See ``Definitions``, as for the others."""
    return await _server(ctx).answer(ctx, lambda: _server(ctx).box.call("scene", {}))


async def describe_programs(route: str, ctx: Context) -> Answered:
    """How programs are written."""
    given = {"route": route}
    return await _server(ctx).answer(ctx, lambda: _server(ctx).box.call("describe_programs", given))


async def look(camera: str, ctx: Context) -> Answered:
    """A picture."""
    given = {"camera": camera}
    return await _server(ctx).answer(ctx, lambda: _server(ctx).box.call("look", given))


async def ask_memory(question: str, ctx: Context) -> Answered:
    """What is remembered."""
    given = {"question": question}
    return await _server(ctx).answer(ctx, lambda: _server(ctx).box.call("ask_memory", given))


async def check(sentence: str, program: dict[str, object], ctx: Context) -> Answered:
    """Whether a program is legal."""
    given = {"sentence": sentence, "program": program}
    return await _server(ctx).answer(ctx, lambda: _server(ctx).box.call("check", given))


async def preview(sentence: str, program: dict[str, object], ctx: Context) -> Answered:
    """What would be done."""
    given = {"sentence": sentence, "program": program}
    return await _server(ctx).answer(ctx, lambda: _server(ctx).box.call("preview", given))


async def execute(
    sentence: str,
    program: dict[str, object],
    approved: Annotated[ElicitationResult[Approval], Resolve(approval)],
    ctx: Context,
) -> Annotated[CallToolResult, ExecuteResult]:
    """Carry a program out."""
    server = _server(ctx)
    if server.owner.moving:
        return failed("the arm moves for another call: wait for its end, or call stop")
    allowed = isinstance(approved, AcceptedElicitation) and approved.data.allow
    if server.approval and not allowed:
        seen = await check(sentence, program, ctx)
        if seen.is_error:
            return seen
        if not _can_ask(ctx):
            return failed(
                "not carried out: every motion needs the approval of a person, and this client "
                "cannot ask one (no elicitation); whoever started the server may start it with "
                "--no-approval for a simulated arm"
            )
        return failed("not carried out: the person did not allow it")
    return await server.guarded(
        ctx, lambda tell: server.execute(sentence, program, allowed, tell), executed
    )


async def ask_person(
    question: str,
    answer: Annotated[ElicitationResult[BaseModel], Resolve(choice)],
    ctx: Context,
    choices: list[str] | None = None,
) -> Answered:
    """Ask the person."""
    del question, choices
    if not _can_ask(ctx):
        return failed("there is no person to ask: this client cannot ask one (no elicitation)")
    if not isinstance(answer, AcceptedElicitation):
        return failed("the person did not answer")
    given = answer.data.model_dump()
    said = given.get("choice", "yes" if given.get("yes") else "no")
    return told(Answer(text=f"The person says: {said}", told={"answer": said}))


async def stop(ctx: Context) -> Answered:
    """Hold the robot."""
    moved = _server(ctx).owner.stop()
    text = "the motion is being stopped; the arm is held" if moved else "nothing moves"
    return told(Answer(text=text, told={"stopped": moved}))


_FUNCTIONS: tuple[Callable[..., object], ...] = (
    scene, describe_programs, look, ask_memory, check, preview, execute, ask_person, stop,
)  # fmt: skip


def served(tool: Tool) -> ServedTool:
    """A tool of the definitions as the library serves it."""
    function = next(f for f in _FUNCTIONS if f.__name__ == tool.name)
    hints = ToolAnnotations(
        read_only_hint=tool.reads,
        destructive_hint=tool.moves,
        idempotent_hint=tool.reads or tool.name == "stop",
        open_world_hint=False,
    )
    made = ServedTool.from_function(
        function, name=tool.name, description=tool.about, annotations=hints
    )
    made.parameters = json.loads(json.dumps(tool.schema))
    return made
