"""The Statler benchmark: sentences, the simulator, the scorer; it can tell methods apart."""

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from embodied.bench.benchmark import main
from embodied.bench.statler.data import Episode, Step, ratios_in, read_episodes
from embodied.bench.statler.language import Put, affected, meant, read_sentence, words_of
from embodied.bench.statler.methods import MemorylessMethod, RulesMethod, statler_domain
from embodied.bench.statler.model import ModelMethod
from embodied.bench.statler.moves import plan_moves
from embodied.bench.statler.run import play_episode, play_session, play_shell_game
from embodied.bench.statler.score import audit, demand_of, same_answer
from embodied.bench.statler.sessions import random_world
from embodied.bench.statler.suite import BENCHMARK
from embodied.bench.statler.world import BlockWorld, Impossible
from embodied.errors import ConfigurationError, NotUnderstoodError
from embodied.language.models import FunctionModel
from embodied.memory.statements import Statement
from embodied.protocols import Request
from embodied.symbolic import read_domain

NAMES = ("red-block", "blue-block", "pink-block", "gold-bowl", "tan-bowl", "disinfector")
DOMAIN = statler_domain()


def world() -> BlockWorld:
    ones = dict.fromkeys(NAMES[:3], Fraction(1))
    return BlockWorld(NAMES, ones)


def episode(*steps: tuple[str, list[tuple[str, str]], list[str]]) -> Episode:
    weights = {"red-block": Fraction(2), "blue-block": Fraction(1), "pink-block": Fraction(1)}
    turns = tuple(Step(query=q, moves=tuple(m), say=tuple(s)) for q, m, s in steps)
    return Episode(family="test", number=0, names=NAMES, steps=turns, weights=weights)


def put(text: str, w: BlockWorld) -> tuple[tuple[str, ...], str]:
    sentence = read_sentence(text, NAMES)
    assert isinstance(sentence, Put)
    return meant(sentence, w)


def test_commands_say_what_and_where_to() -> None:
    w = world()
    assert put("Put the red block on the blue block", w) == (("red-block",), "blue-block")
    w.move("red-block", "gold-bowl")
    w.move("pink-block", "tan-bowl")
    nested = "place the block in the gold bowl on the block in the tan bowl"
    assert put(nested, w) == (("red-block",), "pink-block")
    several = "Put the red block, the blue block, and the red block in the disinfector"
    assert put(several, w) == (("red-block", "blue-block"), "disinfector")
    w.tell("blue-block", "dirty")
    assert put("Put all the dirty blocks on the table.", w) == (("blue-block",), "table")
    assert put("put the blocks that are not dirty in the tan bowl", w)[1] == "tan-bowl"
    assert put("Put as many dirty blocks as you can in the tan bowl", w)[0] == ("blue-block",)


@pytest.mark.parametrize(
    ("text", "names", "words"),
    [
        ("the red block and the pink block are clean.", ("red-block", "pink-block"), ("clean",)),
        ("Oops, someone accidentally soiled the red block", ("red-block",), ("dirty",)),
        ("I washed the red and the pink block", ("red-block", "pink-block"), ("clean",)),
        (
            "Woops, somebody was moving the red block and dropped it on some dirty region on the "
            "table",
            ("red-block",),
            ("dirty",),
        ),
    ],
)
def test_statements_say_of_what(text: str, names: tuple[str, ...], words: tuple[str, ...]) -> None:
    said = read_sentence(text, NAMES)
    assert isinstance(said, Statement)
    assert affected(said, world(), ()) == names
    assert words_of(said) == words


@pytest.mark.parametrize(
    ("text", "factor"),
    [
        ("The red block is one-thrid the weight of the blue block", Fraction(1, 3)),
        ("The red block is one-ninth the weight of the blue block", Fraction(1, 9)),
        ("The weight of the red block is three times that of the blue block.", Fraction(3)),
        ("the red block weighs two and a half times as much as the blue block", Fraction(5, 2)),
        ("the red block has the same weight of the blue block", Fraction(1)),
        ("the red block is five times as heavy as the blue block", Fraction(5)),
        ("the red block is 2/3 the weight of the blue block", Fraction(2, 3)),
    ],
)
def test_weights_in_words(text: str, factor: Fraction) -> None:
    said = read_sentence(text, NAMES)
    assert isinstance(said, Statement)
    assert (said.factor, said.other and said.other.names) == (factor, ("blue-block",))
    assert ratios_in(text, NAMES)[0].x == "red-block"


