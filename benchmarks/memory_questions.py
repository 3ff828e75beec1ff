"""Questions to recorded runs of every route, answered from their folders, against the truth.

A run is a conversation of a few sentences in one world, recorded as ``embodied chat`` records it.
The script knows the truth: it reads the simulator's own poses, the unfiltered facts, after every
sentence, and the sentences themselves. Of each run it then asks questions in many wordings, of the
folder alone (as ``embodied memory ask`` does), and counts the answers that name what is true. It
also says how far any joint of the world moved while the questions were asked of the session.

    python benchmarks/memory_questions.py [--runs 0 1 2 ...] [--questions 60] [--seed 0]
        [--json FILE] --out DIR
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from embodied.app.record.memory_log import read_belief
from embodied.app.run import Output, perform
from embodied.app.show.terminal import QuietDisplay
from embodied.app.wiring import open_session
from embodied.bench.report import wilson_interval
from embodied.errors import EmbodiedError
from embodied.memory.answering import answer_question, ask
from embodied.session import Session
from embodied.settings import Settings
from embodied.types import Atom, ObjectSpec

RUNS: tuple[tuple[Settings, tuple[str, ...]], ...] = (
    (
        Settings(scene="kitchen", model="rules", seed=1),
        (
            "open the drawer and put the lime in it, then close the drawer",
            "put the red cup on the plate",
        ),
    ),
    (
        Settings(scene="kitchen", model="rules", seed=2),
        (
            "put the apple and the lime in the bowl",
            "put the sponge on the plate",
            "open the drawer",
        ),
    ),
    (
        Settings(scene="blocks", model="rules", seed=3),
        ("stack the blue block on the red block", "put the yellow block in the bin"),
    ),
    (
        Settings(scene="blocks", model="rules", seed=4, robot="ur5e"),
        ("move the purple block to the tray", "pick up the green block"),
    ),
    (
        Settings(scene="workshop", model="rules", seed=5),
        ("put the battery in the drawer and close it", "put the small brick on the tray"),
    ),
    (
        Settings(scene="blocks", model="rules", seed=6, world="pybullet", robot="panda"),
        ("put the red block on the green block", "put the blue block in the bin"),
    ),
    (
        Settings(scene="blocks", model="rules", seed=7, world="bridge"),
        ("put the green block on the tray",),
    ),
    (
        Settings(scene="blocks", model="rules", seed=8, route="value-map", perception="truth"),
        ("move above the red block", "move to the left of the green block"),
    ),
    (
        Settings(scene="kitchen", model="rules", seed=9, route="value-map"),
        ("move above the apple",),
    ),
    (
        Settings(robot="quadruped", model="rules", seed=10),
        ("stand up on two legs", "sit down"),
    ),
)
"""Settings and sentences of each run."""

Truth = tuple[str, ...]
Case = tuple[str, Callable[[tuple[str, ...], str], bool], str]
"""A question, whether an answer (names, text) is right, and the truth in words."""


@dataclass(slots=True)
class Known:
    """What the script knows of a run.

    Attributes:
        session: The world that it happened in.
        sentences: What was said.
        facts: What held before the first sentence and after each.
    """

    session: Session
    sentences: list[str] = field(default_factory=list[str])
    facts: list[frozenset[Atom]] = field(default_factory=list[frozenset[Atom]])

    def measure(self) -> None:
        """Read the simulator's own state."""
        place = self.session.environment
        self.facts.append(place.grounder.facts(place.body.world.observe()))

    @property
    def specs(self) -> Mapping[str, ObjectSpec]:
        """The objects of its scene."""
        return self.session.environment.body.spec.objects

    def place(self, name: str, facts: frozenset[Atom]) -> str:
        """What an object is on, or else in."""
        for predicate in ("on", "in"):
            for atom in facts:
                if atom.predicate == predicate and atom.args[0] == name:
                    return atom.args[1]
        return "hand" if Atom("holding", (name,)) in facts else ""

    def moved(self, since: int = 0) -> list[str]:
        """Items whose place changed after a sentence of a number."""
        return [
            n
            for n, o in self.specs.items()
            if o.kind == "item"
            and any(
                self.place(n, a) != self.place(n, b)
                for a, b in zip(self.facts[since:], self.facts[since + 1 :], strict=False)
            )
        ]


