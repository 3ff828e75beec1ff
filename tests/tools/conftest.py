"""Sessions that a scripted model drives by tools."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from embodied.app.wiring import driven_session, open_environment, route_of
from embodied.language.models import FunctionModel
from embodied.language.models.logged import LoggedModel
from embodied.opening import Opening
from embodied.protocols import Request, Response, ToolCall, Usage
from embodied.recovery import Ask, nobody
from embodied.route import ROUTES
from embodied.session import Session
from embodied.settings import Settings

Step = tuple[str, Any] | str


class Script:
    """A model that takes its steps in turn, the last one for ever, and keeps what it was asked.

    A step is a text, or the name of a tool and its arguments, as an object or as raw JSON.
    """

    name = "scripted"

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.requests: list[Request] = []

    def complete(self, request: Request) -> Response:
        self.requests.append(request)
        step = self.steps.pop(0) if len(self.steps) > 1 else self.steps[0]
        if callable(step):
            step = step(request)
        usage = Usage(calls=1, input_tokens=100, output_tokens=10, cost_usd=0.5)
        if isinstance(step, str):
            return Response(text=step, usage=usage, model=self.name)
        name, arguments = step
        text = arguments if isinstance(arguments, str) else json.dumps(arguments)
        call = ToolCall(id=f"call-{len(self.requests)}", name=name, arguments=text)
        return Response(text="", usage=usage, model=self.name, calls=(call,))

    @property
    def answers(self) -> list[str]:
        """What the tools said, in order."""
        return [r.text for m in self.requests[-1].messages for r in m.results]


class Drive:
    """One session and its scripted model."""

    def __init__(self, settings: Settings, ask: Ask) -> None:
        self.script = Script()
        environment = open_environment(settings)
        ruled = replace(settings, model="rules", strategy="plan")
        opening = Opening(environment=environment, settings=ruled, ask=ask)
        route = ROUTES.get(route_of(settings)).load().open(opening)
        model = LoggedModel(FunctionModel(self.script.complete, "scripted"))
        self.session: Session = driven_session(settings, opening, route, model)

    def __call__(self, sentence: str, *steps: Step, **more: Any) -> Any:
        self.script.steps, self.script.requests = list(steps), []
        return self.session.run(sentence, **more)


Opens = Callable[..., Drive]


@pytest.fixture
def opens() -> Iterator[Opens]:
    opened: list[Drive] = []

    def make(scene: str | Path = "blocks", *, ask: Ask = nobody, **settings: Any) -> Drive:
        chosen = {"scene": str(scene), "seed": 3, "pictures": False, **settings}
        opened.append(Drive(Settings(strategy="tools", model="openai:scripted", **chosen), ask))
        return opened[-1]

    yield make
    for drive in opened:
        drive.session.close()


@pytest.fixture(scope="module")
def still() -> Iterator[Drive]:
    """A session in which nothing moves, for the tests of a module."""
    settings = Settings(strategy="tools", model="openai:scripted", seed=3, pictures=False)
    drive = Drive(settings, nobody)
    yield drive
    drive.session.close()
