"""The conformance suite over every kind of model and over every wrapper."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from embodied.errors import ModelError
from embodied.language.models import (
    Budget,
    Budgeted,
    FallbackModel,
    FunctionModel,
    Recording,
    ReplayModel,
    Retrying,
    open_model,
)
from embodied.language.models.contract import LanguageModelContract
from embodied.language.models.loopback import Act, LoopbackEndpoint
from embodied.protocols import LanguageModel, Request

DOWN = "http://127.0.0.1:9"


class TestFunction(LanguageModelContract):
    @contextmanager
    def open(self, answer: str, request: Request) -> Iterator[LanguageModel]:
        yield FunctionModel(lambda _: answer)

    @contextmanager
    def open_unreachable(self) -> Iterator[LanguageModel]:
        yield FunctionModel.scripted([ModelError("down")])


class TestReplay(LanguageModelContract):
    @contextmanager
    def open(self, answer: str, request: Request) -> Iterator[LanguageModel]:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "recorded.jsonl"
            recording = Recording(FunctionModel(lambda _: answer), path)
            recording.complete(request)
            recording.close()
            yield open_model(f"replay:{path}")

    @contextmanager
    def open_unreachable(self) -> Iterator[LanguageModel]:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "recorded.jsonl"
            path.touch()
            yield ReplayModel(path)


class TestWrapped(LanguageModelContract):
    """All wrappers at once, as ``open_model`` stacks them."""

    def _wrap(self, model: LanguageModel, folder: str) -> LanguageModel:
        budget = Budget(max_calls=10, max_tokens=100_000)
        inner = Retrying(Budgeted(model, budget), attempts=2, sleep=lambda _: None)
        return Recording(FallbackModel([inner]), Path(folder) / "recorded.jsonl")

    @contextmanager
    def open(self, answer: str, request: Request) -> Iterator[LanguageModel]:
        with tempfile.TemporaryDirectory() as folder:
            yield self._wrap(FunctionModel(lambda _: answer), folder)

    @contextmanager
    def open_unreachable(self) -> Iterator[LanguageModel]:
        with tempfile.TemporaryDirectory() as folder:
            yield self._wrap(FunctionModel.scripted([ModelError("down")]), folder)


class _Endpoint(LanguageModelContract):
    kind = ""
    model = "tiny"

    @pytest.fixture(autouse=True)
    def _key(self, monkeypatch: pytest.MonkeyPatch) -> None:
        pytest.importorskip("pydantic_ai", reason="needs the [llm] extra")
        monkeypatch.setenv(f"{self.kind.upper()}_API_KEY", "sk-test-0123456789")

    def _open(self, base_url: str) -> LanguageModel:
        return open_model(f"{self.kind}:{self.model}", base_url=base_url, attempts=1)

    @contextmanager
    def open(self, answer: str, request: Request) -> Iterator[LanguageModel]:
        with LoopbackEndpoint([Act(text=answer)]) as endpoint:
            url = endpoint.openai_url if self.kind == "openai" else endpoint.root
            model = self._open(url)
            yield model
            model.close()

    @contextmanager
    def open_unreachable(self) -> Iterator[LanguageModel]:
        yield self._open(DOWN)


@pytest.mark.llm
class TestOpenAI(_Endpoint):
    kind = "openai"


@pytest.mark.llm
class TestAnthropic(_Endpoint):
    kind = "anthropic"


@pytest.mark.llm
class TestAnthropicWithStructuredOutput(_Endpoint):
    kind = "anthropic"
    model = "claude-sonnet-4-6"


class TestLocal(LanguageModelContract):
    """Real weights; any GGUF chat model will do."""

    scripted = False

    @pytest.fixture(autouse=True)
    def _weights(self) -> None:
        pytest.importorskip("xllamacpp", reason="needs the [local] extra")
        if "EMBODIED_TEST_GGUF" not in os.environ:
            pytest.skip("no weights to test with: set EMBODIED_TEST_GGUF to a GGUF chat model")

    @contextmanager
    def open(self, answer: str, request: Request) -> Iterator[LanguageModel]:
        model = open_model(
            f"local:{os.environ['EMBODIED_TEST_GGUF']}", context_tokens=1024, threads=1
        )
        yield model
        model.close()


def test_the_suite_notices_a_model_that_strips_text() -> None:
    """The suite itself can fail."""

    class Strips(LanguageModelContract):
        def open(self, answer: str, request: Request) -> AbstractContextManager[LanguageModel]:
            @contextmanager
            def opened() -> Iterator[LanguageModel]:
                yield FunctionModel(lambda _: answer.replace("\n", " "))

            return opened()

    with pytest.raises(AssertionError):
        Strips().test_the_text_comes_through_unharmed()
