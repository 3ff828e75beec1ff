"""The writer accepts, corrects or rejects, and says why."""

import re

import pytest

from embodied.memory import (
    Delta,
    Judgement,
    Linear,
    Memory,
    Provenance,
    Reader,
    Vocabulary,
    Writer,
    Written,
    inconsistencies,
)
from embodied.types import Atom, GroundAction

ACCEPTED, CORRECTED, REJECTED = Judgement.ACCEPTED, Judgement.CORRECTED, Judgement.REJECTED
WRITER = Writer()


def told(memory: Memory, *deltas: Delta, time_s: float = 1.0) -> Written:
    return WRITER.propose(memory, deltas, provenance=Provenance.TOLD, time_s=time_s)


def on_table(memory: Memory, *names: str) -> Memory:
    deltas = [Delta.add(f"(on {n} table)") for n in names]
    return WRITER.propose(memory, deltas, provenance=Provenance.SEEN, time_s=0.0).memory


def acted(memory: Memory, *actions: str) -> Memory:
    for action in actions:
        written = WRITER.act(memory, GroundAction.parse(action), time_s=memory.time_s + 1)
        assert not written.rejected, written.decisions
        memory = written.memory
    return memory


def only(written: Written) -> tuple[Judgement, str]:
    (decision,) = written.decisions
    return decision.judgement, decision.reason


def test_one_place_per_object(memory: Memory) -> None:
    written = told(on_table(memory, "a"), Delta.add("(on a bowl)"))
    assert only(written) == (CORRECTED, "(on a table) ends")
    assert Reader(written.memory).place("a") == "bowl"


def test_nothing_rests_on_what_is_moved(memory: Memory) -> None:
    tower = acted(on_table(memory, "a", "b"), "(stack b table a)")
    judgement, reason = only(told(tower, Delta.add("(on a bowl)"), time_s=9.0))
    assert judgement is REJECTED
    assert reason == "b rests on a: nothing may rest on what is moved"
    written = WRITER.act(tower, GroundAction.parse("(put a table bowl)"), time_s=9.0)
    assert written.decisions[0].judgement is REJECTED
    assert "it needs" in written.decisions[0].reason
    assert dict(written.memory.beliefs) == dict(tower.beliefs)


@pytest.mark.parametrize(
    ("delta", "reason"),
    [
        (Delta.add("(on a a)"), "cannot be on itself"),
        (Delta.add("(on a ghost)"), "there is no object 'ghost'; objects: a, b"),
        (Delta.add("(over a b)"), "there is no predicate, quantity or attribute 'over'; known: on"),
        (Delta.add("(on a)"), "takes 2 arguments"),
        (Delta.add("(on table a)"), "must be a block"),
        (Delta.add("(above a b)"), "change on instead"),
        (Delta.add("(weight a)"), "set it"),
        (Delta.set("(on a b)", "red"), "add or remove it"),
        (Delta.set("(weight a)", -1), "positive number"),
        (Delta.set("(colour a)", "green"), "one of red, blue"),
        (Delta.remove("(on a b)"), r"is not believed; believed: \(on a table\)"),
        (Delta.remove("(weight a)"), "nothing is known"),
    ],
)
def test_each_rejection_says_why(memory: Memory, delta: Delta, reason: str) -> None:
    before = on_table(memory, "a", "b")
    written = told(before, delta)
    assert written.decisions[0].judgement is REJECTED
    assert re.search(reason, written.decisions[0].reason)
    assert dict(written.memory.beliefs) == dict(before.beliefs)


def test_no_circles_and_one_on_top(memory: Memory) -> None:
    tower = acted(on_table(memory, "a", "b", "c"), "(stack b table a)")
    assert only(told(tower, Delta.add("(on c a)")))[1].startswith("b rests on a")
    loose = told(tower, Delta.remove("(on a table)"), time_s=9.0).memory
    assert only(told(loose, Delta.add("(on a b)"), time_s=9.0)) == (REJECTED, "b rests on or in a")


def test_removals_make_room_whatever_the_order(memory: Memory) -> None:
    tower = acted(on_table(memory, "a", "b", "c"), "(stack b table a)")
    written = told(tower, Delta.add("(on c a)"), Delta.remove("(on b a)"), time_s=9.0)
    assert [d.judgement for d in written.decisions] == [CORRECTED, ACCEPTED]
    assert Reader(written.memory).place("b") is None


