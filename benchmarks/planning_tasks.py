"""Planning tasks made from a seed: many blocks on the tabletop, and domains with ADL features."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from embodied.symbolic import Domain, read_domain, render_problem
from embodied.types import Atom
from embodied.world.grounding import domain_text

TYPES = "block - item table - surface bin - container cabinet - drawer)"

LIFT = """(define (domain lift)
  (:requirements :adl)
  (:types guest floor - object)
  (:predicates (at ?f - floor) (below ?a ?b - floor) (from ?g - guest ?f - floor)
    (to ?g - guest ?f - floor) (aboard ?g - guest) (arrived ?g - guest) (guide ?g - guest)
    (shy ?g - guest) (barred ?g - guest ?f - floor))
  (:action ride-up :parameters (?a ?b - floor)
    :precondition (and (at ?a) (below ?a ?b)) :effect (and (at ?b) (not (at ?a))))
  (:action ride-down :parameters (?a ?b - floor)
    :precondition (and (at ?a) (below ?b ?a)) :effect (and (at ?b) (not (at ?a))))
  (:action halt :parameters (?f - floor)
    :precondition (and (at ?f)
      (forall (?g - guest) (imply (barred ?g ?f) (not (aboard ?g))))
      (imply (exists (?s - guest) (and (shy ?s)
          (or (aboard ?s) (and (from ?s ?f) (not (arrived ?s))))))
        (exists (?h - guest) (and (guide ?h)
          (or (and (aboard ?h) (not (to ?h ?f)))
              (and (from ?h ?f) (not (arrived ?h)) (not (aboard ?h))))))))
    :effect (and
      (forall (?g - guest) (when (and (from ?g ?f) (not (arrived ?g))) (aboard ?g)))
      (forall (?g - guest) (when (and (aboard ?g) (to ?g ?f))
        (and (arrived ?g) (not (aboard ?g))))))))
"""

BAGS = """(define (domain bags)
  (:requirements :adl)
  (:types place thing - object bag - thing)
  (:predicates (at ?t - thing ?p - place) (inside ?t - thing ?b - bag))
  (:action carry :parameters (?b - bag ?a ?c - place)
    :precondition (and (at ?b ?a) (not (= ?a ?c))
      (not (exists (?o - bag) (inside ?b ?o))))
    :effect (and (at ?b ?c) (not (at ?b ?a))
      (forall (?t - thing) (when (inside ?t ?b) (and (at ?t ?c) (not (at ?t ?a)))))))
  (:action pack :parameters (?t - thing ?b - bag ?p - place)
    :precondition (and (at ?t ?p) (at ?b ?p) (not (= ?t ?b))
      (forall (?o - bag) (and (not (inside ?t ?o)) (not (inside ?o ?b)) (not (inside ?b ?o)))))
    :effect (inside ?t ?b))
  (:action unpack :parameters (?t - thing ?b - bag)
    :precondition (inside ?t ?b) :effect (not (inside ?t ?b))))
"""

VALVES = """(define (domain valves)
  (:requirements :adl :derived-predicates)
  (:types node valve - object)
  (:predicates (pipe ?v - valve ?a ?b - node) (source ?n - node) (shut ?v - valve)
    (leaky ?n - node) (wet ?n - node) (mended ?n - node))
  (:derived (wet ?n - node)
    (or (source ?n)
        (exists (?m - node ?v - valve) (and (wet ?m) (not (shut ?v))
          (or (pipe ?v ?m ?n) (pipe ?v ?n ?m))))))
  (:action shut-off :parameters (?v - valve) :precondition (not (shut ?v)) :effect (shut ?v))
  (:action turn-on :parameters (?v - valve)
    :precondition (and (shut ?v)
      (not (exists (?a ?b - node) (and (pipe ?v ?a ?b)
        (or (and (leaky ?a) (not (mended ?a))) (and (leaky ?b) (not (mended ?b))))))))
    :effect (not (shut ?v)))
  (:action mend :parameters (?n - node)
    :precondition (and (leaky ?n) (not (wet ?n))) :effect (mended ?n)))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A planning task as text.

    Attributes:
        name: Name in tables.
        domain: PDDL text.
        problem: PDDL text.
    """

    name: str
    domain: str
    problem: str


def tabletop_text() -> str:
    """The tabletop's domain with the types of these tasks."""
    return domain_text({}).replace("drawer - container)", f"drawer - container {TYPES}")


def random_towers(blocks: list[str], rng: random.Random) -> list[list[str]]:
    """Towers of all blocks, each from its lowest block up."""
    towers: list[list[str]] = []
    for block in rng.sample(blocks, len(blocks)):
        if towers and rng.random() < 0.5:
            rng.choice(towers).append(block)
        else:
            towers.append([block])
    return towers


def tabletop_problem(domain: Domain, rng: random.Random, n_blocks: int, goals: list[str]) -> str:
    """Random towers on a table, a bin and a closed drawer."""
    blocks = [f"block{i}" for i in range(n_blocks)]
    facts = {Atom("hand-empty"), Atom("open", ("bin",))}
    for tower in random_towers(blocks, rng):
        below = ["table", *tower[:-1]]
        facts |= {Atom("on", pair) for pair in zip(tower, below, strict=True)}
        facts.add(Atom("clear", (tower[-1],)))
    for block in blocks:
        facts |= {
            Atom("stackable", (block,)),
            Atom("has-color", (block, rng.choice(("red", "blue")))),
        }
        facts |= {Atom("fits", (block, place)) for place in ("bin", "drawer")}
    objects = {
        **dict.fromkeys(blocks, "block"),
        **{"table": "table", "bin": "bin", "drawer": "cabinet", "red": "color", "blue": "color"},
    }
    return render_problem("made", domain, objects, facts, goals)