def names(expected: set[str]) -> Callable[[tuple[str, ...], str], bool]:
    """An answer is right when it names these objects and no others."""
    return lambda words, text: set(words) == expected


def begins(name: str) -> Callable[[tuple[str, ...], str], bool]:
    """The first name of an answer, and its sentence, say where something is."""
    word = "hand" if name == "hand" else name.replace("-", " ")
    return lambda words, text: bool(words) and word in text and name in " ".join(words[:1])


def says(*parts: str) -> Callable[[tuple[str, ...], str], bool]:
    """The sentence holds these words."""
    return lambda words, text: all(p.lower() in text.lower() for p in parts)


def one(word: str) -> Callable[[tuple[str, ...], str], bool]:
    """The answer is this word."""
    return lambda words, text: words == (word,)


def cases(known: Known, rng: np.random.Generator) -> Iterator[Case]:
    """Questions with their true answers, in wordings drawn at random."""

    def pick(*wordings: str) -> str:
        return wordings[int(rng.integers(len(wordings)))]

    now, specs = known.facts[-1], known.specs
    plain = {n: n.replace("-", " ") for n in specs}
    called = dict(plain)
    for n, o in specs.items():  # an alias where it means one thing only
        for alias in o.aliases:
            nouns = [(*p.aliases, p.category, name.split("-")[-1]) for name, p in specs.items()]
            if sum(alias in words for words in nouns) == 1:
                called[n] = pick(plain[n], alias)
    items = [n for n, o in specs.items() if o.kind == "item"]
    yield from _past_cases(known, pick, items, called)
    for n in items:
        at = known.place(n, now)
        yield (pick(f"where is the {called[n]}?", f"do you know where the {called[n]} is?",
                    f"where can I find the {called[n]}?"), begins(at), at)  # fmt: skip
        yield (pick(f"what colour is the {called[n]}?", f"what is the color of the {called[n]}?"),
               one(specs[n].color or n), specs[n].color)  # fmt: skip
        if at and at != "hand":
            yield (f"what is under the {called[n]}?", one(at), at)
            relation = "in" if specs[at].kind in ("container", "drawer") else "on"
            yield f"is the {called[n]} {relation} the {called[at]}?", one("yes"), "yes"
            others = [s for s in specs if specs[s].kind == "surface" and s != at]
            if others:
                other = others[int(rng.integers(len(others)))]
                yield f"is the {called[n]} on the {called[other]}?", one("no"), "no"
    for n, o in specs.items():
        if o.kind in ("container", "drawer"):
            inside = {a.args[0] for a in now if a.predicate == "in" and a.args[1] == n}
            yield (pick(f"what is in the {called[n]}?", f"what does the {called[n]} contain?"),
                   names(inside), str(inside))  # fmt: skip
            count = str(len(inside))
            how_many = f"how many items are there in the {called[n]}?"
            yield pick(f"how many things are in the {called[n]}?", how_many), one(count), count
            some = "yes" if inside else "no"
            yield pick(f"is there anything in the {called[n]}?",
                       f"is anything in the {called[n]}?"), one(some), some  # fmt: skip
        if o.kind == "surface":
            on = {a.args[0] for a in now if a.predicate == "on" and a.args[1] == n}
            yield f"what is on the {called[n]}?", names(on), str(on)
            for category in sorted({specs[i].category for i in items}):
                count = str(sum(specs[i].category == category for i in on))
                yield f"how many {_plural(category)} are on the {called[n]}?", one(count), count
        if o.kind == "drawer":
            is_open = Atom("open", (n,)) in now
            yield (f"is the {called[n]} open?", one("yes" if is_open else "no"), str(is_open))
            word = "open" if is_open else "closed"
            yield f"is the {called[n]} open or closed?", one(word), word
    held = {a.args[0] for a in now if a.predicate == "holding"}
    yield pick("what are you holding?", "what is in your hand?"), names(held), str(held)


