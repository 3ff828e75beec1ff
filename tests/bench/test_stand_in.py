"""The stand-in answers from the prompt alone, with errors at the rate it is given."""

from __future__ import annotations

import pytest

from embodied.bench.strategies.scripted_model import StandIn, count_tokens
from embodied.bench.strategies.suite import draw_case, run_case, summarise
from embodied.language.models.contract import REQUEST
from embodied.protocols import Message, Request
from embodied.routes.pddl.prompting import opening, read_actions
from embodied.routes.pddl.simulation import leads_to_goal
from embodied.routes.pddl.strategies import Task
from embodied.symbolic import progress


def _task(case) -> Task:
    return Task(
        instruction=case.sentence,
        goals=(case.goal,),
        domain=case.table.domain,
        domain_text=case.table.grounder.domain_text,
        objects=case.table.grounder.objects,
    )


def _model(case, error_rate: float) -> StandIn:
    return StandIn(
        case.table.grounder.domain_text,
        case.table.grounder.objects,
        case.world.spec,
        error_rate=error_rate,
        seed=0,
    )


def test_without_errors_its_plan_does_what_the_sentence_says() -> None:
    case = draw_case(1)
    task = _task(case)
    request = Request(messages=opening("blueprint", task, case.facts), purpose="rewoo-plan")
    answer = _model(case, 0.0).complete(request)
    assert leads_to_goal(read_actions(answer.text, case.table.domain), case.facts, task)
    assert answer.usage.input_tokens == sum(count_tokens(m.text) for m in request.messages)
    assert _model(case, 0.0).complete(request) == answer, "the same request, the same answer"
    spoilt = _model(case, 0.9).complete(request)
    assert spoilt.text != answer.text


def test_it_follows_what_it_is_told_in_a_conversation() -> None:
    case = draw_case(1)
    messages = opening("step", _task(case), case.facts)
    model = _model(case, 0.0)
    first = model.complete(Request(messages=messages, purpose="react-step")).text
    (action,) = read_actions(first, case.table.domain)
    after = progress(action, case.facts, case.table.domain, case.table.grounder.objects)
    new = " ".join(map(str, after - case.facts))
    gone = " ".join(map(str, case.facts - after))
    told = (
        *messages,
        Message(role="assistant", text=first),
        Message(role="user", text=f"Observation: done. Now true: {new}. No longer true: {gone}"),
    )
    second = model.complete(Request(messages=told, purpose="react-step")).text
    (then,) = read_actions(second, case.table.domain)
    assert then.args[0] == action.args[0] and then.name in ("place", "stack", "put-in")


def test_what_it_is_not_made_for_it_does_not_answer() -> None:
    with pytest.raises(ValueError, match="contract"):
        _model(draw_case(1), 0.0).complete(REQUEST)


def test_the_strategies_are_compared_on_the_same_task() -> None:
    base = {"seed": 1, "physics": False, "error_rate": 0.0, "failure_rate": 0.0}
    base |= {"model": "", "base_url": None}
    results = [run_case({**base, "strategy": n}) for n in ("plan", "tree", "react", "rewoo")]
    assert all(r["success"] and r["recall"] == 1.0 for r in results)
    calls = {r["strategy"]: r["calls"] for r in results}
    assert calls["plan"] == calls["tree"] == calls["rewoo"] == 1
    assert calls["react"] == next(r["actions"] for r in results if r["strategy"] == "react")
    rows = {r["strategy"]: r for r in summarise(results)}
    assert rows["tree"]["fewer_tokens_than_react"] > 0.8
    assert rows["react"]["fewer_tokens_than_react"] == 0.0


def test_tokens_are_pieces() -> None:
    assert count_tokens("(on red-block table)") == 7
    assert count_tokens("") == 0
