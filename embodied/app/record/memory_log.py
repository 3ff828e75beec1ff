"""The memory of a run, from its folder: from ``memory.jsonl``, or else from the logged events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from embodied.app.record.run_folder import LoggedEvent, read_events
from embodied.errors import ConfigurationError, ProgramError
from embodied.files import MissingFileError, read_text
from embodied.memory import MEMORY_LOG, Change, Memory, Vocabulary, read_changes
from embodied.memory.answering import Belief
from embodied.memory.descriptions import specs_of
from embodied.memory.history import Notebook
from embodied.memory.tracing import scene_vocabulary
from embodied.protocols import SymbolGrounder
from embodied.records import Record
from embodied.symbolic import progress, read_domain, read_problem
from embodied.types import Atom, GroundAction, ObjectSpec

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


def read_belief(folder: Path, step: int | None = None) -> Belief:
    """What a run, or a conversation of several, remembers.

    Args:
        folder: A run folder, or the folder of a conversation with a run folder for each sentence.
        step: Step of the last run to stop after; its last if None.

    Raises:
        ConfigurationError: As ``read_run``; or there is no such step.
    """
    runs = sorted(p.parent for p in folder.glob(f"*/{VOCABULARY}")) if folder.is_dir() else []
    runs = [run for run in runs if (run / MEMORY_LOG).is_file()]
    if (folder / VOCABULARY).is_file() or not runs:
        runs = [folder]
    notebook: Notebook | None = None
    for run in runs:
        start, changes = read_run(run)
        if step is not None and run == runs[-1]:
            if step > len(changes):
                raise ConfigurationError(f"there is no step {step}: the log has {len(changes)}")
            changes = changes[:step]
        notebook = notebook or Notebook(start)
        notebook.memory = start
        for change in changes:
            notebook.take(change)
    assert notebook is not None
    memory = notebook.memory
    return Belief(memory=memory, objects=_specs(runs[-1], memory), history=notebook.history)


def vocabulary_record(
    grounder: SymbolGrounder, specs: Mapping[str, ObjectSpec]
) -> dict[str, object]:
    """What ``vocabulary.json`` says: domain, objects, and what people call them."""
    return {
        "domain": grounder.domain_text,
        "objects": dict(grounder.objects),
        "words": {
            name: {
                "kind": spec.kind,
                "category": spec.category,
                "color": spec.color,
                "aliases": list(spec.aliases),
            }
            for name, spec in specs.items()
        },
    }


def _specs(folder: Path, memory: Memory) -> dict[str, ObjectSpec]:
    """What the objects of a run are called."""
    known = Record.load(folder / VOCABULARY) if (folder / VOCABULARY).is_file() else None
    if known is None or "words" not in known.values:
        return specs_of(memory.vocabulary)
    words = known.record("words")
    found: dict[str, ObjectSpec] = {}
    for name in words.values:
        about = words.record(name)
        found[name] = ObjectSpec(
            name=name,
            kind=about.text("kind"),
            category=about.text("category"),
            color=about.text("color", ""),
            aliases=about.texts("aliases", ()),
        )
    return found


def _vocabulary(folder: Path) -> Vocabulary:
    """Domain and objects that the run's memory speaks of."""
    if (folder / VOCABULARY).is_file():
        known = Record.load(folder / VOCABULARY)
        objects = known.record("objects")
        try:
            return scene_vocabulary(
                read_domain(known.text("domain")),
                {name: objects.text(name) for name in objects.values},
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
