"""The in-process model, with real weights (``EMBODIED_TEST_GGUF``), and its refusals without."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from embodied.errors import ConfigurationError, ModelError, ModelTimeoutError
from embodied.protocols import Message, Request

pytest.importorskip("xllamacpp", reason="needs the [local] extra")

from embodied.language.models.local import LocalModel  # noqa: E402

GRAMMAR = 'root ::= "(on " block " " block ")"\nblock ::= "red" | "green"'


def _ask(text: str, **options: object) -> Request:
    return Request(messages=(Message(role="user", text=text),), **options)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def model() -> Iterator[LocalModel]:
    if "EMBODIED_TEST_GGUF" not in os.environ:
        pytest.skip("no weights to test with: set EMBODIED_TEST_GGUF to a GGUF chat model")
    opened = LocalModel(os.environ["EMBODIED_TEST_GGUF"], context_tokens=1024, threads=1)
    yield opened
    opened.close()


def test_a_missing_file_and_a_wrong_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot read the model"):
        LocalModel(tmp_path / "missing.gguf")
    wrong = tmp_path / "wrong.gguf"
    wrong.write_text("not weights")
    with pytest.raises(ConfigurationError, match="not a GGUF file"):
        LocalModel(wrong)


def test_half_a_file_is_a_model_error(tmp_path: Path) -> None:
    half = tmp_path / "half.gguf"
    half.write_bytes(b"GGUF\x03\x00\x00\x00")
    with pytest.raises(ModelError, match="cannot load"):
        LocalModel(half)


def test_decodes_under_the_grammar(model: LocalModel) -> None:
    response = model.complete(_ask("Tell me a story.", grammar=GRAMMAR, temperature=1.5))
    assert response.text in {f"(on {a} {b})" for a in ("red", "green") for b in ("red", "green")}
    assert response.confidence is not None and 0.0 < response.confidence < 1.0


def test_the_shared_prefix_is_read_once(model: LocalModel) -> None:
    long = "The table holds many blocks. " * 20
    cold = model.complete(_ask(long + "Name one.", max_tokens=4))
    warm = model.complete(_ask(long + "Name two.", max_tokens=4))
    assert cold.usage.input_tokens == pytest.approx(warm.usage.input_tokens, abs=2)
    assert model.cached_tokens > 100


def test_no_port_is_opened_and_only_the_user_reaches_the_socket(model: LocalModel) -> None:
    assert model.listening_address.startswith("unix://")
    folder = Path(model.listening_address.removeprefix("unix://")).parent
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    inodes = {
        os.readlink(f"/proc/self/fd/{fd}").removeprefix("socket:[").removesuffix("]")
        for fd in os.listdir("/proc/self/fd")
        if os.path.exists(f"/proc/self/fd/{fd}")
    }
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/self/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            assert not (fields[3] == "0A" and fields[9] in inodes), "listens on a TCP port"


def test_a_malformed_grammar_is_a_model_error(model: LocalModel) -> None:
    with pytest.raises(ModelError, match="grammar"):
        model.complete(_ask("hello", grammar="root ::= nothing"))


def test_a_prompt_longer_than_the_context_is_a_model_error(model: LocalModel) -> None:
    with pytest.raises(ModelError, match="context size"):
        model.complete(_ask("block " * 3000))


def test_too_slow_is_a_time_out(model: LocalModel) -> None:
    hasty = LocalModel(
        os.environ["EMBODIED_TEST_GGUF"], context_tokens=1024, threads=1, timeout_s=1e-6
    )
    with pytest.raises(ModelTimeoutError, match="did not finish"):
        hasty.complete(_ask("Tell a long story.", max_tokens=500))
    hasty.close()


def test_closing_removes_the_socket() -> None:
    if "EMBODIED_TEST_GGUF" not in os.environ:
        pytest.skip("no weights to test with: set EMBODIED_TEST_GGUF to a GGUF chat model")
    opened = LocalModel(os.environ["EMBODIED_TEST_GGUF"], context_tokens=256, threads=1)
    folder = Path(opened.listening_address.removeprefix("unix://")).parent
    opened.close()
    assert not folder.exists()
    with pytest.raises(ModelError, match="closed"):
        opened.complete(_ask("hello"))


def test_without_the_extra_the_message_names_it() -> None:
    code = (
        "import sys; sys.modules['xllamacpp'] = None\n"
        "from embodied.errors import EnvironmentMissingError\n"
        "from embodied.language.models import open_model\n"
        "try: open_model('local:/x.gguf')\n"
        "except EnvironmentMissingError as e: sys.exit(0 if '[local]' in str(e) else 1)\n"
        "sys.exit(2)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
