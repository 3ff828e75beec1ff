"""What sentences mean, and how refusals read."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from embodied.errors import NotUnderstoodError
from embodied.language.pddl.rules import RulesTranslator
from embodied.symbolic import read_problem
from embodied.types import ObjectSpec
from embodied.world.grounding import TabletopGrounder

from .conftest import Translate


@pytest.mark.parametrize(
    ("scene", "text", "stages"),
    [
        ("blocks", "put red on green. put blue on it.",
         ["(and (on red-block green-block) (on blue-block red-block))"]),
        ("blocks", "put the blocks in the bin but leave the red one on the tray",
         ["(and (in green-block bin) (in blue-block bin) (in yellow-block bin) "
          "(in orange-block bin) (in purple-block bin) (on red-block tray))"]),
        ("blocks", "put blue in the bin first, then red",
         ["(in blue-block bin)", "(in red-block bin)"]),
        ("blocks", "build a tower of red, green and blue with blue at the bottom and red on top",
         ["(and (on green-block blue-block) (on red-block green-block))"]),
        ("blocks", "put nothing in the bin", ["(forall (?x - item) (not (in ?x bin)))"]),
        ("blocks", "put the red block, if possible, in the bin", ["(in red-block bin)"]),
        ("blocks", "don't leave the red block on the table", ["(not (on red-block table))"]),
        ("kitchen", "put the red mug and the blue mug on the plate, then move them to the shelf",
         ["(and (on red-cup plate) (on blue-cup plate))",
          "(and (on red-cup shelf) (on blue-cup shelf))"]),
        ("kitchen", "open the drawer, put the apple in it and close it",
         ["(and (in apple drawer) (not (open drawer)))"]),
        ("kitchen", "put the blue one in the basket", ["(in blue-cup basket)"]),
        ("workshop", "put the box in the crate", ["(in black-box crate)"]),
        ("workshop", "the ball and the battery should be put in the crate",
         ["(and (in ball crate) (in battery crate))"]),
        ("workshop", "everything except the parts and the bricks should be in the crate",
         ["(and (in battery crate) (in blue-block crate) (in ball crate))"]),
        ("blocks", "bin the red block, then bin red and green",
         ["(in red-block bin)", "(and (in red-block bin) (in green-block bin))"]),
        ("blocks", "i don't want the red block in the bin", ["(not (in red-block bin))"]),
        ("blocks", "red and green both on the tray",
         ["(and (on red-block tray) (on green-block tray))"]),
        ("workshop", "put the ball in the box", ["(in ball toolbox)"]),
    ],
)  # fmt: skip
def test_goals(translate: Translate, scene: str, text: str, stages: list[str]) -> None:
    assert list(translate(scene, text).stages) == stages


@pytest.mark.parametrize(
    ("scene", "text", "reason"),
    [
        ("kitchen", "put the banana in the bowl", "I do not know 'banana'"),
        ("kitchen", "put the aple in the bowl", "did you mean apple"),
        ("kitchen", "put the cup on the plate", "'the cup' can be the red cup or the blue cup"),
        (
            "kitchen",
            "put the pink cup on the plate",
            "no such thing here as 'the pink cup'",
        ),
        ("kitchen", "put the plate on the table", "the plate is fixed and cannot be moved"),
        ("kitchen", "open the bowl", "the bowl cannot be opened or closed"),
        ("kitchen", "put the soda can in the drawer", "the soda can does not fit into the drawer"),
        ("kitchen", "put the apple on the red cup", "nothing can rest on the red cup"),
        ("kitchen", "put the apple beside the vase", "I do not know 'vase'"),
        ("kitchen", "turn the apple", "does not say by how much"),
        (
            "kitchen",
            "put the apple in a corner of the bowl",
            "only tables, trays and plates",
        ),
        ("kitchen", "if the drawer is open, close it", "conditions"),
        ("kitchen", "where is the apple?", "this is a question"),
        ("kitchen", "put the apple", "does not say where to put the apple"),
        ("kitchen", "put it in the bowl", "not clear what 'it' stands for"),
        ("kitchen", "put the apple back", "undo"),
        ("kitchen", "undo that", "type 'undo'"),
        ("kitchen", "don't touch the apple", "how things shall end up"),
        ("kitchen", "do not open the drawer", "how things shall end up"),
        ("kitchen", "put the apple in the bowl and in the basket", "two places at once"),
        ("blocks", "put the red block on the red block", "the red block on itself"),
        ("blocks", "put red on green, green on blue and blue on red", "a circle of things"),
        ("blocks", "put red on green and blue on green", "only one thing rests on an item"),
        ("blocks", "pick up the red block and the blue block", "there is one hand"),
        ("blocks", "put both blocks in the bin", "there are 6, not 2"),
        ("blocks", "put the red block in the bin and the blue block", "the blue block"),
        ("blocks", "build two towers: red on green", "2 towers are announced"),
        ("blocks", "build a tower of three blocks: red and green", "a tower of 3"),
    ],
)
def test_refusals_name_the_reason(translate: Translate, scene: str, text: str, reason: str) -> None:
    with pytest.raises(NotUnderstoodError) as refusal:
        translate(scene, text)
    *reasons, known = refusal.value.diagnostics
    assert reason in "; ".join(map(str, reasons))
    assert "objects:" in known.problem and "verbs:" in known.hint


def test_refusal_lists_objects_and_verbs_of_the_scene(translate: Translate) -> None:
    with pytest.raises(NotUnderstoodError) as refusal:
        translate("workshop", "sing a song")
    known = refusal.value.diagnostics[-1]
    for name in ("long brick", "toolbox", "battery"):
        assert name in known.problem
    for verb in ("put", "stack", "open", "sort"):
        assert verb in known.hint


def test_every_unknown_word_is_named(translate: Translate) -> None:
    with pytest.raises(NotUnderstoodError) as refusal:
        translate("kitchen", "fry the bacon in the pan")
    text = str(refusal.value)
    assert all(f"'{word}'" in text for word in ("fry", "bacon", "pan"))


def test_places_now_settle_references(translate: Translate) -> None:
    facts = ["(on red-block green-block)", "(in blue-block bin)"]
    moved = translate("blocks", "put the block that is on the green block on the tray", facts)
    assert moved.stages == ("(on red-block tray)",)
    with pytest.raises(NotUnderstoodError, match="none is on the green block now"):
        translate("blocks", "put the block that is on the green block on the tray")
    taken = translate("blocks", "take the block out of the bin", facts)
    assert taken.stages == ("(not (in blue-block bin))",)
    emptied = translate("blocks", "empty the bin onto the tray", facts)
    assert "(on blue-block tray)" in emptied.stages[0]


def test_words_between_two_places_need_the_facts(translate: Translate) -> None:
    text = "put the red block on the green block on the tray"
    on_tray = translate("blocks", text, ["(on green-block tray)"])
    assert on_tray.stages == ("(on red-block green-block)",)
    on_green = translate("blocks", text, ["(on red-block green-block)"])
    assert on_green.stages == ("(on red-block tray)",)
    with pytest.raises(NotUnderstoodError):
        translate("blocks", text)


def test_swap_and_keep_use_the_places_now(translate: Translate) -> None:
    facts = ["(on red-block blue-block)", "(on blue-block tray)"]
    swapped = translate("blocks", "swap the red block and the blue block", facts)
    assert swapped.stages == ("(and (on red-block tray) (on blue-block red-block))",)
    kept = translate("blocks", "leave the red block where it is", facts)
    assert kept.stages == ("(on red-block blue-block)",)
    with pytest.raises(NotUnderstoodError, match="not known where exactly"):
        translate("blocks", "swap the red block and the blue block")


def test_follow_up_sentences(translate: Translate) -> None:
    before = [
        ("put the apple in the drawer and close it", "(and (in apple drawer) (not (open drawer)))")
    ]
    assert translate("kitchen", "now the lime too", (), before).stages == (
        "(and (in lime drawer) (not (open drawer)))",
    )
    assert translate("kitchen", "the same with both cups", (), before).stages == (
        "(and (in red-cup drawer) (not (open drawer)) (in blue-cup drawer))",
    )
    assert translate("kitchen", "put it in the bowl", (), before).stages == ("(in apple bowl)",)
    assert translate("kitchen", "open it", (), before).stages == ("(open drawer)",)
    with pytest.raises(NotUnderstoodError):
        translate("kitchen", "now the lime too")


def test_more_things_on_a_place_too_can_be_meant_in_two_ways(translate: Translate) -> None:
    before = [("put the apple in the basket", "(in apple basket)")]
    with pytest.raises(NotUnderstoodError, match="where it shall go"):
        translate("kitchen", "everything on the shelf too", (), before)
    gap = translate("kitchen", "the apple goes in the basket and all cups on the shelf too")
    assert gap.stages == ("(and (in apple basket) (forall (?x - cup) (on ?x shelf)))",)


def test_corrections_replace_what_was_asked(translate: Translate) -> None:
    before = [("put the apple in the bowl", "(in apple bowl)")]
    for text in ("no wait, the lime", "sorry, I meant the lime", "the lime instead", "nope, lime"):
        assert translate("kitchen", text, (), before).stages == ("(in lime bowl)",)
    assert translate("kitchen", "hmm, rather in the basket", (), before).stages == (
        "(in apple basket)",
    )


def test_letters_and_numbers_as_names(benches: dict[str, Any]) -> None:
    bench = benches["blocks"]
    names = ("a", "b", "vial-a", "battery-1", "battery-2", "glove-left", "glove-right")
    items = {
        n: ObjectSpec(name=n, kind="item", category=c, stackable=True)
        for n, c in zip(
            names, ("block", "block", "vial", "battery", "battery", "glove", "glove"), strict=True
        )
    }
    fixed = {n: o for n, o in bench.spec.objects.items() if o.kind != "item"}
    spec = replace(bench.spec, objects={**fixed, **items})
    grounder = TabletopGrounder(spec)
    translator = RulesTranslator(grounder.domain_text, grounder.objects)
    memory = type(bench.memory({}))()
    for text, goal in (
        ("put b on block a", "(on b a)"),
        ("blocks a and b in the bin", "(and (in a bin) (in b bin))"),
        ("put vial a in the bin", "(in vial-a bin)"),
        ("battery one goes in the bin", "(in battery-1 bin)"),
        ("put battery 2 on the tray", "(on battery-2 tray)"),
        ("put the left glove in the bin", "(in glove-left bin)"),
    ):
        assert translator.translate(text, memory, spec).stages == (goal,)


def test_manner_is_noted_not_dropped_silently(translate: Translate) -> None:
    program = translate("kitchen", "put the apple gently in the bowl")
    assert program.stages == ("(in apple bowl)",)
    assert any("gently" in note for note in program.notes)


def test_order_of_a_large_tower_is_chosen_and_noted(translate: Translate) -> None:
    facts = ["(on blue-block red-block)", "(on red-block purple-block)"]
    program = translate("blocks", "stack all the blocks", facts)
    assert program.stages[0].count("(on ") == 5
    assert any("this one was taken" in note for note in program.notes)


def test_problem_is_complete_pddl(benches: dict[str, Any]) -> None:
    bench = benches["kitchen"]
    memory = bench.memory({"facts": ["(in apple bowl)"]})
    program = bench.translator.translate("put the lime in the bowl", memory, bench.spec)
    problem = read_problem(program.problem, bench.domain)
    assert problem.init == memory.facts
    assert str(problem.goal) == "(in lime bowl)"
    assert bench.translator.name == program.source == "rules"


def test_sorting_by_colour_in_a_scene_that_has_the_places(benches: dict[str, Any]) -> None:
    bench = benches["blocks"]
    extra = {
        f"{color}-crate": ObjectSpec(
            name=f"{color}-crate", kind="container", category="crate", color=color
        )
        for color in ("red", "green")
    }
    objects = {k: v for k, v in bench.spec.objects.items() if v.color in ("red", "green", "")}
    spec = replace(bench.spec, objects={**objects, **extra})
    grounder = TabletopGrounder(spec)
    translator = RulesTranslator(grounder.domain_text, grounder.objects)
    goal = "(and (in red-block red-crate) (in green-block green-crate))"
    memory = type(bench.memory({}))()
    for text in (
        "sort the blocks by colour",
        "sort the blocks into the crates by color",
        "put each block in the crate of the same colour",
        "put every block into the crate that matches its color",
        "put each block into the matching crate",
    ):
        assert translator.translate(text, memory, spec).stages == (goal,)
    with pytest.raises(NotUnderstoodError, match="no place of the colour"):
        bench.translator.translate("sort the blocks by colour", bench.memory({}), bench.spec)


def test_a_scene_brings_its_own_words(benches: dict[str, Any]) -> None:
    bench = benches["blocks"]
    objects = {
        **bench.spec.objects,
        "hex-key": ObjectSpec(
            name="hex-key", kind="item", category="tool", color="silver", aliases=("allen key",)
        ),
    }
    spec = replace(bench.spec, objects=objects)
    grounder = TabletopGrounder(spec)
    translator = RulesTranslator(grounder.domain_text, grounder.objects)
    memory = type(bench.memory({}))()
    for noun in ("the hex key", "the key", "the allen key", "the tool", "the silver tool"):
        program = translator.translate(f"put {noun} in the bin", memory, spec)
        assert program.stages == ("(in hex-key bin)",)
