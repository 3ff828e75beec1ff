"""What the tools answer over the protocol: text, pictures, and the same as structured values."""

from __future__ import annotations

import base64
from typing import Annotated, cast

from mcp.types import CallToolResult, ImageContent, TextContent
from pydantic import BaseModel, Field

from embodied.app.run import Performed
from embodied.records import jsonable
from embodied.tools.toolbox import Answer

LONGEST_ANSWER = 40_000
"""Characters of one answer."""


class Approval(BaseModel):
    """What a person says to a motion."""

    allow: bool = Field(description="Carry this out?")


class YesOrNo(BaseModel):
    """What a person says to a question."""

    yes: bool = Field(description="Yes?")


class ExecuteResult(BaseModel):
    """What was measured after a program."""

    reached: bool
    message: str
    folder: str
    verdict: list[dict[str, object]] = []


class Told(BaseModel):
    """What a tool tells; its keys are those of the tool."""

    model_config = {"extra": "allow"}


Answered = Annotated[CallToolResult, Told]


def told(answer: Answer) -> CallToolResult:
    """An answer as the protocol has it."""
    content: list[TextContent | ImageContent] = [
        TextContent(type="text", text=answer.text[:LONGEST_ANSWER])
    ]
    for picture in answer.pictures:
        encoded = base64.b64encode(picture.png).decode()
        content.append(ImageContent(type="image", data=encoded, mime_type="image/png"))
    values = cast("dict[str, object]", jsonable(answer.told))
    refused = "refused" in values
    return CallToolResult(content=list(content), structured_content=values, is_error=refused)


def executed(done: tuple[Performed, Answer | None]) -> CallToolResult:
    """How a program ended; where the sentence is none to be carried out, why."""
    performed, answer = done
    outcome = performed.outcome
    if answer is None or answer.outcome is None:
        why = answer.text if answer is not None else "\n".join((outcome.message, *outcome.notes))
        return failed(why)
    found = ExecuteResult(
        reached=outcome.reached,
        message=outcome.message,
        folder=str(performed.folder),
        verdict=[
            {"asked": v.text, "holds": v.holds, "unmet": v.problems} for v in outcome.verdicts
        ],
    )
    text = f"{outcome.message}\n{answer.text}"
    return CallToolResult(
        content=[TextContent(type="text", text=text[:LONGEST_ANSWER])],
        structured_content=found.model_dump(mode="json"),
    )


def failed(text: str) -> CallToolResult:
    """A refusal, with the legal values in its text."""
    return CallToolResult(
        content=[TextContent(type="text", text=text[:LONGEST_ANSWER])], is_error=True
    )
