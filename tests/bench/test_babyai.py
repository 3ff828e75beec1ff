"""Missions in a small grid of our own, and one level of MiniGrid where it is set up."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from embodied.bench.babyai.agent import DROP, FORWARD, LEFT, PICK_UP, RIGHT, TOGGLE, VIEW, play
from embodied.bench.babyai.mission import read_mission
from embodied.bench.babyai.seen import COLOURS, HEADINGS, KINDS, Cell
from embodied.bench.babyai.suite import SUITE, Settings, build_report, run_episode, table
from embodied.bench.runner import Row
from embodied.errors import NotUnderstoodError

THINGS = {"o": "ball", "b": "box", "k": "key"}
STATES = {"'": 0, "+": 1, "%": 2}
EMPTY = [1, 0, 0]


@dataclass
class Grid:
    """Two characters a cell: ``##`` wall, ``..`` floor, a colour's first letter and what it is.

    Doors are ``'`` open, ``+`` closed, ``%`` locked. Like MiniGrid, but nothing hides anything.
    """

    mission: str
    rows: list[list[str]]
    pose: tuple[int, int, int]
    full: bool
    hand: str = ""
    steps: int = 0
    faced: list[str] = field(default_factory=list[str])

    def at(self, cell: Cell) -> str:
        x, y = cell
        inside = 0 <= y < len(self.rows) and 0 <= x < len(self.rows[0])
        return self.rows[y][x] if inside else "##"

    @property
    def front(self) -> Cell:
        x, y, heading = self.pose
        return x + HEADINGS[heading][0], y + HEADINGS[heading][1]

    def heard(self, action: int) -> Row:
        x, y = self.front
        thing, heading = self.at((x, y)), self.pose[2]
        if action in (LEFT, RIGHT):
            self.pose = (*self.pose[:2], (heading + (1 if action == RIGHT else -1)) % 4)
        elif action == FORWARD and (thing == ".." or thing[1] == "'"):
            self.pose = (x, y, heading)
        elif action == PICK_UP and thing[1] in THINGS and not self.hand:
            self.hand, self.rows[y][x] = thing, ".."
        elif action == DROP and thing == ".." and self.hand:
            self.rows[y][x], self.hand = self.hand, ""
        elif action == TOGGLE and thing[1] in "'+":
            self.rows[y][x] = thing[0] + ("+" if thing[1] == "'" else "'")
        elif action == TOGGLE and thing[1] == "%" and self.hand == thing[0] + "k":
            self.rows[y][x] = thing[0] + "'"
        elif action == TOGGLE:
            assert thing[1] not in THINGS, "a box was destroyed"
        if action < 0 or self.steps == 200:
            return {"success": None}
        self.faced.append(self.at(self.front))
        self.steps += 1
        return self.told()

    def told(self) -> Row:
        x, y, heading = self.pose
        if self.full:
            columns = range(len(self.rows[0]))
            grid = [[self.code(self.at((i, j))) for j in range(len(self.rows))] for i in columns]
            hand = self.code(self.hand) if self.hand else None
            return {"mission": self.mission, "grid": grid, "pose": [x, y, heading], "hand": hand}
        (fx, fy), view = HEADINGS[heading], list[list[list[int]]]()
        for right in range(-(VIEW // 2), VIEW // 2 + 1):
            ahead = range(VIEW - 1, -1, -1)
            cells = [(x + a * fx - right * fy, y + a * fy + right * fx) for a in ahead]
            view.append([self.code(self.at(c)) for c in cells])
        view[VIEW // 2][VIEW - 1] = self.code(self.hand) if self.hand else EMPTY
        return {"mission": self.mission, "view": view}

    @staticmethod
    def code(thing: str) -> list[int]:
        if thing in ("..", "##"):
            return EMPTY if thing == ".." else [2, 5, 0]
        colour = next(i for i, c in enumerate(COLOURS) if c.startswith(thing[0]))
        if thing[1] in STATES:
            return [KINDS.index("door"), colour, STATES[thing[1]]]
        return [KINDS.index(THINGS[thing[1]]), colour, 0]


def carried_out(mission: str, text: str, *, full: bool, pose: tuple[int, int, int]) -> Grid:
    rows = [[line[i : i + 2] for i in range(0, len(line), 2)] for line in text.split()]
    grid = Grid(mission, rows, pose, full)
    own, _ = play(grid.told(), grid.heard)
    assert own["why"].startswith("verdict"), own
    return grid


@pytest.mark.parametrize("full", [True, False])
def test_what_blocks_a_locked_door_is_put_aside_and_its_key_fetched(full: bool) -> None:
    text = """
    ##################
    ##......##......##
    ##....rog%....rb##
    ##gk....##......##
    ##################"""
    grid = carried_out("pick up the box", text, full=full, pose=(1, 1, 0))
    assert grid.hand == "rb"
    assert grid.rows[2][4] == "g'"
    assert "gk" in {c for row in grid.rows for c in row}


