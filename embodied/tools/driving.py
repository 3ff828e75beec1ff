"""``--strategy tools``: one conversation in which a language model drives the session by tools.

ask -> calls -> answers -> ask ..., within bounds on steps, programs and time, and within the budget
of tokens, calls and money of the model itself. The verdict is ``Asked``'s, whatever the model says.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from string import Template

from embodied.agent import Agent
from embodied.errors import BudgetExceededError
from embodied.language.interpreter import Interpreter
from embodied.language.interpreter.wording import in_words
from embodied.language.prompting import NOTE, data, short
from embodied.language.repair import LONGER, cut_off_after
from embodied.outcome import NOT_REACHED, NOT_UNDERSTOOD, REACHED, Outcome
from embodied.protocols import LanguageModel, Message, Request, Response, ToolCall, ToolResult
from embodied.recovery import Question, RecoveryStep
from embodied.session import Session
from embodied.tools.asked import Asked
from embodied.tools.definitions import Definitions
from embodied.tools.open_program import TOOLS
from embodied.tools.toolbox import Answer, Toolbox
from embodied.types import MixedProgram, Program

LONGEST_SHOWN = 400
"""Characters of a call and of its answer in events; requests and responses are on record whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """When a conversation ends.

    Attributes:
        turns: Requests to the model.
        programs: Programs that are carried out.
        wall_s: Wall time, checked before every request, s.
        repeats: Equal calls with equal answers in a row.
        reminders: How often a model that stops is told what is missing.
        max_tokens: Longest answer.
    """

    turns: int = 40
    programs: int = 10
    wall_s: float = 1800.0
    repeats: int = 4
    reminders: int = 2
    max_tokens: int = 4096


class ToolDriver:
    """Lets a language model carry out sentences.

    Args:
        model: Calls the tools.
        interpreter: Reads the sentences.
        bounds: When a conversation ends.
    """

    def __init__(
        self, model: LanguageModel, interpreter: Interpreter, bounds: Bounds | None = None
    ) -> None:
        self._model, self._interpreter = model, interpreter
        self._bounds = bounds or Bounds()

    def drive(self, session: Session, agent: Agent, instruction: str, asked: Program) -> Outcome:
        """Let the model carry a sentence out; see ``Driver.drive``."""
        sought = Asked(instruction, asked, agent, self._interpreter)
        toolbox = Toolbox(session, self._model.name, lambda sentence: sought)
        talk = _Conversation(self._model, toolbox, sought, self._bounds)
        return judged(sought, talk.hold(), calls=talk.called)


def judged(asked: Asked, ended: str, *, calls: Counter[str] | None = None) -> Outcome:
    """The outcome of a sentence, by what is measured of what it asks.

    Args:
        asked: What it asks, and what was carried out.
        ended: Why it went no further; ``""`` where nothing is to be said about it.
        calls: How often which tool was called.
    """
    agent, run = asked.agent, asked.agent.run
    run.measure()
    verdicts = asked.verdicts()
    left_out = asked.left_out()
    if left_out and all(v.reached for v in verdicts):
        done = "; then ".join(in_words(e.program, agent.memory) for e in asked.executed)
        text = f"I did: {done}. {'. '.join(left_out)}. Is that what you asked for?"
        asked.confirmed = run.ask(Question(text=text, kind="reading", about=left_out))
        run.escalate(RecoveryStep.ASK, f"{text} {'Yes.' if asked.confirmed else 'No.'}")
        left_out = asked.left_out()
    problems = [*(p for v in verdicts for p in v.problems), *left_out]
    reached = not problems
    message = "the goal holds in measured state"
    if not reached:
        message = f"not reached: {'; '.join(problems)}" + (f" ({ended})" if ended else "")
    programs = tuple(e.program for e in asked.executed)
    refused = not programs and ended.startswith(GAVE_UP)
    data_ = {
        "reached": reached,
        "message": message,
        "goals": [{"goal": v.text, "holds": v.holds, "unmet": v.unmet} for v in verdicts],
        "object_source": agent.object_source or agent.body.spec.object_source,
    }
    run.say("verdict", **data_)
    program = _combined(programs)
    if program is not None and reached:
        words = in_words(program, agent.memory)
        run.memory = run.memory.told(asked.said, program, words)
    outcomes = [e.outcome for e in asked.executed]
    timings: Counter[str] = Counter()
    for outcome in outcomes:
        timings.update(dict(outcome.timings_s))
    return Outcome(
        exit_code=REACHED if reached else NOT_UNDERSTOOD if refused else NOT_REACHED,
        message=message,
        verdicts=verdicts,
        notes=tuple(dict.fromkeys(n for o in outcomes for n in o.notes)),
        program=program,
        details={
            **_joined([o.details for o in outcomes]),
            "strategy": TOOLS,
            "executed": [
                {"reached": o.reached, "message": o.message, "program": o.details.get("program")}
                for o in outcomes
            ],
            "tool_calls": dict(calls or {}),
            "ended": ended,
        },
        timings_s={**dict(run.timings_s), **timings},
        escalations=tuple(e for o in outcomes for e in o.escalations),
    )


