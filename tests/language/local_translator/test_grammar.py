from __future__ import annotations

import random

from embodied.language.local_translator.grammar import Grammar, lit, words


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
