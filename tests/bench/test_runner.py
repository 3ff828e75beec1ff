from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from embodied.bench.runner import (
    EXECUTORS,
    Payload,
    ResultFile,
    Row,
    Task,
    check_settings,
    read_results,
    run_tasks,
)
from embodied.errors import (
    BudgetExceededError,
    ConfigurationError,
    EnvironmentMissingError,
    ModelTimeoutError,
)

# task functions must be importable in worker processes: they live in a module of their own
MODULE = """
import os, time
from pathlib import Path

def square(payload):
    if payload.get("log"):
        with open(payload["log"], "a") as f:
            f.write(f"{payload['x']}\\n")
    time.sleep(payload.get("sleep_s", 0.0))
    if payload["x"] == payload.get("bad"):
        raise ValueError("bad number")
    if payload["x"] == payload.get("deadly"):
        os._exit(9)
    return {"status": "ok", "y": payload["x"] ** 2, "pid": os.getpid()}
"""


@pytest.fixture
def square(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    folder = tmp_path / "lib"
    folder.mkdir()
    (folder / "squaring_task.py").write_text(MODULE)
    monkeypatch.syspath_prepend(str(folder))
    sys.modules.pop("squaring_task", None)
    import squaring_task  # pyright: ignore[reportMissingImports]

    return squaring_task.square


def _tasks(n: int, **more: Any) -> list[Task]:
    return [Task(id=f"t{i}", payload={"x": i, **more}) for i in range(n)]


@pytest.mark.parametrize("executor", ["serial", "process"])
def test_every_task_has_a_result_in_order(executor: str, square: Any, tmp_path: Path) -> None:
    out = tmp_path / "out"
    results = run_tasks(_tasks(6), square, out, executor=executor, progress=False)
    assert [r["y"] for r in results] == [0, 1, 4, 9, 16, 25]
    assert [r["id"] for r in results] == [f"t{i}" for i in range(6)]
    in_this = {r["pid"] == os.getpid() for r in results}
    assert in_this == {executor == "serial"}
    lines = (out / "results.jsonl").read_text().splitlines()
    assert sorted(json.loads(x)["id"] for x in lines) == [f"t{i}" for i in range(6)]


def test_a_second_run_repeats_nothing(square: Any, tmp_path: Path) -> None:
    log, out = tmp_path / "log", tmp_path / "out"
    run_tasks(_tasks(3, log=str(log)), square, out, executor="serial", progress=False)
    results = run_tasks(_tasks(5, log=str(log)), square, out, executor="serial", progress=False)
    assert [r["y"] for r in results] == [0, 1, 4, 9, 16]
    assert log.read_text().split() == ["0", "1", "2", "3", "4"]


@pytest.mark.parametrize("executor", ["serial", "process"])
def test_an_exception_is_a_result(executor: str, square: Any, tmp_path: Path) -> None:
    results = run_tasks(_tasks(4, bad=2), square, tmp_path / "o", executor=executor, progress=False)
    assert [r["status"] for r in results] == ["ok", "ok", "error", "ok"]
    assert results[2]["error"] == "ValueError: bad number"


def test_a_model_that_could_not_be_asked_is_no_result(tmp_path: Path) -> None:
    down: set[int] = {1, 2}
    ran: list[int] = []

    def ask(payload: Payload) -> Row:
        ran.append(payload["x"])
        if payload["x"] in down:
            raise ModelTimeoutError("no answer within 60 s")
        if payload["x"] == 3:
            raise BudgetExceededError("no calls are left")
        return {"status": "ok", "y": payload["x"]}

    def statuses(*, retry_errors: bool = False) -> list[str]:
        rows = run_tasks(
            [Task(id=f"t{i}", payload={"x": i}) for i in range(4)],
            ask,
            tmp_path,
            executor="serial",
            progress=False,
            retry_errors=retry_errors,
        )
        assert rows == sorted(read_results(tmp_path), key=lambda r: str(r["id"]))
        return [str(r["status"]) for r in rows]

    assert statuses() == ["ok", "unanswered", "unanswered", "error"]
    down.remove(1)
    assert statuses() == ["ok", "ok", "unanswered", "error"]
    assert statuses(retry_errors=True) == ["ok", "ok", "unanswered", "error"]
    down.clear()
    assert statuses() == ["ok", "ok", "ok", "error"]
    assert ran == [0, 1, 2, 3, 1, 2, 2, 3, 2]


def test_the_death_of_a_worker_costs_only_its_own_task(square: Any, tmp_path: Path) -> None:
    results = run_tasks(_tasks(5, deadly=1), square, tmp_path / "o", jobs=2, progress=False)
    assert [r["status"] for r in results] == ["ok", "error", "ok", "ok", "ok"]
    assert "died" in results[1]["error"]


SCRIPT = """
import sys
sys.path.insert(0, {lib!r})
from pathlib import Path
from squaring_task import square
from embodied.bench.runner import Task, run_tasks
if __name__ == "__main__":
    more = {{"log": {log!r}, "sleep_s": 0.1}}
    tasks = [Task(id=f"t{{i}}", payload={{"x": i, **more}}) for i in range(16)]
    run_tasks(tasks, square, Path({out!r}), jobs=2, progress=False)
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_run_continues_without_loss_or_repetition(
    how: signal.Signals, square: Any, tmp_path: Path
) -> None:
    log, out = tmp_path / "log", tmp_path / "out"
    script = tmp_path / "script.py"
    text = SCRIPT.format(lib=str(tmp_path / "lib"), log=str(log), out=str(out))
    script.write_text(text)
    process = subprocess.Popen([sys.executable, str(script)], stderr=subprocess.DEVNULL)
    for _ in range(600):
        if out.exists() and len(read_results(out)) >= 4:
            break
        time.sleep(0.05)
    process.send_signal(how)
    process.wait(timeout=20)
    finished = {r["id"]: r for r in read_results(out)}
    assert 4 <= len(finished) < 16
    time.sleep(0.5)  # workers are gone: nothing more is started
    started = len(log.read_text().split())
    time.sleep(0.5)
    assert len(log.read_text().split()) == started
    with open(out / "results.jsonl", "a") as f:
        f.write('{"id": "t15", "y"')  # a line torn by the kill
    subprocess.run([sys.executable, str(script)], check=True, timeout=60)
    results = {r["id"]: r for r in read_results(out)}
    assert [results[f"t{i}"]["y"] for i in range(16)] == [i * i for i in range(16)]
    assert {i: results[i] for i in finished} == finished
    runs = log.read_text().split()
    for task_id in finished:
        assert runs.count(task_id.removeprefix("t")) == 1


def test_two_runs_may_not_share_a_folder(tmp_path: Path) -> None:
    first = ResultFile(tmp_path)
    with pytest.raises(ConfigurationError, match="another run"):
        ResultFile(tmp_path)
    first.close()
    ResultFile(tmp_path).close()


def test_settings_of_a_continued_run_must_agree(tmp_path: Path) -> None:
    check_settings(tmp_path, {"time_s": 10.0})
    check_settings(tmp_path, {"time_s": 10.0})
    with pytest.raises(ConfigurationError, match="time_s"):
        check_settings(tmp_path, {"time_s": 60.0})


def test_bad_calls_are_refused(square: Any, tmp_path: Path) -> None:
    twice = [Task(id="a", payload={}), Task(id="a", payload={})]
    with pytest.raises(ConfigurationError, match="repeated: a"):
        run_tasks(twice, square, tmp_path, progress=False)
    with pytest.raises(ConfigurationError, match=", ".join(EXECUTORS)):
        run_tasks([], square, tmp_path, executor="cloud", progress=False)
    (tmp_path / "results.jsonl").write_text("not json\n")
    with pytest.raises(ConfigurationError, match="line 1"):
        run_tasks([], square, tmp_path, progress=False)


def test_ray_runs_the_same_tasks(square: Any, tmp_path: Path) -> None:
    pytest.importorskip("ray", reason="needs the extra [ray]")
    results = run_tasks(_tasks(4), _cube, tmp_path / "out", jobs=2, executor="ray", progress=False)
    assert [r["y"] for r in results] == [0, 1, 8, 27]


def _cube(payload: Mapping[str, Any]) -> dict[str, Any]:
    return {"status": "ok", "y": payload["x"] ** 3}


def test_without_ray_the_extra_is_named(
    square: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(EnvironmentMissingError, match=r"embodied-stack\[ray\]"):
        run_tasks(_tasks(1), square, tmp_path / "o", executor="ray", progress=False)
