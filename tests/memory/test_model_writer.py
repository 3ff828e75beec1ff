"""A model's answer is read strictly; what it sees fits the scene."""

import json
from fractions import Fraction

import pytest

from embodied.errors import ProgramError
from embodied.language.models import FunctionModel
from embodied.memory import Delta, Linear, Memory, Provenance, Writer
from embodied.memory.model_writer import SCHEMA, ModelWriter, read_proposal
from embodied.protocols import Request
from embodied.types import Atom, GroundAction

ANSWER = {
    "deltas": [
        {"op": "add", "fact": "(on a b)"},
        {"op": "set", "fact": "(weight a)", "value": 0.5},
        {"op": "set", "fact": "(colour a)", "value": "red"},
    ],
    "relations": [{"x": "(weight a)", "factor": "1/2", "y": "(weight b)"}],
    "actions": ["(put a table bowl)"],
    "say": ["a"],
}


def test_every_part_is_read() -> None:
    proposal = read_proposal(f"```json\n{json.dumps(ANSWER)}\n```")
    assert proposal.deltas == (
        Delta.add("(on a b)"),
        Delta.set("(weight a)", Fraction(1, 2)),
        Delta.set("(colour a)", "red"),
    )
    half = Linear.ratio(Atom("weight", ("a",)), Fraction(1, 2), Atom("weight", ("b",)))
    assert proposal.relations == (half,)
    assert proposal.actions == (GroundAction.parse("(put a table bowl)"),)
    assert proposal.say == ("a",)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("I would say so", "not JSON"),
        ("[]", "no object"),
        ('{"state": {}}', "there is no 'state'"),
        ('{"deltas": [{"op": "erase", "fact": "(on a b)"}]}', r"deltas\[0\]"),
        ('{"deltas": [{"op": "add"}]}', r"deltas\[0\]"),
        ('{"relations": [{"x": "(weight a)", "factor": "1/0", "y": "(weight b)"}]}', "relations"),
        ('{"actions": ["(put (a) b)"]}', "actions"),
    ],
)
def test_what_cannot_be_read_says_where(text: str, problem: str) -> None:
    with pytest.raises(ProgramError, match=problem):
        read_proposal(text)


def test_a_model_sees_the_words_of_the_scene_and_a_view_within_its_budget(memory: Memory) -> None:
    deltas = [Delta.add(f"(on {n} table)") for n in "abcd"]
    memory = Writer().propose(memory, deltas, provenance=Provenance.SEEN, time_s=0.0).memory
    asked: list[Request] = []

    def reply(request: Request) -> str:
        asked.append(request)
        return json.dumps(ANSWER) if len(asked) > 1 else "well"

    writer = ModelWriter(FunctionModel(reply), view_tokens=30)
    assert writer.propose("put a on b", memory, about=["a"], notes=["rejected: x"]).say == ("a",)
    first, second = asked
    assert first.schema == SCHEMA
    system, user = (m.text for m in first.messages)
    assert "(stack ?x:block ?from:place ?y:block)" in system
    assert "colour (red|blue)" in system
    assert "$" not in system + user
    assert "(on a table)" in user
    assert "(on d table)" not in user
    assert "rejected: x" in user
    assert "not JSON" in second.messages[-1].text
    assert writer.usage.calls == 2