def test_the_others_are_those_that_were_not_spoken_of() -> None:
    said = read_sentence("The other blocks are dirty", NAMES)
    assert isinstance(said, Statement)
    assert affected(said, world(), ("red-block",)) == ("blue-block", "pink-block")


WEIGHTS: dict[str, Fraction] = {
    "red-block": Fraction(3),
    "blue-block": Fraction(2),
    "pink-block": Fraction(1),
}


@pytest.mark.parametrize(
    ("text", "moved"),
    [
        (
            "Put blocks in and remove blocks from the tan bowl so that their total weight becomes "
            "identical to what is in the gold bowl. The removed blocks should be put on the table",
            {"blue-block": "tan-bowl", "pink-block": "tan-bowl"},
        ),
        (
            "Put a block in the tan bowl so that the total weight of blocks in the tan bowl is "
            "less than what is in the gold bowl",
            {"blue-block": "tan-bowl"},
        ),
        (
            "put as many blocks as you can in the tan bowl so that their total weight is less than "
            "what is in the gold bowl",
            {"blue-block": "tan-bowl"},
        ),
        (
            "Put as many blocks as you can in the tan bowl so that their total weight is at most "
            "what is in the gold bowl",
            {"blue-block": "tan-bowl", "pink-block": "tan-bowl"},
        ),
    ],
)
def test_totals_are_brought_about(text: str, moved: dict[str, str]) -> None:
    w = BlockWorld(NAMES, WEIGHTS)
    w.move("red-block", "gold-bowl")
    sentence = read_sentence(text, NAMES)
    assert dict(plan_moves(sentence, w)) == moved
    after = w.copy()
    for block, place in moved.items():
        after.move(block, place)
    assert demand_of(sentence, w).unmet(w, after) == ()
    assert demand_of(sentence, w).unmet(w, w) != ()


def test_totals_of_two_places() -> None:
    text = "Put blocks in both bowls so that the sums of the weights in the two bowls are equal"
    w = BlockWorld(NAMES, WEIGHTS)
    w.move("red-block", "gold-bowl")
    sentence = read_sentence(text, NAMES)
    assert dict(plan_moves(sentence, w)) == {"blue-block": "tan-bowl", "pink-block": "tan-bowl"}


def test_physics() -> None:
    w = world()
    w.move("red-block", "blue-block")
    with pytest.raises(Impossible, match="red-block rests on blue-block"):
        w.move("blue-block", "gold-bowl")
    with pytest.raises(Impossible, match="no room"):
        w.move("pink-block", "blue-block")
    with pytest.raises(Impossible, match="there is no"):
        w.move("red-block", "moon")
    w.tell("blue-block", "dirty")
    assert w.those("dirty") == ("blue-block", "red-block")
    w.move("red-block", "disinfector")
    assert w.those("clean") == ("red-block",)


def test_any_moves_with_the_right_consequences_count() -> None:
    w = world()
    w.move("red-block", "blue-block")
    demand = demand_of(read_sentence("Put the blue block in the tan bowl", NAMES), w)
    for refuge in ("table", "gold-bowl", "pink-block"):
        after = w.copy()
        after.move("red-block", refuge)
        after.move("blue-block", "tan-bowl")
        assert demand.unmet(w, after) == ()
    after.move("red-block", "gold-bowl")
    after.move("pink-block", "gold-bowl")
    assert demand.unmet(w, after) == ("pink-block was moved to gold-bowl without need",)
    assert demand.unmet(w, w) == ("blue-block is on table, not tan-bowl",)


def test_answers_are_compared_by_meaning() -> None:
    assert same_answer(["blue"], ["blue-block"])
    assert same_answer(['white block", "purple block'], ["purple-block", "white-block"])
    assert same_answer(["no (it is in the bowl)"], ["no"])
    assert same_answer([], ["nothing"])
    assert not same_answer(["yes"], ["no"])
    assert not same_answer(["green block"], [])


