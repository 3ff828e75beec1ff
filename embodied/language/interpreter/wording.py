"""Programs in one line of words."""

from __future__ import annotations

from embodied.errors import ProgramError
from embodied.language.interpreter.supposing import Goals
from embodied.language.placements import in_place
from embodied.language.value_map.describe import describe_condition, describe_operation
from embodied.language.words.scene_words import plain
from embodied.protocols import StateMemory
from embodied.types import (
    Manner,
    MixedProgram,
    PddlProgram,
    Program,
    RewardProgram,
    RewardTerm,
    ValueMapProgram,
    ValueMapStage,
)


def in_words(program: Program, memory: StateMemory) -> str:
    """What a program asks for, stage by stage."""
    match program:
        case PddlProgram():
            try:
                stages = Goals.of(program, memory.facts).words()
            except ProgramError:  # without a problem of its own
                stages = program.stages
            manners = [_manner(m) for m in program.manners] or [""] * len(stages)
            return "; then ".join(s + m for s, m in zip(stages, manners, strict=True))
        case RewardProgram():
            stages = [", ".join(_term(t) for t in s.terms) for s in program.stages]
            ends = [f" for {s.duration_s:g} s" if s.duration_s else "" for s in program.stages]
            return "; then ".join(s + e for s, e in zip(stages, ends, strict=True))
        case ValueMapProgram():
            return "; then ".join(_stage(s) for s in program.stages)
        case MixedProgram():
            return "; then ".join(in_words(part, memory) for part in program.parts)
        case _:
            return str(program)


def _stage(stage: ValueMapStage) -> str:
    words = ", ".join(describe_operation(o) for o in stage.operations)
    until = f", until {describe_condition(stage.until)}" if stage.until is not None else ""
    rest = f", then stay for {stage.rest_s:g} s" if stage.rest_s else ""
    return f"move {stage.moving}: {words}{until}{rest}"


def _term(term: RewardTerm) -> str:
    values = term.parameters.values()
    return " ".join((term.name, *(f"{v:.3g}" if not isinstance(v, str) else v for v in values)))


def _manner(manner: Manner) -> str:
    said = [f"at most {100 * v:g} cm/s" for v in (manner.max_speed_m_s,) if v is not None]
    said += [f"{100 * d:g} cm away from {plain(name)}" for name, d in manner.apart]
    said += ["held level"] if manner.upright else []
    said += [in_place(p) for p in manner.placements] + (["arm at rest"] if manner.home else [])
    return f" ({', '.join(said)})" if said else ""