GAVE_UP = "the model gave up: "


def opening(definitions: Definitions, sentence: str, unread: str = "") -> tuple[Message, ...]:
    """The first messages of a conversation.

    Args:
        definitions: The tools of the session.
        sentence: What the person says.
        unread: Why no grammar reads it; ``""`` where one does.
    """
    routes = (r for r in definitions.routes if r in _ROUTES)
    lines = "\n".join(f"  - `{r}`: {_ROUTES[r]}" for r in routes)
    system = _prompt("system").substitute(routes=lines)
    note = f"\n\nA grammar does not read it:\n{data(unread)}" if unread else ""
    return (
        Message(role="system", text=f"{system}\n\n{NOTE}"),
        Message(role="user", text=f"The person says: {sentence}{note}"),
    )


def turn(definitions: Definitions, messages: Sequence[Message], max_tokens: int) -> Request:
    """The request of one turn."""
    return Request(
        messages=tuple(messages),
        max_tokens=max_tokens,
        purpose="tools-turn",
        tools=definitions.tools(),
    )


class _Conversation:
    """The turns of one sentence."""

    def __init__(
        self, model: LanguageModel, toolbox: Toolbox, asked: Asked, bounds: Bounds
    ) -> None:
        self._model, self._toolbox, self._asked, self._bounds = model, toolbox, asked, bounds
        self.called: Counter[str] = Counter()
        self._last: tuple[str, str, str] = ("", "", "")
        self._repeated = 0

    def hold(self) -> str:
        """Let the model call tools until it ends; returns why it went no further."""
        bounds, began = self._bounds, time.monotonic()
        definitions = self._toolbox.definitions
        messages, reminders = [*opening(definitions, self._asked.said, self._asked.unread)], 0
        for _ in range(bounds.turns):
            if time.monotonic() - began > bounds.wall_s:
                return f"the conversation took more than {bounds.wall_s:g} s"
            try:
                response = self._model.complete(turn(definitions, messages, bounds.max_tokens))
            except BudgetExceededError as error:
                return str(error)
            messages.append(_said(response))
            if response.calls:
                told, ended = self._answered(response.calls)
                messages.append(told)
                if ended is not None:
                    return ended
                continue
            problems = [p for v in self._asked.verdicts() for p in v.problems]
            if not problems:
                return ""
            if reminders == bounds.reminders:
                return f"the model ended it: {short(response.text) or 'without a word'}"
            reminders += 1
            messages.append(_reminder(response, problems))
        return f"the conversation was not over after {bounds.turns} turns"

    def _answered(self, calls: Sequence[ToolCall]) -> tuple[Message, str | None]:
        """Carry out calls in turn; why the conversation ends, None for going on."""
        answers: list[Answer] = []
        ended: str | None = None
        for call in calls:
            if ended is not None:
                answers.append(Answer(text="not called: the conversation has ended", ok=False))
                continue
            answer = self._call(call)
            answers.append(answer)
            ended = self._over(call, answer)
        results = (
            ToolResult(id=c.id, name=c.name, text=a.text)
            for c, a in zip(calls, answers, strict=True)
        )
        pictures = tuple(p for a in answers for p in a.pictures)
        return Message(role="user", text="", results=tuple(results), pictures=pictures), ended

    def _call(self, call: ToolCall) -> Answer:
        run, bounds = self._asked.agent.run, self._bounds
        if call.name == "execute" and len(self._asked.executed) >= bounds.programs:
            answer = Answer(text=f"{bounds.programs} programs were carried out: no more", ok=False)
        else:
            answer = self._toolbox.call(call.name, call.arguments)
        self.called[call.name if call.name in self._names else "unknown"] += 1
        this = (call.name, call.arguments, answer.text)
        self._repeated = self._repeated + 1 if this == self._last else 1
        self._last = this
        run.say(
            "tool",
            name=call.name[:60],
            arguments=call.arguments[:LONGEST_SHOWN],
            answer=answer.text[:LONGEST_SHOWN],
            ok=answer.ok,
        )
        if self._repeated > 1:
            again = f"\nYou have called this {self._repeated} times in a row with this answer."
            answer = replace(answer, text=answer.text + again)
        return answer

    def _over(self, call: ToolCall, answer: Answer) -> str | None:
        if answer.ends:
            return f"{GAVE_UP}{answer.ends}"
        if self._repeated == self._bounds.repeats:
            return f"the model called {call.name[:60]} {self._repeated} times with the same answer"
        if answer.outcome is None:
            return None
        if self._asked.agent.run.declined:
            return self._asked.agent.run.declined
        done = all(v.reached for v in self._asked.verdicts()) and not self._asked.left_out()
        return "" if done else None

    @property
    def _names(self) -> frozenset[str]:
        return frozenset(t.name for t in self._toolbox.definitions.tools())


