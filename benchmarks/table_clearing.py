"""Clear a table in front of a person: what is gained by planning with the person in mind?

    python benchmarks/table_clearing.py --people 2000
    python benchmarks/table_clearing.py --model openai:NAME

Three bottles, a can and a glass. The trust-aware planner asks a human model how likely the person
is to step in and plans the order over all that may happen; the greedy one takes the most valuable
thing first. People are drawn from the table model, whatever model the planner asks.
"""

from __future__ import annotations

import argparse
from dataclasses import replace

import numpy as np

from embodied.bench.core.report import bootstrap_interval, markdown_table
from embodied.bench.human_model import Clearing, LanguageHuman, TableHuman, Thing
from embodied.language.models import open_model

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


def main() -> int:
    """Plan, simulate people, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=2000)
    parser.add_argument("--model", default="", help="a language model as the human model")
    options = parser.parse_args()
    person = TableHuman()
    table = Clearing(things=THINGS, human=person)
    planner = table
    if options.model:
        planner = replace(table, human=LanguageHuman(open_model(options.model)))
    rows: list[list[object]] = []
    for name, trusting in (("trust-aware", True), ("greedy", False)):
        rng = np.random.default_rng(0)
        played = [
            table.play(rng, trusting=trusting, planner=planner) for _ in range(options.people)
        ]
        gains = [g for g, _ in played]
        low, high = bootstrap_interval(gains, np.random.default_rng(1))
        steps = float(np.mean([s for _, s in played]))
        rows.append([name, f"{np.mean(gains):.2f} ({low:.2f}-{high:.2f})", f"{steps:.2f}"])
    print(markdown_table(["order", "gained of 8", "person steps in"], rows))
    print("planned order:", ", ".join(order_of(planner)))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
