"""A language model of your own: anything that turns a conversation into text can translate.

This one answers from a table, where yours would ask a server. What it writes is checked like the
answer of any model: a goal with an unknown object goes back to it with a diagnostic.
"""

from __future__ import annotations

import json

from embodied import Event, Settings
from embodied.app.wiring import open_environment, session_of
from embodied.language.models.logged import LoggedModel
from embodied.opening import Opening
from embodied.protocols import Request, Response, Usage
from embodied.routes.pddl.route import PddlRoute


class Table:
    """Answers the first time with an object that does not exist, then as asked."""

    name = "table"

    def __init__(self) -> None:
        self.asked = 0

    def complete(self, request: Request) -> Response:
        """Answer one request; a real model raises ModelError when it cannot."""
        self.asked += 1
        place = "box" if self.asked == 1 else "bin"
        text = json.dumps({"stages": [f"(in red-block {place})"], "unsupported": ""})
        return Response(text=text, usage=Usage(calls=1), model=self.name)


def show(event: Event) -> None:
    """What the model wrote, and what was wrong with it."""
    if event.kind == "response":
        print("model:", event.data["response"].text)
    elif event.kind == "diagnostic":
        print("diagnostic:", event.data)


table = Table()
model = LoggedModel(table)
settings = Settings(scene="blocks", seed=3, model="own:table")
opening = Opening(environment=open_environment(settings), settings=settings, model=model)
session = session_of(settings, opening.environment, PddlRoute.open(opening), model=model)
outcome = session.run("tidy the red one away", emit=show)
print(outcome.message, f"({outcome.usage.calls} calls)")
assert outcome.reached and table.asked == 2
session.close()
