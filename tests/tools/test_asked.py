"""What a sentence asks, judged by facts alone: order, what is undone later, manners, motions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import pytest

from embodied.language.conversation import Conversation
from embodied.language.interpreter import Interpreter
from embodied.language.mixed import MixedTranslator
from embodied.language.pddl.translators import PddlTranslators
from embodied.language.value_map.translators import ValueMapTranslators
from embodied.outcome import NOT_REACHED, REACHED, Outcome
from embodied.recovery import Question
from embodied.tools.asked import Asked
from embodied.tools.open_program import OpenTranslator
from embodied.types import Atom, PddlProgram, Program, WorldSpec
from embodied.world.grounding import TabletopGrounder
from embodied.world.mujoco import build_world
from embodied.world.scene import load_scene


@dataclass
class Agent:
    """What ``Asked`` uses of an agent: facts, things, and a person."""

    memory: Conversation
    body: Any
    yes: bool = False
    asked: list[Question] = field(default_factory=list)

    @property
    def run(self) -> Any:
        def ask(question: Question) -> bool:
            self.asked.append(question)
            return self.yes

        return SimpleNamespace(ask=ask, escalate=lambda *a: None, attended=True)


@dataclass
class Table:
    spec: WorldSpec
    grounder: TabletopGrounder
    facts: frozenset[Atom]
    interpreter: Interpreter

    def asked(self, sentence: str, *, yes: bool = False) -> Asked:
        agent = Agent(Conversation(facts=self.facts), SimpleNamespace(spec=self.spec), yes)
        program = self.interpreter.translator.translate(sentence, agent.memory, self.spec)
        return Asked(sentence, program, agent, self.interpreter)  # type: ignore[arg-type]

    def goal(self, *stages: str) -> PddlProgram:
        from embodied.symbolic import read_domain, render_problem

        text = self.grounder.domain_text
        problem = render_problem("x", read_domain(text), self.grounder.objects, self.facts, stages)
        return PddlProgram(domain=text, problem=problem, stages=stages, source="model")


@pytest.fixture(scope="module")
def table() -> Iterator[Table]:
    world = build_world(load_scene("blocks"))
    grounder = TabletopGrounder(world.spec)
    facts = grounder.facts(world.reset(seed=3))
    goals = PddlTranslators(grounder.domain_text, grounder.objects).rules()
    maps = ValueMapTranslators(world.spec, dict, dict).rules()
    reader = OpenTranslator(MixedTranslator(goals, {"pddl": goals, "value-map": maps}), "model")
    yield Table(world.spec, grounder, facts, Interpreter(translator=reader, grammar=goals))
    world.close()


def now(asked: Asked, table: Table, *made: str) -> None:
    """The facts once goals were reached."""
    from embodied.language.interpreter.supposing import Goals

    agent: Any = asked.agent
    facts = agent.memory.facts
    for goal in made:
        facts = Goals.of(table.goal(goal), facts).after(facts)
    agent.memory = replace(agent.memory, facts=facts)
    asked.look()


def done(program: Program, *, reached: bool = True) -> tuple[Program, Outcome]:
    return program, Outcome(exit_code=REACHED if reached else NOT_REACHED, message="measured")


def reached(asked: Asked) -> bool:
    return all(v.reached for v in asked.verdicts()) and not asked.left_out()


def test_a_goal_is_reached_by_facts_alone(table: Table) -> None:
    asked = table.asked("put the red block on the tray")
    assert not reached(asked)
    asked.carried_out(*done(table.goal("(on red-block table)")))  # what a model did says nothing
    assert not reached(asked)
    now(asked, table, "(on red-block tray)")
    assert reached(asked)
    now(asked, table, "(on red-block table)")
    assert not reached(asked)


def test_stages_count_in_their_order(table: Table) -> None:
    sentence = "first put the red block on the tray, then put the blue block on the tray"
    asked = table.asked(sentence)
    now(asked, table, "(on blue-block tray)")
    assert not reached(asked)
    now(asked, table, "(on red-block tray)")
    assert reached(asked)
    now(asked, table, "(on red-block table)")  # the first one must last: nothing undoes it
    assert not reached(asked)


def test_what_a_later_stage_undoes_was_held(table: Table) -> None:
    asked = table.asked("put the red block on the tray, then put the red block in the bin")
    now(asked, table, "(in red-block bin)")
    assert not reached(asked)
    now(asked, table, "(on red-block tray)")
    now(asked, table, "(in red-block bin)")
    assert reached(asked) and asked.verdicts()[0].held == ("(on red-block tray)",)


def test_a_manner_has_to_be_measured(table: Table) -> None:
    asked = table.asked("put the red block on the tray slowly")
    plain = table.goal("(on red-block tray)")
    now(asked, table, "(on red-block tray)")
    asked.carried_out(*done(plain))
    assert not reached(asked) and "way to move" in str(asked.verdicts()[-1].unmet)
    slow = asked.in_manner(plain)
    assert isinstance(slow, PddlProgram) and slow.manners[0].max_speed_m_s == pytest.approx(0.1)
    asked.carried_out(*done(slow))
    assert reached(asked)


def test_motions_have_to_be_made_after_what_comes_before(table: Table) -> None:
    sentence = "put the red block on the tray, then move the gripper above the blue block"
    asked = table.asked(sentence)
    motion = asked.program.parts[1]  # type: ignore[union-attr]
    motion = replace(motion, source="model")
    asked.carried_out(*done(motion))
    now(asked, table, "(on red-block tray)")
    asked.carried_out(*done(table.goal("(on red-block tray)")))
    assert not reached(asked)
    asked.carried_out(*done(motion, reached=False))
    assert not reached(asked)
    asked.carried_out(*done(motion))
    assert reached(asked), (asked.verdicts(), asked.left_out())


def test_programs_may_act_on_what_the_reading_acts_on(table: Table) -> None:
    asked = table.asked("put everything except the red block in the bin")
    every = [n for n, o in table.spec.objects.items() if o.kind == "item" and n != "red-block"]
    all_but = table.goal("(and " + " ".join(f"(in {n} bin)" for n in every) + ")")
    assert asked.doubts(all_but) == () and asked.refusal(all_but) == ""
    all_of_it = table.goal("(in red-block bin)")
    assert "red-block" in asked.refusal(all_of_it)
    agent: Any = asked.agent
    assert [q.kind for q in agent.asked] == ["unasked"]
    assert "red-block" in asked.refusal(all_of_it) and len(agent.asked) == 1  # asked once


def test_a_sentence_that_no_rule_reads_has_to_be_covered(table: Table) -> None:
    sentence = "could the crimson block perhaps live on the tray"
    asked = table.asked(sentence)
    assert asked.program is None and asked.unread and not reached(asked)
    program = table.goal("(in yellow-block bin)")
    assert asked.doubts(program) and "person said no" in asked.refusal(program)
    asked.carried_out(*done(program, reached=False))
    assert not reached(asked)


def test_an_answer_makes_the_sentence_clear(table: Table) -> None:
    asked = table.asked("put the block on the tray")
    assert asked.program is None and "which one" in asked.unread
    asked.clarify("the green block")
    assert asked.said == "put the green block on the tray"
    assert isinstance(asked.program, PddlProgram)
    assert asked.program.stages == ("(on green-block tray)",)
