"""The Statler benchmark: sentences, the simulator, the scorer; it can tell methods apart."""

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from embodied.bench.benchmark import main
from embodied.bench.statler.data import Episode, Step, read_episodes
from embodied.bench.statler.language import (
    Accident,
    Balance,
    Put,
    Ratio,
    Tell,
    read_sentence,
)
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


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Put the red block on the blue block", Put(("the red block",), "the blue block")),
        (
            "place the block in the gold bowl on the block in the tan bowl",
            Put(("the block in the gold bowl",), "the block in the tan bowl"),
        ),
        (
            "Put the red block, the blue block, and the red block in the disinfector",
            Put(("the red block", "the blue block"), "the disinfector"),
        ),
        ("Put all the dirty blocks on the table.", Put(("all the dirty blocks",), "the table")),
        ("the red block and the pink block are clean.", Tell(("red-block", "pink-block"), "clean")),
        ("The other blocks are dirty", Tell((), "dirty", others=True)),
        (
            "The red block is one-thrid the weight of the blue block",
            Ratio("red-block", Fraction(1, 3), "blue-block"),
        ),
        (
            "Put blocks in and remove blocks from the tan bowl so that their total weight becomes "
            "identical to what is in the gold bowl. The removed blocks should be put on the table",
            Balance("tan-bowl", "gold-bowl", put_in=True, take_out=True),
        ),
        (
            "Woops, somebody was moving the red block and dropped them on some dirty region on the "
            "table",
            Accident(("red-block",)),
        ),
    ],
)
def test_sentences(text: str, expected: object) -> None:
    assert read_sentence(text, NAMES) == expected


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
    with pytest.raises(NotUnderstoodError, match="points to nothing"):
        demand_of(read_sentence("Put the block in the tan bowl on the table", NAMES), world())
    with pytest.raises(NotUnderstoodError, match="gold-bowl, tan-bowl"):
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


def test_published_episodes(benchmark_data: Path) -> None:
    folder = benchmark_data / "statler"
    if not folder.is_dir():
        pytest.skip("no published benchmark data")
    episodes = read_episodes(folder)
    for one in episodes:
        result = play_episode(one, RulesMethod(one.names, DOMAIN))
        assert (result["success"], result["wrong"]) == (True, 0), (one.id, result["failure"])
    covered = {f.episode for one in episodes for f in audit(one) if f.kind == "covered"}
    assert covered
    assert all(name.startswith("disinfection/") for name in covered)