_ROUTES = {
    "pddl": "goals: what shall be true of things afterwards (on, in, open, held)",
    "value-map": "where the hand, or what it carries or pushes, moves: above, beside, past, around,"
    " how fast, how turned",
    "reward": "what the motion shall be like: heights, speeds, turns, postures, touching",
    "mixed": "several programs in a row",
}


@cache
def _prompt(name: str) -> Template:
    path = resources.files("embodied.tools").joinpath("prompts", f"{name}.md")
    return Template(path.read_text("utf-8").strip("\n"))


def _said(response: Response) -> Message:
    return Message(
        role="assistant", text=response.text, calls=response.calls, native=response.native
    )


def _reminder(response: Response, problems: Sequence[str]) -> Message:
    cut = f"Your answer {cut_off_after(response)} ({LONGER}). " if response.cut_off else ""
    missing = data("\n".join(problems))
    return Message(
        role="user",
        text=f"{cut}Measured now, this is still missing:\n{missing}\n"
        "Go on with the tools, or call give_up with the reason.",
    )


def _combined(programs: Sequence[Program]) -> Program | None:
    """Programs in a row as one."""
    parts = [q for p in programs for q in (p.parts if isinstance(p, MixedProgram) else (p,))]
    if len(parts) < 2:
        return parts[0] if parts else None
    return MixedProgram(parts=tuple(parts), source=parts[0].source)


def _joined(details: Sequence[object]) -> dict[str, object]:
    """Fields of ``run.json`` of several programs: lists one after the other, else the last."""
    found: dict[str, object] = {}
    for each in details:
        assert isinstance(each, dict)
        for key, value in each.items():
            before = found.get(str(key))
            if isinstance(before, list | tuple) and isinstance(value, list | tuple):
                value = (*before, *value)
            found[str(key)] = value
    return found
