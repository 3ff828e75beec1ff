"""A story of people who walk and carry things, told to the memory sentence by sentence.

What is believed after each sentence is a memory of facts (``at``, ``holding``, ``in``); where a
thing has been is read from the changes of that memory.
"""

from __future__ import annotations

import re
from importlib import resources

from embodied.bench.e2wm.counting import count
from embodied.errors import Diagnostic, NotUnderstoodError
from embodied.memory import Change, Fact, Memory, Provenance, Vocabulary
from embodied.symbolic import read_domain
from embodied.types import Atom

GO = ("went to", "moved to", "travelled to", "walked into", "journeyed to", "entered")
TAKE = ("picked up", "got", "grabbed", "took")
LEAVE = ("put down", "dropped", "left")
DOMAIN = resources.files("embodied.bench.e2wm").joinpath("rooms.pddl")

_TOLD = re.compile(rf"(\w+) ({'|'.join((*GO, *TAKE, *LEAVE))}) the (.+)")
_WHERE = re.compile(r"where (?:is|was|were|are) the (.+) (before|after) the (.+)\?")
_PATH = re.compile(r"what is the order of the rooms where the (.+) appeared\?")


class Story:
    """What a story tells.

    Args:
        text: Its sentences.

    Raises:
        NotUnderstoodError: A sentence is none of these; it is named.
    """

    def __init__(self, text: str) -> None:
        domain = read_domain(DOMAIN.read_text("utf-8"))
        words = Vocabulary(domain=domain, objects={}, quantities=frozenset())
        self.memory = Memory(vocabulary=words)
        self.changes: list[Change] = []
        for number, sentence in enumerate(filter(None, re.split(r"\.\s*", text.strip()))):
            self._told(sentence, float(number))

    def rooms_of(self, thing: str) -> list[str]:
        """Rooms in which a thing has been, in their order; the same room once in a row."""
        found: list[str] = []
        for change in self.changes:
            for fact in change.put:
                if fact.atom.predicate == "in" and fact.atom.args[0] == _name(thing):
                    room = fact.atom.args[1].replace("-", " ")
                    found += [room] if found[-1:] != [room] else []
        return found

    def _told(self, sentence: str, time_s: float) -> None:
        told = _TOLD.fullmatch(sentence.lower())
        if told is None:
            hint = f"people {', '.join((*GO, *TAKE, *LEAVE))} something"
            problem = Diagnostic(where=sentence, problem="no such event", hint=hint)
            raise NotUnderstoodError(sentence, (problem,))
        person, verb, what = told[1], told[2], _name(told[3])
        beliefs = self.memory.beliefs
        here = [a for a in beliefs if a.predicate == "at" and a.args[0] == person]
        carried = [a.args[1] for a in beliefs if a.predicate == "holding" and a.args[0] == person]
        new: list[Atom] = []
        gone: list[Atom] = []
        if verb in GO:
            gone += here + [a for a in beliefs if a.predicate == "in" and a.args[0] in carried]
            new += [Atom("at", (person, what)), *(Atom("in", (t, what)) for t in carried)]
        elif verb in TAKE:
            gone += [a for a in beliefs if a.predicate == "in" and a.args[0] == what]
            new += [Atom("holding", (person, what)), *(Atom("in", (what, a.args[1])) for a in here)]
        else:
            gone.append(Atom("holding", (person, what)))
        put = [
            Fact(atom=a, provenance=Provenance.TOLD, confidence=0.95, time_s=time_s) for a in new
        ]
        dropped = [a for a in gone if a in beliefs and a not in new]
        self.memory = self.memory.changed(
            f"told: {sentence}", time_s=time_s, put=put, dropped=dropped
        )
        if self.memory.change is not None:
            self.changes.append(self.memory.change)


def answer(prompt: str) -> str:
    """The answer to the last question of a prompt; worked examples before it are not looked at.

    Raises:
        NotUnderstoodError: The story or the question is none that is known here.
    """
    text, found, rest = prompt.split("\n\n")[-1].partition("\nQuestion:")
    if not found:
        return count(text)
    asked = rest.partition("\nAnswer:")[0].strip().lower()
    if path := _PATH.fullmatch(asked):
        return ", ".join(Story(text).rooms_of(path[1]))
    if where := _WHERE.fullmatch(asked):
        rooms = Story(text).rooms_of(where[1])
        step = -1 if where[2] == "before" else 1
        places = [i for i, room in enumerate(rooms) if room == where[3]]
        found = [rooms[i + step] for i in places if 0 <= i + step < len(rooms)]
        return found[-1] if found else "unknown"
    problem = Diagnostic(
        where=asked, problem="no such question", hint="where, or the order of rooms"
    )
    raise NotUnderstoodError(asked, (problem,))


def _name(words: str) -> str:
    return words.strip().replace(" ", "-")
