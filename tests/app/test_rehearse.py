"""``embodied rehearse``: its sentences, its counts, its refusals, and one whole episode."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from embodied.app.cli.main import app
from embodied.app.rehearse.report import exit_code, lines, row_line, totals
from embodied.app.rehearse.sentences import draw, sentences
from embodied.app.rehearse.setups import SETUPS, driver_options
from embodied.bench.runner import Row
from embodied.bench.translate.data import spec_of_objects
from embodied.bridge.drivers import DRIVERS
from embodied.bridge.limits import load_limits, shipped_limits
from embodied.language.conversation import Conversation
from embodied.language.pddl.rules import RulesTranslator
from embodied.types import Atom
from embodied.world.grounding import TabletopGrounder
from embodied.world.scene import load_scene


@pytest.mark.parametrize("scene", ["blocks", "kitchen", "workshop"])
def test_every_sentence_means_its_goal(scene: str) -> None:
    spec = spec_of_objects(scene, load_scene(scene).objects)
    grounder = TabletopGrounder(spec)
    rules = RulesTranslator(grounder.domain_text, grounder.objects)
    items = grounder.items
    facts = grounder.static_facts | {Atom("hand-empty")}
    facts |= {Atom(p, a) for n in items for p, a in (("on", (n, "table")), ("clear", (n,)))}
    kinds = sentences(spec, facts)
    assert "bin" in kinds and sum(map(len, kinds.values())) >= 10
    for sentence in (s for found in kinds.values() for s in found):
        program = rules.translate(sentence.text, Conversation(facts=facts), spec)
        assert program.stages == tuple(str(a) for a in sentence.goal), sentence.text
    done = draw(spec, facts, np.random.default_rng(0))
    assert done not in [s for k in sentences(spec, facts | {*done.goal}).values() for s in k]


def test_drivers_exist_and_get_no_truth() -> None:
    for name, setup in SETUPS.items():
        given = driver_options(setup, Path("f"), host="127.0.0.9", device="tty", stepped=True)
        options = dict(pair.split("=") for pair in given[1::2])
        assert options.keys() <= DRIVERS.get(name).options.keys()
        assert "truth" not in options and not any("truth" in v for v in options.values())
        assert load_limits(shipped_limits(setup.limits)).robot == setup.robot


def _row(**changes: object) -> Row:
    row: Row = {
        "id": "3",
        "status": "finished",
        "sentence": "open the drawer",
        "fault": "",
        "claimed": True,
        "reached": True,
        "denied": False,
        "moved": True,
        "message": "because",
        "bridge_s": 10.0,
    }
    return row | changes


def test_counts_and_exit_codes() -> None:
    good, denied = _row(), _row(reached=False, denied=True)
    stopped = _row(claimed=False, reached=False)
    refused = stopped | {"moved": False}
    hushed = _row(claimed=False)
    error: Row = {"id": "9", "status": "error", "error": "the emulator did not start"}
    rows = [good, denied, stopped, refused, hushed, error]
    words = ["reached", "DENIED", "stopped", "refused", "unclaimed", "error"]
    assert [row_line(r).split()[1] for r in rows] == words
    sums = totals(rows)
    counted = {k: sums[k] for k in ("finished", "errors", "reached", "denied", "claimed")}
    assert counted == {"finished": 5, "errors": 1, "reached": 2, "denied": 1, "claimed": 2}
    assert (sums["refused_before_moving"], sums["unclaimed_but_reached"]) == (1, 1)
    assert exit_code(rows) == 3 and exit_code([good]) == 0 and exit_code([good, stopped]) == 1
    hand = {"fault": "hand"}
    assert exit_code([stopped | hand]) == 0 and exit_code([denied | hand]) == 1
    assert "does not show" in "\n".join(lines(rows, stepped=True))
    assert totals([error])["reached_interval"] == [0.0, 1.0]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--driver", "kuka"], "universal-robots"),
        (["--driver", "simulated"], "universal-robots"),
        (["--driver", "ros2", "--faults", "fire"], "moved-object"),
        (["--driver", "ros2", "--scene", "moon"], "blocks"),
    ],
)
def test_what_does_not_exist_is_refused(arguments: list[str], said: str) -> None:
    done = CliRunner().invoke(app, ["rehearse", *arguments, "--json"])
    assert done.exit_code == 2
    assert said in done.output


@pytest.mark.realtime
@pytest.mark.slow
def test_an_episode_without_the_truth(tmp_path: Path) -> None:
    pytest.importorskip("scservo_sdk", reason="is not installed (extra [bridge-feetech])")
    command = ["rehearse", "--driver", "feetech", "--episodes", "1", "--out", str(tmp_path)]
    done = CliRunner().invoke(app, [*command, "--json"])
    report = json.loads(done.stdout.splitlines()[-1])
    (row,) = report["episodes"]
    assert row["status"] == "finished", row
    assert row["reached"] and row["claimed"] and not row["denied"], row
    assert done.exit_code == 0
    assert "does not show" in report["not_shown"]
    again = CliRunner().invoke(app, [*command, "--json"])
    assert json.loads(again.stdout.splitlines()[-1])["episodes"] == [row]