@pytest.mark.parametrize("full", [True, False])
def test_stages_come_in_the_order_that_the_sentence_says(full: bool) -> None:
    text = """
    ######################
    ##go................##
    ##..................b+
    ##..............bk..##
    ######################"""
    mission = "open the blue door after you put the blue key next to the green ball"
    grid = carried_out(mission, text, full=full, pose=(5, 2, 0))
    assert grid.rows[2][10] == "b'"
    assert "bk" in (grid.rows[1][2], grid.rows[2][1])


def test_what_lies_where_something_has_to_be_put_is_taken_away_first() -> None:
    text = """
    ##########
    ##r+######
    ##go....##
    ##....bk##
    ##########"""
    grid = carried_out("put the key next to the door", text, full=True, pose=(1, 3, 0))
    assert grid.rows[2][1] == "bk"


def test_a_side_is_that_of_the_first_pose() -> None:
    text = """
    ##########
    ##ro..ro##
    ##......##
    ##########"""
    west_is_left = carried_out("pick up a ball on your left", text, full=False, pose=(2, 2, 3))
    assert west_is_left.rows[1][1] == ".."
    west_is_right = carried_out("pick up a ball on your right", text, full=False, pose=(2, 1, 1))
    assert west_is_right.rows[1][1] == ".."
    assert west_is_right.rows[1][3] == "ro"


def test_an_open_door_is_closed_to_be_opened() -> None:
    text = """
    ##########
    ##......b'
    ##########"""
    grid = carried_out("open the door", text, full=True, pose=(1, 1, 0))
    assert [f for f in grid.faced if f[0] == "b"] == ["b'", "b+", "b'"]


def test_clauses_and_what_is_refused() -> None:
    stages = read_mission("go to a red ball and open the door behind you, then pick up the key")
    assert [[q.verb for q in s] for s in stages] == [["go-to", "open-up"], ["pick-up"]]
    assert stages[0][1].things[0].place == "behind"
    assert [q.name for s in stages for q in s] == ["clause-0", "clause-1", "clause-2"]
    for sentence in (
        "paint the ball",
        "go to the pink ball",
        "put the ball",
        "go to the ball twice",
    ):
        with pytest.raises(NotUnderstoodError):
            read_mission(sentence)


def test_a_mission_that_cannot_be_done_is_given_up_with_the_stage() -> None:
    rows = [["##"] * 4, ["##", "..", "ro", "##"], ["##"] * 4]
    for mission, stage in (("pick up the key", "perception"), ("sing", "language")):
        grid = Grid(mission, [*map(list, rows)], (1, 1, 0), full=False)
        own, _ = play(grid.told(), grid.heard)
        assert own["why"].startswith(stage)


@pytest.mark.skipif(bool(SUITE.missing()), reason="no environment of the suite babyai")
def test_one_level_by_every_method() -> None:
    levels = [{"method": m, "level": "GoToObj", "seed": 0} for m in Settings().method]
    rows = [run_episode(payload) for payload in levels]
    assert [r["success"] for r in rows[:3]] == [True, True, True]
    text = table(build_report(rows, Settings()))
    assert "| partial" in text
    assert "random" in text
