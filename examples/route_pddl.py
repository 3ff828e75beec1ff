"""The route pddl without a sentence: a goal in PDDL, planned for, carried out, judged."""

from __future__ import annotations

from embodied import Settings, open_session
from embodied.symbolic import read_domain, render_problem
from embodied.types import PddlProgram

GOAL = (
    "(and (on red-block green-block) (forall (?b - block) (imply (has-color ?b blue) (in ?b bin))))"
)

session = open_session(Settings(scene="blocks", seed=5))
grounder = session.environment.grounder
facts = grounder.facts(session.environment.body.observe())
program = PddlProgram(
    domain=grounder.domain_text,
    problem=render_problem(
        "example", read_domain(grounder.domain_text), dict(grounder.objects), facts, [GOAL]
    ),
    stages=(GOAL,),
    source="example",
)
outcome = session.pursue(program)
for record in outcome.details["actions"]:
    took_s = record.ended_s - record.started_s
    print(f"{record.action}: {'measured' if record.ok else record.reason} in {took_s:.1f} s")
print(outcome.message)
assert outcome.reached
session.close()