def test_what_was_seen_outweighs_what_is_told_of_the_same_moment(memory: Memory) -> None:
    seen = on_table(memory, "a")
    judgement, reason = only(told(seen, Delta.add("(on a bowl)"), time_s=0.0))
    assert judgement is REJECTED
    assert "outweighs" in reason
    later = told(seen, Delta.add("(on a bowl)"), time_s=5.0).memory
    assert "this is about 2 s" in only(told(later, Delta.add("(on a table)"), time_s=2.0))[1]


def test_opposites_and_touch(memory: Memory) -> None:
    dirty = told(on_table(memory, "a", "b"), Delta.add("(dirty a)")).memory
    assert only(told(dirty, Delta.add("(clean a)"), time_s=2.0)) == (CORRECTED, "(dirty a) ends")
    tower = acted(dirty, "(stack b table a)")
    assert Reader(tower).holds("(dirty b)")
    judgement, reason = only(told(tower, Delta.add("(clean b)"), time_s=9.0))
    assert judgement is REJECTED
    assert "touches" in reason


def test_relations_are_solved_and_not_believed_blindly(memory: Memory) -> None:
    a, b = Atom("weight", ("a",)), Atom("weight", ("b",))
    heavy = WRITER.relate(memory, Linear.ratio(a, 2, b), time_s=1.0).memory
    assert only(told(heavy, Delta.set("(weight b)", 3)))[0] is ACCEPTED
    both = told(heavy, Delta.set("(weight b)", 3)).memory
    assert both.value(a) == 6
    judgement, reason = only(told(both, Delta.set("(weight a)", 5)))
    assert judgement is REJECTED
    assert "contradicts" in reason
    refused = WRITER.relate(both, Linear.ratio(a, 1, b), time_s=2.0)
    assert refused.rejected
    assert refused.memory.quantities == both.quantities
    wrong = WRITER.relate(memory, Linear.ratio(Atom("age", ("a",)), 2, b), time_s=1.0)
    assert "quantities: weight" in wrong.decisions[0].reason


def test_the_hand(things: Vocabulary) -> None:
    start = Memory(vocabulary=things).measured(
        frozenset(
            Atom.parse(t)
            for t in (
                "(on x table)",
                "(on y x)",
                "(on z table)",
                "(clear y)",
                "(clear z)",
                "(hand-empty)",
                "(open box)",
                "(fits y box)",
            )
        ),
        time_s=0.0,
    )
    assert inconsistencies(things, start.facts) == ()
    judgement, reason = only(told(start, Delta.add("(holding x)")))
    assert (judgement, reason.split(":")[0]) == (REJECTED, "y rests on x")
    held = told(start, Delta.add("(holding y)"))
    assert only(held) == (CORRECTED, "(on y x) ends")
    memory = held.memory
    assert not Reader(memory).holds("(hand-empty)")
    assert Reader(memory).holds("(clear x)")
    assert only(told(memory, Delta.add("(holding z)"), time_s=2.0)) == (
        REJECTED,
        "the hand holds y",
    )
    assert only(told(memory, Delta.add("(on z y)"), time_s=2.0)) == (REJECTED, "y is in the hand")
    assert "measured, not said" in only(told(memory, Delta.add("(fits z box)")))[1]
    down = acted(memory, "(put-in y box)")
    assert Reader(down).whereabouts("y") == ("box",)
    assert Reader(down).holds("(hand-empty)")


def test_what_rests_on_a_thing_shares_its_container(things: Vocabulary) -> None:
    start = told(
        Memory(vocabulary=things), Delta.add("(in x box)"), Delta.add("(on y table)")
    ).memory
    stacked = told(start, Delta.add("(on y x)"), time_s=2.0)
    judgement, reason = only(stacked)
    assert judgement is CORRECTED
    assert "so (in y box)" in reason
    assert inconsistencies(things, stacked.memory.facts) == ()
    apart = told(stacked.memory, Delta.remove("(in x box)"), time_s=3.0)
    assert only(apart)[0] is REJECTED


def test_what_is_hidden_moves_with_its_container() -> None:
    from embodied.bench.statler.sessions import ShellGame

    from .conftest import bundled_domain

    game = ShellGame(bundled_domain("shell_game.pddl"), cups=3, ball=1)
    for n, (i, j) in enumerate([(1, 2), (2, 3), (1, 2)]):
        game.swap(i, j, time_s=float(n + 1))
    assert game.believed() == game.truth == 3
    assert Reader(game.memory).contents("spot-3") == ("cup-1", "ball")