def test_the_audit_lists_what_is_amiss() -> None:
    flawed = episode(
        ("Put the red block on the blue block", [("red-block", "blue-block")], []),
        ("Put the blue block in the tan bowl", [("blue-block", "tan-bowl")], []),
        ("what is in the tan bowl", [], ["red block"]),
        ("Put the pink block in the gold bowl", [("pink-block", "silver-bowl")], []),
    )
    kinds = [(f.step, f.kind) for f in audit(flawed)]
    assert kinds == [(1, "covered"), (2, "answer"), (3, "unknown")]


RIGHT = episode(
    ("the red block is dirty.", [], []),
    ("Put the red block in the gold bowl", [("red-block", "gold-bowl")], []),
    ("Put the block in the gold bowl on the blue block", [("red-block", "blue-block")], []),
    ("which blocks are dirty?", [], ["red block", "blue block"]),
    ("The red block is twice the weight of the pink block", [], []),
)


def test_rules_with_a_memory_succeed_and_without_one_fail() -> None:
    assert audit(RIGHT) == ()
    result = play_episode(RIGHT, RulesMethod(NAMES, DOMAIN))
    assert result["success"]
    assert (result["right"], result["wrong"]) == (5, 0)
    without = play_episode(RIGHT, MemorylessMethod(NAMES, DOMAIN))
    assert not without["success"]
    assert without["wrong"] > 0
    assert "turn 2" in without["failure"]


def test_a_block_is_cleared_before_it_takes_another() -> None:
    w = BlockWorld((*NAMES, "white-block"), dict.fromkeys((*NAMES[:3], "white-block"), Fraction(1)))
    for block, place in (("red-block", "blue-block"), ("pink-block", "red-block")):
        w.move(block, place)
    for text in ("Put the white block on the blue block", "Put the pink block on the blue block"):
        sentence = read_sentence(text, w.names())
        after = w.copy()
        for block, place in plan_moves(sentence, w):
            after.move(block, place)
        assert demand_of(sentence, w).unmet(w, after) == ()


class Forgetful(RulesMethod):
    """Forgets every tenth move, to show that the judge notices."""

    moves = 0

    def moved(self, block: str, place: str, *, time_s: float) -> None:
        self.moves += 1
        if self.moves % 10:
            super().moved(block, place, time_s=time_s)


def test_accuracy_does_not_fall_with_length_and_a_slip_is_noticed() -> None:
    def play(method: type[RulesMethod]) -> dict[str, Any]:
        rng = np.random.default_rng(11)
        w = random_world(rng)
        return play_session(method((*w.blocks, *w.containers), DOMAIN), w, rng, turns=120)

    good = play(RulesMethod)
    assert (good["wrong"], good["failed_turns"], good["problems"]) == (0, 0, [])
    assert good["refuted"] == good["contradictions"] > 0
    assert len(good["by_tenth"]) == 10
    assert play(Forgetful)["wrong"] > 0


@pytest.mark.parametrize(("cups", "swaps"), [(3, 1), (3, 20), (5, 50)])
def test_shell_game(cups: int, swaps: int) -> None:
    from importlib import resources

    path = resources.files("embodied_assets") / "domains" / "shell_game.pddl"
    domain = read_domain(path.read_text("utf-8"))
    result = play_shell_game(np.random.default_rng(swaps), domain, cups=cups, swaps=swaps)
    assert result["success"]
    assert result["wrong"] == 0


def test_a_model_proposes_and_the_writer_decides() -> None:
    replies = iter(
        [
            {"actions": ["(soil red-block)"], "deltas": [], "relations": [], "say": []},
            {
                "actions": ["(put red-block table gold-bowl)"],
                "relations": [],
                "say": [],
                "deltas": [{"op": "add", "fact": "(on blue-block blue-block)"}],
            },
            {
                "actions": ["(stack red-block gold-bowl blue-block)"],
                "relations": [],
                "say": [],
                "deltas": [],
            },
            {"actions": [], "deltas": [], "relations": [], "say": ["red-block", "blue-block"]},
            {
                "actions": [],
                "deltas": [],
                "say": [],
                "relations": [
                    {"x": "(weight red-block)", "factor": "2", "y": "(weight pink-block)"}
                ],
            },
        ]
    )
    seen: list[str] = []

    def reply(request: Request) -> str:
        seen.append(request.messages[-1].text)
        return json.dumps(next(replies))

    method = ModelMethod(NAMES, DOMAIN, FunctionModel(reply))
    result = play_episode(RIGHT, method)
    assert result["failure"] == ""
    assert result["wrong"] == 0
    assert "cannot be on itself" in seen[2]
    assert "(dirty red-block)" in seen[1]
    assert "(dirty blue-block)" in seen[3]
    assert method.usage.calls == 5


