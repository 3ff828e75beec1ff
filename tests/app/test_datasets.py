"""Runs become episodes of LeRobot data sets; demonstrations are resumable."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

pa = pytest.importorskip(
    "pyarrow", reason="pyarrow is not installed (extra [lerobot])", exc_type=ImportError
)
import pyarrow.parquet as pq  # noqa: E402

from embodied import Settings, open_session  # noqa: E402
from embodied.app.cli import main as cli  # noqa: E402
from embodied.app.record.frames import FRAMES, read_frames  # noqa: E402
from embodied.app.run import Output, perform  # noqa: E402
from embodied.app.show.protocol import Display  # noqa: E402
from embodied.datasets import demos  # noqa: E402
from embodied.datasets.episode import FPS, Pictures, episode_of  # noqa: E402
from embodied.datasets.lerobot import LeRobotDataset  # noqa: E402
from embodied.datasets.statistics import stats_of, together  # noqa: E402
from embodied.errors import ConfigurationError, NotUnderstoodError  # noqa: E402
from embodied.receipts.checking import Trust, check, check_chain  # noqa: E402

GOAL = "(on red-block green-block)"


def _export(*arguments: object) -> Any:
    return CliRunner().invoke(cli.app, ["export", *map(str, arguments)])


def _info(root: Path) -> dict[str, Any]:
    return json.loads((root / "meta" / "info.json").read_text())


def _rows(root: Path, kind: str) -> list[dict[str, Any]]:
    found = sorted((root / kind).glob("*/*.parquet"))
    return [row for path in found for row in pq.read_table(path).to_pylist()]


def test_actions_are_the_set_points_of_the_next_frame(app: Any) -> None:
    assert app("run", GOAL).exit_code == 0
    (run,) = app.folders()
    frames, episode = read_frames(run / FRAMES), episode_of(run)
    assert np.allclose(np.diff(episode.frames.time), 1 / FPS, atol=0.011)
    state = episode.features["observation.state"]
    action = episode.features["action"]
    assert state.names == action.names == (*frames.header.texts("joints"), "gripper")
    assert np.array_equal(action.values[:-1, :4], frames.columns["set_q"][1 : episode.length])
    assert np.abs(action.values[:, :4] - state.values[:, :4]).max() < 0.3  # told, then followed
    assert action.values[:, 4].min() == 0.0 and action.values[:, 4].max() == pytest.approx(0.08)
    assert episode.success and episode.features["next.success"].values.sum() == 1
    assert [words for _, words in episode.subtasks][0].startswith("Pick up the red block")


def test_runs_are_exported_and_added_once(app: Any, tmp_path: Path) -> None:
    assert app("run", GOAL).exit_code == 0
    data = tmp_path / "data"
    done = _export(app.out, "--lerobot", data)
    assert done.exit_code == 0 and "1 episode added" in done.output
    assert "0 episodes added" in _export(app.out, "--lerobot", data).output
    assert app("run", "(on yellow-block table)", "--seed", "1").exit_code == 0
    assert app("run", "(in yellow-block bin)", "--record-dataset", str(data)).exit_code == 0
    info = _info(data)
    assert (info["codebase_version"], info["fps"], info["total_episodes"]) == ("v3.0", FPS, 2)
    rows, episodes = _rows(data, "data"), _rows(data, "meta/episodes")
    assert [r["index"] for r in rows] == list(range(info["total_frames"]))
    assert [e["tasks"] for e in episodes] == [[GOAL], ["(in yellow-block bin)"]]
    for episode in episodes:
        own = rows[episode["dataset_from_index"] : episode["dataset_to_index"]]
        assert {r["episode_index"] for r in own} == {episode["episode_index"]}
        assert [r["frame_index"] for r in own] == list(range(episode["length"]))
        assert own[-1]["timestamp"] == pytest.approx((episode["length"] - 1) / FPS)
        assert own[-1]["next.success"] is True and not own[0]["next.success"]
        styles = [said["style"] for said in own[0]["language_persistent"]]
        assert styles[0] == "plan" and set(styles[1:]) == {"subtask"} and len(styles) > 2
    for name, feature in info["features"].items():
        if feature["shape"] != [1]:
            assert len(rows[0][name]) == feature["shape"][0] == len(feature["names"])
    states = np.array([r["action"] for r in rows])
    stats = json.loads((data / "meta" / "stats.json").read_text())["action"]
    assert np.allclose(stats["mean"], states.mean(axis=0), atol=1e-5)
    assert np.allclose(stats["std"], states.std(axis=0), atol=1e-5)
    assert stats["count"] == [len(rows)]
    tasks = pq.read_table(data / "meta" / "tasks.parquet")
    assert json.loads(tasks.schema.metadata[b"pandas"])["index_columns"] == ["task"]


def test_what_is_no_episode_is_left_out_with_the_reason(app: Any, tmp_path: Path) -> None:
    assert app("run", "(on red-block nothing)").exit_code == 2
    done = _export(app.out, "--lerobot", tmp_path / "data")
    assert done.exit_code == 3 and "has no motion" in done.output
    assert not (tmp_path / "data" / "meta" / "info.json").exists()


def test_a_writer_that_was_killed_leaves_nothing_that_counts(app: Any, tmp_path: Path) -> None:
    for goal in (GOAL, "(in yellow-block bin)"):
        assert app("run", goal).exit_code == 0
    first, second = (episode_of(run) for run in app.folders())
    root = tmp_path / "data"

    def torn() -> Any:
        yield second
        raise KeyboardInterrupt

    for before in (0, 1):
        dataset = LeRobotDataset(root)
        with pytest.raises(KeyboardInterrupt):
            dataset.add(torn())
        assert len(list((root / "data").glob("*/*.parquet"))) == before + 1
        if not before:
            LeRobotDataset(root).add([first])
    assert LeRobotDataset(root).add([second]) == 1
    assert [r["index"] for r in _rows(root, "data")] == list(range(_info(root)["total_frames"]))
    assert _info(root)["total_tasks"] == 2


def test_other_robots_and_folders_are_refused(app: Any, tmp_path: Path) -> None:
    assert app("run", GOAL).exit_code == 0
    (run,) = app.folders()
    root = tmp_path / "data"
    LeRobotDataset(root).add([episode_of(run)])
    summary = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps({**summary, "robot": "another"}))
    with pytest.raises(ConfigurationError, match="its robot is another"):
        LeRobotDataset(root).add([episode_of(run)])
    (tmp_path / "other" / "data").mkdir(parents=True)
    with pytest.raises(ConfigurationError, match="no data set"):
        LeRobotDataset(tmp_path / "other")
    assert (
        "WIDTHxHEIGHT" in _export(run, "--lerobot", root, "--camera", "main", "--size", "9").output
    )


def test_statistics_of_parts_are_those_of_the_whole() -> None:
    rng = np.random.default_rng(0)
    parts = [rng.normal(k, 1 + k, (50 + 20 * k, 3)) for k in range(4)]
    whole, found = stats_of(np.vstack(parts)), together([stats_of(p) for p in parts])
    for name in ("min", "max", "mean", "std", "count"):
        assert np.allclose(found[name], whole[name]), name


def test_demonstrations_go_on_and_keep_failures(
    app: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[int] = []

    def slips(settings: Settings) -> Any:
        opened.append(settings.seed)
        if settings.seed == 4 and opened.count(4) == 1:
            raise KeyboardInterrupt
        session = app.open(settings)
        if settings.seed == 2:
            session.route.skills.fail_first = 1000
        return session

    monkeypatch.setattr(demos, "open_session", slips)
    root, heard = tmp_path / "demos", list[tuple[int, int]]()

    def make(episodes: int, sentence: str = GOAL) -> demos.Made:
        return demos.make_demos(
            root,
            sentence,
            Settings(seed=1),
            episodes=episodes,
            jobs=1,
            pictures=None,
            told=lambda done, reached: heard.append((done, reached)),
        )

    with pytest.raises(KeyboardInterrupt):
        make(5)
    assert heard == [(1, 1), (2, 1), (3, 2)]
    made = make(5)
    assert (made.episodes, made.reached, made.new) == (5, 4, 2)
    assert opened == [1, 2, 3, 4, 4, 5]
    episodes = _rows(root, "meta/episodes")
    assert [(e["seed"], e["success"]) for e in episodes] == [
        (1, True),
        (2, False),
        (3, True),
        (4, True),
        (5, True),
    ]
    assert make(6).new == 1 and len(_rows(root, "meta/episodes")) == 6
    with pytest.raises(ConfigurationError, match="holds demonstrations of"):
        make(6, "(in red-block bin)")


def test_a_sentence_that_cannot_be_carried_out_makes_no_demonstrations(
    app: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demos, "open_session", app.open)
    for _ in range(2):
        with pytest.raises(NotUnderstoodError):
            demos.make_demos(
                tmp_path / "demos",
                "(on red-block nothing)",
                Settings(),
                episodes=3,
                jobs=1,
                pictures=None,
                told=lambda done, reached: None,
            )
    assert not (tmp_path / "demos" / "data").exists()


@pytest.mark.slow
def test_processes_side_by_side_make_one_data_set(tmp_path: Path, signed_runs: Path) -> None:
    made = demos.make_demos(
        tmp_path / "demos",
        "put the red block on the green block",
        Settings(route="pddl"),
        episodes=3,
        jobs=2,
        pictures=None,
        told=lambda done, reached: None,
    )
    assert (made.episodes, made.reached, made.unusable) == (3, 3, {})
    trust = Trust.of((), signed_runs)
    found = [check(run, trust) for run in (tmp_path / "demos" / "runs").iterdir()]
    assert not any(one.problems for one in found) and check_chain(found) == ()


@pytest.mark.slow
def test_pictures_of_cameras_become_videos(tmp_path: Path) -> None:
    import av

    session = open_session(Settings(seed=3))
    say = "put the red block on the green block"
    output = Output(out=tmp_path / "runs", display=lambda heading: _Silent(), video=None)
    done = perform(
        session, say, lambda emit, write: session.run(say, emit=emit, write=write), output,
        command="run",
    )  # fmt: skip
    session.close()
    root = tmp_path / "data"
    episode = episode_of(done.folder)
    with pytest.raises(ConfigurationError, match="legal are"):
        LeRobotDataset(root, Pictures(cameras=("nowhere",))).add([episode])
    pictures = Pictures(cameras=("main",), width_px=96, height_px=64)
    LeRobotDataset(root, pictures).add([episode])
    key = "observation.images.main"
    (row,) = _rows(root, "meta/episodes")
    with av.open(str(root / f"videos/{key}/chunk-000/file-000.mp4")) as film:
        shown = [frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)]
    assert len(shown) == row["length"] == episode.length
    assert shown[0].shape == (64, 96, 3)
    assert np.abs(shown[-1].astype(float) - shown[0].astype(float)).max() > 50  # something moved
    stats = json.loads((root / "meta" / "stats.json").read_text())[key]
    assert np.array(stats["mean"]).shape == (3, 1, 1) and 0 < np.min(stats["mean"]) < 1
    assert LeRobotDataset(root).add([episode]) == 1  # with the pictures that the data set has


class _Silent(Display):
    """Shows nothing."""
