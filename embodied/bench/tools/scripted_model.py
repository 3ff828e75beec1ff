"""A scripted model that drives a robot by tools: it knows what it was told, and nothing else.

It gets requests as a server gets them. The scene it reads from the answer of ``scene``, and the
forms of programs it waits for ``describe_programs``; English it reads by a dozen patterns of its
own, which share no code with the rules that the session judges by. What is unclear it asks, what
failed it looks at and tries again, and in one sentence of three it first writes a name wrongly, to
mend it from the diagnostics. It holds no state: its next step follows from the conversation alone.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from embodied.bench.tools.wire import Talk, Turn, talk_of
from embodied.language.models.loopback import Act, Seen

Program = dict[str, object]

MOST_TRIES = 4
"""How often it carries out one program before it gives up."""

_OBJECT = re.compile(r"^- ([\w-]+): (\w+)(.*)$", re.MULTILINE)
_CALLED = re.compile(r"also called (.*)$")
_WORD = re.compile(r"[a-z]+")
_SMALL = frozenset("the a an that this please cm of".split())
_CLAUSE = re.compile(r"\s*(?:,\s*(?:and\s+)?then|\.\s*then|\bthen\b|,\s*and\b|;|\.)\s*")
_PATTERNS = tuple(
    (kind, re.compile(pattern))
    for kind, pattern in (
        (
            "put",
            r"(?:put|place|set|stack|drop|move) (?P<what>.+?) (?:onto|on top of|on|into|in|inside)"
            r" (?P<where>.+)",
        ),
        (
            "over",
            r"(?:move|bring|hold) the (?:gripper|hand)(?: to)?(?: (?P<far>\d+) cm)? (?:above|over)"
            r" (?P<what>.+)",
        ),
        ("push", r"(?:push|slide) (?P<what>.+?) (?P<far>\d+) cm to the (?P<side>left|right)"),
        ("lift", r"(?:lift|pick up|grab|take) (?P<what>.+)"),
        ("open", r"open (?P<what>.+)"),
        ("close", r"(?:close|shut) (?P<what>.+)"),
    )
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    """An object as the scene's text has it: its name, kind, and the words that fit it."""

    name: str
    kind: str
    words: frozenset[str]


class Stuck(Exception):  # noqa: N818 - no error: the next step is a call or a word
    """What has to come first: a call of a tool, or the end."""

    def __init__(self, act: Act) -> None:
        super().__init__(act)
        self.act = act


def answer(seen: Seen) -> Act:
    """The next step of the conversation that a request holds."""
    try:
        return _next(talk_of(seen.body))
    except Stuck as stuck:
        return stuck.act


def _next(talk: Talk) -> Act:
    sentence = talk.said[0].split("The person says: ", 1)[1].splitlines()[0].strip().lower()
    things = _things(_last(talk, "scene"))
    programs = _programs(sentence, things, talk)
    runs = [t for t in talk.turns if t.name == "execute"]
    done = sum(_told(t).get("reached") is True for t in runs)
    if done == len(programs):
        return Act(text="Everything was measured to be as asked.")
    program = programs[done]
    for route in dict.fromkeys(str(p["route"]) for p in programs):
        if not any(t.name == "describe_programs" and route in t.arguments for t in talk.turns):
            return _call("describe_programs", route=route)
    last = talk.turns[-1]
    if last.name == "execute" and _told(last).get("reached") is not True:
        tries = sum(json.loads(t.arguments).get("program") == program for t in runs)
        if tries >= MOST_TRIES or "refused" in last.answer:
            return _call("give_up", reason=f"it did not work: {_plain(last.answer)[:200]}")
        return _call("scene")
    checked = [t for t in talk.turns if t.name == "check"]
    if any(json.loads(t.arguments).get("program") == program for t in checked):
        return _call("execute", program=program)
    if not checked and zlib.crc32(sentence.encode()) % 3 == 0:
        return _call("check", program=_misspelt(program))
    return _call("check", program=program)


def _programs(sentence: str, things: Sequence[Thing], talk: Talk) -> list[Program]:
    """Programs of the clauses; goals that follow each other are stages of one."""
    found: list[Program] = []
    for clause in filter(None, _CLAUSE.split(sentence)):
        program = _program(clause.strip(" ,.!"), things, talk)
        before = found[-1] if found else None
        if before is not None and before["route"] == program["route"] == "pddl":
            stages = (*_stages(before), *_stages(program))
            found[-1] = {"route": "pddl", "stages": list(stages)}
        else:
            found.append(program)
    return found