def test_an_unreadable_answer_goes_back_once() -> None:
    asked: list[Request] = []

    def reply(request: Request) -> str:
        asked.append(request)
        return '{"moves": []}'

    result = play_episode(RIGHT, ModelMethod(NAMES, DOMAIN, FunctionModel(reply)))
    assert not result["success"]
    assert "there is no 'moves'" in result["failure"]
    assert len(asked) == 2


def test_references_that_point_nowhere() -> None:
    with pytest.raises(NotUnderstoodError, match="nothing is 'the block in the tan bowl'"):
        demand_of(read_sentence("Put the block in the tan bowl on the table", NAMES), world())
    with pytest.raises(NotUnderstoodError, match="gold bowl, tan bowl"):
        demand_of(read_sentence("Put the red block in the empty bowl", NAMES), world())


def test_files_in_another_layout_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="holds none of"):
        read_episodes(tmp_path)
    (tmp_path / "weight.json").write_text('[{"turns": []}]')
    with pytest.raises(ConfigurationError, match="published layout"):
        read_episodes(tmp_path)


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    raw = {
        "init_state": '# state = {"objects": ["red block", blue block", "tan bowl"], }',
        "steps": [
            {
                "query": "Put the red block in the tan bowl",
                "gold_say": [],
                "gold_moves": [["red block", "tan bowl"]],
            },
            {"query": "what is in the tan bowl", "gold_say": ["red"], "gold_moves": []},
        ],
    }
    data = tmp_path / "data"
    data.mkdir()
    (data / "pick_and_place.json").write_text(json.dumps([raw]))
    arguments = [
        "--data",
        str(data),
        "--out",
        str(tmp_path / "out"),
        "--sessions",
        "1",
        "--compare",
        "1",
        "--turns",
        "20",
        "--shell-games",
        "1",
        "--json",
    ]
    arguments += ["--executor", "serial"]
    assert main(BENCHMARK, arguments) == 0
    report = json.loads(capsys.readouterr().out)
    first = report["episodes"][0]
    assert (first["method"], first["success"], first["wrong"]) == ("rules", 1, 0)
    assert report["flaws"] == []
    assert report["sessions"][0]["perfect"] == 1
    with pytest.raises(ConfigurationError, match="needs a model"):
        main(BENCHMARK, ["--method", "model", "--out", str(tmp_path / "other")])


@pytest.mark.parametrize("name", ["statler", "statler_more"])
def test_published_episodes(benchmark_data: Path, name: str) -> None:
    folder = benchmark_data / name
    if not folder.is_dir():
        pytest.skip("no published benchmark data")
    episodes = read_episodes(folder)
    for one in episodes:
        result = play_episode(one, RulesMethod(one.names, DOMAIN))
        assert (result["success"], result["wrong"]) == (True, 0), (one.id, result["failure"])
    flaws = [f for one in episodes for f in audit(one)]
    assert not [f for f in flaws if f.kind == "unread"]
    covered = {f.episode for f in flaws if f.kind == "covered"}
    assert covered
    assert all(e.startswith("disinfection/") for e in covered)


def test_a_sentence_that_is_not_read_is_that_turn_s_failure() -> None:
    unread = episode(
        ("Put the red block in the gold bowl", [], []), ("Sing to the red block", [], [])
    )
    result = play_episode(unread, RulesMethod(NAMES, DOMAIN))
    assert (result["success"], result["right"]) == (False, 1)
    assert "turn 1, 'Sing to the red block' is not read" in result["failure"]
    assert [(f.step, f.kind) for f in audit(unread) if f.kind == "unread"] == [(1, "unread")]
