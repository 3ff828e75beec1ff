"""Stories of our own in the words of E2WM."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from embodied.bench.benchmark import measure
from embodied.bench.e2wm.story import Story, answer
from embodied.bench.e2wm.suite import BENCHMARK, Settings, build_report, common_part
from embodied.errors import NotUnderstoodError
from embodied.types import Atom

STORY = (
    "Ada went to the attic. Ben entered the cellar. Ada took the lamp. Ada moved to the home "
    "office. Ada left the lamp. Ben journeyed to the home office. Ben grabbed the lamp. Ada "
    "entered the attic. Ben travelled to the cellar. Ben dropped the lamp."
)


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("What is the order of the rooms where the lamp appeared?", "attic, home office, cellar"),
        ("Where was the lamp before the cellar?", "home office"),
        ("Where is the lamp after the attic?", "home office"),
        ("Where was the lamp before the attic?", "unknown"),
    ],
)
def test_questions_are_answered_from_what_was_told(question: str, expected: str) -> None:
    example = "Ada went to the barn.\nQuestion: Where is the cup?\nAnswer: barn\n\n"
    assert answer(f"{example}{STORY}\nQuestion: {question}\nAnswer:") == expected


def test_what_is_believed_at_the_end() -> None:
    memory = Story(STORY).memory
    assert memory.facts == {
        Atom.parse(f) for f in ("(at ada attic)", "(at ben cellar)", "(in lamp cellar)")
    }
    assert memory.step == 10


def test_a_thing_that_is_taken_unseen_has_a_room_once_its_carrier_has_one() -> None:
    told = Story("Ada took the lamp. Ada went to the attic.")
    assert told.rooms_of("lamp") == ["attic"]


def test_what_is_no_event_or_no_question_is_refused() -> None:
    with pytest.raises(NotUnderstoodError, match="Ada sang"):
        Story("Ada sang loudly.")
    with pytest.raises(NotUnderstoodError):
        answer(f"{STORY}\nQuestion: Why?\nAnswer:")


@pytest.mark.parametrize(
    ("story", "expected"),
    [
        ("Ada was at home. She grabbed a cup. She found a shelf and put the cup on it.", "1"),
        ("Ada grabbed a cup and put it on the shelf, then took the cup. She put a pen on the shelf "
         "and put a hat on the desk.", "1"),
        ("Ada washed the shelf.", "0"),
    ],
)  # fmt: skip
def test_things_are_counted_where_they_were_put_last(story: str, expected: str) -> None:
    assert answer(f"Q: {story} How many items are there on the shelf?\nA:") == expected


def test_a_run_over_a_folder_in_the_published_layout(tmp_path: Path) -> None:
    data = tmp_path / "set" / "data" / "eval"
    where = "Where was the lamp before the cellar?"
    questions = {
        "qa/obj_move": {"input": f"{STORY}\nQuestion: {where}\nAnswer:",
                        "answer": "home office"},
        "gen/obj_move_path": {"input": "Ada sang.\nQuestion: Where?\nAnswer:", "ref": "attic"},
    }  # fmt: skip
    for name, told in questions.items():
        (data / name).parent.mkdir(parents=True)
        (data / f"{name}.json").write_text(json.dumps(told) + "\n")
    settings = Settings(data=tmp_path / "set", set=("obj_move", "obj_move_path"))
    rows = measure(BENCHMARK, settings, tmp_path / "out", executor="serial", progress=False)
    report = build_report(rows, settings)
    assert [(f["set"], f["right"], f["n"]) for f in report["figures"]] == [
        ("obj_move", 1, 1),
        ("obj_move_path", 0, 1),
    ]
    assert "no such question" in report["lost"][0]["why"]


def test_the_score_of_a_path_is_its_longest_common_run() -> None:
    assert common_part(["a", "b", "c"], ["x", "b", "c", "d"]) == 0.5
    assert common_part([], ["a"]) == 0