def _program(clause: str, things: Sequence[Thing], talk: Talk) -> Program:
    clause = re.sub(r"^(?:please |first |and |now )+", "", clause)
    for kind, pattern in _PATTERNS:
        match = pattern.fullmatch(clause)
        if match is None or (kind == "put" and re.search(r"\b(?:gripper|hand)\b", match["what"])):
            continue
        said = match.groupdict()
        what = _meant(said["what"], things, talk).name
        if kind == "put":
            where = _meant(said["where"], things, talk)
            inside = where.kind in ("container", "drawer")
            return _goal(f"({'in' if inside else 'on'} {what} {where.name})")
        if kind == "over":
            return _motion("gripper", what, z=int(said["far"] or 12) / 100)
        if kind == "push":
            y = int(said["far"]) / 100 * (1 if said["side"] == "left" else -1)
            return _motion(what, what, y=y)
        return _goal({"lift": f"(holding {what})", "open": f"(open {what})"}.get(
            kind, f"(not (open {what}))"))  # fmt: skip
    raise Stuck(_call("give_up", reason=f"I do not understand '{clause}'"))


def _goal(*stages: str) -> Program:
    return {"route": "pddl", "stages": list(stages)}


def _motion(moving: str, frame: str, *, y: float = 0.0, z: float = 0.0) -> Program:
    shape = "along" if moving == frame else "point"
    region = {"shape": shape, "frame": frame, "x": 0.0, "y": y, "z": z}
    operation = {"map": "affordance", "region": region, "value": 1.0}
    return {"route": "value-map", "stages": [{"moving": moving, "operations": [operation]}]}


def _meant(phrase: str, things: Sequence[Thing], talk: Talk) -> Thing:
    """What a noun phrase names: asked where it can be several things."""
    words = {w for w in _WORD.findall(phrase) if w not in _SMALL}
    fitting = [t for t in things if words <= t.words]
    if len(fitting) == 1:
        return fitting[0]
    if not fitting:
        raise Stuck(_call("give_up", reason=f"there is no '{phrase}' here"))
    question = f"Which one do you mean by '{phrase}':"
    for turn in talk.turns:
        if turn.name == "ask_person" and json.loads(turn.arguments)["question"] == question:
            chosen = next((t for t in fitting if _plain_name(t) in turn.answer), None)
            if chosen is None:
                raise Stuck(_call("give_up", reason=f"it is not clear which {phrase} is meant"))
            return chosen
    choices = [_plain_name(t) for t in fitting[:6]]
    raise Stuck(_call("ask_person", question=question, choices=choices))


def _things(scene: str) -> tuple[Thing, ...]:
    shown = scene.split("\nNow:")[0]
    found: list[Thing] = []
    for name, kind, rest in _OBJECT.findall(shown):
        described, called = rest.split(" cm")[0], _CALLED.search(rest)
        words = set(_WORD.findall(f"{name} {described} {called[1] if called else ''}".lower()))
        found.append(Thing(name=name, kind=kind, words=frozenset(words)))
    return tuple(found)


def _last(talk: Talk, name: str) -> str:
    found = [t for t in talk.turns if t.name == name]
    if not found:
        raise Stuck(_call(name))
    return found[-1].answer


def _told(turn: Turn) -> Mapping[str, object]:
    """The JSON of an answer; nothing where it is a refusal in words."""
    try:
        told = json.loads(_plain(turn.answer))
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _plain(answer: str) -> str:
    return answer.replace("<data>", "").replace("</data>", "").strip().split("\nYou have")[0]


def _plain_name(thing: Thing) -> str:
    return "the " + thing.name.replace("-", " ")


def _stages(program: Program) -> Sequence[object]:
    stages = program["stages"]
    assert isinstance(stages, list)
    return stages


def _misspelt(program: Program) -> Program:
    """The program with a name in it that does not exist."""
    return json.loads(re.sub(r"([a-z])-([a-z]+)", r"\1_\2", json.dumps(program).replace(
        "value-map", "VM")).replace("VM", "value-map"))  # fmt: skip


def _call(name: str, **arguments: object) -> Act:
    return Act(calls=((name, json.dumps(arguments)),))
