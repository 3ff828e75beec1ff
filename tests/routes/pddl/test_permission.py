"""Right plans of another search are allowed, but for what they leave changed beyond the goal."""

from __future__ import annotations

import contextlib
from types import SimpleNamespace
from typing import Any

from embodied_planners.pddl import Planner

from embodied.bench.strategies.suite import Case, draw_case
from embodied.language.asked_for import wanted
from embodied.routes.pddl.monitor import Monitor
from embodied.routes.pddl.permission import Permission
from embodied.routes.pddl.planning import Planning
from embodied.symbolic import progress, read_domain, read_goal, render_problem
from embodied.types import GroundAction, PddlProgram

CASES = 8


def plan_of(case: Case, objects: dict[str, str]) -> tuple[PddlProgram, tuple[GroundAction, ...]]:
    domain = read_domain(case.table.grounder.domain_text)
    program = PddlProgram(
        domain=case.table.grounder.domain_text,
        problem=render_problem("p", domain, objects, case.facts, (case.goal,)),
        stages=(case.goal,),
        source="test",
    )
    return program, Planner().solve(program, deadline_s=10.0).plan


def test_only_what_ends_elsewhere_without_need_is_questioned() -> None:
    actions = refused = 0
    for seed in range(CASES):
        case = draw_case(seed)
        grounder = case.table.grounder
        monitor = Monitor(read_domain(grounder.domain_text), grounder.objects)
        domain, objects = monitor.domain, monitor.objects
        run: Any = SimpleNamespace(
            only_asked=True,
            memory=SimpleNamespace(facts=case.facts, exchanges=((case.sentence, None),)),
            instruction=case.sentence,
            body=SimpleNamespace(spec=case.world.spec),
            ask=lambda question: False,
            escalate=lambda *a, **k: None,
            timed=lambda part: contextlib.nullcontext(),
        )
        planning = Planning(
            run=run,
            planner=Planner(),
            monitor=monitor,
            domain_text=grounder.domain_text,
            time_s=10.0,
            tidy="(hand-empty)",
            explain=lambda plan, objects: (),
        )
        # the other order of the objects gives another plan of the same length
        program, plan = plan_of(case, dict(reversed(list(objects.items()))))
        permission = Permission(planning, program, run, goals=(case.goal,), later=())
        goal = read_goal(case.goal, domain, objects)
        moved_for_good = {
            a.args[0] for a, true in wanted(goal, case.facts, domain, objects) if true
        }
        for action in plan:
            actions += 1
            if why := permission.refusal(action):
                refused += 1
                assert action.args[0] not in moved_for_good, (seed, str(action), why)
            run.memory.facts = progress(action, run.memory.facts, domain, objects)
        assert monitor.verdict(case.goal, run.memory.facts).reached
    assert actions > 100 and refused <= 0.03 * actions