def few_goals(rng: random.Random, n_blocks: int) -> list[str]:
    """Two goals about three of the blocks, or one about all red ones."""
    a, b, c = rng.sample([f"block{i}" for i in range(n_blocks)], 3)
    return rng.choice(
        [
            [f"(on {a} {b})", f"(in {c} bin)"],
            [f"(on {a} {b})", f"(on {b} {c})"],
            ["(forall (?b - block) (imply (has-color ?b red) (in ?b bin)))"],
            [f"(in {a} drawer)", "(not (open drawer))"],
        ]
    )


def lift(rng: random.Random, n: int) -> str:
    """``n`` guests of a hotel with ``2 n`` floors; some are shy, some floors barred to some."""
    guests, floors = [f"g{i}" for i in range(n)], [f"f{i}" for i in range(2 * n)]
    init = ["(at f0)", "(guide g0)"]
    init += [f"(below {a} {b})" for i, a in enumerate(floors) for b in floors[i + 1 :]]
    for guest in guests:
        start, end, barred = rng.sample(floors, 3)
        init += [f"(from {guest} {start})", f"(to {guest} {end})"]
        if guest != "g0" and rng.random() < 0.3:
            init.append(f"(barred {guest} {barred})")
    init.append(f"(shy {guests[-1]})")
    return _problem(
        "lift",
        f"{' '.join(guests)} - guest {' '.join(floors)} - floor",
        init,
        "(forall (?g - guest) (arrived ?g))",
    )


def bags(rng: random.Random, n: int) -> str:
    """``n`` things and two bags at ``n`` places; all things change places."""
    things, places = [f"t{i}" for i in range(n)], [f"p{i}" for i in range(n)]
    init = [f"(at {t} {rng.choice(places)})" for t in (*things, "b0", "b1")]
    goal = " ".join(f"(at {t} {rng.choice(places)})" for t in things)
    objects = f"{' '.join(things)} - thing b0 b1 - bag {' '.join(places)} - place"
    loose = "(forall (?t - thing ?b - bag) (not (inside ?t ?b)))"
    return _problem("bags", objects, init, f"(and {goal} {loose})")


def valves(rng: random.Random, n: int) -> str:
    """A pipe network of ``n`` nodes, a quarter of them leaky; all must be mended and be wet."""
    nodes = [f"n{i}" for i in range(n)]
    pipes = [(nodes[rng.randrange(i)], nodes[i]) for i in range(1, n)]
    pipes += [(a, b) for a, b in (rng.sample(nodes, 2) for _ in range(n // 2))]
    init = ["(source n0)"]
    init += [f"(pipe v{i} {a} {b})" for i, (a, b) in enumerate(pipes)]
    init += [f"(leaky {node})" for node in rng.sample(nodes[1:], max(1, n // 4))]
    goal = "(forall (?n - node) (and (wet ?n) (imply (leaky ?n) (mended ?n))))"
    valves_ = " ".join(f"v{i}" for i in range(len(pipes)))
    return _problem("valves", f"{' '.join(nodes)} - node {valves_} - valve", init, goal)


def _problem(domain: str, objects: str, init: list[str], goal: str) -> str:
    return (
        f"(define (problem made) (:domain {domain})\n  (:objects {objects})\n"
        f"  (:init {' '.join(init)})\n  (:goal {goal}))\n"
    )


def made_tasks(seed: int) -> Iterator[Task]:
    """The tasks that need no files."""
    text = tabletop_text()
    domain = read_domain(text)
    for n in (20, 40, 80):
        rng = random.Random(seed + n)
        blocks = [f"block{i}" for i in range(n)]
        a, b = rng.sample(blocks, 2)
        goals = {
            "one goal": [f"(on {a} {b})"],
            "few goals": few_goals(rng, n),
            "towers": [
                f"(on {upper} {lower})"
                for tower in random_towers(blocks, rng)
                for lower, upper in zip(tower, tower[1:], strict=False)
            ],
        }
        for name, wanted in goals.items():
            problem = tabletop_problem(domain, rng, n, wanted)
            yield Task(name=f"{n} blocks, {name}", domain=text, problem=problem)
    for name, text, make, sizes in (
        ("lift", LIFT, lift, (4, 8, 12)),
        ("bags", BAGS, bags, (6, 12, 20)),
        ("valves", VALVES, valves, (8, 16, 30)),
    ):
        for n in sizes:
            problem = make(random.Random(seed + n), n)
            yield Task(name=f"{name} {n}", domain=text, problem=problem)


def tasks_in(folder: Path) -> Iterator[Task]:
    """Tasks of a folder of folders, with the domain files named as in the IPC collections.

    A problem's domain is ``domain.pddl`` beside it, or the file of its own with "domain" in its
    name: ``p01-domain.pddl``, ``domain_p01.pddl`` or ``domain01.pddl`` for ``p01.pddl``.
    """
    for file in sorted(folder.rglob("*.pddl")):
        if "domain" in file.stem:
            continue
        number = file.stem.removeprefix("p")
        names = (
            *("domain.pddl", f"{file.stem}-domain.pddl", f"domain_{file.stem}.pddl"),
            *(f"domain-{file.stem}.pddl", f"domain{number}.pddl"),
        )
        domain = next((file.with_name(n) for n in names if file.with_name(n).is_file()), None)
        if domain is not None:
            yield Task(
                name=f"{file.parent.name}/{file.stem}",
                domain=domain.read_text(errors="replace"),
                problem=file.read_text(errors="replace"),
            )
