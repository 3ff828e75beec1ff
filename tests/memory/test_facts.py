"""Facts, deltas and changes, and their way to JSON and back."""

from fractions import Fraction

import pytest

from embodied.memory import Change, Contradiction, Delta, Fact, Op, Provenance
from embodied.memory.facts import exact
from embodied.records import Record
from embodied.types import Atom


def fact(text: str, value: object = True) -> Fact:
    return Fact(
        atom=Atom.parse(text),
        value=value,  # pyright: ignore[reportArgumentType]
        provenance=Provenance.TOLD,
        confidence=0.9,
        time_s=2.0,
    )


@pytest.mark.parametrize(
    ("value", "kind"),
    [(True, None), (Fraction(1, 3), "numeric"), ("1/3", "attribute")],
)
def test_facts_survive_json(value: object, kind: str | None) -> None:
    one = fact("(weight a)", value)
    assert one.to_json().get("kind") == kind
    again = Fact.of(Record(one.to_json()))
    assert again == one
    assert type(again.value) is type(value)


def test_what_is_false_is_not_stored() -> None:
    with pytest.raises(ValueError, match="is false"):
        fact("(on a b)", False)


@pytest.mark.parametrize("confidence", [0.0, 1.2, -1.0])
def test_confidence_is_a_probability(confidence: float) -> None:
    with pytest.raises(ValueError, match="confidence"):
        Fact(atom=Atom("p"), provenance=Provenance.SEEN, confidence=confidence, time_s=0.0)


def test_numbers_are_exact() -> None:
    assert exact(0.1) == Fraction(1, 10)
    assert exact("red") == "red"
    with pytest.raises(ValueError, match="finite"):
        exact(float("nan"))
    assert Delta.set("(weight a)", 2).value == Fraction(2)


def test_changes_survive_json() -> None:
    change = Change(
        step=3,
        time_s=1.5,
        cause="told: the box is heavy",
        put=(fact("(on a b)"),),
        dropped=(Atom.parse("(on a c)"),),
        notes=("rejected: x",),
        exchange=("the box", "(on a b)"),
    )
    assert Change.of(Record(change.to_json())) == change
    with pytest.raises(ValueError, match="lacks 't'"):
        Change.of(Record({"step": 1}))
    with pytest.raises(ValueError, match="lacks 'from'"):
        Fact.of(Record({"fact": "(p)"}))


def test_a_contradiction_says_what_was_believed_and_since_when() -> None:
    found = Contradiction(
        atom=Atom.parse("(on a b)"), believed=fact("(on a b)"), measured=None, time_s=3.0
    )
    assert str(found) == "(on a b) (told at 2 s) is not measured"
    assert found.to_json()["time_s"] == 3.0
    new = Contradiction(atom=Atom.parse("(on a c)"), believed=None, measured=True, time_s=3.0)
    assert "was not believed" in str(new)


def test_deltas_as_text() -> None:
    assert str(Delta.add("(on a b)")) == "add (on a b)"
    assert str(Delta.set("(weight a)", 0.5)) == "set (weight a) = 1/2"
    assert Delta.remove("(on a b)").op is Op.REMOVE
