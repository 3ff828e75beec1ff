from __future__ import annotations

import resource
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from embodied.app.record.states import StateLog, read_states
from embodied.errors import ConfigurationError


def _log(path: Path, losses: list[str], nq: int = 3) -> StateLog:
    return StateLog(path, nq=nq, rate_hz=10.0, header={"scene": "x"}, on_loss=losses.append)


def test_rows_come_at_the_rate_of_simulated_time(tmp_path: Path) -> None:
    losses: list[str] = []
    log = _log(tmp_path / "states.bin", losses)
    for k in range(1001):
        log.sample(k * 0.01, lambda k=k: np.full(3, float(k)))
    log.sample(10.005, lambda: np.zeros(3), force=True)
    log.close()
    states = read_states(tmp_path / "states.bin")
    assert states.header.text("scene") == "x"
    assert states.time.shape == (102,)
    assert np.allclose(np.diff(states.time[:-1]), 0.1, atol=1e-5)
    assert states.qpos[5] == pytest.approx(50.0)
    assert not losses


def test_time_never_goes_backwards(tmp_path: Path) -> None:
    with closing(_log(tmp_path / "states.bin", [])) as log:
        for t in (0.0, 0.5, 0.5, 0.4, 0.6):
            log.sample(t, lambda: np.zeros(3), force=True)
    assert read_states(tmp_path / "states.bin").time.tolist() == pytest.approx([0.0, 0.5, 0.6])


def test_an_incomplete_row_is_dropped(tmp_path: Path) -> None:
    path = tmp_path / "states.bin"
    with closing(_log(path, [])) as log:
        for t in range(3):
            log.sample(float(t), lambda: np.ones(3))
    whole = path.read_bytes()
    for cut in range(whole.index(b"\n") + 1, len(whole)):
        path.write_bytes(whole[:cut])
        states = read_states(path)
        assert states.qpos.shape == (len(states.time), 3)
        assert len(states.time) < 3


def test_a_wrong_shape_is_an_error(tmp_path: Path) -> None:
    with (
        closing(_log(tmp_path / "states.bin", [])) as log,
        pytest.raises(ValueError, match=r"\(3,\)"),
    ):
        log.sample(0.0, lambda: np.zeros(4))


def test_a_full_disk_ends_the_recording_only(tmp_path: Path) -> None:
    losses: list[str] = []
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300, hard))
    try:
        log = _log(tmp_path / "states.bin", losses)
        for k in range(100):
            log.sample(k * 1.0, lambda: np.zeros(3))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert len(losses) == 1
    assert 0 < len(read_states(tmp_path / "states.bin").time) < 100


@pytest.mark.parametrize("content", [None, b"", b"no header\n", b'{"rate_hz": 1}\n'])
def test_a_damaged_file_is_named(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "states.bin").write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"states\.bin"):
        read_states(tmp_path / "states.bin")
