"""Shared test set-up: no test reaches the network, only the loopback interface."""

from __future__ import annotations

import ipaddress
import os
import re
import signal
import socket
import threading
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

import embodied.world  # noqa: F401 - chooses MuJoCo's OpenGL before a test imports MuJoCo

# No test fails for being slow. Continuous integration draws the same examples each time; anybody
# else draws new ones.
settings.register_profile("local", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")

# A shell that starts this in the background has SIGINT ignored, and so would all that the tests
# start and interrupt.
if threading.current_thread() is threading.main_thread():
    signal.signal(signal.SIGINT, signal.default_int_handler)

_connect = socket.socket.connect


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Two workers for the suite, or for folders of it; none for a file or a single test."""
    alone = any(".py" in arg for arg in config.args)
    return 0 if alone else min(2, os.cpu_count() or 1)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Files with tests in real time go to one worker, and so not beside one another.

    By file: the groups of ``--dist loadgroup`` are lost with pytest 9.2.
    """
    from xdist.scheduler import LoadScopeScheduling

    root = Path(__file__).parent
    together = {
        str(p.relative_to(root.parent)) for p in root.rglob("test_*.py") if _in_real_time(p)
    }

    class Together(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return "real time" if nodeid.partition("::")[0] in together else nodeid

    return Together(config, log)


def _in_real_time(path: Path) -> bool:
    return "mark.realtime" in path.read_text("utf-8")


def _is_loopback(address: Any) -> bool:
    if not isinstance(address, tuple):
        return True  # a Unix socket
    host = str(address[0])
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.split("%")[0]).is_loopback
    except ValueError:
        return False


def _guarded_connect(self: socket.socket, address: Any) -> None:
    if not _is_loopback(address):
        raise RuntimeError(f"a test tried to reach the network: {address!r}")
    _connect(self, address)


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket.socket, "connect", _guarded_connect)
    for name in list(os.environ):
        if name.endswith("_API_KEY"):
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def _unsigned(
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Runs are signed by tests of receipts alone, and never with the key of whoever tests."""
    state = tmp_path_factory.getbasetemp() / "state"
    monkeypatch.setenv("XDG_STATE_HOME", str(state))
    if "signed_runs" not in request.fixturenames:
        monkeypatch.setattr("embodied.receipts.notary.have_signed", lambda folder: "")


@pytest.fixture
def signed_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Have runs signed, with a key and a ledger in the folder that this returns."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state" / "embodied"


@pytest.fixture(scope="session")
def benchmark_data() -> Path:
    """Folder with the published benchmark data; tests that need it skip where it is missing."""
    root = os.environ.get("EMBODIED_BENCHMARK_DATA")
    path = Path(root) if root else Path(__file__).resolve().parents[2] / "shared" / "data"
    if not path.is_dir():
        pytest.skip("no published benchmark data: set EMBODIED_BENCHMARK_DATA to its folder")
    return path


def _unexpected_skips(config: pytest.Config) -> list[str]:
    """Skips whose reason matches nothing in expected_skips.toml, where that is asked for."""
    reporter: Any = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or not os.environ.get("EMBODIED_STRICT_SKIPS"):
        return []
    table = tomllib.loads((Path(__file__).parent / "expected_skips.toml").read_text())
    expected = [re.compile(entry["reason"]) for entry in table.values()]
    found: list[str] = []
    for report in reporter.stats.get("skipped", []):
        where = report.longrepr
        reason = where[2] if isinstance(where, tuple) else str(where)
        if not any(pattern.search(reason) for pattern in expected):
            found.append(f"{report.nodeid}: {reason}")
    return found


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    for line in _unexpected_skips(config):
        terminalreporter.write_line(f"UNEXPECTED SKIP {line}", red=True)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    if session.exitstatus == 0 and _unexpected_skips(session.config):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
