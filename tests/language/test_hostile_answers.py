"""Answers out of bounds: every reader of a model's answer says what is wrong, and ends."""

from __future__ import annotations

import json
import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embodied.bounded_json import (
    DEEPEST,
    LONGEST_LIST,
    LONGEST_STRING,
    LONGEST_TEXT,
    UnreadableAnswerError,
    json_object,
)
from embodied.errors import NotUnderstoodError, ProgramError
from embodied.language.pddl.document_translator import extract_problem
from embodied.language.pddl.scene_translator import read_answer
from embodied.language.reward import program_from_json
from embodied.language.value_map import read_json
from embodied.memory.model_writer import read_proposal
from embodied.symbolic import read_domain

READERS: dict[str, Callable[[str], object]] = {
    "goals": read_answer,
    "reward": lambda text: program_from_json(text, "quadruped", source="x"),
    "value map": lambda text: read_json(text, objects=("red-block",)),
    "memory": read_proposal,
    "pddl": lambda text: read_domain(extract_problem(text)),
}
by_reader = pytest.mark.parametrize("read", READERS.values(), ids=READERS)

DEEP = 100_000
HOSTILE = {
    "empty": "",
    "nothing but braces": "{" * DEEP,
    "objects that never end": '{"a":' * DEEP,
    "lists that never end": '{"stages":' + "[" * DEEP,
    "deep and closed": '{"stages":' + "[" * DEEP + "]" * DEEP + "}",
    "parentheses": "(" * DEEP,
    "deep PDDL": "(define (domain d) (:predicates (p)) " + "(not " * DEEP + ")" * DEEP,
    "many stages": json.dumps({"stages": ["(on a b)"] * 100_000}),
    "a long text": json.dumps({"stages": ["a" * 200_000]}),
    "a long key": json.dumps({"a" * 200_000: 1}),
    "a long number": '{"stages": [' + "9" * 5_000 + "]}",
    "a number with many digits": '{"stages": [' + "9" * 400 + "]}",
    "infinite": '{"stages": [1e999]}',
    "not a number": '{"stages": [NaN, Infinity, -Infinity]}',
    "a key twice": '{"stages": [], "stages": ["(on a b)"]}',
    "half a surrogate": '{"stages": ["\\ud800"]}',
    "half a surrogate, raw": "\ud800",
    "null bytes": '{"stages": ["\x00"]}',
    "wrong types": '{"stages": {"a": null}, "deltas": 3, "terms": true}',
    "quadratic": '{"x" {"x" ' * 20_000,
}


@by_reader
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_answers_are_refused(read: Callable[[str], object], text: str) -> None:
    with pytest.raises((ProgramError, NotUnderstoodError)) as caught:
        read(text)
    assert caught.value.diagnostics
    assert all(len(str(d)) < 2_000 for d in caught.value.diagnostics)


GOOD = [
    '{"stages": [{"terms": [{"name": "torso_height", "height": 0.3}]}]}',
    '{"stages": [{"operations": [{"map": "target", "region": {"shape": "object", '
    '"name": "red-block"}}]}]}',
    '{"stages": ["(and (on red-block green-block))"], "unsupported": ""}',
    '{"deltas": [{"op": "add", "fact": "(on a b)"}], "say": ["x"]}',
    "(define (domain d) (:predicates (p ?x)) (:action a :parameters (?x) :effect (p ?x)))",
]


@by_reader
@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 2**32), text=st.sampled_from(GOOD))
def test_broken_answers_are_read_or_refused(
    read: Callable[[str], object], seed: int, text: str
) -> None:
    rng = random.Random(seed)
    for _ in range(rng.randrange(1, 6)):
        at = rng.randrange(len(text) + 1)
        piece = rng.choice(
            ["", "{", "}", "[", "]", '"', "null", "1e999", "-", "(", ")", "\ud800", "\x00", "é"]
        )
        text = text[:at] + piece + text[at + rng.randrange(4) :]
    try:
        read(text)
    except (ProgramError, NotUnderstoodError):
        pass


def test_the_first_object_is_found_between_words() -> None:
    assert json_object('Sure {as asked}:\n```json\n{"a": {"b": [1, 2.5, "x"]}}\n```\n{"c": 1}') == {
        "a": {"b": [1, 2.5, "x"]}
    }


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('\n\n{"a": [1,]}', "line 3"),
        ("a" * (LONGEST_TEXT + 1), str(LONGEST_TEXT)),
        (json.dumps({"a": [0] * (LONGEST_LIST + 1)}), str(LONGEST_LIST)),
        (json.dumps({"a": "b" * (LONGEST_STRING + 1)}), str(LONGEST_STRING)),
        ('{"a":' + "[" * (DEEPEST + 1) + "]" * (DEEPEST + 1) + "}", "deep"),
        (json.dumps({"a": [["b"] * 150] * 190}), "20000"),
    ],
)
def test_the_reason_says_where_and_what_is_legal(text: str, says: str) -> None:
    with pytest.raises(UnreadableAnswerError) as caught:
        json_object(text)
    error = caught.value
    assert says in f"{error.where} {error.problem} {error.hint}"
