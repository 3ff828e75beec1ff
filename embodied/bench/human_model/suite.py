"""Clear a table in front of a person: what is gained by planning with the person in mind?

Three bottles, a can and a glass. The trust-aware planner asks a human model how likely the person
is to step in and plans the order over all that may happen; the greedy one takes the most valuable
thing first. People are drawn from the table model, whatever model the planner asks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from embodied.bench.asking import ModelSettings, asked_model
from embodied.bench.benchmark import About, Benchmark, every, option
from embodied.bench.human_model.clearing import Clearing, Thing
from embodied.bench.human_model.model import LanguageHuman, TableHuman
from embodied.bench.report import bootstrap_interval, table_of
from embodied.bench.runner import Payload, Row

THINGS = (
    Thing(name="first bottle", risk=0.1, value=1.0),
    Thing(name="second bottle", risk=0.1, value=1.0),
    Thing(name="third bottle", risk=0.1, value=1.0),
    Thing(name="can", risk=0.5, value=2.0),
    Thing(name="glass", risk=0.9, value=3.0),
)


def order_of(clearing: Clearing) -> list[str]:
    """The order that is planned for a person who never steps in."""
    left, seen = frozenset(clearing.things), ()
    names: list[str] = []
    while left:
        thing = clearing.best(left, seen)[1]
        assert thing is not None
        left, seen = left - {thing}, (*seen, thing.name)
        names.append(thing.name)
    return names


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(ModelSettings):
    """Options of the benchmark; the model is the human model of the planner."""

    people: int = option(2000, "how many are drawn", key=True, at_least=1)


ORDERS = ("trust-aware", "greedy")


def play(payload: Payload) -> Row:
    """Clear the table in front of many people."""
    table = planner = Clearing(things=THINGS, human=TableHuman())
    if payload["model"]:
        planner = replace(table, human=LanguageHuman(asked_model(payload)))
    rng, trusting = np.random.default_rng(0), payload["order"] == ORDERS[0]
    played = [table.play(rng, trusting=trusting, planner=planner) for _ in range(payload["people"])]
    gains = [g for g, _ in played]
    return {
        "order": payload["order"],
        "gained": float(np.mean(gains)),
        "gained_95": bootstrap_interval(gains, np.random.default_rng(1)),
        "steps_in": float(np.mean([s for _, s in played])),
        "planned": order_of(planner),
    }


def table(rows: Sequence[Row]) -> str:
    """What is gained, and the order that is planned."""
    columns: Mapping[str, str | Callable[[Row], object]] = {
        "order": "order",
        "gained of 8": lambda r: "{:.2f} ({:.2f}-{:.2f})".format(r["gained"], *r["gained_95"]),
        "person steps in": lambda r: f"{r['steps_in']:.2f}",
    }
    return f"{table_of(rows, columns)}\nplanned order: {', '.join(rows[0]['planned'])}\n"


BENCHMARK = Benchmark(
    name="human-model",
    summary="Clearing a table in front of a person who may step in: trust in the plan.",
    about=About(routes=("pddl",)),
    settings=Settings,
    cases=lambda s: every("{order}", {"people": s.people, **s.asking()}, order=ORDERS),
    run=play,
    report=lambda rows, settings: [r for r in rows if r.get("status") != "error"],
    table=table,
    jobs=1,
)
