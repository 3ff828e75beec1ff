from __future__ import annotations

import random

from embodied.language.offline.grammar import Grammar, lit, words


def test_gbnf_text() -> None:
    grammar = Grammar(
        {"root": ((lit("a "), "who"), ()), "who": words(("x", 'say "y"'))},
    )
    assert grammar.gbnf() == 'root ::= "a " who | ""\nwho ::= "x" | "say \\"y\\""\n'


def test_samples_end_even_when_rules_recur() -> None:
    grammar = Grammar({"root": (("x",), ("x", "root", "root")), "x": ((lit("x"),),)})
    for seed in range(50):
        text = grammar.sample(random.Random(seed))
        assert text and set(text) == {"x"}


NAMES = Grammar(
    {
        "root": ((lit("put "), "names", "where"), ()),
        "names": (("name",), ("name", lit(" "), "names")),
        "name": words(("cup", "cupboard")),
        "where": ((), (lit(" in bin"),)),
    }
)


def test_what_may_follow_a_beginning() -> None:
    assert not NAMES.after("put pan")
    assert not NAMES.may_end(NAMES.after("put cup "))
    assert NAMES.may_end(NAMES.after("put cup"))
    assert NAMES.may_end(NAMES.after(""))
    rest = NAMES.continued(NAMES.after("put cup"))
    assert {rest.sample(random.Random(seed), depth=6) for seed in range(60)} >= {
        "",
        "board",
        " in bin",
        "board in bin",
    }


def test_any_beginning_continues_to_a_whole() -> None:
    for seed in range(60):
        rng = random.Random(seed)
        whole = NAMES.sample(rng)
        k = rng.randint(0, len(whole))
        rests = NAMES.after(whole[:k])
        assert NAMES.may_end(NAMES.after(whole[k:], rests))
        other = whole[:k] + NAMES.continued(rests).sample(rng)
        assert NAMES.may_end(NAMES.after(other))
