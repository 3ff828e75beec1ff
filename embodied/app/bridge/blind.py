"""What an arm may do that nobody sees for: no cameras, and no simulator behind it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from embodied.app.reading import SentenceReader
from embodied.errors import OptionError
from embodied.language.asked_for import touches
from embodied.language.interpreter import Act, Tell
from embodied.language.opening import RULES
from embodied.records import Record
from embodied.settings import Settings
from embodied.types import MixedProgram, ObjectSpec, Program, ValueMapProgram

NOTE = (
    "nobody looks: of the scene, only what the scene file says of the table and of fixtures is "
    "avoided"
)
_ADVICE = (
    "give --cameras cameras.toml, or -o truth=SOCKET of an emulator; going home, and motions of "
    "joints and of the gripper need neither"
)


def refuse_what_needs_eyes(settings: Settings, sentence: str) -> None:
    """Read a sentence, before anything is connected, and refuse what is about things to be seen.

    The offline grammar reads it: what only a language model understands is refused too.

    Raises:
        OptionError: It needs to know where things are, or cannot be read.
    """
    rules = replace(settings, world="mujoco", model=RULES, base_url=None)
    reader = SentenceReader(rules)
    try:
        place = reader.places(Record({"text": sentence}))[0]
        (turn,) = reader.turns(Record({"text": sentence}))
        specs = place.environment.body.spec.objects
    finally:
        reader.close()
    match turn.reading:
        case Tell():
            return
        case Act(program=program):
            names = sorted(_needed(program, specs))
            if not names:
                return
            what = f"nobody says where {', '.join(names)} {'is' if len(names) == 1 else 'are'}"
        case _:
            what = "nobody says where things are, and this sentence may be about some"
    raise OptionError(f"{what}: {_ADVICE}")


def _needed(program: Program, specs: Mapping[str, ObjectSpec]) -> Iterable[str]:
    """Things that are to be seen: not those that do not move."""
    if isinstance(program, MixedProgram):
        return {n for part in program.parts for n in _needed(part, specs)}
    named = set(touches(program, specs, frozenset()))
    if isinstance(program, ValueMapProgram):  # what is to be kept away from must be seen as well
        named |= {o.region.frame for s in program.stages for o in s.operations}
    return {n for n in named & specs.keys() if specs[n].kind in ("item", "drawer")}
