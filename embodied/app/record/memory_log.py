"""The memory of a run, from its folder: from ``memory.jsonl``, or else from the logged events."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from embodied.app.record.run_folder import LoggedEvent, read_events
from embodied.errors import ConfigurationError, ProgramError
from embodied.files import MissingFileError, read_text
from embodied.memory import MEMORY_LOG, Change, Memory, Vocabulary, read_changes
from embodied.records import Record
from embodied.symbolic import progress, read_domain, read_problem
from embodied.types import Atom, GroundAction

VOCABULARY = "vocabulary.json"
"""Domain and objects that the memory of a run speaks of."""


def read_run(folder: Path) -> tuple[Memory, tuple[Change, ...]]:
    """The empty memory of a run and every change to it.

    A run that kept no ``memory.jsonl`` has its facts in the events: what the problem was planned
    from, what every action changed as measured, and the last observation.

    Raises:
        ConfigurationError: The folder holds no run, or not what is needed.
    """
    if not folder.is_dir():
        raise ConfigurationError(f"there is no run folder {folder}")
    vocabulary = _vocabulary(folder)
    start = Memory(vocabulary=vocabulary)
    if (folder / MEMORY_LOG).is_file():
        return start, read_changes(folder / MEMORY_LOG)
    events, _ = read_events(folder)
    try:
        return start, _changes(start, events)
    except ValueError as error:
        raise ConfigurationError(f"the events in {folder} are damaged: {error}") from error


def _vocabulary(folder: Path) -> Vocabulary:
    """Domain and objects that the run's memory speaks of."""
    if (folder / VOCABULARY).is_file():
        known = Record.load(folder / VOCABULARY)
        objects = known.record("objects")
        try:
            return Vocabulary(
                domain=read_domain(known.text("domain")),
                objects={name: objects.text(name) for name in objects.values},
            )
        except ProgramError as error:
            raise ConfigurationError(f"{folder / VOCABULARY} is damaged: {error}") from error
    try:  # a run of an earlier version: it planned with them
        domain = read_domain(read_text(folder / "domain.pddl"))
        problem = read_problem(read_text(folder / "problem.pddl"), domain)
    except MissingFileError as error:
        raise ConfigurationError(
            f"{folder} keeps no symbolic memory, only runs of the route pddl do: {error}"
        ) from error
    except ProgramError as error:
        raise ConfigurationError(f"the planning files in {folder} are damaged: {error}") from error
    return Vocabulary(domain=domain, objects=problem.objects)


def _changes(start: Memory, events: Sequence[LoggedEvent]) -> tuple[Change, ...]:
    memory, changes = start, list[Change]()

    def keep(after: Memory) -> None:
        nonlocal memory
        if after.change is not None:
            memory = after
            changes.append(after.change)

    for event in events:
        data = event.record
        match event.kind:
            case "plan":
                facts = _planned_from(data, memory.vocabulary)
                if facts is not None and facts != memory.facts:
                    keep(memory.measured(facts, time_s=memory.time_s))
            case "effects":
                keep(_after_action(memory, data))
            case "observation":
                facts = frozenset(Atom.parse(f) for f in data.texts("facts"))
                keep(memory.measured(facts, time_s=data.number("time_s")))
            case "instruction":
                text = data.text("text")
                keep(memory.changed(f"told: {text}", time_s=memory.time_s, exchange=(text,)))
            case _:
                pass
    return tuple(changes)


def _planned_from(data: Record, vocabulary: Vocabulary) -> frozenset[Atom] | None:
    """The facts in the problem that was planned."""
    try:
        return read_problem(data.text("problem", ""), vocabulary.domain).init
    except ProgramError:
        return None


def _after_action(memory: Memory, data: Record) -> Memory:
    """What was believed after an action, corrected by what was measured to be missing."""
    action = GroundAction.parse(data.text("action"))
    time_s = data.number("time_s", memory.time_s)
    v = memory.vocabulary
    facts = set(progress(action, memory.facts, v.domain, v.objects))
    for text in data.texts("missing", ()):
        _flip(facts, text, holds=False)
    for text in data.texts("surprising", ()):
        _flip(facts, text, holds=True)
    after = memory.measured(frozenset(facts), time_s=time_s)
    change = after.change
    if change is None:
        return after
    named = Change(
        step=change.step,
        time_s=time_s,
        cause=f"measured after {action}",
        put=tuple(f for f in change.put if f.atom not in memory.beliefs),
        dropped=change.dropped,
        notes=tuple(f"not as promised: {t}" for t in data.texts("missing", ())),
    )
    return memory.applied(named)


def _flip(facts: set[Atom], literal: str, *, holds: bool) -> None:
    """Apply a measured literal; ``holds`` says whether it is so, or was promised and is not."""
    negative = literal.startswith("(not ")
    atom = Atom.parse(literal[5:-1] if negative else literal)
    if holds != negative:
        facts.add(atom)
    else:
        facts.discard(atom)
