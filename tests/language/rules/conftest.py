"""The scenes' translators, as the benchmark builds them."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from embodied.types import PddlProgram

Translate = Callable[..., PddlProgram]


def _load_benchmark() -> ModuleType:
    path = Path(__file__).resolve().parents[3] / "benchmarks" / "rules_suite.py"
    spec = importlib.util.spec_from_file_location("rules_suite", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def rules_suite() -> ModuleType:
    return _load_benchmark()


@pytest.fixture(scope="session")
def benches(rules_suite: ModuleType) -> dict[str, Any]:
    return {name: rules_suite.Bench(name) for name in ("blocks", "kitchen", "workshop")}


@pytest.fixture(scope="session")
def translate(benches: dict[str, Any]) -> Translate:
    """``translate(scene, text, facts=(), before=())``; ``before`` is (sentence, goal) pairs."""

    def translate_(
        scene: str,
        text: str,
        facts: Sequence[str] = (),
        before: Sequence[tuple[str, str]] = (),
    ) -> PddlProgram:
        bench = benches[scene]
        earlier = [{"text": t, "goals": [g]} for t, g in before]
        memory = bench.memory({"facts": list(facts), "before": earlier})
        return bench.translator.translate(text, memory, bench.spec)

    return translate_
