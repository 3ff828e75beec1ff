"""No sequence of proposals, however adversarial, gets a memory into an inconsistent state."""

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DataObject

from embodied.memory import (
    Delta,
    Judgement,
    Linear,
    Memory,
    Op,
    Provenance,
    Vocabulary,
    Writer,
    inconsistencies,
)
from embodied.symbolic import Domain
from embodied.types import Atom, GroundAction

from .conftest import BLOCKS, STATLER, TABLETOP, THINGS

WRITER = Writer()
VALUES = st.one_of(
    st.just(True),
    st.sampled_from(["red", "blue", "dirty", "", "a"]),
    st.fractions(min_value=-2, max_value=4, max_denominator=3),
)


def atoms(domain: Domain, objects: dict[str, str]) -> st.SearchStrategy[Atom]:
    """Mostly well-formed atoms; some with the wrong words or numbers of them."""
    names = st.sampled_from([*objects, "ghost"])
    words = st.sampled_from([*domain.predicates, "weight", "colour", "nonsense"])
    formed = st.sampled_from(sorted(domain.predicates)).flatmap(
        lambda p: st.tuples(
            *(
                st.sampled_from([n for n, k in objects.items() if domain.accepts(q, k)] or ["x"])
                for q in domain.predicates[p]
            )
        ).map(lambda args: Atom(p, args))
    )
    wild = st.builds(Atom, words, st.lists(names, max_size=3).map(tuple))
    return st.one_of(formed, formed, formed, wild)


def proposals(domain: Domain, objects: dict[str, str]) -> st.SearchStrategy[object]:
    """Batches of deltas, actions and relations."""
    what = atoms(domain, objects)
    delta = st.builds(
        lambda op, a, v: Delta(op=op, atom=a, value=v), st.sampled_from(Op), what, VALUES
    )
    names = st.sampled_from(list(objects))
    action = st.builds(
        GroundAction,
        st.sampled_from([*domain.actions, "fly"]),
        st.lists(names, min_size=1, max_size=3).map(tuple),
    )
    weight = names.map(lambda n: Atom("weight", (n,)))
    relation = st.builds(
        lambda terms, c: Linear(terms={x: f for x, f in terms.items() if f}, constant=c),
        st.dictionaries(weight, st.fractions(-3, 3, max_denominator=2), max_size=3),
        st.fractions(-2, 2, max_denominator=2),
    )
    return st.one_of(st.lists(delta, min_size=1, max_size=5), action, relation)


def check(
    data: DataObject, vocabulary: Vocabulary, domain: Domain, objects: dict[str, str]
) -> None:
    memory = Memory(vocabulary=vocabulary)
    for number in range(data.draw(st.integers(1, 10))):
        proposal = data.draw(proposals(domain, objects))
        source = data.draw(st.sampled_from(Provenance))
        time_s = data.draw(st.sampled_from([number, number, number - 2]))
        match proposal:
            case list():
                deltas: list[Delta] = proposal
                written = WRITER.propose(memory, deltas, provenance=source, time_s=time_s)
                assert len(written.decisions) == len(deltas)
            case GroundAction():
                written = WRITER.act(memory, proposal, time_s=time_s)
            case Linear():
                written = WRITER.relate(memory, proposal, time_s=time_s)
            case _:
                raise AssertionError(proposal)
        after = written.memory
        assert inconsistencies(vocabulary, after.facts) == ()
        assert after.step == memory.step + 1
        for decision in written.decisions:
            assert decision.reason or decision.judgement is Judgement.ACCEPTED
        if len(written.rejected) == len(written.decisions):
            assert dict(after.beliefs) == dict(memory.beliefs)
            assert after.quantities == memory.quantities
        assert all(
            f.value is True for a, f in after.beliefs.items() if a.predicate in domain.predicates
        )
        for atom in after.beliefs:
            value = after.quantities.value(atom)
            if atom.predicate == "weight":
                assert value is not None
                assert value > 0
                assert after.beliefs[atom].value == value
        memory = after


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_blocks_stay_consistent(data: DataObject) -> None:
    vocabulary = Vocabulary(domain=STATLER, objects=BLOCKS, attributes={"colour": ("red", "blue")})
    check(data, vocabulary, STATLER, BLOCKS)


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_an_arm_and_its_things_stay_consistent(data: DataObject) -> None:
    vocabulary = Vocabulary(domain=TABLETOP, objects=THINGS, attributes={"colour": ()})
    check(data, vocabulary, TABLETOP, THINGS)