def _past_cases(
    known: Known, pick: Callable[..., str], items: list[str], called: dict[str, str]
) -> Iterator[Case]:
    last = known.sentences[-1]
    moved, lately = known.moved(), known.moved(len(known.facts) - 2)
    for wording in ("what did you do last?", "what was the last thing you did?",
                    "what did you just do?"):  # fmt: skip
        yield wording, says(last, *(n.replace("-", " ") for n in lately)), last
    for wording in ("what did I ask you to do?", "what was my last instruction?",
                    "what did I tell you last?"):  # fmt: skip
        yield wording, says(last), last
    for wording in ("what have you done so far?", "what have you done?"):
        yield wording, says(*known.sentences), " / ".join(known.sentences)
    for wording in ("why did you do that?", "why did you do this?", "why?"):
        yield wording, says(last), last
    for n in items:
        changed = "yes" if n in moved else "no"
        yield (
            pick(f"did you move the {called[n]}?", f"have you moved the {called[n]}?"),
            one(changed),
            changed,
        )
        if n in moved:
            before = [known.place(n, f) for f in known.facts]
            different = [p for p in before if p != before[-1]]
            yield (
                pick(f"where was the {called[n]}?", f"where was the {called[n]} before?"),
                begins(different[-1]),
                different[-1],
            )
            number = max(i for i in range(len(before) - 1) if before[i] != before[i + 1])
            yield (f"why did you move the {called[n]}?", says(known.sentences[number]),
                   known.sentences[number])  # fmt: skip
    count = str(len(moved))
    if items:
        yield "how many things did you move?", one(count), count
        yield "which things did you move?", names(set(moved)), str(moved)


def _plural(category: str) -> str:
    from embodied.language.words.scene_words import plural_of

    return plural_of(category.replace("-", " "))


def record(settings: Settings, sentences: tuple[str, ...], out: Path) -> tuple[Known, Path]:
    """Carry out the sentences of a run, recorded as a conversation is."""
    known = Known(open_session(settings))
    known.measure()
    output = Output(out=out, display=lambda heading: QuietDisplay(), video=None)
    for number, said in enumerate(sentences):
        perform(
            known.session,
            said,
            lambda emit, write, said=said: known.session.run(said, emit=emit, write=write),
            output,
            command="chat",
            prefix=f"{number + 1:02d}",
        )
        known.sentences.append(said)
        known.measure()
    return known, out


def main() -> int:
    """Record the runs, ask, and report."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--runs", type=int, nargs="*", default=list(range(len(RUNS))))
    parser.add_argument("--questions", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", default="")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    rows: list[dict[str, object]] = []
    for number in options.runs:
        settings, sentences = RUNS[number]
        rng = np.random.default_rng(options.seed + number)
        known, folder = record(settings, sentences, options.out / f"run-{number}")
        asked = list(cases(known, rng))
        chosen = rng.permutation(len(asked))[: options.questions]
        before = known.session.qpos().copy()
        belief = read_belief(folder)
        right, wrong = 0, list[str]()
        for i in chosen:
            question, is_right, truth = asked[int(i)]
            try:
                given = ask(question, belief)
                live = known.session.answer(question)
                good = is_right(given.words, given.text) and answer_question(question, belief) != ""
                said = f"{given.text} (live: {live})"
            except EmbodiedError as error:
                good, said = False, str(error)
            right += good
            wrong += [] if good else [f"{question} -> {said} (truly {truth})"]
        moved = float(np.abs(known.session.qpos() - before).max())
        known.session.close()
        rows.append({"run": number, "asked": len(chosen), "right": right, "moved": moved,
                     "wrong": wrong})  # fmt: skip
        route = f"{settings.route} {settings.world} {settings.robot} {settings.scene}"
        sys.stdout.write(f"{number} {route}: {right} of {len(chosen)}, moved {moved:g}\n")
        sys.stdout.write("".join(f"    {w}\n" for w in wrong[:8]))
        sys.stdout.flush()
    total, good = sum(int(str(r["asked"])) for r in rows), sum(int(str(r["right"])) for r in rows)
    low, high = wilson_interval(good, total)
    sys.stdout.write(f"right: {good} of {total} ({low:.1%} to {high:.1%})\n")
    if options.json:
        Path(options.json).write_text(json.dumps(rows, indent=1), encoding="utf-8")
    return int(good < 0.95 * total)


if __name__ == "__main__":
    raise SystemExit(main())
