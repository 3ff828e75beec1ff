"""Every request of every route, strategy and writer, through the real client libraries."""

from __future__ import annotations

import json
import os
import socket
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pydantic_ai", reason="needs the [llm] extra")

from embodied.language.models.endpoint import EndpointModel  # noqa: E402
from embodied.language.models.loopback import LoopbackEndpoint  # noqa: E402
from embodied.language.offline.weights import find_base  # noqa: E402

from .every_request import every_request, purposes  # noqa: E402
from .strict_rules import faults, refusal, schema_of  # noqa: E402

pytestmark = pytest.mark.llm

NAMES = {"openai": "gpt-4o", "openai-responses": "gpt-4o", "anthropic": "claude-sonnet-4-6"}
"""Models that the library knows to take schemas and a temperature."""

WIRES = pytest.mark.parametrize("kind", NAMES)
OBJECT = {"type": "object", "additionalProperties": False, "required": [], "properties": {}}


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "none")


def test_no_request_is_forgotten() -> None:
    sent = {request.purpose for request in every_request().values()}
    assert purposes() <= sent, purposes() - sent
    assert sum(request.schema is not None for request in every_request().values()) >= 10


@WIRES
def test_a_strict_endpoint_takes_every_request_as_it_is(kind: str) -> None:
    with LoopbackEndpoint(["ok"], refuses=refusal) as endpoint:
        url = endpoint.root if kind == "anthropic" else endpoint.openai_url
        model = EndpointModel(kind, NAMES[kind], base_url=url)
        for name, request in every_request().items():
            before = len(endpoint.seen)
            assert model.complete(request).text == "ok", name
            assert len(endpoint.seen) == before + 1, f"{name} was refused and sent again"
            sent, text = endpoint.seen[-1].body, json.dumps(endpoint.seen[-1].body)
            for message in request.messages:
                assert json.dumps(message.text)[1:-1] in text, name
            if kind != "anthropic":
                form = schema_of(sent)
                asked = None if request.schema is None else dict(request.schema)
                if asked is not None:
                    asked.pop("title", None)
                assert (form and {k: v for k, v in form["schema"].items() if k != "title"}) == asked
            else:
                small = request.purpose in ("pddl-goal", "memory-deltas", "human-reaction")
                assert ("output_config" in sent) == small, name  # at most 16 unions are taken
        model.close()


@pytest.mark.parametrize(
    ("schema", "fault"),
    [
        ({"type": "array", "items": {"type": "string"}}, "'type: \"object\"'"),
        ({"type": "object", "properties": {}}, "additionalProperties"),
        ({**OBJECT, "properties": {"a": {"type": "string"}}}, "every key"),
        ({**OBJECT, "required": ["a"], "properties": {"a": {"type": "array"}}}, "missing items"),
        ({**OBJECT, "required": ["a"], "properties": {"a": {"enum": ["b"]}}}, "'type' key"),
        ({**OBJECT, "minProperties": 1}, "not permitted"),
        (
            {
                **OBJECT,
                "required": ["a"],
                "properties": {
                    "a": {
                        "anyOf": [
                            {**OBJECT, "required": ["b"], "properties": {"b": {"type": kind}}}
                            for kind in ("string", "number")
                        ]
                    }
                },
            },
            "identical first keys",
        ),
    ],
)
def test_the_rules_refuse_what_they_are_about(schema: dict[str, Any], fault: str) -> None:
    assert fault in " ".join(faults(schema))


# --- llama.cpp's own server


def _shallow(whole: Path, path: Path, layers: int = 4) -> None:
    """Write the first layers of a model alone: what it says is nonsense, but soon said."""
    gguf: Any = pytest.importorskip("gguf", reason="gguf is not installed (extra [learned])")
    reader, kinds = gguf.GGUFReader(whole), gguf.GGUFValueType
    architecture = reader.fields["general.architecture"].contents()
    writer = gguf.GGUFWriter(path, architecture)
    for name, field in reader.fields.items():
        if name.startswith("GGUF.") or name == "general.architecture":
            continue
        value = layers if name == f"{architecture}.block_count" else field.contents()
        inner = field.types[-1] if field.types[0] == kinds.ARRAY else None
        writer.add_key_value(name, value, field.types[0], sub_type=inner)
    for tensor in reader.tensors:
        if not tensor.name.startswith("blk.") or int(tensor.name.split(".")[1]) < layers:
            writer.add_tensor(tensor.name, tensor.data, raw_dtype=tensor.tensor_type)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a llama.cpp server with tiny weights, on a loopback port."""
    xllamacpp: Any = pytest.importorskip("xllamacpp", reason="needs the [local] extra")
    path = os.environ.get("EMBODIED_TEST_GGUF") or find_base()
    if path is None:
        pytest.skip("no weights to test with: set EMBODIED_TEST_GGUF to a GGUF chat model")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    shallow = tmp_path_factory.mktemp("shallow") / "model.gguf"
    _shallow(Path(path), shallow)
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(shallow)
    parameters.n_ctx = 8192
    parameters.n_parallel = 1
    parameters.verbosity = -1
    parameters.cache_ram_mib = 0
    parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = 1
    parameters.hostnames = ["127.0.0.1"]
    parameters.port = port
    parameters.ui = False
    server = xllamacpp.Server(parameters)
    for _ in range(600):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as answer:
                if answer.status == 200:
                    break
        except OSError:
            time.sleep(0.1)
    yield f"http://127.0.0.1:{port}"
    del server


@pytest.mark.slow
@WIRES
def test_llama_cpp_takes_every_request(kind: str, llama: str) -> None:
    url = llama if kind == "anthropic" else f"{llama}/v1"
    model = EndpointModel(kind, NAMES[kind], base_url=url, timeout_s=600)
    decoded: dict[str, str] = {}
    for name, request in every_request().items():
        if "repaired" in name or (kind != "openai" and name not in ("goal", "memory", "skills")):
            continue  # long prompts take a small machine seconds each
        response = model.complete(replace(request, max_tokens=12))
        assert response.text or response.calls, name
        assert response.usage.input_tokens > 20 and response.usage.output_tokens > 0, name
        if request.schema is not None and kind == "openai":  # the other two do not decode under it
            decoded[name] = response.text.lstrip()[:1]
    assert kind != "openai" or set(decoded.values()) in ({"{"}, {"{", ""}), decoded
    model.close()
