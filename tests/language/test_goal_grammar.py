"""Whatever the grammar lets through type-checks; what it must let through it does."""

from __future__ import annotations

import json
import os
import random
import re

import pytest

from embodied.language.pddl.goal_grammar import goal_grammar
from embodied.language.pddl.scene_translator import read_answer
from embodied.symbolic import ForAll, read_domain, read_goal

SAMPLES = 2_000


class Gbnf:
    """A sampler and a matcher for the part of GBNF that the project's grammars use."""

    def __init__(self, text: str) -> None:
        self.rules = {}
        for line in text.splitlines():
            name, _, body = line.partition(" ::= ")
            assert name not in self.rules, f"rule {name} is defined twice"
            self._tokens = re.findall(
                r'"(?:[^"\\]|\\.)*"|\[(?:[^\]\\]|\\.)*\]|\{\d*,?\d*\}|[a-zA-Z][\w-]*|[()|*+?]', body
            )
            self._at = 0
            self.rules[name] = self._alternatives()
            assert self._at == len(self._tokens), f"left over in {name}"
        for node in self.rules.values():
            self._check(node)

    def _alternatives(self):
        options = [self._sequence()]
        while self._peek() == "|":
            self._at += 1
            options.append(self._sequence())
        return ("or", options)

    def _peek(self):
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _sequence(self):
        items = []
        while self._peek() not in ("", "|", ")"):
            token = self._tokens[self._at]
            self._at += 1
            if token == "(":
                node = self._alternatives()
                assert self._peek() == ")"
                self._at += 1
            elif token[0] == '"':
                node = ("text", json.loads(token))
            elif token[0] == "[":
                node = ("class", token)
            else:
                node = ("rule", token)
            bounds = {"*": (0, 3), "+": (1, 3), "?": (0, 1)}.get(self._peek())
            if self._peek().startswith("{"):
                low, high = self._peek()[1:-1].split(",")
                bounds = (int(low), int(high))
            if bounds:
                self._at += 1
                node = ("repeat", node, *bounds)
            items.append(node)
        return ("all", items)

    def _check(self, node):
        if node[0] == "rule":
            assert node[1] in self.rules, f"rule {node[1]} is not defined"
        for child in node[1] if node[0] in ("or", "all") else node[1:2]:
            if isinstance(child, tuple):
                self._check(child)

    def sample(self, rng: random.Random, node=("rule", "root")) -> str:
        match node:
            case ("rule", name):
                return self.sample(rng, self.rules[name])
            case ("or", options):
                return self.sample(rng, rng.choice(options))
            case ("all", items):
                return "".join(self.sample(rng, item) for item in items)
            case ("repeat", item, low, high):
                return "".join(self.sample(rng, item) for _ in range(rng.randint(low, high)))
            case ("class", text):
                return rng.choice([c for c in map(chr, range(32, 127)) if re.fullmatch(text, c)])
            case ("text", text):
                return text
        raise AssertionError(node)

    def matches(self, text: str) -> bool:
        return len(text) in self._ends(("rule", "root"), text, 0)

    def _ends(self, node, text: str, start: int) -> set[int]:
        match node:
            case ("rule", name):
                return self._ends(self.rules[name], text, start)
            case ("or", options):
                return set().union(*(self._ends(o, text, start) for o in options))
            case ("all", items):
                ends = {start}
                for item in items:
                    ends = set().union(*(self._ends(item, text, e) for e in ends))
                return ends
            case ("repeat", item, low, _):
                ends, seen = {start}, {start} if low == 0 else set()
                while ends:
                    ends = set().union(*(self._ends(item, text, e) for e in ends)) - seen
                    seen |= ends
                return seen
            case ("class", wanted):
                ok = start < len(text) and re.fullmatch(wanted, text[start])
                return {start + 1} if ok else set()
            case ("text", wanted):
                return {start + len(wanted)} if text.startswith(wanted, start) else set()
        raise AssertionError(node)


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize("quantifiers", [0, 1, 2])
def test_every_sample_type_checks(
    domain_text: str, objects: dict[str, str], form: str, quantifiers: int
) -> None:
    domain = read_domain(domain_text)
    grammar = Gbnf(goal_grammar(domain, objects, form=form, quantifiers=quantifiers))
    rng = random.Random(0)
    quantified = refused = 0
    for _ in range(SAMPLES // 3):
        text = grammar.sample(rng)
        stages, refusal = read_answer(text)
        refused += bool(refusal)
        for stage in stages:
            goal = read_goal(stage, domain, objects)  # raises on anything ill-typed
            quantified += isinstance(goal, ForAll)
    assert 0 < refused < SAMPLES // 3
    assert (quantified > 0) == (quantifiers > 0)


@pytest.mark.parametrize(
    "goal",
    [
        "(in saw crate)",
        "(not (open top-drawer))",
        "(and (in red-car crate) (in blue-car top-drawer) (not (open top-drawer)))",
        "(forall (?x - toy-car) (in ?x crate))",
        "(forall (?x - item) (imply (not (= ?x saw)) (in ?x crate)))",
        "(forall (?x - item) (imply (has-color ?x red) (not (in ?x crate))))",
        "(exists (?x - toy-car) (in ?x crate))",
        "(or (in saw crate) (in saw top-drawer))",
        "(and (in saw crate) (forall (?x - toy-car) (not (in ?x crate))))",
    ],
)
def test_ordinary_goals_are_in_the_grammar(
    domain_text: str, objects: dict[str, str], goal: str
) -> None:
    domain = read_domain(domain_text)
    assert Gbnf(goal_grammar(domain, objects)).matches(goal)
    answer = json.dumps({"stages": [goal, goal], "unsupported": ""})
    assert Gbnf(goal_grammar(domain, objects, form="json")).matches(answer)
    refusal = json.dumps({"stages": [], "unsupported": "there is no hammer"})
    assert Gbnf(goal_grammar(domain, objects, form="json")).matches(refusal)


@pytest.mark.parametrize(
    "goal",
    [
        "(in hammer crate)",  # no such object
        "(under saw crate)",  # no such predicate
        "(in crate saw)",  # places of the wrong type
        "(open crate)",  # no drawer
        "(in ?x crate)",  # no such variable in scope
        "(forall (?x - tool) (open ?x))",  # a tool is no drawer
        "(forall (?x - hammer) (in ?x crate))",  # no such type
        "(forall (?x - tool) (= ?x red-car))",  # never equal: different types
        "(and)",
        "(in saw crate",
        "put the saw in the crate",
    ],
)
def test_senseless_goals_are_not_in_the_grammar(
    domain_text: str, objects: dict[str, str], goal: str
) -> None:
    assert not Gbnf(goal_grammar(read_domain(domain_text), objects)).matches(goal)


def test_types_without_objects_do_not_appear(domain_text: str) -> None:
    text = goal_grammar(read_domain(domain_text), {"saw": "tool", "crate": "container"})
    assert "drawer" not in text and "open" not in text and "color" not in text


def test_a_domain_without_types() -> None:
    domain = read_domain(
        "(define (domain b) (:predicates (on ?x ?y) (clear ?x))"
        " (:action a :parameters (?x) :precondition (clear ?x) :effect (on ?x ?x)))"
    )
    objects = {"a": "object", "b": "object"}
    grammar = Gbnf(goal_grammar(domain, objects))
    assert grammar.matches("(forall (?x) (not (on ?x b)))")
    rng = random.Random(1)
    for _ in range(200):
        for stage in read_answer(grammar.sample(rng))[0]:
            read_goal(stage, domain, objects)


def test_bad_arguments_are_refused(domain_text: str, objects: dict[str, str]) -> None:
    domain = read_domain(domain_text)
    with pytest.raises(ValueError, match="text, json"):
        goal_grammar(domain, objects, form="yaml")
    with pytest.raises(ValueError, match="quantifiers"):
        goal_grammar(domain, objects, quantifiers=9)
    bare = read_domain("(define (domain bare) (:predicates (in ?x)))")
    with pytest.raises(ValueError, match="no predicate"):
        goal_grammar(bare, {})


def test_a_real_model_at_high_temperature_stays_inside(
    domain_text: str, objects: dict[str, str]
) -> None:
    """llama.cpp reads the grammar as we mean it."""
    if "EMBODIED_TEST_GGUF" not in os.environ:
        pytest.skip("no weights to test with: set EMBODIED_TEST_GGUF to a GGUF chat model")
    from embodied.language.models.local import LocalModel
    from embodied.protocols import Message, Request

    domain = read_domain(domain_text)
    model = LocalModel(os.environ["EMBODIED_TEST_GGUF"], context_tokens=1024, threads=1)
    whole = 0
    for sentence in ("put the saw in the crate", "close it", "sing a song", "cars in the drawer"):
        answer = model.complete(
            Request(
                messages=(Message(role="user", text=sentence),),
                grammar=goal_grammar(domain, objects, form="json", quantifiers=2),
                max_tokens=200,
                temperature=1.5,
            )
        )
        if answer.usage.output_tokens < 200:
            whole += 1
            for stage in read_answer(answer.text)[0]:
                read_goal(stage, domain, objects)
    model.close()
    assert whole > 0
